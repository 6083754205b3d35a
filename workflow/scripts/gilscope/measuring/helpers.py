"""Stopping multiprocessing's helper processes, so that a cold pool starts them again as a new script would."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from gilscope.running.marked import KILL, marked
from gilscope.running.watching import HELPERS_S

OWN: set[int] = set()
"""The processes of the block itself: those that sample memory, and its service's."""


class LeftBehind(RuntimeError):
    """A cell's tasks have left processes behind that keep multiprocessing's helpers from ending."""


def forget_helpers() -> None:
    """Stop the helpers. Raises LeftBehind where something that a cell has left holds them up; that is ended then.

    No public call does this; without it a forkserver pool is twice as fast from its second start on. Garbage goes
    first: a semaphore that its owner, on PyPy above all, has not yet removed must not lose its tracker before that.
    """
    gc.collect()
    stop_helpers()


@contextmanager
def without_helpers() -> Iterator[None]:
    """What is done here starts the helpers that it needs, and they end with it: whoever holds them up is known."""
    forget_helpers()
    try:
        yield
    except BaseException:
        with suppress(LeftBehind):
            forget_helpers()
        raise
    if running_helpers():
        forget_helpers()


def helpers() -> list[tuple[Any, int | None]]:
    """What keeps the helpers, each with a ``_stop`` that waits for its helper, and the process of each that runs."""
    from multiprocessing import resource_tracker

    tracker: Any = resource_tracker._resource_tracker
    found = [(tracker, getattr(tracker, "_pid", None))]
    if "forkserver" in multiprocessing.get_all_start_methods():
        from multiprocessing import forkserver

        server: Any = forkserver._forkserver
        found.insert(0, (server, getattr(server, "_forkserver_pid", None)))
    return [(keeper, pid) for keeper, pid in found if hasattr(keeper, "_stop")]


def running_helpers() -> list[int]:
    return [pid for _, pid in helpers() if pid is not None]


def stop_helpers() -> None:
    """Stop the helpers that run, and what holds them up. Raises LeftBehind where there was something."""
    ended: list[str] = []
    for keeper, pid in helpers():
        if pid is None:
            continue
        alarm = threading.Timer(HELPERS_S, end_strangers, (pid, ended))
        alarm.daemon = True
        alarm.start()
        try:
            keeper._stop()
        finally:
            alarm.cancel()
            alarm.join()
    if ended:
        names = ", ".join(sorted(set(ended)))
        raise LeftBehind(
            f"its tasks leave processes behind, which keep multiprocessing's own from ending: {names}; they were "
            "ended. Let each task wait for what it starts"
        )


def remember_own() -> None:
    """Take the processes that this one has started by now for the block's own."""
    OWN.clear()
    OWN.update(child.pid for child in psutil.Process().children(recursive=True))


def end_strangers(helper: int, ended: list[str]) -> None:
    """End what tasks have left, wherever it is now, and then the helper that waits for it, should it still be there.

    ended: gets the names of what there was.
    """
    for process in strangers():
        with suppress(psutil.Error, OSError):
            ended.append(process.name())
            process.kill()
    if not ended:
        ended.append("what they are cannot be seen")
        with suppress(OSError):
            os.kill(helper, KILL)


def strangers() -> list[psutil.Process]:
    """The living processes that a cell has started, between cells: all but the block's own and the helpers."""
    kept = {os.getpid(), os.getppid(), *OWN, *running_helpers()}
    found = {child.pid: child for child in psutil.Process().children(recursive=True)}
    for pid in marked():
        with suppress(psutil.Error):
            found.setdefault(pid, psutil.Process(pid))
    return [process for process in found.values() if is_stranger(process, kept)]


def is_stranger(process: psutil.Process, kept: set[int]) -> bool:
    try:
        ancestors = {parent.pid for parent in process.parents()}
        return process.pid not in kept and not ancestors & OWN and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False
