"""How many loops a value has, and how many laps a round: from what a first lap took."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gilscope.measuring.laps import AGAIN, FASTER, REFERENCE_EVERY, SELDOM, Laps, Value, lap_order
from gilscope.running.cells import SEQUENTIAL, Cell

SHORTEST_VALUE_S = 0.005
MOST_LAPS = 100


@dataclass(frozen=True)
class Length:
    """How many loops a value of each cell holds, how many laps a round has, and its first lap, where that is one."""

    loops: dict[str, int]
    laps: int
    first: tuple[Value, ...] = ()


def how_long(laps: Laps, sequential: float, seed: str) -> Length:
    """What the rounds of a block share, from one lap, or from two where a value needs several loops.

    sequential: the seconds of one sequential value. seed: as for ``Laps.take``.
    """
    block = laps.job.block
    if nothing_to_decide(sequential / block.part, laps.cells, block.seconds, block.min_laps):
        return Length(dict.fromkeys([SEQUENTIAL.name, *laps.cells], 1), block.min_laps)
    began = time.perf_counter()
    values = laps.take(1, seed)
    reference = min(value.seconds for value in values if value.cell == SEQUENTIAL.name)
    loops = laps.loops = loops_for(values, reference if laps.job.workload.kind == "cpu" else None)
    if max(loops.values()) > 1:
        began = time.perf_counter()
        values = laps.take(1, seed)
    whole = time.perf_counter() - began
    taken = {value.cell: value.loops * value.seconds for value in values}
    seldom = [taken[name] for name in block.seldom if name in taken]
    beside = len(seldom) / (REFERENCE_EVERY - 1) * taken[SEQUENTIAL.name] / block.part
    usual = max(whole - (1 - 1 / SELDOM) * (sum(seldom) + beside), whole / SELDOM)
    return Length(loops, laps_for(block.seconds, usual, block.min_laps), tuple(values))


def nothing_to_decide(sequential_seconds: float, cells: Sequence[str], seconds: float, min_laps: int) -> bool:
    """Whether one sequential value tells that a round has the fewest laps, and a value one loop.

    A lap lasts at least as long as its references; and W workers are not more than 2 W times as fast.
    """
    references = sum(name == SEQUENTIAL.name for _, name in lap_order(cells, ""))
    most = max((Cell.parse(name).workers for name in cells), default=1)
    long_enough = sequential_seconds / (2 * most) >= SHORTEST_VALUE_S
    return long_enough and references * sequential_seconds * (min_laps + 1) >= seconds


def loops_for(values: Iterable[Value], reference: float | None = None) -> dict[str, int]:
    """How many loops one value of each cell holds, so that it is not shorter than a few milliseconds.

    reference: the seconds of a sequential value, where the work computes; see ``FASTER``.
    """
    fastest: dict[str, float] = {}
    for value in values:
        fastest[value.cell] = min(value.seconds, fastest.get(value.cell, math.inf))
    return {
        cell: max(AGAIN if FASTER * seconds < (reference or 0.0) else 1, math.ceil(SHORTEST_VALUE_S / seconds))
        for cell, seconds in fastest.items()
    }


def laps_for(seconds: float, lap_seconds: float, min_laps: int) -> int:
    """How many laps fit into a round of so many seconds."""
    return max(min_laps, min(MOST_LAPS, int(seconds / lap_seconds)))
