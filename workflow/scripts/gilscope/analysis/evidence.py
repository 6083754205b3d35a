"""What was measured and observed, for one runtime, ready to be asked about the cells that a claim names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gilscope.analysis.counterparts import Identity, identify
from gilscope.analysis.estimates import SIZE, WARM_UP_LAPS, centres, paired, told_apart
from gilscope.configuring.claims import Claim
from gilscope.configuring.leaves import Leaf
from gilscope.running.cells import Cell

NOT_TO_BE_HAD = "not to be had"
"""The state of an optional runtime that the run has to do without."""


class NotTested(Exception):
    """Why a case has no verdict; the text is what a reader can act on."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was measured, for one runtime, ready to be asked about cells.

    ratios: rows of ``estimates.paired``; values: all counted timings; traces: one row per cell and round;
    observations: what labs saw; gaps: cells, cases and trials that gave nothing, with the reason. parameters: workload
    and size → what the size stands for. absent: runtimes that the run should have had, with the reason why not.
    claims: the only claims that the runtime was measured for; None for all.
    Raises ValueError for rows of another runtime.
    """

    identity: Identity
    start_method: str | None
    cores: int
    ratios: pd.DataFrame
    values: pd.DataFrame
    traces: pd.DataFrame
    observations: pd.DataFrame
    gaps: Sequence[Mapping[str, Any]]
    parameters: Mapping[tuple[str, str], float]
    absent: Sequence[Mapping[str, Any]] = ()
    claims: Sequence[str] | None = None

    def __post_init__(self) -> None:
        tables = (self.ratios, self.values, self.traces, self.observations)
        named = {name for table in tables for name in table["runtime"].unique()} | {gap["runtime"] for gap in self.gaps}
        strange = sorted(named - {self.runtime})
        if strange:
            raise ValueError(f"the evidence of {self.runtime} holds rows of {', '.join(strange)}")

    @property
    def runtime(self) -> str:
        return self.identity.runtime

    def of_cell(self, table: pd.DataFrame, claimed: Leaf, cell: Cell) -> pd.DataFrame:
        """The rows of one cell in the block that the case lies in. Raises NotTested, with the reason, without any."""
        found = table[
            (table["workload"] == claimed.workload)
            & (table["size"] == claimed.size)
            & (table["strategy"] == cell.strategy)
            & (table["workers"] == cell.workers)
            & (table["pool"] == cell.pool)
        ]
        if found.empty:
            raise NotTested(self.why_missing(claimed, cell))
        return found

    def why_missing(self, claimed: Leaf, cell: Cell) -> str:
        for gap in self.gaps:
            if (gap.get("workload"), gap.get("size")) == (claimed.workload, claimed.size) and gap["cell"] in (
                None,
                cell.name,
            ):
                return f"{claimed.workload}, {gap['cell'] or 'the whole block'} {gap['state']}: {gap['reason']}"
        block = f"{claimed.workload} at size {claimed.size}"
        return f"this sweep does not measure {cell.name} of {block}; list it in sweep.workloads"


def speedup_centres(evidence: Evidence, claimed: Leaf, cell: Cell) -> np.ndarray:
    """One centre of log speedup per round."""
    rows = evidence.of_cell(evidence.ratios, claimed, cell)
    return centres(rows, "log_ratio", ["round"]).to_numpy()


def ratio_centres(evidence: Evidence, claimed: Leaf, above: Cell, below: Cell) -> np.ndarray:
    """One centre per round of log(time of one cell / time of the other), formed within each lap."""
    place = ["round", "lap"]
    first, second = (
        evidence.of_cell(evidence.values, claimed, cell).set_index(place)[["seconds", "several"]]
        for cell in (above, below)
    )
    both = first.merge(second, left_index=True, right_index=True, suffixes=("_above", "_below"))
    logs = pd.DataFrame(
        {
            "log_ratio": np.log(both["seconds_above"] / both["seconds_below"]),
            "several": both["several_above"] | both["several_below"],
        }
    )
    return centres(logs, "log_ratio", ["round"]).to_numpy()


def measured(evidence: Evidence, claim: Claim, claimed: Leaf) -> np.ndarray:
    """The claim's metric for one case: one centre per round, on the logarithmic scale."""
    assert claimed.of is not None
    if claim.metric == "speedup":
        return speedup_centres(evidence, claimed, claimed.of)
    if claim.metric == "effective_cores":
        return np.log(evidence.of_cell(evidence.traces, claimed, claimed.of)["effective_cores"].to_numpy())
    assert claimed.over is not None
    if claim.metric == "speedup_ratio":
        return ratio_centres(evidence, claimed, claimed.over, claimed.of)
    return ratio_centres(evidence, claimed, claimed.of, claimed.over)


def gather_evidence(
    timings: pd.DataFrame,
    traces: pd.DataFrame,
    observations: pd.DataFrame,
    *,
    rounds: pd.DataFrame,
    gaps: Sequence[Mapping[str, Any]],
    runtimes: Mapping[str, Any],
    cores: int,
) -> list[Evidence]:
    """The evidence of each runtime of a run, measured or not. rounds: say what each block's size stands for."""
    timings = told_apart(timings, traces)
    pairs, counted = paired(timings), timings[timings["lap"] > WARM_UP_LAPS]
    blocks = rounds.drop_duplicates(SIZE)
    absent = [gap for gap in gaps if gap.get("state") == NOT_TO_BE_HAD]
    return [
        Evidence(
            identity=identify(runtime, facts),
            start_method=facts.get("start_method"),
            cores=cores,
            ratios=pairs[pairs["runtime"] == runtime],
            values=counted[counted["runtime"] == runtime],
            traces=traces[traces["runtime"] == runtime],
            observations=observations[observations["runtime"] == runtime],
            gaps=[gap for gap in gaps if gap["runtime"] == runtime and gap not in absent],
            parameters=parameters_of(blocks[blocks["runtime"] == runtime]),
            absent=absent,
            claims=facts.get("claims"),
        )
        for runtime, facts in runtimes.items()
    ]


def parameters_of(blocks: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Workload and size → what the size stands for. blocks: one row each."""
    places = zip(blocks["workload"].astype(str), blocks["size"].astype(str), strict=True)
    return dict(zip(places, blocks["parameter"].astype(float), strict=True))
