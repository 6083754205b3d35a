"""The first screen: what lies side by side, and what to know beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gilscope.comparison.sides import hardware
from gilscope.figures.comparison import Comparison
from gilscope.rendering.quantities import dates
from gilscope.rendering.templates import Html, filled

MOST_BUNDLES = 8
"""More bundles than this are folded away."""
MEASURED = ("measured_from", "measured_to")


def opening(comparison: Comparison) -> Html:
    """The title, and one line: how many machines and runtimes, when they were measured."""
    sides = comparison.sides
    machines = [side.get("machine") or {} for side in sides]
    return filled(
        "comparison/opening",
        bundles=len(by_bundle(sides)),
        machines=len({hardware(facts) for facts in machines}),
        known=all(facts.get("cpu") for facts in machines),
        runtimes=len({side["runtime"] for side in sides}),
        measured=dates(side.get(name) for side in sides for name in MEASURED),
    )


def by_bundle(sides: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The sides of each bundle, in order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for side in sides:
        found.setdefault(str(side["bundle"]), []).append(side)
    return found


def warnings(comparison: Comparison) -> Html:
    """What to know before believing a comparison below."""
    return filled(
        "comparison/warnings",
        sides=len(comparison.sides),
        left_out=comparison.left_out,
        notes=comparison.notes,
    )


def sides(comparison: Comparison) -> Html:
    """A row for each bundle: its machine, its runtimes, how and when it was measured."""
    bundles = [
        {
            **own[0],
            "machine": own[0].get("machine") or {},
            "runtimes": runtimes_of(own),
            "measured": dates(map(own[0].get, MEASURED)),
        }
        for own in by_bundle(comparison.sides).values()
    ]
    return filled("comparison/sides", bundles=bundles, away=len(bundles) > MOST_BUNDLES)


def runtimes_of(own: Sequence[Mapping[str, Any]]) -> list[tuple[str, str | None]]:
    """Each runtime of a bundle, and how it was built; of several built alike the last says so for all."""
    shown = []
    for side, after in zip(own, [*own[1:], {}], strict=True):
        says = side.get("says")
        words = side["runtime"] if says is None else says if says == side["runtime"] else f"{says} ({side['runtime']})"
        shown.append((words, side.get("built") if side.get("built") != after.get("built") else None))
    return shown
