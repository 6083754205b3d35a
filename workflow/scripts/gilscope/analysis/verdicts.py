"""Each claim's verdict: its cases tested against thresholds fixed in advance, all tests of a run as one family."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gilscope.analysis.estimates import centres, paired
from gilscope.analysis.intervals import (
    FEWEST_ROUNDS,
    TooFewRounds,
    centre,
    false_discovery_rate,
    interval,
    threshold_tests,
)
from gilscope.cells import Cell
from gilscope.claims import Claim, Leaf, leaf
from gilscope.workloads import Workload, load_workload, workload_names

SIGNIFICANCE = 0.05
FEWEST_CORES = 2
CEILING_NEEDED = 1.3
UNITS = {"effective_cores": "cores"}
VERDICTS = ("confirmed", "refuted", "mixed", "inconclusive", "not tested")


class NotTested(Exception):
    """Why a case has no verdict; the text is what a reader can act on."""


@dataclass(frozen=True)
class Evidence:
    """What was measured, for one runtime, ready to be asked about cells.

    ratios: rows of ``estimates.paired``; values: all counted timings; traces: one row per cell and round.
    """

    runtime: str
    gil: bool
    cores: int
    ratios: pd.DataFrame
    values: pd.DataFrame
    traces: pd.DataFrame
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
            if (gap["workload"], gap["size"]) == (claimed.workload, claimed.size) and gap["cell"] in (None, cell.name):
                return f"{claimed.workload}, {gap['cell'] or 'the whole block'} {gap['state']}: {gap['reason']}"
        block = f"{claimed.workload} at size {claimed.size}"
        return f"this sweep does not measure {cell.name} of {block}; the default one does"


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
    if claimed.of is None or (claim.metric in ("speedup_ratio", "time_ratio") and claimed.over is None):
        raise NotTested(f"the claim names no cell for {claim.metric}; give of (and over) in the claims file")
    if claim.metric == "speedup":
        return speedup_centres(evidence, claimed, claimed.of)
    if claim.metric == "effective_cores":
        return np.log(evidence.of_cell(evidence.traces, claimed, claimed.of)["effective_cores"].to_numpy())
    assert claimed.over is not None
    if claim.metric == "speedup_ratio":
        return ratio_centres(evidence, claimed, claimed.over, claimed.of)
    return ratio_centres(evidence, claimed, claimed.of, claimed.over)


def check_possible(evidence: Evidence, claim: Claim, claimed: Leaf, known: Mapping[str, Workload]) -> None:
    """Raise NotTested, with what would have to be different, where a case cannot be tested in this run."""
    if claim.metric == "lab":
        raise NotTested(f"needs the lab {claim.lab}, which this version does not have yet")
    if "lock-off" in claim.needs:
        raise NotTested(
            "needs one free-threaded interpreter with the lock on and off; this run has only " + evidence.runtime
        )
    if "pypy" in claim.needs:
        raise NotTested(f"needs PyPy beside CPython; this run has only {evidence.runtime}")
    if claimed.workload not in known:
        raise NotTested(f"needs the workload {claimed.workload}, which this version does not have yet")
    if "gil" in claim.needs and not evidence.gil:
        raise NotTested("is about the lock, and this runtime has none")
    parallel = "cores" in claim.needs or claim.metric == "effective_cores"
    if parallel and evidence.cores < FEWEST_CORES:
        raise NotTested("needs at least 2 usable cores; this machine gives 1")
    if "cores" in claim.needs:
        check_ceiling(evidence, claimed)


def check_ceiling(evidence: Evidence, claimed: Leaf) -> None:
    """Raise NotTested where the hardware itself gave too little for anything to be fast."""
    ceiling = Cell("ceiling", evidence.cores, "warm")
    try:
        found = interval(speedup_centres(evidence, claimed, ceiling))
    except NotTested:
        return
    if found.low < CEILING_NEEDED:
        raise NotTested(
            f"unconnected processes themselves reached {found.estimate:.2f} × [{found.low:.2f}, {found.high:.2f}]: "
            f"with the lower end below {CEILING_NEEDED} the machine, not Python, may be what sets the limit"
        )


def judge_case(evidence: Evidence, claim: Claim, claimed: Leaf, known: Mapping[str, Workload]) -> dict[str, Any]:
    """One case: estimate, interval and p values; the verdict waits for the family of all tests."""
    case: dict[str, Any] = {
        "case": claimed.case,
        "verdict": "not tested",
        "reason": "",
        "metric": claim.metric,
        "estimate": math.nan,
        "low": math.nan,
        "high": math.nan,
        "unit": UNITS.get(claim.metric, "x"),
        "threshold": claimed.holds.as_dict(),
        "q_holds": None,
        "q_fails": None,
        "cells": [f"{evidence.runtime}/{claimed.workload}/{claimed.size}/{cell.name}" for cell in claimed.cells],
    }
    try:
        check_possible(evidence, claim, claimed, known)
        logs = measured(evidence, claim, claimed)
        found = interval(logs)
        case.update(estimate=found.estimate, low=found.low, high=found.high)
        tests = threshold_tests(logs, claimed.holds.as_dict())
    except NotTested as reason:
        case["reason"] = str(reason)
    except TooFewRounds:
        case["reason"] = f"needs at least {FEWEST_ROUNDS} rounds; raise measure.rounds"
    else:
        case.update(verdict="inconclusive", q_holds=tests.p_holds, q_fails=tests.p_fails)
    return case


def decide(cases: Sequence[dict[str, Any]]) -> None:
    """Turn the p values of one family into q values, and those into verdicts, in place."""
    tested = [case for case in cases if case["q_holds"] is not None]
    family = false_discovery_rate([p for case in tested for p in (case["q_holds"], case["q_fails"])])
    for case, q_holds, q_fails in zip(tested, family[::2], family[1::2], strict=True):
        case.update(q_holds=q_holds, q_fails=q_fails)
        if q_holds < SIGNIFICANCE:
            case["verdict"] = "confirmed"
        elif q_fails < SIGNIFICANCE:
            case["verdict"] = "refuted"
        else:
            case["reason"] = "the interval lies too close to the threshold, or across it, to decide"


def roll_up(cases: Iterable[Mapping[str, Any]], rule: str = "all") -> str:
    """A claim's verdict from its cases: untested ones are not counted."""
    verdicts = [case["verdict"] for case in cases if case["verdict"] != "not tested"]
    if not verdicts:
        return "not tested"
    if rule == "one-refutes" and "refuted" in verdicts:
        return "refuted"
    if set(verdicts) == {"confirmed"}:
        return "confirmed"
    if set(verdicts) == {"refuted"}:
        return "refuted"
    return "mixed" if {"confirmed", "refuted"} <= set(verdicts) else "inconclusive"


def why(cases: Sequence[Mapping[str, Any]], verdict: str) -> str:
    """A claim's reason: the reasons of the cases that did not decide, each once."""
    undecided = [
        case["reason"] for case in cases if case["reason"] and case["verdict"] in ("not tested", "inconclusive")
    ]
    return "; ".join(dict.fromkeys(undecided)) if verdict in ("not tested", "inconclusive") else ""


def judge(claims: Sequence[Claim], evidences: Sequence[Evidence]) -> list[dict[str, Any]]:
    """One object per claim and runtime. Demonstrations form a family of their own: they cost no claim its verdict."""
    known = {name: load_workload(name) for name in workload_names()}
    verdicts = []
    for evidence in evidences:
        for claim in claims:
            leaves = [leaf(claim, case, known.get(case.workload or ""), evidence.cores) for case in claim.cases]
            cases = [judge_case(evidence, claim, claimed, known) for claimed in leaves]
            verdicts.append((claim, evidence.runtime, cases))
    for demonstrations in (False, True):
        decide([case for claim, _, cases in verdicts if claim.demonstration is demonstrations for case in cases])
    return [
        {
            "claim": claim.id,
            "says": claim.says,
            "slide": claim.slide,
            "section": claim.section,
            "demonstration": claim.demonstration,
            "runtime": runtime,
            "verdict": (verdict := roll_up(cases, claim.rollup)),
            "reason": why(cases, verdict),
            "cases": cases,
        }
        for claim, runtime, cases in verdicts
    ]


def gather_evidence(
    timings: pd.DataFrame,
    traces: pd.DataFrame,
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
            cores=cores,
            ratios=pairs[pairs["runtime"] == runtime],
            values=counted[counted["runtime"] == runtime],
            traces=traces[traces["runtime"] == runtime],
            gaps=[gap for gap in gaps if gap["runtime"] == runtime],
        )
        for runtime, facts in runtimes.items()
    ]
