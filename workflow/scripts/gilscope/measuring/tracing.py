"""Traces: one run of every cell apart from the timed ones, that records each task's start, end, CPU time and worker."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from gilscope.measuring.helpers import without_helpers
from gilscope.measuring.job import Job
from gilscope.measuring.laps import first_items
from gilscope.measuring.memory import MemorySampler
from gilscope.measuring.probing import lost_here
from gilscope.measuring.traced import Task, Traced
from gilscope.measuring.usage import NOTHING, Usage, own_usage, total
from gilscope.running.cells import Cell
from gilscope.running.lock import check_parent
from gilscope.running.progress import doing
from gilscope.running.reasons import reason_of
from gilscope.running.twice import twice


def charged_elsewhere(tasks: Iterable[Task], warm: bool) -> Usage:
    """What the worker processes were charged with up to the end of their last task.

    Cold workers from their birth, which is part of what they cost; warm ones from the start of their first task.
    """
    first: dict[int, Usage] = {}
    last: dict[int, Usage] = {}
    for process, before, after in (charge for task in tasks for charge in task.elsewhere):
        first[process] = min(before, first.get(process, before), key=lambda usage: usage.cpu)
        last[process] = max(after, last.get(process, after), key=lambda usage: usage.cpu)
    return total(usage - (first[process] if warm else NOTHING) for process, usage in last.items())


def trace_cell(job: Job, name: str, sampler: MemorySampler) -> dict[str, Any]:
    """One value of a cell, started as cold or warm as its timed values are; the answers are checked.

    tasks: as ``Task.moved``. usage: of the process tree, None where no system call tells. memory: of the same tree,
    the highest that was sampled.
    """
    cell = Cell.parse(name)
    traced = Traced(job.workload.function)
    doing(name)
    job.workload.fresh()
    with without_helpers():
        sampler.begin()
        before = own_usage()
        with job.strategies[cell.strategy].open(cell.workers) as spread:
            if cell.pool == "warm":
                list(spread(traced, first_items(job, cell)))
                before = own_usage()
            answers = list(spread(traced, job.items))
            memory = sampler.end()
        after = own_usage()
    job.check(name, [answer for answer, _ in answers])
    tasks = [task for _, task in answers]
    zero = min(task.start for task in tasks)
    usage = None
    if before is not None and after is not None:
        usage = asdict(after - before + charged_elsewhere(tasks, cell.pool == "warm"))
    return {"tasks": [task.moved(zero) for task in tasks], "usage": usage, "memory": memory}


def trace_cells(job: Job, names: Iterable[str], unusable: Mapping[str, str], sampler: MemorySampler) -> dict[str, Any]:
    """Trace these cells once each, but for the unusable ones: ``cells``, and ``failed`` with the reason of each.

    Raises WrongAnswer when a cell's answers are not the sequential ones. Where the process has lost its lock, nothing
    that it traced is worth anything.
    """
    cells: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for name in (name for name in names if name not in unusable):
        check_parent()
        try:
            cells[name] = twice(partial(trace_cell, job, name, sampler))
        except (OSError, RuntimeError) as error:
            failed[name] = reason_of(error)
            print(f"{job.block.path} {name} failed: {failed[name]}", file=sys.stderr)
    lost = lost_here(job.block, cells)
    return {"cells": {name: cell for name, cell in cells.items() if name not in lost}, "failed": {**failed, **lost}}
