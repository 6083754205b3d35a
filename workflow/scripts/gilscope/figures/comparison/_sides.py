"""Which sides there is room for, how each is drawn, and how it is called where there is little room."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from gilscope.figures._look import Look
from gilscope.figures._runtimes import named
from gilscope.figures.comparison import Comparison

MOST = 8
"""More sides than this are drawn as a distribution, or the most different of them."""
LOOKS = (
    Look("#3d4751", "#c3ccd5", "o"),
    Look("#a13d63", "#f08bae", "s"),
    Look("#00808f", "#3cc4d4", "^"),
    Look("#b97a00", "#f2b233", "D"),
    Look("#5563b8", "#a2adf5", "v"),
    Look("#5c7a00", "#b3d141", "P"),
    Look("#7a5230", "#d3a57c", "X"),
    Look("#7d55b0", "#c6a4f0", "h"),
)
"""Of the sides in their order; the colours of strategies that stand out most are left to those."""
LETTERS = 38
NO_WORDS: Mapping[str, str] = {}
FACTS = ("cpu", "os", "architecture", "virtualisation")


def apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """How different two sides are: hardware and doublings of its cores before runtimes, those before other runs."""
    mine, theirs = (side.get("machine") or {} for side in (one, other))
    counts = [known.get("usable_cores") or 1 for known in (mine, theirs)]
    unlike = sum(mine.get(fact) != theirs.get(fact) for fact in FACTS)
    runtime, bundle = (one.get(name) != other.get(name) for name in ("runtime", "bundle"))
    return unlike + abs(math.log2(counts[0] / counts[1])) + 0.5 * runtime + 0.25 * bundle


def chosen(comparison: Comparison, found: Iterable[str], most: int = MOST) -> list[str]:
    """Of these sides at most so many, in the comparison's order: the first, then ever the one most unlike those."""
    wanted = set(map(str, found))
    sides = [side for side in comparison.sides if side["side"] in wanted]
    taken, nearest = sides[:1], [math.inf] * len(sides)
    while sides and len(taken) < min(most, len(sides)):
        nearest = [min(known, apart(side, taken[-1])) for known, side in zip(nearest, sides, strict=True)]
        nearest = [-1.0 if side in taken else known for known, side in zip(nearest, sides, strict=True)]
        taken.append(sides[nearest.index(max(nearest))])
    return [side["side"] for side in sides if side in taken]


def looks(comparison: Comparison, names: Sequence[str]) -> dict[str, Look]:
    """How each of at most eight sides is drawn: alike in every figure where there are no more of them."""
    every = comparison.names if len(comparison.names) <= MOST else names
    return {name: drawn for name, drawn in zip(every, LOOKS, strict=False) if name in names}


def short(name: str, most: int = LETTERS) -> str:
    """A name in one line; what is too long for it loses its middle, since labels end with what tells them apart."""
    name = " ".join(name.split())
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-(most - most // 2) :]}"


def left_out(comparison: Comparison, found: Collection[str], shown: Collection[str]) -> str:
    """For how many sides there was no room, as a line of its own."""
    others = [name for name in comparison.names if name in set(found) - set(shown)]
    if not others:
        return ""
    told = named([short(name, 26) for name in others], 2)
    return f"\nThe {len(shown)} most different of {len(found)} sides; for want of room without {told}."
