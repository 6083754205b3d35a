"""Why something failed, in one line: what the system said and, where something has run out, which limit to raise."""

from __future__ import annotations

import errno
import os
import re
import sys

from gilscope.running.plain_text import named, words_of

SHARED_MEMORY = "/dev/shm"
FILES = "too many files are open: raise the limit, ulimit -n"
TASKS = "no more processes or threads may be started: raise the limit, ulimit -u or the container's pids.max"
MOUNT = f"mount -t tmpfs -o mode=1777 tmpfs {SHARED_MEMORY}"
NO_SEMAPHORES = f"{SHARED_MEMORY} cannot be written, and semaphores lie there: {MOUNT}"
LONG_NAME = "the temporary folder's name is too long for a socket: set TMPDIR to a shorter one, /tmp"
NO_SPACE = "no space is left on the disk, or in shared memory"
NO_MEMORY = "not enough memory"
REFUSALS = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOSYS, errno.EROFS)
REMEDIES = {
    errno.EMFILE: FILES,
    errno.ENFILE: FILES,
    errno.EAGAIN: TASKS,
    errno.ENOSPC: NO_SPACE,
    errno.ENOMEM: NO_MEMORY,
}
OF_THE_MACHINE = (FILES, TASKS, NO_SEMAPHORES, LONG_NAME, NO_SPACE, NO_MEMORY)
FROM_OUTSIDE = re.compile(r"ended with signal SIG(KILL|TERM|HUP|INT|QUIT)\b")
"""How a process ends that somebody has ended: the system for lack of memory, above all. No task does so by itself."""


def from_outside(reason: str) -> bool:
    """Whether somebody else has ended the process that a reason is about."""
    return FROM_OUTSIDE.search(reason) is not None


def for_the_machines_sake(reason: str) -> bool:
    """Whether something failed for lack of what the machine may have another time, and not for its own sake."""
    return from_outside(reason) or any(lack in reason for lack in OF_THE_MACHINE)


def reason_of(error: BaseException) -> str:
    """``OSError: [Errno 24] Too many open files (too many files are open: raise the limit, ulimit -n)``.

    On one line, and with nothing in it that a terminal or a page would obey: a task may have raised it.
    """
    said = f"{named(error)}: {words_of(error)}".removesuffix(": ")
    remedy = remedy_for(error)
    return f"{said} ({remedy})" if remedy else said


def remedy_for(error: BaseException) -> str | None:
    """What to do about it, where the error tells; else None."""
    said = words_of(error)
    if "AF_UNIX path too long" in said:
        return LONG_NAME
    if "can't start new thread" in said:
        return TASKS
    if isinstance(error, EOFError):
        return "a worker ended without an answer"
    if not isinstance(error, OSError):
        return None
    refused = error.errno in REFUSALS and error.filename is None
    if refused and sys.platform == "linux" and not os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
        return NO_SEMAPHORES
    return REMEDIES.get(error.errno or 0)
