"""The ways to start a process, for labs that try them all."""

from __future__ import annotations

import functools
import multiprocessing
from typing import Callable

START_METHODS = ("fork", "spawn", "forkserver")


def missing(method: str) -> str | None:
    """Why a start method cannot be used here, or None."""
    if method in multiprocessing.get_all_start_methods():
        return None
    return f"this platform has no start method {method}"


def unless_there(method: str) -> Callable[[], str | None]:
    """A case's ``unavailable`` for one start method."""
    return functools.partial(missing, method)
