"""uv, which finds and fetches interpreters and fills their environments, as a program to be run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from gilscope.running.plain_text import plain

OWN = ("VIRTUAL_ENV", "UV_PYTHON", "PYTHONPATH")
"""What would have uv take this project's own environment for the one that is meant."""


class Refused(Exception):
    """What uv would not do, and why, in its own words."""


def without_own_settings() -> dict[str, str]:
    """The environment variables, but for those that are about this project's own environment."""
    return {name: value for name, value in os.environ.items() if name not in OWN}


def uv_program() -> str | None:
    """The uv beside this interpreter, or else the one on the path."""
    beside = Path(sys.executable).with_name("uv.exe" if os.name == "nt" else "uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def run_uv(*arguments: str, seconds: float, given: str = "", settings: Mapping[str, str] | None = None) -> str:
    """Run uv with ``given`` as its input; returns what it printed. settings: environment variables. Raises Refused."""
    try:
        done = subprocess.run(
            [uv_program() or "uv", *arguments],
            env={**without_own_settings(), **(settings or {})},
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as slow:
        raise Refused(f"uv did not come to an end within {seconds:.0f} s") from slow
    if done.returncode:
        raise Refused(last_words(done.stderr))
    return done.stdout


def last_words(text: str) -> str:
    """What uv complained of, on one line: the last cause that it names, or else all that it said."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    causes = [line.removeprefix("cause: ") for line in lines if line.startswith("cause: ")]
    return plain((causes[-1:] or [" ".join(lines)])[0].removeprefix("error: "))[:300] or "it gave no reason"
