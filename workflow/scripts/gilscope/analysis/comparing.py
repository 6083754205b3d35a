"""One cell in two runtimes of a run: only ever the same work, and the intervals that fit how it was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gilscope.analysis.counterparts import COUNTERPARTS, Identity, lock_on, reference, standard_build
from gilscope.analysis.estimates import centres
from gilscope.analysis.evidence import Evidence, NotTested, speedup_centres
from gilscope.analysis.intervals import (
    Found,
    Interval,
    difference_interval,
    difference_tests,
    interval,
    threshold_tests,
)
from gilscope.configuring.claims import Claim
from gilscope.configuring.leaves import Leaf
from gilscope.running.cells import SEQUENTIAL, Cell

WORK = ["workload", "size", "tasks", "parameter"]
"""What must be equal for two times to be those of the same work."""
LACKING = {
    "lock-on": "needs the same binary with the lock on beside {}; list it in runtimes once more, with gil: true",
    "standard": "needs a standard build of CPython beside {}; list one in runtimes",
    "cpython": "needs a CPython with its lock beside {}; list one in runtimes",
}


def find_counterpart(evidence: Evidence, claimed: Leaf, run: Sequence[Evidence]) -> Evidence:
    """The evidence of the runtime that a case is to be compared with. Raises NotTested without one, or a broken one."""
    assert claimed.against
    found = COUNTERPARTS[claimed.against](evidence.identity, [other.identity for other in run])
    if found is None:
        raise NotTested(LACKING[claimed.against].format(evidence.identity.words))
    if found.broken:
        raise NotTested(f"nothing can run in {found.words}, which it would be compared with: {found.broken}")
    return next(other for other in run if other.identity == found)


def check_same_work(here: Evidence, there: Evidence, claimed: Leaf, cell: Cell) -> None:
    """Raise NotTested, with both, where a block does not stand for the same work in two runtimes."""
    told = []
    for one in (here, there):
        tasks = one.of_cell(one.values, claimed, cell)["tasks"].unique().tolist()
        told.append((sorted(tasks), one.parameters.get((claimed.workload, claimed.size))))
    if told[0] != told[1]:
        each = " and ".join(
            f"{'/'.join(map(str, tasks))} tasks of {amount:g} in {one.runtime}"
            if amount is not None
            else f"{'/'.join(map(str, tasks))} tasks of an unknown amount in {one.runtime}"
            for one, (tasks, amount) in zip((here, there), told, strict=True)
        )
        block = f"{claimed.workload} at size {claimed.size}"
        raise NotTested(f"{block} is not the same work in both: {each}; measure both with one configuration")


def log_times(evidence: Evidence, cell: Cell) -> pd.Series:
    """The centre of each round's log(seconds) of a cell, in all its blocks; indexed by WORK and round."""
    values = evidence.values
    own = values[
        (values["strategy"] == cell.strategy) & (values["workers"] == cell.workers) & (values["pool"] == cell.pool)
    ]
    places = zip(own["workload"], own["size"], strict=True)
    parameters = [evidence.parameters.get(place, np.nan) for place in places]
    own = own.assign(parameter=parameters, log_seconds=np.log(own["seconds"].astype(float)))
    return centres(own.dropna(subset="parameter"), "log_seconds", [*WORK, "round"])


def log_ratios(here: Evidence, there: Evidence, cell: Cell) -> pd.Series:
    """log(time here / time there) by WORK and round, for the work that both did.

    Rounds of the same number follow one another closely, so they are paired: what slows the machine down for longer
    concerns both.
    """
    return (log_times(here, cell) - log_times(there, cell)).dropna()


def ratio_of_times(here: Evidence, there: Evidence, claimed: Leaf, cell: Cell) -> np.ndarray:
    """log(time here / time there) of a case's cell, one a round that both have. Raises NotTested for different work."""
    check_same_work(here, there, claimed, cell)
    ratios = log_ratios(here, there, cell)
    of_block = ratios[
        (ratios.index.get_level_values("workload") == claimed.workload)
        & (ratios.index.get_level_values("size") == claimed.size)
    ]
    return of_block.to_numpy()


def compare(evidence: Evidence, claim: Claim, claimed: Leaf, run: Sequence[Evidence]) -> Found:
    """A case that compares two runtimes. Raises NotTested and TooFewRounds.

    lock_ratio: speedup here / there; two samples, since a speedup is formed within its own process. runtime_ratio: time
    there / here. tax: time here / there.
    """
    assert claimed.of
    there, holds = find_counterpart(evidence, claimed, run), claimed.holds.as_dict()
    if claim.metric == "lock_ratio":
        check_same_work(evidence, there, claimed, claimed.of)
        off, on = (speedup_centres(one, claimed, claimed.of) for one in (evidence, there))
        found = difference_interval(off, on)
        tests = difference_tests(off, on, holds)
        return Found(found.estimate, found.low, found.high, tests, f"{len(off)} rounds off, {len(on)} on")
    logs = ratio_of_times(evidence, there, claimed, claimed.of)
    logs = -logs if claim.metric == "runtime_ratio" else logs
    found = interval(logs)
    return Found(found.estimate, found.low, found.high, threshold_tests(logs, holds), f"{found.rounds} pairs of rounds")


def told_of_counterpart(evidence: Evidence, claim: Claim, claimed: Leaf, run: Sequence[Evidence]) -> str:
    """Which runtime a case was compared with, whether its version differs, and for a ratio of speedups both of them."""
    there = find_counterpart(evidence, claimed, run)
    told = f"compared with {there.identity.words}"
    here = evidence.identity
    if here.implementation == there.identity.implementation and here.version != there.identity.version:
        told += f"; the versions differ: {here.version} and {there.identity.version}"
    if claim.metric == "lock_ratio" and claimed.of:
        found = [interval(speedup_centres(one, claimed, claimed.of)) for one in (evidence, there)]
        told += "; speedups: " + ", ".join(
            f"{each.estimate:.2f} × with the lock {'on' if one.identity.gil else 'off'}"
            for one, each in zip((evidence, there), found, strict=True)
        )
    return told


def table_row(place: Any, here: Identity, there: Identity, found: Interval) -> dict[str, Any]:
    named = {"workload": place[0], "size": place[1], "runtime": here.runtime, "against": there.runtime}
    bounds = {"estimate": found.estimate, "low": found.low, "high": found.high, "rounds": found.rounds}
    return {**named, **bounds}


def sequential_rows(here: Evidence, there: Evidence, sign: int) -> Iterator[dict[str, Any]]:
    """A row for every block that did the same sequential work in both.

    sign: 1 for time here / there, -1 for there / here.
    """
    for place, logs in log_ratios(here, there, SEQUENTIAL).groupby(level=WORK, sort=False):
        yield table_row(place, here.identity, there.identity, interval(sign * logs.to_numpy()))


def taxes(run: Sequence[Evidence]) -> list[dict[str, Any]]:
    """What one thread pays for having no lock: sequential time with the lock off / on, and / that of a standard build.

    A row per workload and size that both measured, with ``kind_of``: ``lock-on`` for the same binary, ``standard`` for
    the build of the same version, or where the run has none, of the current one.
    """
    everyone = [one.identity for one in run]
    rows = []
    for here in run:
        for kind, find in (("lock-on", lock_on), ("standard", standard_build)):
            there = find(here.identity, everyone) if here.identity.lock_off else None
            for other in run:
                if other.identity == there:
                    rows += [{**row, "kind_of": kind} for row in sequential_rows(here, other, sign=1)]
    return rows


def sequential_ratios(run: Sequence[Evidence]) -> list[dict[str, Any]]:
    """How fast each runtime does sequential work beside the current one: time there / time here, above 1 is faster."""
    there = reference([one.identity for one in run])
    rows = []
    for other in run:
        if other.identity == there:
            rows = [row for here in run if here is not other for row in sequential_rows(here, other, sign=-1)]
    return rows


def compare_runtimes(run: Sequence[Evidence]) -> Mapping[str, list[dict[str, Any]]]:
    """The tables of across.json."""
    return {"taxes": taxes(run), "speeds": sequential_ratios(run)}
