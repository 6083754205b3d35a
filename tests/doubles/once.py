"""What several files of tests look at and none changes, made once for all workers of pytest-xdist."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gilscope.running.lock import give_back, open_lock, try_lock

LONGEST_S = 600


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name, which ``make(folder)`` has filled for the first worker that asked for it.

    The others wait for that. One that fails leaves it to the next, and the failure to its own tests.
    """
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    done, descriptor = folder.with_name(f"{name}.done"), open_lock(str(folder.with_name(f"{name}.lock")))
    deadline = time.monotonic() + LONGEST_S
    try:
        while not try_lock(descriptor):
            assert time.monotonic() < deadline, f"nobody has made {name}"
            time.sleep(0.05)
        if not done.exists():
            make(folder)
            done.touch()
    finally:
        give_back(descriptor)
    return folder
