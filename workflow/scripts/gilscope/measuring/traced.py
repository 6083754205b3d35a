"""A task that tells when and where it ran. Any worker can import it: nothing here refuses an interpreter of its own."""

from __future__ import annotations

import os
import threading
import time
import types
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Callable

from gilscope.measuring.usage import Usage, own_usage


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


def cpu_clock(process: int, thread: int) -> Callable[[], float]:
    """The CPU time of this worker and no other: of the whole process, or of the thread where the worker is one.

    process, thread: where the task was handed out. What the worker takes for its main thread does not tell: in an
    interpreter of its own that is any.
    """
    a_thread = os.getpid() == process and threading.get_ident() != thread
    return time.thread_time if a_thread else time.process_time


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
        self.origin = os.getpid(), threading.get_ident()

    def __call__(self, item: Any) -> Any:
        clock = cpu_clock(*self.origin)
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
