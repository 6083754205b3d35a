"""Tasks for the tests, in a module of their own: a spawned worker imports them by name."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from contextlib import asynccontextmanager
from typing import Any

from gilscope.workloads import workload


def double(number: int) -> int:
    return 2 * number


def refuse_with_what_cannot_be_pickled(number: int) -> int:
    error = ValueError("odd")
    error.kept = lambda: number  # type: ignore[attr-defined]
    raise error


def start_method(number: int) -> str:
    """How this worker was started: ``fork``, ``spawn`` or ``forkserver``."""
    return type(multiprocessing.current_process())._start_method  # type: ignore[attr-defined]


@asynccontextmanager
async def refusing(offload):
    async def refuse(number):
        await asyncio.sleep(0.005)
        return await offload(answer_unless_three, number)

    yield refuse


def answer_unless_three(number: int) -> int:
    if number == 3:
        raise ValueError("task 3 refuses")
    time.sleep(0.005)
    return number


@workload(kind="mixed", sizes={"small": 1}, coroutine=refusing)
def refuse_three(number: int) -> int:
    """Raises at task 3; the other tasks are still under way then."""
    return answer_unless_three(number)


def whereabouts(task: int) -> tuple[int, int]:
    """The process and the thread that do the task, held for long enough that one worker cannot take all."""
    time.sleep(0.02)
    return os.getpid(), threading.get_ident()


@asynccontextmanager
async def counting(offload):
    in_flight = 0

    async def count(task):
        nonlocal in_flight
        in_flight += 1
        most = in_flight
        for _ in range(5):
            await asyncio.sleep(0)
            most = max(most, in_flight)
        in_flight -= 1
        return most

    yield count


@workload(kind="io", sizes={"small": 1}, coroutine=counting)
def tasks_in_flight(task: int) -> int:
    """As a coroutine, the most tasks that were in flight together while this one was."""
    return 1


def keep_for_later(number: int) -> Any:
    """What no pickle can hold."""
    return lambda: number
