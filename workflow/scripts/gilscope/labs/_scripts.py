"""Python scripts that a trial runs: files of their own, in new processes, which end with all that they have started."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import psutil

from gilscope.running.marked import carriers, end_all
from gilscope.running.starting import MOST_OUTPUT, read_capped
from gilscope.running.waiting import exit_code

MARK = "GILSCOPE_SCRIPT"
"""The environment variable by which a script, and what it has started, is known where there are no process groups."""


def members(group: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for pid in psutil.pids():
        try:
            if os.getpgid(pid) != group:
                continue
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except (psutil.Error, OSError):
            continue
    return found


class Script:
    """A script under way, to be talked to line by line; its errors go where the trial's go."""

    def __init__(self, process: subprocess.Popen[bytes], token: str):
        self.process = process
        self.token = token
        self.output = cast("IO[bytes]", process.stdout)
        self.ended = False

    def read_line(self) -> str:
        """The next line it prints; empty once it, and all that it has started, print no more."""
        return self.output.readline(MOST_OUTPUT).decode(errors="replace").strip()

    def go_on(self) -> None:
        """Let a script that reads a line from its standard input go on."""
        stream = cast("IO[bytes]", self.process.stdin)
        stream.write(b"\n")
        stream.flush()

    def living(self) -> list[int]:
        """It, and what it has started, as far as that still runs."""
        return members(self.process.pid) if hasattr(os, "getpgid") else carriers(MARK, self.token)

    def end(self) -> None:
        """End it, and all that it has started; once is enough."""
        if self.ended:
            return
        end_all(self.living)
        self.process.kill()
        self.process.wait()
        self.ended = True


@contextmanager
def running(text: str, *arguments: Any) -> Iterator[Script]:
    """Run a script from a folder of its own, in a process group of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        with subprocess.Popen(
            [sys.executable, path, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, MARK: folder},
        ) as process:
            script = Script(process, folder)
            try:
                yield script
            finally:
                script.end()


def answer_of(text: str, *arguments: Any, limit_s: float) -> str | None:
    """What a script has printed when it ended well, the beginning of it; None where it failed or took too long."""
    printed = bytearray()
    with running(text, *arguments) as script:
        reader = threading.Thread(target=read_capped, args=(script.output, printed))
        reader.start()
        code = exit_code(script.process, limit_s)
        script.end()
        reader.join()
    return printed.decode(errors="replace") if code == 0 else None


def source_beside(file: str, name: str) -> str:
    """The text of a script that lies beside a lab's file."""
    with open(os.path.join(os.path.dirname(file), name), encoding="utf-8") as script:
        return script.read()
