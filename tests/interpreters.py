"""Other interpreters for the tests, found as a run finds them: on the path, or where version managers put them."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest
from gilscope.interpreters.equipping import equip
from gilscope.interpreters.finding import NotToBeHad, find, introduce
from gilscope.interpreters.resolving import python_of

LOCK = Path(__file__).resolve().parent.parent / "workflow/envs/runtimes.lock"


@functools.cache
def found(request: str) -> str:
    """The path of an interpreter such as ``3.9``, ``3.13t`` or ``pypy3.9``; skips the test where there is none."""
    try:
        path = find(request, downloads=False)
        introduce(path, None)
    except NotToBeHad as reason:
        pytest.skip(f"{request}: {reason}")
    return path


def equipped(request: str, folder: Path, *libraries: str) -> str:
    """The Python of a new environment with pyperf, psutil and these libraries, below ``folder``."""
    interpreter = found(request)
    here = Path.cwd()
    os.chdir(folder)
    try:
        name = "".join(character for character in request if character.isalnum())
        lacks = equip(interpreter, name, libraries, [str(LOCK)], ["psutil"])
    finally:
        os.chdir(here)
    if lacks["broken"]:
        pytest.skip(f"{request}: {lacks['broken']}")
    return str(folder / python_of(name))
