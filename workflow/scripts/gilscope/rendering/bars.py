"""Small drawings inside tables, coloured by the page's style sheet so that no ``style`` attribute is needed."""

from __future__ import annotations

import math
from typing import Any

from gilscope.rendering.markup import EMPTY, Html, joined, missing

WIDTH, HEIGHT = 132, 18


def interval_bar(case: dict[str, Any]) -> Html:
    """A case's interval against its threshold; the side on which the claim holds is shaded."""
    estimate, low, high = (case.get(name) for name in ("estimate", "low", "high"))
    limits = case.get("threshold") or {}
    bounds = limits.get("within") or [
        limit for limit in (limits.get("above"), limits.get("below")) if limit is not None
    ]
    values = [estimate, low, high, *bounds]
    if not bounds or any(missing(value) or not math.isfinite(value) for value in values):
        return EMPTY
    ratio = case.get("unit") == "x" and min(values) > 0
    places = [math.log(value) if ratio else float(value) for value in values]
    centre = sum(places[3:]) / len(bounds)
    least = math.log(1.2) if ratio else 0.1 * abs(centre) or 0.1
    reach = 1.15 * max(least, *(abs(place - centre) for place in places))
    at, start, end, *edges = [WIDTH / 2 + (place - centre) / reach * WIDTH / 2 for place in places]
    left = edges[0] if "above" in limits or "within" in limits else 0
    right = edges[-1] if "below" in limits or "within" in limits else WIDTH
    middle = HEIGHT / 2
    shapes = [
        Html('<rect class="holds" x="{:.1f}" y="1" width="{:.1f}" height="{}" rx="2"/>').format(
            left, right - left, HEIGHT - 2
        ),
        *(Html('<path class="limit" d="M{0:.1f} 0V{1}"/>').format(edge, HEIGHT) for edge in edges),
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
