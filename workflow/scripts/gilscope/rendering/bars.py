"""Where the parts of the small drawings inside tables lie; the templates draw them, the style sheet colours them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gilscope.rendering.quantities import missing

ENDS = ("low", "estimate", "high")
Case = Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """Places along a drawing with a threshold in its middle. holds: where the claim does; edges: the threshold.

    A ratio and its inverse lie equally far from 1.
    """

    centre: float
    reach: float
    width: float
    ratio: bool
    limits: Mapping[str, Any]

    def at(self, value: float) -> float:
        return self.width / 2 + (scaled(value, self.ratio) - self.centre) / self.reach * self.width / 2

    @property
    def edges(self) -> list[float]:
        return [self.at(bound) for bound in bounds_of(self.limits)]

    @property
    def holds(self) -> tuple[float, float]:
        left = self.edges[0] if "above" in self.limits or "within" in self.limits else 0
        return left, self.edges[-1] if "below" in self.limits or "within" in self.limits else self.width


def axis(cases: Sequence[Case], width: float, margin: float) -> Axis | None:
    """An axis for cases with the same threshold, if they can be drawn. margin: how much wider it is than they need."""
    if not all(map(drawable, cases)):
        return None
    limits, values = cases[0]["threshold"], [case[name] for case in cases for name in ENDS]
    ratio = cases[0].get("unit") == "x" and min(*values, *bounds_of(limits)) > 0
    bounds = [scaled(bound, ratio) for bound in bounds_of(limits)]
    centre = sum(bounds) / len(bounds)
    least = math.log(1.2) if ratio else 0.1 * abs(centre) or 0.1
    reach = max(least, *(abs(place - centre) for place in (*bounds, *(scaled(value, ratio) for value in values))))
    return Axis(centre, margin * reach, width, ratio, limits)


def scaled(value: float, ratio: bool) -> float:
    return math.log(value) if ratio else float(value)


def bounds_of(limits: Mapping[str, Any]) -> list[float]:
    """The numbers of a threshold: one, or two of ``within``."""
    return limits.get("within") or [limit for limit in (limits.get("above"), limits.get("below")) if limit is not None]


def drawable(case: Case) -> bool:
    """Whether a case has an interval and a threshold in finite numbers."""
    bounds = bounds_of(case.get("threshold") or {})
    values: list[Any] = [*map(case.get, ENDS), *bounds]
    return bool(bounds) and all(not missing(value) and math.isfinite(value) for value in values)


def forest(sides: Mapping[str, Case]) -> list[dict[str, Any]]:
    """The sides whose cases share an axis, by their estimates, each with its name as ``side``; nothing below two.

    sides: side → what it told of a claim: ``verdict`` and ``case``.
    """
    told = [{**one, "side": side} for side, one in sides.items() if drawable(one.get("case") or {})]
    if len(told) < 2:
        return []
    usual = Counter(kind_of(one["case"]) for one in told).most_common(1)[0][0]
    return sorted(
        (one for one in told if kind_of(one["case"]) == usual), key=lambda one: float(one["case"]["estimate"])
    )


def kind_of(case: Case) -> tuple[str, ...]:
    """What must be the same for cases to share an axis."""
    return str(case.get("case")), str(case.get("metric")), str(case.get("unit")), json.dumps(case.get("threshold"))


def shares(counts: Mapping[str, int]) -> list[tuple[str, float, float]]:
    """How a whole of 1000 divides: name, start and width of each part that is not empty."""
    whole, start, parts = sum(counts.values()), 0.0, []
    for name, count in counts.items():
        width = 1000 * count / whole
        if count:
            parts.append((name, start, max(0.0, width - 3)))
        start += width
    return parts
