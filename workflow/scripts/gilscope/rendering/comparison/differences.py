"""Any two sides cell by cell: chosen and worked out in the browser, with the baseline's as plain tables without it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gilscope.figures.comparison import Comparison
from gilscope.rendering.comparison.cells import cell_in_words, named, value_in_words
from gilscope.rendering.comparison.embedded import embedded
from gilscope.rendering.markup import EMPTY, Html, counted, folded, interval, joined, missing, note, table

HEADINGS = ("Cell", "What", "Baseline", "This side", "Ratio", "After correction")
FIRST_SIDES, FIRST_ROWS = 4, 60
"""Without its script the page has tables of so many sides, of so many rows each: those furthest from 1."""
OUTCOMES = {"better": "confirmed", "worse": "refuted", "alike": "not-tested", "unknown": "not-tested"}
SIGNS = {"better": "↑", "worse": "↓", "alike": "=", "unknown": "?"}


def differences(comparison: Comparison) -> Html:
    """The table that the script fills, its data, and the tables without script."""
    if len(comparison.sides) < 2:
        return note("warn", "No second side.", "A table of differences needs two sides.")
    return controls(comparison.names) + embedded(comparison) + against_baseline(comparison)


def controls(names: Sequence[str]) -> Html:
    """The menus, and where their table goes; hidden until the script that they need runs."""
    return Html(
        '<div data-differences hidden><form class="filters" aria-label="Choose what to compare"><div class="menus">{}{}'
        '<label>What <select name="metric"></select></label>'
        '<label>Filter <input type="search" name="filter" placeholder="sum_squares threading"></label></div>'
        '<p><output aria-live="polite"></output></p></form>'
        '<div class="box" tabindex="0" role="group" aria-label="Table: differences cell by cell"></div>'
        '<ul class="uncompared small"></ul></div>'
    ).format(menu("there", "Side A", names, 0), menu("here", "Side B", names, 1))


def menu(name: str, label: str, sides: Sequence[str], chosen: int) -> Html:
    """A menu of sides by their numbers."""
    options = joined(
        Html('<option value="{}"{}>{}</option>').format(number, Html(" selected") if number == chosen else EMPTY, side)
        for number, side in enumerate(sides)
    )
    return Html('<label>{} <select name="{}">{}</select></label>').format(label, name, options)


def against_baseline(comparison: Comparison) -> Html:
    """A folded table for each of the first sides beside the baseline; what differs most first."""
    found = comparison.differences
    compared = set(found["side"].unique())
    others = [name for name in comparison.names if name in compared]
    parts = []
    for name in others[:FIRST_SIDES]:
        rows = sorted(found[found["side"] == name].to_dict("records"), key=beyond, reverse=True)
        against = str(rows[0]["against"])
        counts = {outcome: sum(row["outcome"] == outcome for row in rows) for outcome in OUTCOMES}
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        title = Html("{} beside {} <small>{} of {}</small>").format(name, against, told, counted(len(rows), "cell"))
        listed = table(HEADINGS, map(row_of, rows[:FIRST_ROWS]), "cards differences")
        more = len(rows) - FIRST_ROWS
        rest = Html('<p class="small">The {} nearest to 1 are left out here.</p>').format(more) if more > 0 else EMPTY
        parts.append(folded(title, listed + rest))
    left = others[FIRST_SIDES:]
    words = f"These tables are about the first {FIRST_SIDES} of {len(others)} sides; the menus above compare any two."
    more_words = Html('<p class="small">{}</p>').format(words) if left else EMPTY
    heading = Html("<h3>Beside the baseline</h3>") if parts else EMPTY
    return heading + joined(parts) + more_words


def beyond(row: Mapping[Any, Any]) -> float:
    """How far a ratio's interval lies from 1, in logarithms; below 0 where it holds 1."""
    low, high = row["low"], row["high"]
    if missing(low) or missing(high):
        return -math.inf
    return max(math.log(low) if low > 0 else -math.inf, -math.log(high) if high > 0 else math.inf)


def row_of(row: Mapping[Any, Any]) -> tuple[object, ...]:
    outcome = str(row["outcome"])
    sign = Html('<span class="badge {}">{} {}</span>').format(OUTCOMES[outcome], SIGNS[outcome], outcome)
    return (
        cell_in_words(row),
        named(str(row["metric"])),
        value_in_words(row["there"], str(row["metric"])),
        value_in_words(row["here"], str(row["metric"])),
        interval(row["estimate"], row["low"], row["high"], "x"),
        sign,
    )
