"""Laps: every cell of a block in turn, in random order, each beside a sequential value; laps, not stretches."""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

from gilscope.measuring.answers import WrongAnswer
from gilscope.measuring.helpers import forget_helpers, without_helpers
from gilscope.measuring.job import Job
from gilscope.running.cells import SEQUENTIAL, Cell
from gilscope.running.lock import check_parent
from gilscope.running.progress import doing
from gilscope.running.reasons import reason_of
from gilscope.running.twice import twice

REFERENCE_EVERY = 3
CELLS_PER_PROBE = 6
FASTER, AGAIN = 1.3, 4
"""A cell that computes so many times as fast as one worker fills several cores, whose speeds come and go: it scatters
most, and a value of it holds so many loops."""
SELDOM = 2
"""In one lap of so many, and in the first of each round, a block takes the cells that no claim names."""


@dataclass(frozen=True)
class Value:
    """One timed value: seconds per loop, and where in the round it was taken."""

    cell: str
    lap: int
    position: int
    loops: int
    seconds: float


class ClockStopped(RuntimeError):
    """A value took no time at all, as where a task has put another clock in the place of the interpreter's."""


def is_reference(position: int) -> bool:
    """Whether the value at this position of a lap is one of the sequential values that cells are compared with."""
    return position % REFERENCE_EVERY == 0


def reference_beside(position: Any) -> Any:
    """The position of the reference right before or right after this one; takes whole columns too."""
    return (position + 1) // REFERENCE_EVERY * REFERENCE_EVERY


def lap_order(cells: Sequence[str], seed: str, turned: bool = False) -> list[tuple[int, str]]:
    """(position, cell) of a lap: cells and sequential probes (A/A) in random order, every third a reference.

    So every cell, and every probe, has a reference right before or right after it. A long lap, of which few fit into a
    round, has a probe for every six cells, so that one change of the core's speed does not decide the A/A ratio.
    turned: an odd number of cells leaves one whose reference can only be before it, or, turned, only after it. What
    follows a sequential value is some 1 % faster than what follows workers, so laps take turns.
    """
    shuffled = [*cells, *[SEQUENTIAL.name] * max(1, round(len(cells) / CELLS_PER_PROBE))]
    random.Random(seed).shuffle(shuffled)
    position = 2 if turned and len(shuffled) % 2 else 0
    order: list[tuple[int, str]] = []
    for name in shuffled:
        if is_reference(position):
            order.append((position, SEQUENTIAL.name))
            position += 1
        order.append((position, name))
        position += 1
    if is_reference(position):
        order.append((position, SEQUENTIAL.name))
    return order


@dataclass(frozen=True)
class Lap:
    """One lap of a round. count: how many laps the block had before it, those of earlier rounds included."""

    number: int
    count: int

    @property
    def turned(self) -> bool:
        """See ``lap_order``; not in step with ``of``, so that rare cells are turned as often as others."""
        return self.count // SELDOM % 2 == 1

    def of(self, cells: Sequence[str], seldom: Sequence[str]) -> list[str]:
        """The cells that it takes: the seldom ones in the first lap of each round and in every second."""
        return [name for name in cells if self.number <= 1 or self.count % SELDOM == 0 or name not in seldom]


def first_items(job: Job, cell: Cell) -> Sequence[Any]:
    """What warms a warm cell up: a task for each worker, where each is there at once to take one; else all tasks.

    The ceiling's processes get their whole share at the start; those that are not forked, and interpreters, come one
    after the other.
    """
    strategy = job.strategies[cell.strategy]
    forked = (strategy.start_method or multiprocessing.get_start_method()) == "fork"
    everything = strategy.control or strategy.isolated or (strategy.processes and not forked)
    return job.items if everything else job.items[: cell.workers]


def warm_up(job: Job, name: str) -> None:
    """Start a cell's workers, as its values will be, for a task each; nothing is timed, nothing checked.

    Workers apart from this process keep nothing for the values to come: one task warms up what hands it over.
    """
    cell = Cell.parse(name)
    strategy = job.strategies[cell.strategy]
    doing(name)
    job.workload.fresh()
    with without_helpers(), strategy.open(cell.workers) as spread:
        list(spread(job.workload.function, job.items[: 1 if strategy.processes else cell.workers]))


def time_value(job: Job, name: str, loops: int = 1) -> float:
    """Seconds per loop of one cell, its answers checked; of a sequential one that does a part, as if it did all.

    Cold: from before the workers' start to after their end. Warm: on running workers that have done a task each.
    """
    cell = Cell.parse(name)
    strategy = job.strategies[cell.strategy]
    part = job.block.part if cell == SEQUENTIAL else 1
    function, items = job.workload.function, job.items[: len(job.items) // part]
    doing(name)
    job.workload.fresh()
    seconds = 0.0
    with without_helpers():
        if cell.pool == "warm":
            with strategy.open(cell.workers) as spread:
                list(spread(function, first_items(job, cell)))
                for _ in range(loops):
                    began = time.perf_counter()
                    answers = spread(function, items)
                    seconds += time.perf_counter() - began
                    collected = list(answers)
        else:
            for loop in range(loops):
                if loop and strategy.processes:
                    forget_helpers()
                began = time.perf_counter()
                with strategy.open(cell.workers) as spread:
                    collected = list(spread(function, items))
                seconds += time.perf_counter() - began
    job.check(name, collected)
    if not seconds > 0:
        raise ClockStopped("the clock stood still during a value: does a task replace it?")
    return part * seconds / loops


class Laps:
    """Takes laps over the cells of a job; a cell that fails is left out from then on, with its reason in ``failed``."""

    def __init__(self, job: Job, cells: Iterable[str], loops: dict[str, int]):
        self.job = job
        self.cells = list(cells)
        self.loops = loops
        self.failed: dict[str, str] = {}

    def warm_up(self) -> None:
        """Let each cell do a task or a few: what a process does for the first time is not timed."""
        for name in (SEQUENTIAL.name, *self.cells):
            check_parent()
            self.tried(name, partial(warm_up, self.job, name))

    def take(self, lap: int, seed: str, before: int = 0) -> list[Value]:
        """One lap, in the order that the seed gives. Raises WrongAnswer, and Orphaned once the parent has gone.

        before: how many laps earlier rounds of the block had.
        """
        values: list[Value] = []
        this = Lap(lap, before + max(0, lap - 1))
        cells = this.of(self.cells, self.job.block.seldom)
        for position, name in lap_order(cells, f"{seed}/{lap}", this.turned):
            check_parent()
            if name in self.failed:
                continue
            loops = self.loops.get(name, 1)
            seconds = self.tried(name, partial(time_value, self.job, name, loops))
            if seconds is not None:
                values.append(Value(name, lap, position, loops, seconds))
        return values

    def tried(self, name: str, work: Callable[[], float | None]) -> float | None:
        """What work with a cell gives, or None where it fails; the sequential one may not, nor any answer be wrong.

        A worker may have been killed by somebody else: what fails has another try.
        """
        try:
            return twice(work)
        except (WrongAnswer, MemoryError):
            raise
        except Exception as error:
            if name == SEQUENTIAL.name:
                raise
            self.failed[name] = reason_of(error)
            print(f"{self.job.block.path} {name} failed: {self.failed[name]}", file=sys.stderr)
        return None
