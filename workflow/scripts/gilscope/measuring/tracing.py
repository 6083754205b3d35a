"""Traces: one run of every cell apart from the timed ones, that records each task's start, end, CPU time and worker."""

from __future__ import annotations

import os
import sys
import threading
import time
import types
from collections.abc import Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable

from gilscope.cells import SEQUENTIAL, Block, Cell
from gilscope.measuring.job import Job, prepared
from gilscope.measuring.laps import first_items, forget_helpers
from gilscope.measuring.lock import check_parent, machine_lock
from gilscope.measuring.memory import MemorySampler, memory_sampler
from gilscope.measuring.usage import NOTHING, Usage, own_usage, total


@dataclass(frozen=True)
class Task:
    """One traced task: clock readings in seconds, comparable across the processes of a machine, and CPU seconds.

    elsewhere: (process, usage before, usage after) for each process but the asking one that did a part of it.
    """

    start: float
    end: float
    cpu: float
    worker: str
    elsewhere: tuple[tuple[int, Usage, Usage], ...] = ()

    def moved(self, zero: float) -> dict[str, Any]:
        """The part that is kept, counted from ``zero``."""
        return {"start": self.start - zero, "end": self.end - zero, "cpu": self.cpu, "worker": self.worker}


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


class Charged:
    """A part of a task that a coroutine hands over; answers with what its process was charged with, if another."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.asker = os.getpid()

    def __call__(self, *args: Any) -> Any:
        before = own_usage() if os.getpid() != self.asker else None
        answer = self.function(*args)
        return answer, os.getpid(), before, own_usage() if before is not None else None


class Traced:
    """A workload's task that answers ``(answer, Task)``; goes wherever the plain function goes, processes included."""

    def __init__(self, function: Callable[[Any], Any]):
        self.function = function
        self.charged = Charged(function)

    def __call__(self, item: Any) -> Any:
        clock = cpu_clock()
        start, cpu = time.perf_counter(), clock()
        answer, process, before, after = self.charged(item)
        end, spent = time.perf_counter(), clock() - cpu
        elsewhere = ((process, before, after),) if before is not None else ()
        return answer, Task(start, end, spent, this_worker(), elsewhere)

    @property
    def workload(self) -> Any:
        """The workload's facts, so that its native coroutine is found, and traced as well."""
        facts = self.function.workload  # type: ignore[attr-defined]
        if facts.coroutine is None:
            return facts

        handed_over: ContextVar[list[Any]] = ContextVar("handed_over")

        @asynccontextmanager
        async def traced(offload):
            async def charged(function, *args):
                answer, *charge = await offload(Charged(function), *args)
                handed_over.get().append(charge)
                return answer

            async with facts.coroutine(charged) as native:

                async def call(item):
                    start, spent = time.perf_counter(), [0.0]
                    charges: list[Any] = []
                    handed_over.set(charges)
                    answer = await metered(native(item), spent)
                    elsewhere = [(process, before, after) for process, before, after in charges if before is not None]
                    spent[0] += sum(after.cpu - before.cpu for _, before, after in elsewhere)
                    return answer, Task(start, time.perf_counter(), spent[0], this_worker(), tuple(elsewhere))

                yield call

        return replace(facts, coroutine=traced)


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


def record_round(block: Block, number: int, calibration: dict[str, Any], folder: str) -> dict[str, Any]:
    """Trace every cell of a block once. Raises WrongAnswer when a cell's answers are not the sequential ones."""
    cells: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    with machine_lock() as waited:
        started = time.time()
        if "not_applicable" not in calibration:
            with prepared(block, folder) as job, memory_sampler() as sampler:
                for name in (SEQUENTIAL.name, *calibration["cells"]):
                    check_parent()
                    try:
                        cells[name] = trace_cell(job, name, sampler)
                    except (OSError, RuntimeError) as error:
                        failed[name] = f"{type(error).__name__}: {error}"
                        print(f"{block.path} {name} failed: {failed[name]}", file=sys.stderr)
        ended = time.time()
    times = {"started": started, "ended": ended, "waited_s": waited}
    return {"block": asdict(block), "round": number, **times, "cells": cells, "failed": failed}
