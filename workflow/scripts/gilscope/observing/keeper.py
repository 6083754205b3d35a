"""Whatever happens to a lab, nothing of it stays: a process apart cleans up once the lab's own has gone.

python -m gilscope.observing.keeper TOKEN FOLDER      makes the folder, says "ready", cleans up when its input ends
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from gilscope.running.marked import carriers, end_all, without_mark
from gilscope.running.marks import MARK, SEGMENT, SEGMENTS
from gilscope.running.reasons import from_outside
from gilscope.running.starting import let_end, package_environment
from gilscope.running.temporary import own_folder
from gilscope.running.watching import why_ended


@dataclass(frozen=True)
class Nest:
    """What the processes of one lab have in common: the mark they carry, and the folder for their temporary files."""

    token: str
    folder: str

    @property
    def environment(self) -> dict[str, str]:
        return {**without_mark(package_environment()), MARK: self.token, "TMPDIR": self.folder}


@contextmanager
def kept() -> Iterator[Nest]:
    """A nest that is gone afterwards, and soon after this process should it be killed, with all that lives in it."""
    nest, keeper = start_keeper()
    try:
        yield nest
    finally:
        let_end(keeper)
        if keeper.returncode:
            clean(nest.token, nest.folder)


def start_keeper(again: bool = True) -> tuple[Nest, subprocess.Popen[str]]:
    """A nest and the process that cleans it up. again: whether that has another try where somebody ends it."""
    token = secrets.token_hex(6)
    nest = Nest(token, own_folder(token))
    keeper = subprocess.Popen(
        [sys.executable, "-m", "gilscope.observing.keeper", nest.token, nest.folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=without_mark(package_environment()),
        start_new_session=True,
    )
    assert keeper.stdout is not None
    if keeper.stdout.readline():
        return nest, keeper
    let_end(keeper)
    clean(nest.token, nest.folder)
    reason = f"the process that cleans up after a lab did not start: {why_ended(keeper.returncode)}"
    if not from_outside(reason):
        raise OSError(f"no folder for temporary files could be made at {nest.folder}")
    if again:
        return start_keeper(again=False)
    raise OSError(reason)


def clean(token: str, folder: str) -> None:
    """End every process that carries the token; remove its segments and its folder."""
    end_all(lambda: carriers(MARK, token))
    for segment in glob.glob(os.path.join(SEGMENTS, f"{SEGMENT}-{token}-*")):
        with suppress(OSError):
            os.unlink(segment)
    shutil.rmtree(folder, ignore_errors=True)


def serve(token: str, folder: str) -> None:
    try:
        os.mkdir(folder, 0o700)
        print("ready", flush=True)
        sys.stdin.read()
    finally:
        clean(token, folder)


if __name__ == "__main__":
    serve(*sys.argv[1:])
