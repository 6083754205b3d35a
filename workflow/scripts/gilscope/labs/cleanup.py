"""Who is left when a parent goes without having shut down its workers."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

import psutil

from gilscope.labs import LIKELY, Lab
from gilscope.labs._scripts import Script, running, source_beside
from gilscope.labs._start_methods import START_METHODS, no_executor, unless_there

KINDS = ("Pool", "ProcessPoolExecutor", "Process")
AFTER_S = 2.0
POLL_S = 0.1

LAB = Lab(metrics={"left_running": "share", "parent_ends": "share"}, timed=False, seconds=17, side_by_side=60)

SCRIPT = source_beside(__file__, "_resting_workers.py")


def alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that has ended and was not yet asked for its exit code does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def any_left(workers: list[psutil.Process]) -> bool:
    """Whether any is alive after AFTER_S; none that has ended comes back, so the answer may be known before."""
    deadline = time.monotonic() + AFTER_S
    while any(map(alive, workers)):
        if time.monotonic() > deadline:
            return True
        time.sleep(POLL_S)
    return False


@contextmanager
def resting(kind: str, method: str) -> Iterator[tuple[Script, list[psutil.Process]]]:
    """A parent whose workers rest, and the workers."""
    with running(SCRIPT, kind, method) as script:
        pids = [int(pid) for pid in script.read_line().split()]
        if not pids:
            raise RuntimeError("the parent did not start its workers")
        yield script, [psutil.Process(pid) for pid in pids]


def kill_parent(kind: str, method: str) -> dict[str, bool]:
    """The parent of two idle workers is killed with SIGKILL; who is alive two seconds later."""
    with resting(kind, method) as (script, workers):
        script.process.kill()
        script.process.wait()
        return {"left_running": any_left(workers)}


def exit_parent(kind: str) -> dict[str, bool]:
    """The parent of two idle workers calls sys.exit without having shut them down; who is alive two seconds later."""
    with resting(kind, "default") as (script, workers):
        parent = psutil.Process(script.process.pid)
        script.go_on()
        return {"left_running": any_left(workers), "parent_ends": not any_left([parent])}


def unless_usable(kind: str, method: str) -> Callable[[], str | None]:
    """A case's ``unavailable`` for workers of a kind, started by a method."""
    return functools.partial(no_executor, method) if kind == "ProcessPoolExecutor" else unless_there(method)


for kind in KINDS:
    LAB.case(f"parent exits, {kind} (default method)", trials=LIKELY, few=3, limit_s=20, kind=kind)(exit_parent)
    for method in START_METHODS:
        LAB.case(
            f"{kind}, {method}",
            trials=LIKELY,
            together=4,
            limit_s=20,
            unavailable=unless_usable(kind, method),
            kind=kind,
            method=method,
        )(kill_parent)
