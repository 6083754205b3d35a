"""Whether anything got worse than the baseline, for those who gate a change on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gilscope.figures.comparison import Comparison
from gilscope.rendering.comparison.cells import cell_in_words, named, value_in_words
from gilscope.rendering.markup import EMPTY, Html, counted, folded, interval, missing, note, table

HEADINGS = ("Cell", "Baseline", "Now", "Now ÷ baseline", "q")
MOST_ROWS = 20


def gate(comparison: Comparison) -> Html:
    """What got worse beyond its interval; nothing where nobody asked."""
    found = comparison.gate
    if not found:
        return EMPTY
    metric, compared, worse = str(found["metric"]), found.get("compared"), found.get("worse") or []
    allowed = f"by more than {100 * found['tolerance']:g} % beyond its interval"
    whole = counted(compared, "cell") if isinstance(compared, int) else "the cells compared"
    if compared == 0:
        text = (
            f"No {named(metric)} of a cell could be compared with that of the baseline: see what could not be compared."
        )
        return Html("<h2>Did it get worse?</h2>{}").format(note("bad", "Not known.", text))
    if not worse:
        text = f"Of {whole} none has a {named(metric)} that is worse {allowed}."
        return Html("<h2>Did it get worse?</h2>{}").format(note("good", "Nothing got worse.", text))
    text = f"{named(metric).capitalize()} of {len(worse)} of {whole} is worse than that of the baseline, {allowed}."
    rows = [row_of(row) for row in worse]
    listed = table(HEADINGS, rows[:MOST_ROWS], "cards regressions")
    if more := rows[MOST_ROWS:]:
        listed += folded(counted(len(more), "more cell"), table(HEADINGS, more, "cards regressions"))
    return Html("<h2>Did it get worse?</h2>{}{}").format(note("bad", "It got worse.", text), listed)


def row_of(row: Mapping[str, Any]) -> tuple[object, ...]:
    """A cell that got worse. Rows that a join could not fill have no numbers."""
    q: Any = row.get("q")
    return (
        Html("{}<small>{}</small>").format(cell_in_words(row), row["side"]),
        value_in_words(row.get("there"), row["metric"]),
        value_in_words(row.get("here"), row["metric"]),
        interval(row.get("estimate"), row.get("low"), row.get("high"), "x"),
        "–" if missing(q) else "< 0.001" if q < 0.001 else f"{q:.2g}",
    )
