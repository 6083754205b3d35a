"""What a sweep has spent of its budget, and the rounds that the rest is for: ``allocation.json``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gilscope.analysis.allocating import Allocation, allocate, plan_rounds
from gilscope.analysis.collecting import Collected
from gilscope.analysis.costs import Costs, costs_of
from gilscope.analysis.looks import gather_looks, stages_of
from gilscope.analysis.wants import Want, open_wants
from gilscope.configuring.claims import Claim
from gilscope.planning.outlook import ANALYSIS_S, JOB_S, START_S
from gilscope.running.cells import Block
from gilscope.running.files import read_json
from gilscope.workloads import Workload

BEGIN: dict[str, Any] = {"rounds": [], "stage": 1}


@dataclass(frozen=True)
class Spent:
    """Seconds of a sweep so far, by what they went to."""

    rounds: float
    labs: float

    @property
    def whole(self) -> float:
        return START_S + self.rounds + self.labs


def spent_on(rounds: pd.DataFrame) -> Spent:
    """What the measuring jobs took. rounds: as ``collecting.collect_rounds``."""
    seconds = (rounds["ended"] - rounds["started"]).astype(float).fillna(0.0)
    labs = rounds["job"] == "observe"
    jobs = (rounds["job"] == "measure").sum()
    return Spent(float(seconds[~labs].sum()) + JOB_S * float(jobs), float((seconds[labs] + JOB_S).sum()))


def added_rounds(folder: str | Path, facts: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The allocation that is there, of rounds that go with those that every block got, and the facts of those measured.

    facts: of the rounds that every block got; what was added to rounds that have since been measured anew is void.
    """
    path = Path(folder) / "allocation.json"
    before: dict[str, Any] = read_json(path) if path.exists() else BEGIN
    begun = {Path(file).parent: read_json(file)["calibrated"] for file in facts}
    kept, measured = [], []
    for row in before["rounds"]:
        file = Path(folder) / "raw" / row["block"] / f"round-{row['round']}.facts.json"
        if file.parent not in begun:
            continue
        if file.exists():
            told = read_json(file)
            if told["calibrated"] != begun[file.parent] or told["only"] != row["only"]:
                continue
            measured.append(str(file))
        kept.append(row)
    return {**before, "rounds": kept}, measured


def next_rounds(
    collected: Collected,
    before: Mapping[str, Any],
    *,
    complete: bool,
    claims: Sequence[Claim],
    asked: Collection[str],
    known: Mapping[str, Workload],
    blocks: Sequence[Block],
    cores: int,
    budget_s: float,
) -> dict[str, Any]:
    """The content of ``allocation.json``: the rounds that were added before, and those that are added now.

    complete: whether all that were added before are measured; else what is added now is a part of the same stage.
    asked: the claims that the sweep is about; others are judged by what there is, and get no rounds.
    """
    costs, by_path = costs_of(collected.timings, collected.rounds), {block.path: block for block in blocks}
    looks = max(before["stage"], stages_of(collected.rounds)) if complete else before["stage"] - 1
    stage = looks + 1
    seen = gather_looks(collected, cores=cores, looks=looks)
    wants = [
        want
        for want in open_wants(claims, seen, known)
        if want.claim in asked and all(path in by_path for path in want.cells)
    ]
    have = {path: highest_round(path, collected.rounds, before["rounds"]) for path in by_path}
    spent = spent_on(collected.rounds)
    promised = sum(price_of(row, by_path, costs) for row in before["rounds"] if not is_measured(row, collected.rounds))
    left = max(0.0, budget_s - spent.whole - promised - ANALYSIS_S)
    allocations = allocate(wants, by_path, costs, have, left)
    return {
        "budget_s": budget_s,
        "stage": stage if allocations or before["stage"] == 1 else before["stage"],
        "spent_s": {"start": START_S, "rounds": spent.rounds, "labs": spent.labs, "left": left},
        "open": [told(want, allocations) for want in wants],
        "rounds": [*before["rounds"], *plan_rounds(allocations, costs, stage)],
    }


def price_of(row: Mapping[str, Any], blocks: Mapping[str, Block], costs: Costs) -> float:
    known = row["block"] in blocks and row["block"] in costs.aside
    return costs.round(blocks[row["block"]], row["only"], row.get("traced", True)) if known else 0.0


def is_measured(row: Mapping[str, Any], rounds: pd.DataFrame) -> bool:
    runtime, workload, size = row["block"].split("/")
    place = (rounds["runtime"] == runtime) & (rounds["workload"] == workload) & (rounds["size"] == size)
    return bool((place & (rounds["job"] == "measure") & (rounds["round"] == row["round"])).any())


def highest_round(path: str, rounds: pd.DataFrame, added: Sequence[Mapping[str, Any]]) -> int:
    """The number of a block's last round, measured or not."""
    runtime, workload, size = path.split("/")
    timed = rounds[(rounds["runtime"] == runtime) & (rounds["workload"] == workload) & (rounds["size"] == size)]
    numbers = [int(number) for number in timed.loc[timed["job"] == "measure", "round"]]
    return max([0, *numbers, *(row["round"] for row in added if row["block"] == path)])


def told(want: Want, allocations: Sequence[Allocation]) -> dict[str, Any]:
    """An open case as ``allocation.json`` lists it, with the rounds that it gets."""
    given = {one.block.path: one.rounds for one in allocations}
    return {
        "claim": want.claim,
        "case": want.case,
        "runtime": want.runtime,
        "blocks": list(want.cells),
        "half_width": want.scatter.half_width(),
        "allowed": want.allowed,
        "rounds": min(given.get(path, 0) for path in want.cells),
    }
