"""One sweep after the other in one clone: does anything grow beside the results?"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from faults.places import Holding, Place

PEAK = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print("peak KiB of any one process:", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""
RECORDS = ".snakemake/log/"
"""One file of Snakemake's for each run."""
MOST_GROWTH = 1.05


@dataclass(frozen=True)
class Repeat:
    """What a run has left in its clone beside its results, and the memory of its greatest process, in MiB."""

    files: frozenset[str]
    remains: tuple[str, ...]
    lacks: tuple[str, ...]
    peak_mib: float


def repeats(place: Place, undisturbed: Holding, times: int) -> Iterator[Repeat]:
    for _ in range(times):
        shutil.rmtree(place.clone / place.results, ignore_errors=True)
        ended = place.run([sys.executable, "-c", PEAK, *place.command()])
        lacks = [f"it ended with {ended.status}"] if ended.status else []
        lacks += place.is_whole(undisturbed)
        files = (path.relative_to(place.clone) for path in place.clone.rglob("*") if path.is_file())
        names = frozenset(str(path) for path in files if not str(path).startswith((place.results, RECORDS)))
        peak = next((float(line.split()[-1]) for line in ended.lines if line.startswith("peak KiB")), 0.0)
        yield Repeat(names, tuple(place.left_behind()), tuple(lacks), peak / 1024)


def growth(runs: list[Repeat]) -> list[str]:
    """What the later of several runs have more than the earlier ones, in words."""
    found = [f"file: {name}" for name in sorted(runs[-1].files - runs[0].files)]
    found += [words for run in runs for words in (*run.remains, *run.lacks)]
    few = max(1, len(runs) // 4)
    first, last = (fmean(run.peak_mib for run in part) for part in (runs[:few], runs[-few:]))
    if last > MOST_GROWTH * first:
        found.append(f"memory: {first:.0f} MiB, later {last:.0f} MiB")
    return found
