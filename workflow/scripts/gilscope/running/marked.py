"""Finding and killing processes by a mark in their environment, whoever their parent is now."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from contextlib import suppress
from typing import Callable

JOB = "GILSCOPE_JOB"
"""A measuring job's mark. The rules set it: what is only forked shows what its job began with."""
TRACKER = b"multiprocessing.resource_tracker"
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
PROCESSES = "/proc" if sys.platform == "linux" else ""
SCANS = 2
"""A process that is just starting another program shows no environment: only two looks that find nothing are enough."""
PATIENCE_S, LIMIT_S = 2.0, 10.0
"""How long multiprocessing's own cleaners are left alone, and how long anything is sought that cannot be killed."""


def mark() -> None:
    """Give this process's descendants a job's mark, where it has none itself."""
    os.environ.setdefault(JOB, secrets.token_hex(6))


def without_mark(environment: dict[str, str]) -> dict[str, str]:
    """An environment for what sees to its own end."""
    return {name: value for name, value in environment.items() if name != JOB}


def marked() -> list[int]:
    """The processes, other than this one and its parent, that carry this one's mark."""
    return [pid for pid in carriers(JOB, os.environ.get(JOB, "")) if pid != os.getppid()]


def carriers(variable: str, token: str) -> list[int]:
    """The living processes, other than this one, that carry a token in their environment.

    Only Linux tells without psutil; nothing is found where that is needed and missing.
    """
    sought = f"{variable}={token}".encode()
    return [pid for pid in pids() if pid != os.getpid() and sought in told("environ", pid)] if token else []


def pids() -> list[int]:
    if PROCESSES:
        return [int(name) for name in os.listdir(PROCESSES) if name.isdigit()]
    with suppress(ImportError):
        import psutil

        return list(psutil.pids())
    return []


def told(what: str, pid: int) -> list[bytes]:
    """What a process says of itself, its ``environ`` as ``NAME=value`` each, or its ``cmdline``.

    Empty where it has ended, or belongs to somebody else.
    """
    if PROCESSES:
        with suppress(OSError), open(f"{PROCESSES}/{pid}/{what}", "rb") as opened:
            return opened.read().split(b"\0")
        return []
    import psutil

    with suppress(psutil.Error, OSError):
        said = getattr(psutil.Process(pid), what)()
        words = [f"{name}={value}" for name, value in said.items()] if isinstance(said, dict) else said
        return [word.encode(errors="replace") for word in words]
    return []


def is_tracker(pid: int) -> bool:
    """Whether a process is multiprocessing's own cleaner, which removes segments and semaphores once all are gone."""
    return any(TRACKER in word for word in told("cmdline", pid))


def end_all(find: Callable[[], list[int]]) -> None:
    """Kill what ``find`` finds until it finds nothing; resource trackers are given time to do their work first."""
    began, empty = time.monotonic(), 0
    while empty < SCANS and (lasted := time.monotonic() - began) < LIMIT_S:
        found = find()
        empty = 0 if found else empty + 1
        for pid in found:
            if lasted > PATIENCE_S or not is_tracker(pid):
                with suppress(OSError):
                    os.kill(pid, KILL)
        time.sleep(0.01)
