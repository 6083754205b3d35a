"""Interpreters found on this machine, or fetched, and asked who they are."""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gilscope.configuring.machines import CURRENT
from gilscope.interpreters.uv import Refused, run_uv, uv_program
from gilscope.invoking.printing import say

SCRIPTS = Path(__file__).parents[2]
OLDEST = (3, 9)
ANSWER_S = 60
FETCH_S = 600
PLACES = (
    "{pyenv}/versions/[!2]*/bin",
    "~/.asdf/installs/python/*/bin",
    "~/.local/share/mise/installs/python/*/bin",
    "/opt/python*/bin",
    "/opt/pypy*/bin",
    "/opt/homebrew/opt/python@*/bin",
    "/opt/homebrew/opt/python-freethreading/bin",
    "/usr/local/opt/python@*/bin",
    "/Library/Frameworks/Python*.framework/Versions/*/bin",
)
"""Where interpreters lie that are not on the path: what version managers and packages install."""
NOT_FETCHED = "it is not on this machine, and downloads is false"


class NotToBeHad(Exception):
    """An interpreter that was asked for is not here and could not be fetched, or cannot be measured."""


def known_places() -> Iterator[str]:
    """The folders with interpreters of version managers and the like, after those on the path."""
    yield from os.environ.get("PATH", "").split(os.pathsep)
    pyenv = os.environ.get("PYENV_ROOT") or "~/.pyenv"
    for place in PLACES:
        yield from sorted(glob.glob(os.path.expanduser(place.format(pyenv=pyenv))), reverse=True)


def find(request: str, *, downloads: bool) -> str:
    """The path of an interpreter: the current one, the one at a path, or what uv finds or fetches for a version.

    Raises NotToBeHad, with the reason.
    """
    if request == CURRENT:
        return sys.executable
    if is_path(request):
        path = Path(request).expanduser().absolute()
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise NotToBeHad(f"there is no program {request}")
        return str(path)
    if request.startswith("-"):
        raise NotToBeHad("it is neither a version nor the path of an interpreter")
    if uv_program() is None:
        raise NotToBeHad("to find it takes uv, which is not here; install requirements.lock")
    try:
        return look_for(request)
    except Refused:
        if not downloads:
            raise NotToBeHad(NOT_FETCHED) from None
    say(f"gilscope: {request} is not on this machine; fetching it with uv", file=sys.stderr)
    try:
        options = ("--no-progress", "--no-bin")
        run_uv("python", "install", request, *options, seconds=FETCH_S, settings={"UV_HTTP_RETRIES": "1"})
        return look_for(request)
    except Refused as reason:
        raise NotToBeHad(f"it is not on this machine, and uv could not fetch it: {reason}") from None


def is_path(request: str) -> bool:
    """Whether an interpreter is asked for by its place: ``/opt/x/python``, ``~/x``, ``.venv``, ``C:/x`` on Windows."""
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return request.startswith(("~", ".")) or any(separator in request for separator in separators)


def look_for(request: str) -> str:
    """The path of an interpreter of this version that is on the machine. Raises Refused without any."""
    path = os.pathsep.join(dict.fromkeys(filter(None, known_places())))
    options = ("--system", "--no-project", "--no-python-downloads")
    return run_uv("python", "find", request, *options, seconds=ANSWER_S, settings={"PATH": path}).strip()


def introduce(executable: str, gil: bool | None) -> dict[str, Any]:
    """What an interpreter says it is, with the lock as asked for. Raises NotToBeHad when it cannot be measured."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHON_GIL", "PYTHONHOME")}
    environment |= {"PYTHONPATH": str(SCRIPTS)} | ({"PYTHON_GIL": "1"} if gil else {})
    try:
        said = subprocess.run(
            [executable, "-m", "gilscope.running.identity"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=ANSWER_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotToBeHad(f"{executable} does not run: {error}") from error
    try:
        facts: dict[str, Any] = json.loads(said.stdout)
        version = tuple(int(part) for part in facts["version"].split(".")[:2])
    except (ValueError, TypeError, LookupError) as error:
        complaint = said.stderr.strip().splitlines()[-1:] or [f"it ended with {said.returncode}"]
        raise NotToBeHad(f"{executable} does not say which Python it is: {complaint[0]:.200}") from error
    if version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise NotToBeHad(
            f"it is {facts['implementation']} {facts['version']}, and {oldest} is the oldest that is measured"
        )
    if gil is False and not facts["free_threaded"]:
        raise NotToBeHad(
            f"{facts['implementation']} {facts['version']} cannot run without its lock; "
            "gil: false is for free-threaded builds (3.13t and newer)"
        )
    if gil is not None and facts["gil"] is not gil:
        raise NotToBeHad(
            f"gil: {str(gil).lower()} was asked for and did not take: its lock is {'off' if gil else 'on'}"
        )
    return facts
