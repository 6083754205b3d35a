"""How measuring starts processes of its own: they find the package, wherever they run."""

from __future__ import annotations

import os
from typing import IO

SCRIPTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def package_environment(*folders: str) -> dict[str, str]:
    """This process's environment, with the package and these folders on the path."""
    paths = [SCRIPTS, *folders, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


MOST_OUTPUT = 20_000


def read_capped(stream: IO[bytes], beginning: bytearray) -> None:
    """Read all that a process prints, so that it never waits for a reader, and keep the beginning."""
    for block in iter(lambda: stream.read1(65536), b""):  # type: ignore[attr-defined]
        beginning += block[: max(0, MOST_OUTPUT - len(beginning))]
