"""What was measured and observed, for one runtime, ready to be asked about the cells that a claim names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gilscope.analysis.estimates import centres, paired
from gilscope.analysis.intervals import centre
from gilscope.cells import Cell
from gilscope.claims import Claim, Leaf


class NotTested(Exception):
    """Why a case has no verdict; the text is what a reader can act on."""


@dataclass(frozen=True)
class Evidence:
    """What was measured, for one runtime, ready to be asked about cells.

    ratios: rows of ``estimates.paired``; values: all counted timings; traces: one row per cell and round;
    observations: what labs saw; gaps: cells, cases and trials that gave nothing, with the reason.
    """

    runtime: str
    gil: bool
    start_method: str | None
    cores: int
    ratios: pd.DataFrame
    values: pd.DataFrame
    traces: pd.DataFrame
    observations: pd.DataFrame
    gaps: Sequence[Mapping[str, Any]]

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
    first = evidence.of_cell(evidence.values, claimed, above).set_index(place)["seconds"]
    second = evidence.of_cell(evidence.values, claimed, below).set_index(place)["seconds"]
    logs = (first / second).transform(np.log).dropna()
    return logs.groupby(level="round").agg(lambda laps: centre(laps.to_numpy())).to_numpy()


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
    gaps: Sequence[Mapping[str, Any]],
    runtimes: Mapping[str, Any],
    cores: int,
) -> list[Evidence]:
    """The evidence of each runtime of a run, measured or not."""
    pairs, counted = paired(timings), timings[timings["lap"] > 1]
    return [
        Evidence(
            runtime=runtime,
            gil=facts["gil"],
            start_method=facts.get("start_method"),
            cores=cores,
            ratios=pairs[pairs["runtime"] == runtime],
            values=counted[counted["runtime"] == runtime],
            traces=traces[traces["runtime"] == runtime],
            observations=observations[observations["runtime"] == runtime],
            gaps=[gap for gap in gaps if gap["runtime"] == runtime],
        )
        for runtime, facts in runtimes.items()
    ]
