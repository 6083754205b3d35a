"""Whatever a measuring job has started, known by a mark in its environment, also in a session of its own."""

from __future__ import annotations

import os
import secrets
import sys
import time
from contextlib import suppress
from typing import Any, Callable

JOB = "GILSCOPE_JOB"
"""The environment variable that is the mark. The rules set it: what is only forked shows what its job began with."""
SCANS = 2
"""A process that is just starting another program shows no environment: only two looks that find nothing are enough."""
PATIENCE_S = 2.0


def mark() -> None:
    """Give this process's descendants a mark, where it has none itself."""
    os.environ.setdefault(JOB, secrets.token_hex(6))


def without_mark(environment: dict[str, str]) -> dict[str, str]:
    """An environment for what sees to its own end."""
    return {name: value for name, value in environment.items() if name != JOB}


def marked() -> list[int]:
    """The processes, other than this one and its parent, that carry this one's mark; Linux tells, elsewhere nothing."""
    if sys.platform != "linux" or JOB not in os.environ:
        return []
    mine = {os.getpid(), os.getppid()}
    sought = f"{JOB}={os.environ[JOB]}".encode()
    return [
        pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if pid not in mine and carries(pid, sought)
    ]


def carries(pid: int, sought: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return sought in file.read().split(b"\0")
    except OSError:
        return False


def end_marked(kill: Callable[[int], Any]) -> None:
    """Kill what carries the mark until there is nothing more."""
    deadline, empty = time.monotonic() + PATIENCE_S, 0
    while empty < SCANS and time.monotonic() < deadline:
        found = marked()
        empty = 0 if found else empty + 1
        for pid in found:
            with suppress(OSError):
                kill(pid)
        time.sleep(0.01)
