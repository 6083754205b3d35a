"""Making a sweep fit its budget: fewer rounds for every block, then fewer cells, blocks and tasks, least telling first.

What is cut, and how many rounds every block gets, is decided for ``REFERENCE_MIN`` whatever ``budget_minutes`` says: a
larger budget must find the same blocks; the rounds that it adds are numbered after those that all have. Without a
budget nothing is cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gilscope.configuring.claims import Claim
from gilscope.configuring.machines import CURRENT
from gilscope.configuring.models import Config
from gilscope.labs import load_lab
from gilscope.planning.counts import WHOLE, Cut
from gilscope.planning.outlook import ANALYSIS_S, JOB_S, START_S, round_seconds
from gilscope.planning.sweep import build_sweep, pilot_turn
from gilscope.running.cells import Block
from gilscope.workloads import Workload

FEWEST_ROUNDS = 3
"""With fewer there is no interval and no verdict."""
REFERENCE_MIN = 12
FOR_EVERYONE_S = 620.0
"""Of the reference, what one runtime may take: 5 % is spare, and a minute for those of a few claims only."""
CUTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("worker counts beyond the cores", {"largest": True}),
    ("worker counts between 1 and the cores", {"between": True}),
    ("blocks", {"blocks": True}),
    ("every second task", {"tasks": 2}),
    ("tasks beyond one for each worker", {"tasks": 8}),
    ("coroutines where nothing waits", {"coroutines": True}),
)
"""What is left out, in this order, and as what of a ``Cut``; never what a claim needs."""
TAKEN_BACK = (5, 1, 2, 0, 3)
"""The order in which what need not be cut is put back: first the counts that a scaling law is fitted from."""


@dataclass(frozen=True)
class Fitted:
    """The blocks of one runtime, the rounds that all of them get, what was cut, and its names in words."""

    blocks: tuple[Block, ...]
    rounds: int
    cut: Cut = WHOLE
    left_out: tuple[str, ...] = ()


def labs_seconds(labs: Sequence[str]) -> float:
    """About how long these labs take; one that cannot run here takes its job alone."""
    known = [load_lab(lab) for lab in labs]
    return sum((0.0 if lab.unavailable() else lab.seconds) + JOB_S for lab in known)


def fit(config: Config, claims: Sequence[Claim], known: Mapping[str, tuple[Workload, str]], cores: int) -> Fitted:
    """The sweep of one runtime, cut as far as it has to be. Raises Mistakes, as ``build_sweep`` does.

    What is cut goes on until the fewest rounds fit; what then still fits is taken back, the most telling first.
    """
    asked = config.measure.rounds
    fewest = min(asked, FEWEST_ROUNDS)
    left = FOR_EVERYONE_S - START_S - ANALYSIS_S - labs_seconds(config.labs.selected())

    def blocks_with(changes: Sequence[int]) -> list[Block]:
        return build_sweep(config, claims, known, CURRENT, cores, cut=cut_of(changes))

    def fits(blocks: Sequence[Block]) -> bool:
        return seconds_of(blocks, cores, fewest) <= left

    made: list[int] = []
    blocks = blocks_with(made)
    if not config.budget_minutes:
        return Fitted(tuple(blocks), asked)
    for change in range(len(CUTS)):
        if fits(blocks):
            break
        smaller = blocks_with([*made, change])
        if smaller != blocks:
            made, blocks = [*made, change], smaller
    for change in [one for one in TAKEN_BACK if one in made[:-1]] if fits(blocks) else ():
        larger = blocks_with([other for other in made if other != change])
        if fits(larger):
            made, blocks = [other for other in made if other != change], larger
    counts = [count for count in range(fewest, asked + 1) if seconds_of(blocks, cores, count) <= left]
    rounds = max(counts, default=fewest)
    return Fitted(tuple(blocks), rounds, cut_of(made), tuple(CUTS[change][0] for change in made))


def cut_of(changes: Sequence[int]) -> Cut:
    """These of ``CUTS`` together, in their order."""
    cut = WHOLE
    for change in sorted(changes):
        cut = replace(cut, **CUTS[change][1])
    return cut


def seconds_of(blocks: Sequence[Block], cores: int, rounds: int) -> float:
    """About how long so many rounds of each of the blocks take."""
    numbers = range(1, rounds + 1)
    return sum(round_seconds(block, pilot_turn(block, number), cores) for block in blocks for number in numbers)
