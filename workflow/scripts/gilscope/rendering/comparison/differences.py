"""Cell by cell: what got worse, any two sides beside each other, and what could not be compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gilscope.figures._runtimes import named
from gilscope.figures.comparison import Comparison
from gilscope.rendering.comparison.embedded import embedded
from gilscope.rendering.quantities import missing
from gilscope.rendering.templates import Html, filled

FIRST_SIDES, FIRST_ROWS = 4, 60
"""Without its script the page has tables of so many sides, of so many rows each: those furthest from 1."""
MOST_WORSE, MOST_REASONS, MOST_PLACES = 20, 12, 6


def gate(comparison: Comparison) -> Html:
    """What got worse beyond its interval, for those who gate a change on it; nothing where nobody asked."""
    found = comparison.gate
    return filled("comparison/gate", gate=found, worse=found.get("worse") or [], most_rows=MOST_WORSE)


def differences(comparison: Comparison) -> Html:
    """The table that the script fills with any two sides, its data, and the baseline's tables without script."""
    if len(comparison.sides) < 2:
        return filled("comparison/differences", sides=[])
    found = {name: rows.to_dict("records") for name, rows in comparison.differences.groupby("side")}
    others = [name for name in comparison.names if name in found]
    return filled(
        "comparison/differences",
        sides=comparison.names,
        data=embedded(comparison),
        others=len(others),
        tables={name: sorted(found[name], key=beyond, reverse=True) for name in others[:FIRST_SIDES]},
        first_rows=FIRST_ROWS,
    )


def beyond(row: Mapping[Any, Any]) -> float:
    """How far a ratio's interval lies from 1, in logarithms; below 0 where it holds 1."""
    low, high = row["low"], row["high"]
    if missing(low) or missing(high):
        return -math.inf
    return max(math.log(low) if low > 0 else -math.inf, -math.log(high) if high > 0 else math.inf)


def unmatched(comparison: Comparison) -> Html:
    """What could not be compared: for each reason how many cells, of which blocks, between which sides."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in comparison.unmatched:
        found.setdefault(str(row["reason"]), []).append(row)
    rows: list[dict[str, Any]] = [
        {
            "reason": reason,
            "cells": sum(int(row["count"]) for row in own),
            "places": named(
                list(dict.fromkeys(place for row in own for place in str(row["what"]).split(", "))), MOST_PLACES
            ),
            "pairs": list(dict.fromkeys((str(row["side"]), str(row["against"])) for row in own)),
        }
        for reason, own in found.items()
    ]
    rows.sort(key=lambda row: (-row["cells"], row["reason"]))
    return filled("comparison/unmatched", alone=len(comparison.sides) < 2, rows=rows, most_rows=MOST_REASONS)
