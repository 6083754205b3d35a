"""Supervision without fork: this script is started a second time, in a child that is watched like a forked one.

What the two have in common lies in a folder: the board, and the cells to leave out. The folder's name, in the
environment, tells the second run that it is one, and marks whatever that has started.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Callable

from gilscope.running import progress
from gilscope.running.files import read_json, write_json
from gilscope.running.logs import Log
from gilscope.running.marked import KILL, carriers, end_all
from gilscope.running.progress import Board
from gilscope.running.watching import ALARM, TICK_S, Surroundings, Watch, conclude, do, why_ended

SECOND_RUN = "GILSCOPE_SECOND_RUN"
"""The environment variable that names the folder."""


def is_second_run() -> bool:
    return SECOND_RUN in os.environ


def second_run(attempt: Callable[[dict[str, str]], None]) -> int:
    """Do the work and note how it goes; returns the exit code for this process."""
    board, left_out = files_in(os.environ[SECOND_RUN])
    shared = Board(board)
    progress.use(shared)
    return do(lambda: attempt(read_json(left_out)), shared)


def files_in(folder: str) -> tuple[str, str]:
    return os.path.join(folder, "board"), os.path.join(folder, "left-out.json")


def run_beside(
    left_out: Mapping[str, str], limit_s: float, log: Log | None = None, surroundings: Surroundings = nullcontext
) -> tuple[str, str | None]:
    """As ``watching.run_apart``, with a second run of this script; left_out: what that is to leave out, and why."""
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="gilscope-") as folder:
        board, listed = files_in(folder)
        write_json(listed, left_out)
        watch = (WatchBeside if ALARM else WatchInTurns)(Board(board), limit_s, log)
        with watch.listening(), surroundings():
            code = watch.begin(folder)
            watch.tidy_up()
        watch.board.let_go()
    watch.follow()
    return conclude(watch.board, code, watch.killed or why_ended(code))


class WatchBeside(Watch):
    """Of a process that is started and not forked; in a session of its own, as a forked one."""

    process: subprocess.Popen[bytes]

    def begin(self, folder: str) -> int:
        """Start this script again and wait for it; returns its exit code, negative for a signal."""
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, *sys.argv],
            env={**os.environ, SECOND_RUN: folder},
            stdout=2 if self.log else None,
            start_new_session=True,
        )
        self.pid = self.process.pid
        return self.wait()

    def wait(self) -> int:
        if self.told:
            self.send(self.told, everywhere=False)
        return self.process.wait()


class WatchInTurns(WatchBeside):
    """The same on Windows, which has no alarm, no process groups, and passes Ctrl-C on by itself.

    What the process has left is found by the mark in its environment.
    """

    def wait(self) -> int:
        while True:
            try:
                return self.process.wait(TICK_S)
            except subprocess.TimeoutExpired:
                self.look(0, None)

    def send(self, number: int, everywhere: bool = True) -> bool:
        if self.pid and number == KILL:
            self.process.terminate()
        return True

    def tidy_up(self) -> None:
        end_all(lambda: carriers(SECOND_RUN, self.folder))
        self.remove_scratch()
