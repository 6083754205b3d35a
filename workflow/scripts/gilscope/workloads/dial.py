from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any, Callable

from gilscope.workloads import Site, workload

SLICES = 2
"""A task waits and computes in turn, so often; at ``large`` a turn computes for no longer than the GIL's 5 ms."""


def compute(steps: int) -> int:
    total = 0
    for step in range(steps):
        total += step & 7
    return total


@functools.cache
def steps_per_second() -> float:
    """How fast this interpreter computes at its best; read once a process, since the dial is set in seconds."""
    steps, best = 20_000, float("inf")
    for _ in range(60):
        began = time.perf_counter()
        compute(steps)
        best = min(best, time.perf_counter() - began)
    return steps / best


def turns(waiting: float, seconds: float, tasks: int, site: Site) -> Sequence[Any]:
    """(pause in seconds, steps) of a slice, for each task."""
    pause, computing = waiting * seconds / SLICES, (1 - waiting) * seconds / SLICES
    return [(pause, round(computing * steps_per_second()))] * tasks


def take_turns(turn: Any) -> int:
    pause, steps = turn
    total = 0
    for _ in range(SLICES):
        if pause:
            time.sleep(pause)
        total += compute(steps)
    return total


@asynccontextmanager
async def taking_turns(offload):
    async def call(turn):
        pause, steps = turn
        total = 0
        for _ in range(SLICES):
            if pause:
                await asyncio.sleep(pause)
            if steps:
                total += await offload(compute, steps)
        return total

    yield call


def dial(waiting: float) -> Callable[[Callable[[Any], Any]], Any]:
    """A workload that waits for this share of its time; all of them are the same but for it."""
    return workload(
        kind={0.0: "cpu", 1.0: "io"}.get(waiting, "mixed"),
        waiting=waiting,
        sizes={"small": 0.001, "medium": 0.005, "large": 0.006, "deck": 0.2},
        unit="s",
        inputs=functools.partial(turns, waiting),
        coroutine=taking_turns if waiting else None,
    )


@dial(0.0)
def dial_0(turn: Any) -> int:
    """Computes in bytecode all of its time."""
    return take_turns(turn)


@dial(0.25)
def dial_25(turn: Any) -> int:
    """Waits for a quarter of its time and computes for the rest."""
    return take_turns(turn)


@dial(0.5)
def dial_50(turn: Any) -> int:
    """Waits for half of its time and computes for the rest."""
    return take_turns(turn)


@dial(0.75)
def dial_75(turn: Any) -> int:
    """Waits for three quarters of its time and computes for the rest."""
    return take_turns(turn)


@dial(1.0)
def dial_100(turn: Any) -> int:
    """Waits all of its time."""
    return take_turns(turn)
