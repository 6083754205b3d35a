"""Does anything that happens to a run cost it more than time? Kills, damaged files, poor surroundings, bad workloads.

    python benchmarks/faults.py [--kills 100] [--only GROUP ...] [--sweep quick] [--seed 1]

Each case is done to a clone of this working tree with a lock of its own, so the machine need not be quiet. A case
survives where the run ends, its exit status is honest, what it says names cause and cure, the next plain run is whole
(cells, rounds, trials, gaps and files as of a run that nothing disturbed), and nothing is left behind: no process, no
segment, no semaphore, no file. Last, sweeps in a row: does anything grow beside their results?

Prints the cases, what did not hold in those that did not survive, and a table; ends with 1 where there is one.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow/scripts"), str(ROOT / "tests"), str(ROOT / "tests/doubles")]

from faults.damage import KINDS, WAYS, harm, recovers  # noqa: E402
from faults.kills import Kill, killed_in_between  # noqa: E402
from faults.misbehaving import WORKLOADS, what_became_of  # noqa: E402
from faults.places import SWEEP, Holding, Place, honest  # noqa: E402
from faults.repeats import growth, repeats  # noqa: E402
from faults.surroundings import SURROUNDINGS, NotHere, what_became_in  # noqa: E402

SWEEPS = {"harmed": SWEEP, "quick": (ROOT / "config/presets/quick.yaml").read_text() + "machine: here\n"}
"""Preset → its configuration."""
KILLS_A_SWEEP = 3
REPEATS = 20


@dataclass(frozen=True)
class Case:
    """One fault. complaints: what did not hold; empty where it survived. skipped: why it could not be done here."""

    group: str
    name: str
    complaints: list[str]
    skipped: str = ""

    @property
    def state(self) -> str:
        return "not done" if self.skipped else "lost" if self.complaints else "survived"


@dataclass(frozen=True)
class Undisturbed:
    """A finished run, what it holds, and how long it took."""

    place: Place
    holding: Holding
    seconds: float


@dataclass(frozen=True)
class Ground:
    """Where it all happens. preset: of the sweep that is killed, and repeated."""

    folder: Path
    chance: random.Random
    kills: int
    preset: str

    @cache  # noqa: B019 -- there is one
    def undisturbed(self, preset: str) -> Undisturbed:
        place = Place.new(self.folder / f"undisturbed-{preset}", SWEEPS[preset])
        place.results = f"results/here-{preset}"
        began = time.monotonic()
        ended = place.run()
        if ended.status != 0:
            sys.exit(f"a run that nothing disturbs ended with {ended.status}:\n{ended.said[-3000:]}")
        return Undisturbed(place, place.holding(), time.monotonic() - began)


def kills(ground: Ground) -> Iterator[Case]:
    """Sweeps that are killed a few times each, until they come to their end, and then run plainly."""
    undisturbed, left = ground.undisturbed(ground.preset), ground.kills
    while left:
        place = undisturbed.place.afresh(ground.folder / f"kills-{left}")
        cases: list[tuple[Kill, list[str]]] = []
        ended = None
        while len(cases) < min(left, KILLS_A_SWEEP) and not (ended and ended.status == 0):
            kill, ended = killed_in_between(place, ground.chance.uniform(0.5, undisturbed.seconds), ground.chance)
            if kill.who:
                complaints = honest(ended, place.is_whole(undisturbed.holding)) + place.left_behind(files=False)
                cases.append((kill, complaints))
        after = what_is_amiss_after(place, undisturbed)
        yield from (Case("kills", str(kill), [*complaints, *after]) for kill, complaints in cases)
        if not after:
            shutil.rmtree(place.folder)
        left -= len(cases)


def what_is_amiss_after(place: Place, undisturbed: Undisturbed) -> list[str]:
    """Run plainly what something was done to: what is not as if nothing had been."""
    ended = place.run()
    failed = [f"then it ended with {ended.status}"] if ended.status else []
    return failed + honest(ended, place.is_whole(undisturbed.holding)) + place.left_behind()


def damage(ground: Ground) -> Iterator[Case]:
    """Every kind of file, in every way."""
    undisturbed = ground.undisturbed("harmed")
    place = undisturbed.place.copy(ground.folder / "damage")
    for kind in KINDS:
        for way in WAYS:
            path = harm(place, kind, way, ground.chance)
            complaints = recovers(place, undisturbed.holding, [path])
            yield Case("damage", f"{path.relative_to(place.clone / place.results)} {way}", complaints)
            if complaints:
                shutil.rmtree(place.folder)
                place = undisturbed.place.copy(ground.folder / "damage")


def surroundings(ground: Ground) -> Iterator[Case]:
    undisturbed = ground.undisturbed("harmed")
    for name in SURROUNDINGS:
        place = undisturbed.place.afresh(ground.folder / name.replace(" ", "-"))
        try:
            yield Case("surroundings", name, what_became_in(name, place, undisturbed.holding))
        except NotHere as reason:
            yield Case("surroundings", name, [], str(reason))
        shutil.rmtree(place.folder)


def workloads(ground: Ground) -> Iterator[Case]:
    for name in WORKLOADS:
        found = what_became_of(ground.folder / name, [name])
        yield Case("workloads", name, found[""] + found.get(name, []))
        shutil.rmtree(ground.folder / name)


def repeated(ground: Ground) -> Iterator[Case]:
    undisturbed = ground.undisturbed(ground.preset)
    place = undisturbed.place.copy(ground.folder / "repeats")
    runs = list(repeats(place, undisturbed.holding, REPEATS))
    peaks = f"{min(run.peak_mib for run in runs):.0f} to {max(run.peak_mib for run in runs):.0f} MiB"
    yield Case("repeats", f"{REPEATS} sweeps in a row, the greatest process of each {peaks}", growth(runs))


GROUPS = {
    "kills": kills,
    "damage": damage,
    "surroundings": surroundings,
    "workloads": workloads,
    "repeats": repeated,
}


def table(cases: Iterable[Case], seconds: float) -> str:
    counts = Counter((case.group, case.state) for case in cases)
    rows = ["| | injected | survived | lost | not done here |", "|---|---|---|---|---|"]
    for group in dict.fromkeys(group for group, _ in counts):
        survived, lost, skipped = (counts[group, state] for state in ("survived", "lost", "not done"))
        rows.append(f"| {group} | {survived + lost} | {survived} | {lost} | {skipped} |")
    return "\n".join([*rows, "", f"{seconds / 60:.0f} min"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--sweep", choices=SWEEPS, default="harmed", help="the one that is killed, and repeated")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began, cases = time.monotonic(), []
    folder = Path(tempfile.mkdtemp(prefix="gilscope-faults-"))
    ground = Ground(folder, random.Random(arguments.seed), arguments.kills, arguments.sweep)
    for group in arguments.only:
        for case in GROUPS[group](ground):
            cases.append(case)
            words = "; ".join([case.state, *case.complaints, *filter(None, [case.skipped])])
            print(f"{time.monotonic() - began:6.0f} s  {case.group}: {case.name}: {words}", flush=True)
    print(f"\n{table(cases, time.monotonic() - began)}")
    lost = any(case.complaints for case in cases)
    if lost:
        print(f"\nwhat did not survive: {folder}")
    else:
        shutil.rmtree(folder)
    sys.exit(lost)


if __name__ == "__main__":
    main()
