"""What each open case would need: by how much its rounds scatter, and how narrow its interval has to be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import stats

from gilscope.analysis.comparing import find_counterpart, ratio_of_times
from gilscope.analysis.conditions import CEILING_NEEDED, ceiling_cell, ceiling_of
from gilscope.analysis.evidence import Evidence, NotTested, measured, speedup_centres
from gilscope.analysis.intervals import CONFIDENCE, FEWEST_ROUNDS
from gilscope.analysis.verdicts import judge_cases, of_runtime
from gilscope.configuring.claims import ACROSS, Claim, Holds
from gilscope.configuring.leaves import LabLeaf, Leaf
from gilscope.workloads import Workload

FINEST, COARSEST = 0.03, 0.2
"""Half-widths, on the logarithmic scale, beyond which no threshold asks for more, or is content with less."""


def asked_for(holds: Holds) -> float:
    """How wide a case's interval may be: half the way, in logarithms, from the threshold to no effect at all."""
    bounds = [bound for bound in (holds.above, holds.below, *(holds.within or ())) if bound is not None]
    return min(COARSEST, max(FINEST, min(abs(math.log(bound)) for bound in bounds) / 2))


@cache
def quantile(share: float, freedom: int) -> float:
    """Of Student's t distribution."""
    return float(stats.t.ppf(share, freedom))


@dataclass(frozen=True)
class Scatter:
    """What is known of a quantity whose interval is over rounds. deviation: of one round, on the logarithmic scale."""

    deviation: float
    rounds: int

    def half_width(self, more: int = 0) -> float:
        """Of the 95 % interval, were there so many more rounds that scatter as these do."""
        count = self.rounds + more
        return quantile((1 + CONFIDENCE) / 2, count - 1) * self.deviation / math.sqrt(count)


@dataclass(frozen=True)
class Want:
    """An open case: the blocks and cells that more rounds have to take, how wide its interval is and may be.

    traced: whether it rests on the cells' traces.
    """

    claim: str
    case: str
    runtime: str
    cells: Mapping[str, tuple[str, ...]]
    scatter: Scatter
    allowed: float
    traced: bool = False

    def need(self, more: int = 0) -> float:
        """The interval's width in units of what is asked for, were there so many more rounds."""
        return self.scatter.half_width(more) / self.allowed


def scatter_of(logs: np.ndarray) -> Scatter | None:
    """logs: shape (rounds,); None where there are too few to tell."""
    return Scatter(float(np.std(logs, ddof=1)), len(logs)) if len(logs) >= FEWEST_ROUNDS else None


def samples(evidence: Evidence, claim: Claim, claimed: Leaf, run: Sequence[Evidence]) -> list[tuple[str, np.ndarray]]:
    """(runtime, one value per round) of each runtime that a case rests on. Raises NotTested."""
    if claim.metric not in ACROSS:
        return [(evidence.runtime, measured(evidence, claim, claimed))]
    assert claimed.of
    there = find_counterpart(evidence, claimed, run)
    if claim.metric == "lock_ratio":
        return [(one.runtime, speedup_centres(one, claimed, claimed.of)) for one in (evidence, there)]
    logs = ratio_of_times(evidence, there, claimed, claimed.of)
    return [(one.runtime, logs) for one in (evidence, there)]


def ceiling_in_doubt(evidence: Evidence, claim: Claim, claimed: Leaf) -> bool:
    """Whether it is open that this machine can do several things at once, without which the case is not tested."""
    found = ceiling_of(evidence, claimed) if "cores" in claim.needs else None
    return found is not None and found.low < CEILING_NEEDED <= found.high


def wants_of(claim: Claim, claimed: Leaf, case: Mapping[str, Any], runtime: str, run: Sequence[Evidence]) -> list[Want]:
    """What a case needs that is open, or whose ceiling is in doubt; nothing where it is decided or not to be tested."""
    evidence = of_runtime(run, runtime)
    where = f"{claimed.workload}/{claimed.size}"
    named: dict[str, Any] = {"claim": claim.id, "case": claimed.case, "runtime": runtime}
    wants: list[Want] = []
    cells: dict[str, tuple[str, ...]]
    doubt = ceiling_in_doubt(evidence, claim, claimed)
    if doubt:
        ceiling = ceiling_cell(evidence, claimed)
        assert ceiling is not None
        scatter = scatter_of(speedup_centres(evidence, claimed, ceiling))
        if scatter:
            cells = {f"{runtime}/{where}": (ceiling.name,)}
            wants.append(Want(**named, cells=cells, scatter=scatter, allowed=asked_for(Holds(above=CEILING_NEEDED))))
    if case["verdict"] != "inconclusive" and not doubt:
        return []
    try:
        found = samples(evidence, claim, claimed, run)
    except NotTested:
        return []
    scatters = [scatter for _, logs in found if (scatter := scatter_of(logs))]
    if scatters:
        names = tuple(cell.name for cell in claimed.cells)
        cells = {f"{one}/{where}": names for one, _ in found}
        scatter = max(scatters, key=Scatter.half_width)
        traced = claim.metric == "effective_cores"
        wants.append(Want(**named, cells=cells, scatter=scatter, allowed=asked_for(claimed.holds), traced=traced))
    return wants


def open_wants(
    claims: Sequence[Claim], looks: Sequence[Sequence[Evidence]], known: Mapping[str, Workload]
) -> list[Want]:
    """What every case that is still open needs. looks: as for ``judge_cases``, but the run goes on after the last."""
    return [
        want
        for claim, runtime, cases in judge_cases(claims, looks, known, ended=False)
        if not claim.demonstration
        for claimed, case in cases
        if not isinstance(claimed, LabLeaf)
        for want in wants_of(claim, claimed, case, runtime, looks[-1])
    ]
