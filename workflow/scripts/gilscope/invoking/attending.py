"""Ending a run together with the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import psutil

ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def attend(command: Sequence[str]) -> int:
    """Run a command to its end; returns its exit status, or 128 and the signal that ended either, as a shell does.

    What means the end of this process ends the run as Ctrl-C does, and so keeps what has been measured: SIGTERM,
    SIGHUP, and on Linux the end of whoever has started this process. Ctrl-C itself reaches all of them from the
    terminal. A signal that this process was started to ignore is ignored.
    """
    told: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        told.append(number)
        if number != signal.SIGINT:
            interrupt(run.pid)

    end_with_parent(signal.SIGTERM)
    run = subprocess.Popen(command, preexec_fn=lambda: end_with_parent(signal.SIGTERM))  # noqa: PLW1509 (no threads)
    for number in ENDS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)
    status = run.wait()
    if told:
        return 128 + told[0]
    return status if status >= 0 else 128 - status


def interrupt(run: int) -> None:
    """What Ctrl-C does: SIGINT to a process and all below it, but for those in groups of their own.

    Started in the background by a script they ignore it, and get SIGTERM, at which Snakemake says more.
    """
    number = signal.SIGTERM if signal.getsignal(signal.SIGINT) == signal.SIG_IGN else signal.SIGINT
    with suppress(psutil.Error):
        first = psutil.Process(run)
        for process in [first, *first.children(recursive=True)]:
            with suppress(psutil.Error, OSError):
                if os.getpgid(process.pid) == os.getpgrp():
                    process.send_signal(number)


def end_with_parent(number: signal.Signals) -> None:
    """Have the kernel send this process a signal when the one that has started it is gone; Linux alone can."""
    if sys.platform == "linux":
        import ctypes

        set_parents_death_signal = 1
        ctypes.CDLL(None).prctl(set_parents_death_signal, int(number))


def hear_at_any_moment(scheduler: Any) -> None:
    """Have Snakemake's own handler of SIGTERM run beside what the signal interrupts.

    It takes a lock that the interrupted thread may hold, and would wait for it for good.
    """

    def end(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=scheduler.exit_gracefully).start()

    signal.signal(signal.SIGTERM, end)
