"""Why something failed, in one line: what the system said and, where something has run out, which limit to raise."""

from __future__ import annotations

import errno
import os
import sys

from gilscope.running.plain_text import named, words_of

SHARED_MEMORY = "/dev/shm"
FILES = "too many files are open: raise the limit, ulimit -n"
TASKS = "no more processes or threads may be started: raise the limit, ulimit -u or the container's pids.max"
MOUNT = f"mount -t tmpfs -o mode=1777 tmpfs {SHARED_MEMORY}"
NO_SEMAPHORES = f"{SHARED_MEMORY} cannot be written, and semaphores lie there: {MOUNT}"
LONG_NAME = "the temporary folder's name is too long for a socket: set TMPDIR to a shorter one, /tmp"
REFUSALS = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOSYS, errno.EROFS)
REMEDIES = {
    errno.EMFILE: FILES,
    errno.ENFILE: FILES,
    errno.EAGAIN: TASKS,
    errno.ENOSPC: "no space is left on the disk, or in shared memory",
    errno.ENOMEM: "not enough memory",
}


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
