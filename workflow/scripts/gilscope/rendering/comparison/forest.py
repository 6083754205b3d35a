"""Intervals of many sides below each other against one threshold, as one small drawing."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from gilscope.rendering.bars import Axis
from gilscope.rendering.claims import basis, measured_interval, threshold
from gilscope.rendering.markup import EMPTY, Html, counted, joined, missing

WIDTH, LINE, EDGE = 600, 4, 6
"""Width, height of a side's line, and what is free above and below, in the drawing's units."""


def forest(found: Mapping[str, Mapping[str, Any]]) -> Html:
    """A line for each side, sorted by estimate, where most were tested against the same; nothing below two of them.

    found: side → what it told of a claim: ``verdict`` and ``case``.
    """
    told = [{**one, "side": side} for side, one in found.items() if drawable(one.get("case") or {})]
    if len(told) < 2:
        return EMPTY
    kinds = Counter(kind_of(one["case"]) for one in told)
    usual = kinds.most_common(1)[0][0]
    own = sorted((one for one in told if kind_of(one["case"]) == usual), key=lambda one: float(one["case"]["estimate"]))
    case = dict(own[0]["case"])
    limits = case["threshold"]
    ends = [one["case"][name] for one in own for name in ("low", "estimate", "high")]
    axis = Axis.around(limits, ends, ratio=case.get("unit") == "x", width=WIDTH, margin=1.05)
    height = LINE * len(own) + 2 * EDGE
    left, right = axis.holds
    shapes = [
        Html('<rect class="holds" x="{:.0f}" width="{:.0f}" height="{}"/>').format(left, right - left, height),
        *(Html('<path class="limit" d="M{0:.0f} 0V{1}"/>').format(edge, height) for edge in axis.edges),
    ]
    for place, one in enumerate(own):
        y = EDGE + LINE * (place + 0.5)
        low, high, middle = (axis.at(one["case"][name]) for name in ("low", "high", "estimate"))
        shapes.append(
            Html('<path class="{}" d="M{:.0f} {:g}H{:.0f}M{:.0f} {:g}v3"/>').format(
                str(one["verdict"]).replace(" ", "-"), low, y, max(high, low + 1), middle, y - 1.5
            )
        )
    outermost = (Html("{} on {}").format(measured_interval(one["case"]), one["side"]) for one in (own[0], own[-1]))
    words = Html("{}, from {} to {}. Claimed {} · {} · {}").format(
        counted(len(own), "side"), *outermost, threshold(case), case["case"], basis(case)
    )
    return Html(
        '<svg class="forest" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-hidden="true">{2}</svg>'
        '<p class="small">{3}</p>'
    ).format(WIDTH, height, joined(shapes), words)


def drawable(case: Mapping[str, Any]) -> bool:
    """Whether a case has an interval and a threshold in finite numbers."""
    values: list[Any] = [case.get(name) for name in ("estimate", "low", "high")]
    return bool(case.get("threshold")) and all(not missing(value) and math.isfinite(value) for value in values)


def kind_of(case: Mapping[str, Any]) -> tuple[str, ...]:
    """What must be the same for cases to share an axis."""
    return str(case.get("case")), str(case.get("metric")), str(case.get("unit")), json.dumps(case.get("threshold"))
