"""The ways to start a process, for labs that try them all.

Whether one is there is asked before the trials, whose processes need not import what knows it.
"""

from __future__ import annotations

import functools
from typing import Callable

START_METHODS = ("fork", "spawn", "forkserver")


def missing(method: str) -> str | None:
    """Why a start method cannot be used here, or None."""
    from gilscope.strategies import processes

    return processes.missing(method)


def no_executor(method: str) -> str | None:
    """Why ``ProcessPoolExecutor`` cannot be used with a start method here, or None."""
    from gilscope.strategies import processes

    return processes.missing(method) if method == "fork" else processes.no_executor(method)


def unless_there(method: str) -> Callable[[], str | None]:
    """A case's ``unavailable`` for one start method."""
    return functools.partial(missing, method)
