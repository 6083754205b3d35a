"""How fast each side does one task after the other, as a table."""

from __future__ import annotations

from typing import Any

from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison.relative_speed import points
from gilscope.rendering.comparison.tables import MOST_SIDES, by_side, ends
from gilscope.rendering.markup import EMPTY, Html, folded, interval


def speeds(comparison: Comparison) -> Html:
    """Times as fast as the baseline, a row for each workload; folded under the figure that shows the same."""
    found = points(comparison).to_dict("records")
    if not found:
        return EMPTY
    sides = [name for name in comparison.names if any(row["side"] == name for row in found)]
    if len(sides) > MOST_SIDES:
        values: dict[str, dict[str, float]] = {}
        for row in found:
            values.setdefault(named(row), {})[row["side"]] = row["estimate"]
        return folded("As a table", ends("Workload", values, "{:.2f} ×".format, ("Slowest", "Fastest")))
    rows: dict[str, dict[str, Html]] = {}
    for row in found:
        said = interval(row["estimate"], row["low"], row["high"], "x")
        rows.setdefault(named(row), {})[row["side"]] = said
    return folded("As a table", by_side("Workload", rows, sides))


def named(row: dict[Any, Any]) -> str:
    return f"{row['workload']}, {row['size']}"
