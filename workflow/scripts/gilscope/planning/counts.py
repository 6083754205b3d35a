"""How many workers and tasks: the numbers of a sweep, from those of a machine's cores."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gilscope.configuring.claims import DECK_TASKS
from gilscope.workloads import Workload

MOST_TASKS = 512
MOST_SEQUENTIAL, FEW_SEQUENTIAL = 64, 16
"""A sequential value that would do more tasks than the first does no more than the second of them, which are alike."""
TASKS_PER_CORE = {8: 4, 32: 2, MOST_TASKS: 1}
"""Up to so many cores → the fewest tasks per core: a sequential value does them all, one after the other."""
ALL_POWERS_UP_TO = 8
WAITING_CORES = 8
"""Waiting is not divided among cores: what waits is swept as on a machine of no more than these."""


@dataclass(frozen=True)
class Cut:
    """What a sweep does without, to fit its budget; ``fitting`` says when.

    largest: the automatic worker counts beyond the cores. between: those between 1 and the cores.
    blocks: the blocks that no claim names, of workloads that claims are about.
    tasks: by how much fewer tasks a value has, as far as they divide evenly among its workers.
    coroutines: those on computing work, a yardstick that takes as long as a sequential value does.
    """

    largest: bool = False
    between: bool = False
    blocks: bool = False
    tasks: int = 1
    coroutines: bool = False


WHOLE = Cut()


def automatic_workers(cores: int, cut: Cut = WHOLE) -> list[int]:
    """1, 2, 4 … up to twice the usable cores, those included; beyond 8 cores five up to them, as a law is fitted from.

    No value has more workers than tasks.
    """
    if cut.between:
        powers = [1]
    elif cores <= ALL_POWERS_UP_TO:
        powers = [2**power for power in range(5) if 2**power <= 2 * cores]
    else:
        powers = [2 ** round(quarter * math.log2(cores) / 4) for quarter in range(4)]
    counts = allowed([*powers, cores, 2 * cores], cores, MOST_TASKS)
    return [count for count in counts if count <= cores] if cut.largest else counts


def allowed(counts: Iterable[int], cores: int, most: int) -> list[int]:
    """The worker counts up to ``most``; where that is less than the cores, the largest power of two in their place."""
    instead = {2 ** math.floor(math.log2(most))} if cores > most else set()
    return sorted({count for count in counts if count <= most} | instead)


def task_count(workers: Iterable[int], cores: int, size: str, fewer: int = 1) -> int:
    """How many tasks a value does: a common multiple of the worker counts, a few for each core, at most 512.

    Where the common multiple itself is beyond 512, a multiple of the largest count is as even as it gets.
    fewer: by what the tasks for each core are divided.
    """
    if size == "deck":
        return DECK_TASKS
    counts = [count for count in workers if count > 0] or [1]
    multiple = math.lcm(*counts)
    if multiple > MOST_TASKS:
        multiple = max(counts)
    fewest = cores * next((tasks for most, tasks in TASKS_PER_CORE.items() if cores <= most), 1)
    tasks = multiple * math.ceil(fewest / fewer / multiple)
    return tasks if tasks <= MOST_TASKS else max(multiple, MOST_TASKS // multiple * multiple)


def parts(tasks: int) -> int:
    """In how many parts the tasks are divided of which a sequential value does one: one, unless they are many."""
    most = tasks if tasks <= MOST_SEQUENTIAL else FEW_SEQUENTIAL
    return next(count for count in range(1, tasks + 1) if tasks % count == 0 and tasks // count <= most)


def cores_divided(facts: Workload, cores: int) -> int:
    """By how many cores the tasks and the automatic worker counts of a workload go."""
    return cores if facts.kind == "cpu" else min(cores, WAITING_CORES)
