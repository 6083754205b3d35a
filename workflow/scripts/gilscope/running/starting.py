"""Starting processes that find this package, wherever they run."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import IO, Any

SCRIPTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def package_environment(*folders: str) -> dict[str, str]:
    """This process's environment, with the package and these folders on the path."""
    paths = [SCRIPTS, *folders, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


PATIENCE_S = 5.0


def let_end(process: subprocess.Popen[Any], last_word: str = "") -> None:
    """Close the pipes of a process that ends when its input does, and wait for that; not for ever.

    A copy that a task has left of this process has the pipe as well, and the input has no end then. last_word: what
    the process takes for the end of its input.
    """
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.write(last_word)
        process.stdin.close()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


MOST_OUTPUT = 20_000


def read_capped(stream: IO[bytes], beginning: bytearray) -> None:
    """Read all that a process prints, so that it never waits for a reader, and keep the beginning."""
    for block in iter(lambda: stream.read1(65536), b""):  # type: ignore[attr-defined]
        beginning += block[: max(0, MOST_OUTPUT - len(beginning))]
