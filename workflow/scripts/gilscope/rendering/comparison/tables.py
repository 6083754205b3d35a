"""Tables with a column for each side; of many sides with what lies in their middle and at their ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gilscope.rendering.markup import Html, table

MOST_SIDES = 6
"""More sides than this have no column of their own."""


def by_side(
    heading: str,
    rows: Mapping[str, Mapping[str, Html]],
    sides: Sequence[str],
) -> Html:
    """A column for each side that has something. rows: name of a row → side → what it says there."""
    named = [side for side in sides if any(side in found for found in rows.values())]
    told = [(row, *(found.get(side, Html("–")) for side in named)) for row, found in rows.items()]
    return table((heading, *named), told, "cards by-side")


def ends(
    heading: str,
    rows: Mapping[str, Mapping[str, float]],
    said: Callable[[float], str],
    words: tuple[str, str] = ("Lowest", "Highest"),
) -> Html:
    """Median, lowest and highest of many sides, with their names. rows: name of a row → side → number."""
    told = []
    for row, found in rows.items():
        ranked = sorted(found.items(), key=lambda one: one[1])
        values = [value for _, value in ranked]
        middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
        least, most = (Html("{}<small>{}</small>").format(said(value), side) for side, value in (ranked[0], ranked[-1]))
        told.append((row, len(values), said(middle), least, most))
    return table((heading, "Sides", "Median", *words), told, "cards by-side")
