"""The interval after which Python asks a thread to let the next one run, for labs that change it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


def no_switch_interval() -> str | None:
    """Why it cannot be changed here, or None."""
    return None if hasattr(sys, "setswitchinterval") else "this interpreter has no switch interval to set"


@contextmanager
def switch_interval(seconds: float) -> Iterator[None]:
    """Another interval, and afterwards the usual one again."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
