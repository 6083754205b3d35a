"""One measurement at a time on the whole machine, whichever clone or user it belongs to."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

PARENT = os.getppid()
"""Read as early as can be: a parent that goes away while the lock is waited for must not be missed."""

LOCK_FILE = os.path.join(tempfile.gettempdir(), "gilscope-measuring.lock")


class Orphaned(Exception):
    """Whoever asked for this measurement is gone."""


def check_parent() -> None:
    """Raise Orphaned once the process that started this one has gone."""
    if os.getppid() != PARENT:
        raise Orphaned("the run that asked for this measurement is gone; it ends here")


def try_lock(descriptor: int) -> bool:
    """Take the lock if it is free. A record lock belongs to the process: a forked orphan does not keep it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


@contextmanager
def machine_lock(path: str = LOCK_FILE, poll: float = 0.05) -> Iterator[float]:
    """Hold the machine-wide lock; yields the seconds spent waiting for it, and says so when it has to wait."""
    previous = os.umask(0)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    finally:
        os.umask(previous)
    began = time.monotonic()
    told = False
    try:
        while not try_lock(descriptor):
            if not told:
                print(f"gilscope: another measurement is running on this machine; waiting for it ({path})")
                sys.stdout.flush()
                told = True
            check_parent()
            time.sleep(poll)
        yield time.monotonic() - began
    finally:
        os.close(descriptor)
