"""A run of which some process is killed at some moment."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

from faults.places import Ended, Place

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
ROLES = {
    "measure.py": "measuring",
    "observe.py": "observing",
    "describe_": "describing",
    "ipykernel": "the report's kernel",
    "multiprocessing": "a worker",
    "gilscope.workloads": "a service",
    "gilscope.observing": "a trial",
    "run.py": "what make runs",
    ".snakemake/scripts": "a script of a rule",
    "snakemake": "Snakemake",
    "bash": "a rule's shell",
}


@dataclass(frozen=True)
class Kill:
    """Who was killed, how, and after how long; ``who`` is empty where the run had ended by then."""

    who: str
    how: str
    after_s: float

    def __str__(self) -> str:
        return f"{self.how} to {self.who or 'nobody'} after {self.after_s:.1f} s"


def role(words: list[str]) -> str:
    said = " ".join(words)
    return next((name for part, name in ROLES.items() if part in said), said[:40] or "?")


def killed_in_between(place: Place, after_s: float, chance: random.Random) -> tuple[Kill, Ended]:
    """Start a run, and kill one of its processes, any of them, in one of three ways after so long."""
    process = place.start()
    how = chance.choice(SIGNALS)
    with suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    who = ""
    living = [(psutil.Process(process.pid), ["run.py"])] if process.poll() is None else []
    living += [(other, words) for other, words in place.processes() if other.pid != process.pid]
    if living:
        victim, words = chance.choice(living)
        with suppress(psutil.Error):
            victim.send_signal(how)
            who = role(words)
    time.sleep(0.05)
    return Kill(who, how.name, after_s), place.wait_for(process)
