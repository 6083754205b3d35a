"""Small drawings inside tables, coloured by the page's style sheet so that no ``style`` attribute is needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gilscope.rendering.markup import EMPTY, Html, joined, missing

WIDTH, HEIGHT = 132, 18


def bounds_of(limits: Mapping[str, Any]) -> list[float]:
    """The numbers of a threshold: one, or two of ``within``."""
    return limits.get("within") or [limit for limit in (limits.get("above"), limits.get("below")) if limit is not None]


def scaled(value: float, ratio: bool) -> float:
    return math.log(value) if ratio else float(value)


@dataclass(frozen=True)
class Axis:
    """Places along a drawing with a threshold in its middle. edges: of the threshold; holds: where the claim does.

    A ratio and its inverse lie equally far from 1.
    """

    centre: float
    reach: float
    width: float
    ratio: bool
    limits: Mapping[str, Any]

    @classmethod
    def around(
        cls, limits: Mapping[str, Any], values: Sequence[float], *, ratio: bool, width: float, margin: float
    ) -> Axis:
        """An axis that holds these values. margin: how much wider it is than they need."""
        ratio = ratio and min(*values, *bounds_of(limits)) > 0
        bounds = [scaled(bound, ratio) for bound in bounds_of(limits)]
        centre = sum(bounds) / len(bounds)
        least = math.log(1.2) if ratio else 0.1 * abs(centre) or 0.1
        reach = max(least, *(abs(place - centre) for place in (*bounds, *(scaled(value, ratio) for value in values))))
        return cls(centre, margin * reach, width, ratio, limits)

    def at(self, value: float) -> float:
        return self.width / 2 + (scaled(value, self.ratio) - self.centre) / self.reach * self.width / 2

    @property
    def edges(self) -> list[float]:
        return [self.at(bound) for bound in bounds_of(self.limits)]

    @property
    def holds(self) -> tuple[float, float]:
        left = self.edges[0] if "above" in self.limits or "within" in self.limits else 0
        right = self.edges[-1] if "below" in self.limits or "within" in self.limits else self.width
        return left, right


def interval_bar(case: dict[str, Any]) -> Html:
    """A case's interval against its threshold; the side on which the claim holds is shaded."""
    estimate, low, high = (case.get(name) for name in ("estimate", "low", "high"))
    limits = case.get("threshold") or {}
    bounds = bounds_of(limits)
    values: list[Any] = [estimate, low, high, *bounds]
    if not bounds or any(missing(value) or not math.isfinite(value) for value in values):
        return EMPTY
    axis = Axis.around(limits, values[:3], ratio=case.get("unit") == "x", width=WIDTH, margin=1.15)
    at, start, end = map(axis.at, values[:3])
    left, right = axis.holds
    middle = HEIGHT / 2
    shapes = [
        Html('<rect class="holds" x="{:.1f}" y="1" width="{:.1f}" height="{}" rx="2"/>').format(
            left, right - left, HEIGHT - 2
        ),
        *(Html('<path class="limit" d="M{0:.1f} 0V{1}"/>').format(edge, HEIGHT) for edge in axis.edges),
        Html('<path class="interval" d="M{:.1f} {}H{:.1f}"/>').format(start, middle, max(end, start + 1)),
        Html('<circle class="estimate" cx="{:.1f}" cy="{}" r="3.4"/>').format(at, middle),
    ]
    return Html('<svg class="bar {}" viewBox="0 0 {} {}" width="{}" height="{}" aria-hidden="true">{}</svg>').format(
        case["verdict"].replace(" ", "-"), WIDTH, HEIGHT, WIDTH, HEIGHT, joined(shapes)
    )


def share_bar(parts: list[tuple[str, int]]) -> Html:
    """How a whole divides, as one bar."""
    whole, start, shapes = sum(count for _, count in parts), 0.0, []
    for name, count in parts:
        width = 1000 * count / whole
        shapes.append(
            Html('<rect class="{}" x="{:.1f}" width="{:.1f}" height="10"/>').format(
                name.replace(" ", "-"), start, max(0.0, width - 3)
            )
        )
        start += width
    return Html(
        '<svg class="share" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(joined(shapes))


def order_strip(spans: list[tuple[float, float, str]]) -> Html:
    """Rounds as bars along the time of the run: (start, end, class) with 0 to 1 for the whole of it."""
    shapes = [
        Html('<rect class="{}" x="{:.2f}" width="{:.2f}" height="26"/>').format(
            kind, 1000 * start, 1000 * max(end - start, 4e-4)
        )
        for start, end, kind in spans
    ]
    return Html(
        '<svg class="strip" viewBox="0 0 1000 26" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(joined(shapes))
