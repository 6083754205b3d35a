"""Traces: one run of every cell apart from the timed ones, that records each task's start, end, CPU time and worker."""

from __future__ import annotations

import os
import sys
import threading
import time
import types
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable

from gilscope.cells import SEQUENTIAL, Block, Cell
from gilscope.measuring.job import Job, prepared
from gilscope.measuring.laps import forget_helpers
from gilscope.measuring.lock import check_parent, machine_lock


@dataclass(frozen=True)
class Task:
    """One traced task: clock readings in seconds, comparable across the processes of a machine, and CPU seconds."""

    start: float
    end: float
    cpu: float
    worker: str


def cpu_clock() -> Callable[[], float]:
    """The CPU time of this worker: of the whole process where the worker is one, else of the thread."""
    return time.process_time if threading.current_thread() is threading.main_thread() else time.thread_time


def this_worker() -> str:
    return f"{os.getpid()}/{threading.get_ident()}"


@types.coroutine
def metered(coroutine: Any, spent: list[float]) -> Any:
    """Await a coroutine, adding the CPU seconds of its own steps, and not of what runs while it waits, to ``spent``."""
    send, sent = coroutine.send, None
    while True:
        began = time.thread_time()
        try:
            awaited = send(sent)
        except StopIteration as stop:
            return stop.value
        finally:
            spent[0] += time.thread_time() - began
        try:
            send, sent = coroutine.send, (yield awaited)
        except BaseException as error:
            send, sent = coroutine.throw, error


class Traced:
    """A workload's task that answers ``(answer, Task)``; goes wherever the plain function goes, processes included."""

    def __init__(self, function: Callable[[Any], Any]):
        self.function = function

    def __call__(self, item: Any) -> Any:
        clock = cpu_clock()
        start, cpu = time.perf_counter(), clock()
        answer = self.function(item)
        return answer, Task(start, time.perf_counter(), clock() - cpu, this_worker())

    @property
    def workload(self) -> Any:
        """The workload's facts, so that its native coroutine is found, and traced as well."""
        facts = self.function.workload  # type: ignore[attr-defined]
        if facts.coroutine is None:
            return facts

        @asynccontextmanager
        async def traced(offload):
            async with facts.coroutine(offload) as native:

                async def call(item):
                    start, spent = time.perf_counter(), [0.0]
                    answer = await metered(native(item), spent)
                    return answer, Task(start, time.perf_counter(), spent[0], this_worker())

                yield call

        return replace(facts, coroutine=traced)


def trace_cell(job: Job, name: str) -> list[Task]:
    """The tasks of one value of a cell, started as cold or warm as its timed values are; the answers are checked."""
    cell = Cell.parse(name)
    traced = Traced(job.workload.function)
    job.workload.fresh()
    forget_helpers()
    with job.strategies[cell.strategy].open(cell.workers) as spread:
        if cell.pool == "warm":
            list(spread(traced, job.items))
        answers = list(spread(traced, job.items))
    job.check(name, [answer for answer, _ in answers])
    return [task for _, task in answers]


def record_round(block: Block, number: int, calibration: dict[str, Any], folder: str) -> dict[str, Any]:
    """Trace every cell of a block once. Raises WrongAnswer when a cell's answers are not the sequential ones."""
    cells: dict[str, list[dict[str, Any]]] = {}
    failed: dict[str, str] = {}
    with machine_lock():
        if "not_applicable" not in calibration:
            with prepared(block, folder) as job:
                for name in (SEQUENTIAL.name, *calibration["cells"]):
                    check_parent()
                    try:
                        tasks = trace_cell(job, name)
                    except (OSError, RuntimeError) as error:
                        failed[name] = f"{type(error).__name__}: {error}"
                        print(f"{block.path} {name} failed: {failed[name]}", file=sys.stderr)
                        continue
                    zero = min(task.start for task in tasks)
                    moved = [replace(task, start=task.start - zero, end=task.end - zero) for task in tasks]
                    cells[name] = [asdict(task) for task in moved]
    return {"block": asdict(block), "round": number, "cells": cells, "failed": failed}
