"""The memory of a process and all its descendants, sampled from a process of its own, so that no worker waits for it.

python -m gilscope.measuring.memory PID      "begin" or "end" on standard input, a JSON object back for each
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from gilscope.running.starting import let_end, package_environment

SHORTEST_PAUSE_S = 0.01
SHARE_OF_A_CORE = 0.03
KINDS = ("pss", "uss")
STOP = "stop"


class MemorySampler:
    """Asks the sampling process; ``None`` for everything where it cannot be asked."""

    def __init__(self, process: Any):
        self.process = process

    def ask(self, word: str) -> dict[str, Any] | None:
        try:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            return None

    def ready(self) -> None:
        """Wait until the process has started and does nothing any more."""
        self.begin()
        self.end()

    def begin(self) -> None:
        """Start a cell: what the process tree holds now is what it would hold without the cell."""
        self.ask("begin")

    def end(self) -> dict[str, Any] | None:
        """One last sample, while the workers still live; the cell's ``kind``, ``base``, ``peak`` and ``samples``."""
        return self.ask("end")


@contextmanager
def memory_sampler() -> Iterator[MemorySampler]:
    """A sampling process for this process; it ends with the block, and with this process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gilscope.measuring.memory", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=package_environment(),
    )
    assert process.stdout is not None
    try:
        yield MemorySampler(process)
    finally:
        let_end(process, f"{STOP}\n")


def held(process: psutil.Process, kind: str) -> int | None:
    """Bytes of one process: proportional (shared pages divided among those who share them), or private only.

    Nothing, where it has ended; None where the system does not tell.
    """
    try:
        return getattr(process.memory_full_info(), kind, None)
    except psutil.NoSuchProcess:
        return 0
    except (psutil.Error, OSError):
        return None


def known_kind(process: psutil.Process) -> str | None:
    """The best kind of memory that this system tells of a process, None where it tells none."""
    return next((kind for kind in KINDS if held(process, kind) is not None), None)


def tree(root: psutil.Process, without: Iterable[int]) -> list[psutil.Process]:
    try:
        return [root, *(child for child in root.children(recursive=True) if child.pid not in without)]
    except (psutil.Error, OSError):
        return []


def tree_memory(root: psutil.Process, kind: str, without: Iterable[int]) -> int | None:
    """Bytes of a process and its descendants, apart from some; None where the system does not tell for one of them."""
    known = [held(process, kind) for process in tree(root, without)]
    return None if None in known else sum(one or 0 for one in known)


def serve(pid: int) -> None:
    """Sample between ``begin`` and ``end``, at most so often that it costs a small share of a core."""
    words: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            words.put(line.strip())
        words.put(STOP)

    threading.Thread(target=listen, daemon=True).start()
    root = psutil.Process(pid)
    kind = known_kind(root)
    without: set[int] = set()
    base = peak = samples = 0
    told = True
    pause: float | None = None

    def sample() -> None:
        nonlocal peak, samples, pause, told
        began = time.process_time()
        now = tree_memory(root, kind, without) if kind is not None else None
        told = told and now is not None
        peak = max(peak, now or 0)
        samples += 1
        pause = max(SHORTEST_PAUSE_S, (time.process_time() - began) / SHARE_OF_A_CORE)

    while True:
        try:
            word = words.get(timeout=pause)
        except queue.Empty:
            sample()
            continue
        if word == "begin":
            without = {os.getpid(), *(child.pid for child in tree(root, ())[1:])}
            peak = samples = 0
            told = True
            sample()
            base = peak
            print(json.dumps({}), flush=True)
        elif word == "end":
            sample()
            pause = None
            known = {"base": base, "peak": peak} if told else {"base": None, "peak": None}
            print(json.dumps({"kind": kind, **known, "samples": samples}), flush=True)
        else:
            return


if __name__ == "__main__":
    serve(int(sys.argv[1]))
