"""Each claim's verdict: its cases tested against thresholds fixed in advance, all tests of a run as one family."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gilscope.analysis.behaviour import NothingSeen, answer, why_unseen
from gilscope.analysis.evidence import Evidence, NotTested, measured, speedup_centres
from gilscope.analysis.intervals import (
    FEWEST_ROUNDS,
    Found,
    Interval,
    TooFewRounds,
    false_discovery_rate,
    interval,
    threshold_tests,
)
from gilscope.cells import Cell
from gilscope.claims import OBSERVED, WAITING_WORKERS, Claim, LabLeaf, Leaf, Outcomes, lab_leaf, leaf
from gilscope.strategies import load_strategies
from gilscope.workloads import Workload

NO_OUTCOMES = Outcomes()
SIGNIFICANCE = 0.05
FEWEST_CORES = 2
CEILING_NEEDED = 1.3
UNITS = {"effective_cores": "cores", "share": "share"}
VERDICTS = ("confirmed", "refuted", "mixed", "inconclusive", "not tested")


def check_possible(evidence: Evidence, claim: Claim) -> None:
    """Raise NotTested, with what would have to be different, where a claim cannot be tested in this run."""
    if "lock-off" in claim.needs:
        raise NotTested(
            "needs one free-threaded interpreter with the lock on and off, and runtimes beside the current one come "
            f"with a later version; this run has only {evidence.runtime}"
        )
    if "pypy" in claim.needs:
        raise NotTested(
            "needs PyPy beside CPython, and runtimes beside the current one come with a later version; "
            f"this run has only {evidence.runtime}"
        )
    if "gil" in claim.needs and not evidence.gil:
        raise NotTested("is about the lock, and this runtime has none")
    parallel = "cores" in claim.needs or claim.metric == "effective_cores"
    if parallel and evidence.cores < FEWEST_CORES:
        raise NotTested("needs at least 2 usable cores; this machine gives 1")


def ceiling_of(evidence: Evidence, claimed: Leaf) -> Interval | None:
    """The machine's limit in a case's block: at the usable cores, or where that is not measured, at the next count."""
    for workers in range(evidence.cores, 2 * max(evidence.cores, WAITING_WORKERS) + 1):
        try:
            return interval(speedup_centres(evidence, claimed, Cell("ceiling", workers, "warm")))
        except NotTested:
            continue
    return None


def check_ceiling(evidence: Evidence, claimed: Leaf) -> None:
    """Raise NotTested where the hardware itself gave too little for anything to be fast."""
    found = ceiling_of(evidence, claimed)
    if found is not None and found.low < CEILING_NEEDED:
        raise NotTested(
            f"unconnected processes themselves reached {found.estimate:.2f} × [{found.low:.2f}, {found.high:.2f}]: "
            f"with the lower end below {CEILING_NEEDED} the machine, not Python, may be what sets the limit"
        )


def notes_on(evidence: Evidence, claim: Claim, claimed: Leaf | LabLeaf) -> str:
    """What belongs beside a case's numbers: the start method, the ceiling's speedup, the kind of memory."""
    if isinstance(claimed, LabLeaf):
        return memory_kind(evidence, claimed)
    if claim.metric == "effective_cores" and any(cell.strategy == "ceiling" for cell in claimed.cells):
        found = ceiling_of(evidence, claimed)
        return f"its speedup: {found.estimate:.2f} × [{found.low:.2f}, {found.high:.2f}]" if found else ""
    methods = {
        load_strategies()[cell.strategy].start_method or evidence.start_method
        for cell in claimed.cells
        if load_strategies()[cell.strategy].processes
    }
    return f"start method: {', '.join(sorted(filter(None, methods)))}" if methods else ""


def memory_kind(evidence: Evidence, claimed: LabLeaf) -> str:
    """Whether a lab that measures memory had PSS or had to do with USS; nothing for other labs."""
    told = evidence.observations.query("lab == @claimed.lab and metric == 'kind_is_pss'")["value"]
    return "" if told.empty else "PSS" if told.all() else "USS"


def judge_timed(evidence: Evidence, claim: Claim, claimed: Leaf) -> Found:
    """A case about cells. Raises NotTested and TooFewRounds."""
    if "cores" in claim.needs:
        check_ceiling(evidence, claimed)
    logs = measured(evidence, claim, claimed)
    found = interval(logs)
    tests = threshold_tests(logs, claimed.holds.as_dict())
    return Found(found.estimate, found.low, found.high, tests, f"{found.rounds} rounds")


def judge_observed(evidence: Evidence, claim: Claim, claimed: LabLeaf) -> Found:
    """A case about a lab. Raises NotTested and TooFewRounds."""
    try:
        return answer(evidence.observations, claim.metric, claimed, evidence.gaps)
    except NothingSeen as missing:
        ran = bool((evidence.observations["lab"] == claimed.lab).any())
        raise NotTested(why_unseen(evidence.gaps, claimed, str(missing), ran)) from missing


def unit_of(claim: Claim) -> str:
    return UNITS.get(claim.metric, "x")


def sources_of(evidence: Evidence, claimed: Leaf | LabLeaf) -> list[str]:
    """Where the data behind a case lie: runtime/workload/size/cell, or runtime/labs/lab/case."""
    if isinstance(claimed, LabLeaf):
        cases = [case for case in (claimed.of, claimed.over) if case is not None]
        return [f"{evidence.runtime}/labs/{claimed.lab}/{case}" for case in cases]
    return [f"{evidence.runtime}/{claimed.workload}/{claimed.size}/{cell.name}" for cell in claimed.cells]


def judge_case(evidence: Evidence, claim: Claim, claimed: Leaf | LabLeaf) -> dict[str, Any]:
    """One case: estimate, interval and p values, or the reason why there are none."""
    case: dict[str, Any] = {
        "case": claimed.case,
        "verdict": "not tested",
        "reason": "",
        "metric": claim.metric,
        "estimate": math.nan,
        "low": math.nan,
        "high": math.nan,
        "unit": unit_of(claim),
        "threshold": claimed.holds.as_dict(),
        "q_holds": None,
        "q_fails": None,
        "counted": "",
        "notes": notes_on(evidence, claim, claimed),
        "cells": sources_of(evidence, claimed),
    }
    try:
        check_possible(evidence, claim)
        if isinstance(claimed, LabLeaf):
            found = judge_observed(evidence, claim, claimed)
        else:
            found = judge_timed(evidence, claim, claimed)
    except NotTested as reason:
        case["reason"] = str(reason)
    except TooFewRounds as few:
        remedy = "raise measure.rounds" if not claim.lab else str(few)
        case["reason"] = f"needs at least {FEWEST_ROUNDS} {'trials' if claim.lab else 'rounds'}; {remedy}"
    else:
        case.update(estimate=found.estimate, low=found.low, high=found.high, counted=found.counted)
        case.update(verdict="inconclusive", q_holds=found.tests.p_holds, q_fails=found.tests.p_fails)
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


def explain(claim: Claim, verdict: str, otherwise: Outcomes) -> str:
    """What a verdict means to a working programmer, in the claim's words, or in those for claims that have none."""
    if verdict == "not tested":
        return ""
    return getattr(claim.outcomes, verdict) or getattr(otherwise, verdict) or ""


def leaves(claim: Claim, known: Mapping[str, Workload], cores: int) -> list[Leaf | LabLeaf]:
    """The claim's cases made concrete for this machine."""
    if claim.metric in OBSERVED:
        return [lab_leaf(claim, case) for case in claim.cases]
    return [leaf(claim, case, known.get(case.workload or ""), cores) for case in claim.cases]


def judge(
    claims: Sequence[Claim],
    evidences: Sequence[Evidence],
    known: Mapping[str, Workload],
    otherwise: Outcomes = NO_OUTCOMES,
) -> list[dict[str, Any]]:
    """One object per claim and runtime. Demonstrations form a family of their own: they cost no claim its verdict.

    known: the workloads that claims speak of, by name. otherwise: sentences for claims that have none of their own.
    """
    judged = [
        (
            claim,
            evidence.runtime,
            [judge_case(evidence, claim, claimed) for claimed in leaves(claim, known, evidence.cores)],
        )
        for evidence in evidences
        for claim in claims
    ]
    for demonstrations in (False, True):
        decide([case for claim, _, cases in judged if claim.demonstration is demonstrations for case in cases])
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
            "explanation": explain(claim, verdict, otherwise),
            "cases": cases,
        }
        for claim, runtime, cases in judged
    ]
