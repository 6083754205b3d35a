"""One measurement at a time on the whole machine, whichever clone or user it belongs to."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gilscope.running import progress
from gilscope.running.plain_text import plain

PARENT = os.getppid()
"""Read as early as can be: a parent that goes away while the lock is waited for must not be missed."""


def handle_of(process: int) -> Any:
    """Windows gives a number to others once its process has gone, but not while somebody has a handle; else None."""
    if sys.platform == "win32":
        import _winapi

        with suppress(OSError):
            return _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, process)
    return None


PARENT_HANDLE = handle_of(PARENT)

VARIABLE = "GILSCOPE_LOCK"
"""The environment variable that puts the lock elsewhere; all who measure on a machine have to agree on it."""
FOLDER = "/tmp" if os.name == "posix" else tempfile.gettempdir()
"""Not where TMPDIR says: two runs with different ones are on the same machine."""
LOCK_FILE = os.environ.get(VARIABLE) or os.path.join(FOLDER, "gilscope-measuring.lock")

WAITED_FOR = "gilscope: another measurement is running on this machine; waiting for it"


class Orphaned(progress.Deliberate):
    """Whoever asked for this measurement is gone."""


class NoLock(progress.Deliberate):
    """The lock cannot be had here, by nobody: nothing is measured, since something else might be."""

    def __init__(self, path: str, error: OSError):
        super().__init__(
            f"the lock that keeps measurements apart cannot be had: {path}: {error.strerror}; nothing was measured. "
            f"Let {VARIABLE} name a file on a local disk that all who measure on this machine may write"
        )


def belong_to(parent: int) -> None:
    """Take this process for the one that asked: it has just forked this one, which has read the name of another."""
    global PARENT
    PARENT = parent


def parent_gone() -> bool:
    """Whether the process that started this one has gone. Windows gives its number as long as this one lives."""
    if PARENT_HANDLE is None:
        return os.getppid() != PARENT
    import _winapi

    windows: Any = _winapi
    return bool(windows.WaitForSingleObject(PARENT_HANDLE, 0) == windows.WAIT_OBJECT_0)


def check_parent() -> None:
    """Raise Orphaned once the process that started this one, or that started the one watching over it, has gone."""
    if parent_gone() or progress.abandoned():
        raise Orphaned("the run that asked for this measurement is gone; it ends here")


def try_lock(descriptor: int) -> bool:
    """Take the lock if it is free. A record lock belongs to the process: a forked orphan does not keep it.

    Raises OSError where the file system has no locks.
    """
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


def taken(descriptor: int, path: str) -> bool:
    try:
        return try_lock(descriptor)
    except OSError as error:
        raise NoLock(path, error) from error


def give_back(descriptor: int) -> None:
    """Close the file, and with it the lock; Windows takes its time over one that was not given back before."""
    if sys.platform == "win32":
        import msvcrt

        with suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    os.close(descriptor)


def open_lock(path: str) -> int:
    """A descriptor of the lock's file, made for anybody where it is not there yet. Raises OSError.

    One that is there is opened as it is: in a folder for everybody Linux refuses to create what belongs to another.
    """
    with suppress(FileNotFoundError):
        return os.open(path, os.O_RDWR)
    previous = os.umask(0)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return os.open(path, os.O_RDWR)
    finally:
        os.umask(previous)


@contextmanager
def machine_lock(path: str = LOCK_FILE, poll: float = 0.05) -> Iterator[float]:
    """Hold the machine-wide lock; yields the seconds spent waiting for it, and says so when it has to wait.

    Raises NoLock where it cannot be had.
    """
    try:
        if not os.path.isabs(path):
            raise OSError(errno.EINVAL, "not an absolute path, and so another file in every folder")
        descriptor = open_lock(path)
    except OSError as error:
        raise NoLock(path, error) from error
    began = time.monotonic()
    told = False
    progress.doing(progress.WAITING)
    try:
        while not taken(descriptor, path):
            if not told:
                print(plain(f"{WAITED_FOR} ({path})"))
                sys.stdout.flush()
                told = True
            check_parent()
            time.sleep(poll)
        progress.doing(progress.PREPARING)
        yield time.monotonic() - began
    finally:
        give_back(descriptor)
