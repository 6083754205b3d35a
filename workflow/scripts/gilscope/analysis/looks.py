"""Looks: a run that stops where it has decided tests more than once, and each test pays for it.

Whether a case gets more rounds depends on whether it is decided; how many it gets, on its scatter alone. The chance of
a false verdict is shared out over the looks in advance, and a case's p value is the least of all looks, each divided by
its look's share. Whatever the dependence between looks, that p is at most as often below a level as the level says
(Bonferroni), where the number of rounds is not chosen by their scatter; where it is, at 5 % by half a percent more
often at most, and on the whole less (docs/evidence.md). Pocock, Biometrika 64 (1977), 191-199, on
sharing; Lan & DeMets, Biometrika 70 (1983), 659-663, on not knowing in advance how many looks there will be.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gilscope.analysis.collecting import Collected
from gilscope.analysis.evidence import Evidence, gather_evidence
from gilscope.analysis.intervals import Tests

FIRST, SECOND = 0.1, 0.8
"""The first look only closes what is clear; nearly everything is left to the one that usually ends a run."""


def share(look: int) -> float:
    """The part of the chance of a false verdict that a look may take; looks count from 1. All together take 1."""
    later: float = (1 - FIRST - SECOND) / 2 ** (look - 2)
    return {1: FIRST, 2: SECOND}.get(look, later)


def least(looks: Sequence[tuple[int, Tests]]) -> Tests:
    """The tests of all looks as one. looks: the number of each, and what was found with the rounds that it had."""
    return Tests(
        min(1.0, *(tests.p_holds / share(look) for look, tests in looks)),
        min(1.0, *(tests.p_fails / share(look) for look, tests in looks)),
    )


def up_to(table: pd.DataFrame, rounds: pd.DataFrame, stage: int) -> pd.DataFrame:
    """The rows of a table of rounds that were there when a stage had ended."""
    place = ["runtime", "workload", "size", "round"]
    timed = rounds[rounds["job"] == "measure"]
    if not (timed["stage"] > stage).any():
        return table
    later = pd.MultiIndex.from_frame(timed.loc[timed["stage"] > stage, place])
    return table[~pd.MultiIndex.from_frame(table[place]).isin(later)]


def stages_of(rounds: pd.DataFrame) -> int:
    """How many stages the rounds have come in."""
    found = rounds.loc[rounds["job"] == "measure", "stage"]
    return int(found.max()) if found.notna().any() else 1


def gather_looks(collected: Collected, *, cores: int, looks: int) -> list[list[Evidence]]:
    """The evidence of each runtime at each look: after as many stages as the look's number, or all there have been."""
    rounds = collected.rounds
    return [
        gather_evidence(
            up_to(collected.timings, rounds, stage),
            up_to(collected.traces, rounds, stage),
            collected.observations,
            rounds=rounds,
            gaps=collected.gaps,
            runtimes=collected.runtimes,
            cores=cores,
        )
        for stage in range(1, looks + 1)
    ]
