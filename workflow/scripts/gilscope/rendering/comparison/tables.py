"""What figures show, as tables: a column for each side; of many sides what lies in their middle and at their ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gilscope.figures.comparison import Comparison, pays_from, relative_speed
from gilscope.rendering.templates import Html, filled

MOST_SIDES = 6
"""More sides than this have no column of their own."""


def speeds(comparison: Comparison) -> Html:
    """How many times as fast as the baseline each side does one task after the other, a row for each workload."""
    found = relative_speed.points(comparison).to_dict("records")
    return by_side("speeds", comparison, [{**row, "row": f"{row['workload']}, {row['size']}"} for row in found])


def break_even(comparison: Comparison) -> Html:
    """From which size of a task on a strategy pays, a row for each workload and strategy."""
    return by_side("break_even", comparison, pays_from.points(comparison).to_dict("records"))


def by_side(template: str, comparison: Comparison, found: list[dict[Any, Any]]) -> Html:
    """The table of these points, each with its ``row`` and its ``side``."""
    rows: dict[str, dict[str, dict[Any, Any]]] = {}
    for row in found:
        rows.setdefault(str(row["row"]), {})[row["side"]] = row
    told = {row["side"] for row in found}
    return filled(
        f"comparison/{template}",
        rows=rows,
        sides=[name for name in comparison.names if name in told],
        crowd=len(told) > MOST_SIDES,
        ranked={name: ranked(own) for name, own in rows.items()},
        answers={name: Counter(row.get("pays") for row in own.values()).most_common() for name, own in rows.items()},
    )


def ranked(row: Mapping[str, Mapping[Any, Any]]) -> list[tuple[float, str]]:
    """The sides with a number, the lowest first."""
    return sorted((one["estimate"], side) for side, one in row.items() if one.get("pays", "somewhere") == "somewhere")
