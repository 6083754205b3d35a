"""A clone to do harm to: how its sweep is run, what its final tables hold, and what a run has left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from apart import LOCK, apart
from clones import clone

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED_MEMORY = Path("/dev/shm")
ENDS_WITHIN_S = 240.0

SWEEP = """
preset: harmed
machine: here
budget_minutes: 0
measure: {rounds: 3, seconds: 0.2, min_laps: 2, limit_s: 8}
sweep:
  claims: false
  workloads:
    - {name: sum_squares, sizes: [small], strategies: [threading, multiprocessing], workers: [2], pools: [cold, warm]}
    - {name: http_fetch, sizes: [small], strategies: [threading, asyncio], workers: [4]}
labs: {names: [joining]}
"""
"""Short, and with every kind of process: workers cold and warm, a service, a lab's keeper and its trials."""

RAW = ["runtime", "workload", "size", "round"]
ROUND = re.compile(r"/round-(\d+)\.")
PAIRED = re.compile(r"raw/.*/round-\d+\.json")
NUMBERED = ["runtime", "workload", "size", "strategy", "workers", "pool"]
SEEN = ["runtime", "lab", "case", "metric"]


@dataclass(frozen=True)
class Ended:
    """How a run came to its end. status: None where it had not within ``ENDS_WITHIN_S``."""

    status: int | None
    said: str

    @property
    def lines(self) -> list[str]:
        return self.said.splitlines()


@dataclass(frozen=True)
class Holding:
    """What final tables hold, as far as two runs of one configuration must agree.

    cells: with the number of the rounds that every block gets. observed: what labs have seen, by how many trials.
    gaps: without the words of their reasons. files: below the results' folder, of those that are no logs. Rounds that a
    budget adds are each run's own, for they follow the scatter. unpaired: those of them that only the tables or only the
    files know.
    """

    cells: dict[tuple[Any, ...], int]
    traced: dict[tuple[Any, ...], int]
    observed: dict[tuple[Any, ...], int]
    gaps: frozenset[tuple[Any, ...]]
    files: frozenset[str]
    unpaired: frozenset[str] = frozenset()

    def differences(self, other: Holding) -> list[str]:
        """In words, where the other one holds something else."""
        found = [
            f"{name}: {mine.get(key, 0)}, not {theirs.get(key, 0)}, of {' '.join(map(str, key))}"
            for name, mine, theirs in (
                ("rounds", self.cells, other.cells),
                ("traces", self.traced, other.traced),
                ("trials", self.observed, other.observed),
            )
            for key in sorted({*mine, *theirs}, key=str)
            if mine.get(key) != theirs.get(key)
        ]
        found += [f"gap: {gap}" for gap in sorted(self.gaps ^ other.gaps, key=str)]
        found += [f"file: {name}" for name in sorted(self.files ^ other.files)]
        return found + [f"only in the tables, or not there: {name}" for name in sorted(self.unpaired)]


def shared() -> frozenset[str]:
    """The names of all segments and semaphores; those of others come and go."""
    return frozenset(path.name for path in SHARED_MEMORY.iterdir()) if SHARED_MEMORY.is_dir() else frozenset()


@dataclass
class Place:
    """A clone with temporary files, and a lock, of its own.

    folder: holds ``clone`` and ``tmp``. configuration: as for ``--configfile``. results: the folder of its results.
    """

    folder: Path
    configuration: str = "harmed.yaml"
    results: str = "results/here-harmed"
    segments: frozenset[str] = field(default_factory=shared)

    @classmethod
    def new(cls, folder: Path, sweep: str = SWEEP) -> Place:
        place = cls(folder)
        place.temporary.mkdir(parents=True)
        clone(ROOT, place.clone)
        (place.clone / place.configuration).write_text(sweep)
        return place

    def copy(self, folder: Path) -> Place:
        """Another one in the same state."""
        place = Place(folder, self.configuration, self.results)
        place.temporary.mkdir(parents=True)
        shutil.copytree(self.clone, place.clone, symlinks=True)
        return place

    def afresh(self, folder: Path) -> Place:
        """Another one that has measured nothing."""
        place = self.copy(folder)
        for name in ("results", ".snakemake"):
            shutil.rmtree(place.clone / name)
        return place

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def path(self, name: str) -> Path:
        return self.clone / self.results / name

    def command(self) -> list[str]:
        """What ``make`` runs."""
        return [sys.executable, "workflow/scripts/run.py", "--cores", "all", "--configfile", self.configuration]

    def environment(self, **changed: str) -> dict[str, str]:
        return {**os.environ, **apart(self.temporary), **changed}

    def start(self, command: Sequence[str] | None = None, **changed: str) -> subprocess.Popen[str]:
        """A run in a session of its own, whose words go to ``said``."""
        with (self.folder / "said").open("w") as said:
            return subprocess.Popen(
                command or self.command(),
                cwd=self.clone,
                env=self.environment(**changed),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def wait_for(self, process: subprocess.Popen[str]) -> Ended:
        try:
            status: int | None = process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = None
        return Ended(status, (self.folder / "said").read_text(errors="replace"))

    def run(self, command: Sequence[str] | None = None, **changed: str) -> Ended:
        return self.wait_for(self.start(command, **changed))

    def holding(self) -> Holding:
        """Raises OSError or ValueError where the tables are not there or cannot be read."""
        rounds = pd.read_parquet(self.path("rounds.parquet"))
        everyones = set(rounds.loc[rounds["job"].eq("measure") & rounds["stage"].eq(1), "round"])
        tables = {name: pd.read_parquet(self.path(f"{name}.parquet")) for name in ("timings", "traces", "observations")}
        early = {name: tables[name][tables[name]["round"].isin(everyones)] for name in ("timings", "traces")}
        gaps = json.loads(self.path("gaps.json").read_text())
        files = (path for path in (self.clone / self.results).rglob("*") if path.is_file())
        names = {str(path.relative_to(self.clone / self.results)) for path in files}
        added = {name for name in names if (number := ROUND.search(name)) and int(number[1]) not in everyones}
        timed = rounds[rounds["job"].eq("measure") & ~rounds["round"].isin(everyones)]
        known = {"raw/{}/{}/{}/round-{}.json".format(*row) for row in zip(*(timed[name] for name in RAW), strict=True)}
        return Holding(
            cells=early["timings"].groupby(NUMBERED)["round"].nunique().to_dict(),
            traced=early["traces"].groupby(NUMBERED)["round"].nunique().to_dict(),
            observed=tables["observations"].groupby(SEEN)["trial"].nunique().to_dict(),
            gaps=frozenset(tuple(str(value) for key, value in gap.items() if key != "reason") for gap in gaps),
            files=frozenset(
                name for name in names - added if not name.startswith("logs/") and not name.endswith(".again")
            ),
            unpaired=frozenset(known ^ {name for name in added if PAIRED.fullmatch(name) and ".facts." not in name}),
        )

    def left_behind(self, files: bool = True, within_s: float = 15.0) -> list[str]:
        """What is still there of a run that has ended, once it has had some time to go.

        files: those too, which a process that was killed cannot take with it, and the next run does.
        """
        deadline = time.monotonic() + within_s
        while (found := self.remains(files)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def remains(self, files: bool = True) -> list[str]:
        processes = [f"process {process.pid}: {' '.join(words)[:80]}" for process, words in self.processes()]
        new = shared() - self.segments
        segments = [f"shared memory: {name}" for name in sorted(new - self.of_others() if new else new)]
        if not files:
            return processes + segments
        kept = (path for path in self.temporary.iterdir() if path.name != LOCK and not is_ours_to_ignore(path))
        halves = (path for pattern in ("*.part", ".scratch-*") for path in self.clone.rglob(pattern))
        return processes + segments + [f"file: {path.relative_to(self.folder)}" for path in (*kept, *halves)]

    def processes(self) -> list[tuple[psutil.Process, list[str]]]:
        """Those that were started here: they have its temporary folder in their environment."""
        mark, found = f"GILSCOPE_LOCK={self.temporary / LOCK}", []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                environment = Path(f"/proc/{process.pid}/environ").read_bytes().decode(errors="replace")
                if mark in environment.split("\0") and process.status() != psutil.STATUS_ZOMBIE:
                    found.append((process, process.cmdline()))
        return found

    def of_others(self) -> set[str]:
        """The segments and semaphores that processes have open which were not started here, as tests beside these do."""
        mine = {process.pid for process, _ in self.processes()}
        found: set[str] = set()
        for maps in Path("/proc").glob("[0-9]*/maps"):
            with suppress(OSError):
                if int(maps.parent.name) not in mine:
                    found |= set(re.findall(rf"{SHARED_MEMORY}/(\S+)", maps.read_text(errors="replace")))
        return found

    def is_whole(self, undisturbed: Holding) -> list[str]:
        """In words, what a finished run lacks; nothing where it is whole."""
        try:
            return self.holding().differences(undisturbed)
        except (OSError, ValueError, KeyError) as error:
            return [f"no tables: {type(error).__name__}: {error}"]


def is_ours_to_ignore(path: Path) -> bool:
    """Of what lies in the temporary folder: Snakemake's own, which it makes for each run that somebody kills."""
    return path.name.startswith(("snakemake", "tmp-snakemake"))


def honest(ended: Ended, whole: Sequence[str]) -> list[str]:
    """What is amiss with the end of a run: that it came to none, or that it says it is whole and is not."""
    if ended.status is None:
        return [f"it did not end within {ENDS_WITHIN_S:.0f} s"]
    if ended.status == 0 and whole:
        return [f"it ended with 0, and yet: {'; '.join(whole[:3])}"]
    return []


def tracebacks(ended: Ended) -> list[str]:
    return ["a traceback"] if "Traceback (most recent call last)" in ended.said else []


def told(ended: Ended, wanted: str) -> list[str]:
    """What is amiss where a run should have said something. wanted: a regular expression for one of its lines."""
    return [] if any(re.search(wanted, line) for line in ended.lines) else [f"it does not say {wanted}"]
