"""The ways to start a process, for labs that try them all."""

from __future__ import annotations

import functools
from typing import Callable

from gilscope.strategies.processes import missing

START_METHODS = ("fork", "spawn", "forkserver")


def unless_there(method: str) -> Callable[[], str | None]:
    """A case's ``unavailable`` for one start method."""
    return functools.partial(missing, method)
