"""Other interpreters for the tests, found as a run finds them: on the path, or where version managers put them."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest
from gilscope.interpreters.equipping import equip
from gilscope.interpreters.finding import NotToBeHad, find, introduce
from gilscope.interpreters.resolving import python_of
from once import made_once

LOCK = Path(__file__).resolve().parents[2] / "workflow/envs/runtimes.lock"


@functools.cache
def found(request: str) -> str:
    """The path of an interpreter such as ``3.9``, ``3.13t`` or ``pypy3.9``; skips the test where there is none."""
    try:
        path = find(request, downloads=False)
        introduce(path, None)
    except NotToBeHad as reason:
        pytest.skip(f"{request}: {reason}")
    return path


def equipped(request: str, factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with pyperf and psutil, made once for all workers of pytest-xdist."""
    interpreter = found(request)
    name = "".join(character for character in request if character.isalnum())

    def make(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        here = Path.cwd()
        os.chdir(folder)
        try:
            lacks = equip(interpreter, name, (), [str(LOCK)], ["psutil"])
        finally:
            os.chdir(here)
        if lacks["broken"]:
            pytest.skip(f"{request}: {lacks['broken']}")

    return str(made_once(factory, f"runtime-{name}", make) / python_of(name))
