"""Where the rest of a budget goes: more rounds for the cases that are still open, where they tell most.

Which cases are open the verdicts tell, and pay for (``looks``). How many rounds each gets is a matter of the budget, of
its scatter and of what a round costs, so that no estimate draws rounds to itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy import stats

from gilscope.analysis.comparing import find_counterpart, ratio_of_times
from gilscope.analysis.conditions import CEILING_NEEDED, ceiling_cell, ceiling_of
from gilscope.analysis.estimates import SIZE
from gilscope.analysis.evidence import Evidence, NotTested, measured, speedup_centres
from gilscope.analysis.intervals import CONFIDENCE, FEWEST_ROUNDS
from gilscope.analysis.looks import share
from gilscope.analysis.verdicts import SIGNIFICANCE, Remedy, judge_cases, of_runtime
from gilscope.configuring.claims import ACROSS, Claim, Holds, LabLeaf, Leaf
from gilscope.measuring.laps import MOST_LAPS, lap_order
from gilscope.planning.outlook import JOB_S
from gilscope.running.cells import SEQUENTIAL, Block, Cell
from gilscope.workloads import Workload

FINEST, COARSEST = 0.03, 0.2
"""Half-widths, on the logarithmic scale, beyond which no threshold asks for more, or is content with less."""
ENOUGH = 0.5
"""What is this much sharper than its threshold asks for, and open, lies so near to it that no budget is the remedy."""
MOST_ROUNDS = 100
ADDED_S = 1.0
"""What an added round lasts at least, whatever its block's rounds last: to start it takes half of that."""
RIVALS = 2
"""About how many times smaller a p value must be for being one of a family of which half are clear."""


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


@dataclass(frozen=True)
class Costs:
    """What rounds take, from those that there were.

    values: block and cell → the seconds of a value; the sequential cell of every block is among them. aside: block →
    the seconds of a round that are no values: its warm-up, the starts of workers.
    """

    values: Mapping[tuple[str, str], float]
    aside: Mapping[str, float]

    def lap(self, block: Block, cells: Iterable[str]) -> float:
        known = [name for name in cells if (block.path, name) in self.values]
        return sum(
            self.values[block.path, name] / (block.part if name == SEQUENTIAL.name else 1)
            for _, name in lap_order(known, "")
        )

    def laps(self, block: Block, cells: Iterable[str]) -> int:
        """How many laps over these cells fit into an added round."""
        return max(block.min_laps, min(MOST_LAPS, int(max(block.seconds, ADDED_S) / self.lap(block, cells))))

    def round(self, block: Block, cells: Sequence[str], traced: bool = False) -> float:
        """Seconds of a round over these cells, with their share of what lies aside; traced, it takes a lap more."""
        aside = self.aside[block.path] * (len(cells) + 1) / (len(block.cells) + 1)
        return aside + JOB_S + (self.laps(block, cells) + traced) * self.lap(block, cells)


def costs_of(timings: pd.DataFrame, rounds: pd.DataFrame) -> Costs:
    """What the rounds so far have taken."""
    spent = (timings["seconds"] * timings["loops"]).groupby([timings[name] for name in (*SIZE, "round")]).sum()
    values = (timings["seconds"] * timings["loops"]).groupby(
        [timings[name] for name in (*SIZE, "strategy", "workers", "pool")]
    )
    timed = rounds[rounds["job"] == "measure"].set_index([*SIZE, "round"])
    left = ((timed["ended"] - timed["started"]) - spent).dropna().clip(lower=0).groupby(level=SIZE).median()
    return Costs(
        {
            ("/".join(block), Cell(strategy, int(workers), pool).name): float(seconds)
            for (*block, strategy, workers, pool), seconds in cast("Any", values.mean().items())
        },
        {"/".join(cast("Any", place)): float(seconds) for place, seconds in left.items()},
    )


@dataclass
class Allocation:
    """The rounds to add to a block: how many, the cells that they take, and whether these are traced."""

    block: Block
    cells: dict[str, None] = field(default_factory=dict)
    seconds: float = 0.0
    rounds: int = 0
    have: int = 0
    traced: bool = False


def allocate(
    wants: Sequence[Want], blocks: Mapping[str, Block], costs: Costs, have: Mapping[str, int], budget_s: float
) -> list[Allocation]:
    """Round by round to where one narrows the open cases' intervals most per second, until the budget is spent.

    A block with many open cases, cheap rounds or few rounds so far comes first; a case that is sharp enough draws no
    more. To serve the widest first decides less: it is often too wide for any budget (docs/evidence.md). A round takes
    all cells of its block that are open.

    blocks: by path. have: how many rounds each has.
    """
    given: dict[str, Allocation] = {}
    for want in wants:
        for path, cells in want.cells.items():
            one = given.setdefault(path, Allocation(blocks[path], have=have[path]))
            one.cells.update(dict.fromkeys(name for name in cells if name != SEQUENTIAL.name))
            one.traced |= want.traced
    for one in given.values():
        one.seconds = costs.round(one.block, list(one.cells), one.traced)
    together = {tuple(want.cells): [given[path] for path in want.cells] for want in wants}
    served = {paths: [want for want in wants if {*want.cells} <= {*paths}] for paths in together}
    left = budget_s

    def worth(paths: tuple[str, ...]) -> float:
        """By how much a round more for these blocks narrows intervals, in logarithms, per second."""
        price = sum(one.seconds for one in together[paths])
        full = any(one.have + one.rounds >= MOST_ROUNDS for one in together[paths])
        return 0.0 if full or price > left else sum(gain(want, given) for want in served[paths]) / price

    while together:
        best = max(together, key=worth)
        if not worth(best):
            break
        for one in together[best]:
            one.rounds += 1
            left -= one.seconds
    return [one for one in given.values() if one.rounds]


def gain(want: Want, given: Mapping[str, Allocation]) -> float:
    """By how much a case's interval narrows with one round more, in logarithms; nothing where it is sharp enough."""
    more = fewest(want, given)
    return math.log(want.need(more) / want.need(more + 1)) if want.need(more) > ENOUGH else 0.0


def fewest(want: Want, given: Mapping[str, Allocation]) -> int:
    """How many rounds more the blocks of a case are to get, all of them."""
    return min(given[path].rounds for path in want.cells)


def remedy_for(rounds: pd.DataFrame, look: int) -> Remedy:
    """A function that says what would decide an open case. rounds: as they are; look: the number of the next one."""
    timed = rounds[rounds["job"] == "measure"]
    latest = timed[timed["stage"] == timed.groupby(SIZE)["stage"].transform("max")]
    seconds = (latest["ended"] - latest["started"]).groupby([latest[name] for name in SIZE]).median() + JOB_S
    taken = {"/".join(cast("Any", place)): float(each) for place, each in seconds.items()}

    def remedy(
        claim: Claim, claimed: Leaf, case: Mapping[str, Any], evidence: Evidence, run: Sequence[Evidence]
    ) -> str:
        wants = wants_of(claim, claimed, case, evidence.runtime, run)
        if not wants:
            return ""
        bounds = np.ravel(list(claimed.holds.as_dict().values()))
        distance = min(abs(math.log(case["estimate"] / bound)) for bound in bounds)
        price = sum(taken[path] for path in wants[-1].cells)
        minutes = minutes_more(wants[-1], distance, SIGNIFICANCE * share(look) / RIVALS, price)
        if minutes is None:
            return "; more rounds are no remedy here"
        return f"; ≈ {max(1, round(minutes))} min more would, should the estimate stay"

    return remedy


def minutes_more(want: Want, distance: float, at: float, seconds: float) -> float | None:
    """About how many minutes of rounds would decide a case whose estimate stays where it is; None for never here.

    distance: of the estimate from the threshold, in logarithms. at: the level that its p value has to reach. seconds:
    of one more round.
    """
    for more in range(1, MOST_ROUNDS - want.scatter.rounds + 1):
        count = want.scatter.rounds + more
        reached = quantile(1 - at, count - 1) * want.scatter.deviation / math.sqrt(count)
        if reached < distance:
            return more * seconds / 60
    return None


def plan_rounds(allocations: Iterable[Allocation], costs: Costs, stage: int) -> list[dict[str, Any]]:
    """The rounds to measure, as ``allocation.json`` lists them."""
    return [
        {
            "block": one.block.path,
            "round": one.have + number,
            "stage": stage,
            "only": list(one.cells),
            "laps": costs.laps(one.block, one.cells),
            "traced": one.traced,
        }
        for one in allocations
        for number in range(1, one.rounds + 1)
    ]
