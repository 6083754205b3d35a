"""What could not be compared, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gilscope.figures._runtimes import named
from gilscope.figures.comparison import Comparison
from gilscope.rendering.markup import Html, counted, folded, note, table

HEADINGS = ("Why", "Cells or claims", "What", "Between")
MOST_ROWS = 12
MOST_PLACES = 6


def unmatched(comparison: Comparison) -> Html:
    """A row for each reason: how many cells, of which blocks, between which sides."""
    if len(comparison.sides) < 2:
        return note("warn", "Nothing was compared.", "There is one side only.")
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in comparison.unmatched:
        found.setdefault(str(row["reason"]), []).append(row)
    if not found:
        return note("good", "Nothing.", "Whatever one side measured, the side that it is compared with measured too.")
    counts = {reason: sum(int(row["count"]) for row in rows) for reason, rows in found.items()}
    ranked = sorted(found, key=lambda reason: (-counts[reason], reason))
    told = [(reason, f"{counts[reason]:,}", places(found[reason]), between(found[reason])) for reason in ranked]
    listed = table(HEADINGS, told[:MOST_ROWS], "cards unmatched")
    if more := told[MOST_ROWS:]:
        listed += folded(counted(len(more), "more reason"), table(HEADINGS, more, "cards unmatched"))
    return listed


def places(rows: Sequence[Mapping[str, Any]]) -> str:
    return named(list(dict.fromkeys(place for row in rows for place in str(row["what"]).split(", "))), MOST_PLACES)


def between(rows: Sequence[Mapping[str, Any]]) -> Html:
    """The sides, here and there; the first of many."""
    pairs = list(dict.fromkeys((str(row["side"]), str(row["against"])) for row in rows))
    more = Html("<small>and {} more</small>").format(counted(len(pairs) - 1, "pair")) if len(pairs) > 1 else ""
    return Html("here: {}<small>there: {}</small>{}").format(*pairs[0], more)
