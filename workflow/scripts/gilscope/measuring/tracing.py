"""Traces: one run of every cell apart from the timed ones, that records each task's start, end, CPU time and worker."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from gilscope.cells import SEQUENTIAL, Block, Cell
from gilscope.measuring.job import Job, prepared
from gilscope.measuring.laps import first_items, forget_helpers
from gilscope.measuring.memory import MemorySampler, memory_sampler
from gilscope.measuring.probing import lost_here
from gilscope.measuring.traced import Task, Traced
from gilscope.measuring.usage import NOTHING, Usage, own_usage, total
from gilscope.running.lock import check_parent, machine_lock
from gilscope.running.node import node
from gilscope.running.progress import doing


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
    forget_helpers()
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


def record_round(
    block: Block, number: int, calibration: dict[str, Any], folder: str, left_out: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Trace every cell of a block once. Raises WrongAnswer when a cell's answers are not the sequential ones.

    left_out: cells that are not traced, each with the reason.
    """
    cells: dict[str, dict[str, Any]] = {}
    failed = dict(left_out or {})
    unusable = {**calibration.get("failed", {}), **failed}
    with machine_lock() as waited:
        started = time.time()
        if "not_applicable" not in calibration:
            with prepared(block, folder) as job, memory_sampler() as sampler:
                for name in (SEQUENTIAL.name, *calibration["cells"]):
                    check_parent()
                    if name in unusable:
                        continue
                    try:
                        cells[name] = trace_cell(job, name, sampler)
                    except (OSError, RuntimeError) as error:
                        failed[name] = f"{type(error).__name__}: {error}"
                        print(f"{block.path} {name} failed: {failed[name]}", file=sys.stderr)
            lost = lost_here(block, cells)
            failed.update(lost)
            cells = {name: cell for name, cell in cells.items() if name not in lost}
        ended = time.time()
    times = {"started": started, "ended": ended, "waited_s": waited, "node": node()}
    return {"block": asdict(block), "round": number, **times, "cells": cells, "failed": failed}
