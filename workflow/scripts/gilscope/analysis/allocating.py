"""Where the rest of a budget goes: more rounds for the cases that are still open, where they tell most.

Which cases are open the verdicts tell, and pay for (``looks``). How many rounds each gets is a matter of the budget, of
its scatter and of what a round costs, so that no estimate draws rounds to itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pandas as pd

from gilscope.analysis.costs import Costs
from gilscope.analysis.estimates import SIZE
from gilscope.analysis.evidence import Evidence
from gilscope.analysis.looks import share
from gilscope.analysis.pronouncing import SIGNIFICANCE
from gilscope.analysis.verdicts import Remedy
from gilscope.analysis.wants import Want, quantile, wants_of
from gilscope.configuring.claims import Claim
from gilscope.configuring.leaves import Leaf
from gilscope.planning.outlook import JOB_S
from gilscope.running.cells import SEQUENTIAL, Block

ENOUGH = 0.5
"""What is this much sharper than its threshold asks for, and open, lies so near to it that no budget is the remedy."""
MOST_ROUNDS = 100
RIVALS = 2
"""About how many times smaller a p value must be for being one of a family of which half are clear."""


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
