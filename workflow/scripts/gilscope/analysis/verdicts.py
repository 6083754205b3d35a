"""Each claim's verdict: its cases tested against thresholds fixed in advance, all tests of a run as one family."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from gilscope.analysis.behaviour import NothingSeen, answer, why_unseen
from gilscope.analysis.comparing import compare, find_counterpart, told_of_counterpart
from gilscope.analysis.conditions import ceiling_of, check_ceiling, check_possible, is_about, subjects
from gilscope.analysis.evidence import Evidence, NotTested, measured
from gilscope.analysis.intervals import (
    FEWEST_ROUNDS,
    Found,
    TooFewRounds,
    interval,
    threshold_tests,
)
from gilscope.analysis.looks import least
from gilscope.analysis.pronouncing import NO_OUTCOMES, decide, pronounce
from gilscope.configuring.claims import ACROSS, OBSERVED, Claim, Outcomes
from gilscope.configuring.leaves import LabLeaf, Leaf, lab_leaf, leaf
from gilscope.strategies import load_strategies
from gilscope.workloads import Workload

Remedy = Callable[[Claim, Leaf, Mapping[str, Any], Evidence, Sequence[Evidence]], str]
UNITS = {"effective_cores": "cores", "share": "share"}
VERDICTS = ("confirmed", "refuted", "mixed", "inconclusive", "not tested")


def notes_on(evidence: Evidence, claim: Claim, claimed: Leaf | LabLeaf, run: Sequence[Evidence]) -> str:
    """What belongs beside a case's numbers: start method, ceiling's speedup, kind of memory, counterpart."""
    if isinstance(claimed, LabLeaf):
        return memory_kind(evidence, claimed)
    if claim.metric in ACROSS:
        try:
            return told_of_counterpart(evidence, claim, claimed, run) if is_about(claim, evidence) else ""
        except NotTested:
            return ""
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
    seen = evidence.observations
    told = seen[(seen["lab"] == claimed.lab) & (seen["metric"] == "kind_is_pss")]["value"]
    return "" if told.empty else "PSS" if told.all() else "USS"


def judge_looks(claim: Claim, claimed: Leaf, runtime: str, looks: Sequence[Sequence[Evidence]], ended: bool) -> Found:
    """A case about cells, with all that was measured, and tested at each look. Raises NotTested and TooFewRounds."""
    found = judge_timed(of_runtime(looks[-1], runtime), claim, claimed, looks[-1])
    if len(looks) == 1 and ended:
        return found
    tests = [(len(looks), found.tests)]
    for look, run in enumerate(looks[:-1], start=1):
        with suppress(NotTested, TooFewRounds):
            tests.append((look, judge_timed(of_runtime(run, runtime), claim, claimed, run).tests))
    return replace(found, tests=least(tests))


def of_runtime(run: Sequence[Evidence], runtime: str) -> Evidence:
    return next(evidence for evidence in run if evidence.runtime == runtime)


def judge_timed(evidence: Evidence, claim: Claim, claimed: Leaf, run: Sequence[Evidence]) -> Found:
    """A case about cells. Raises NotTested and TooFewRounds."""
    too_many = claimed.refused()
    if too_many:
        raise NotTested(too_many)
    if "cores" in claim.needs:
        for one in involved(evidence, claim, claimed, run):
            check_ceiling(one, claim, claimed)
    if claim.metric in ACROSS:
        return compare(evidence, claim, claimed, run)
    logs = measured(evidence, claim, claimed)
    found = interval(logs)
    tests = threshold_tests(logs, claimed.holds.as_dict())
    return Found(found.estimate, found.low, found.high, tests, f"{found.rounds} rounds")


def involved(evidence: Evidence, claim: Claim, claimed: Leaf | LabLeaf, run: Sequence[Evidence]) -> list[Evidence]:
    """The runtime that a case is about and the one it is compared with. Raises NotTested without the latter."""
    if isinstance(claimed, LabLeaf) or claim.metric not in ACROSS:
        return [evidence]
    return [evidence, find_counterpart(evidence, claimed, run)]


def judge_observed(evidence: Evidence, claim: Claim, claimed: LabLeaf) -> Found:
    """A case about a lab. Raises NotTested and TooFewRounds."""
    try:
        return answer(evidence.observations, claim.metric, claimed, evidence.gaps)
    except NothingSeen as missing:
        ran = bool((evidence.observations["lab"] == claimed.lab).any())
        raise NotTested(why_unseen(evidence.gaps, claimed, str(missing), ran)) from missing


def unit_of(claim: Claim) -> str:
    return UNITS.get(claim.metric, "x")


def sources_of(evidence: Evidence, claim: Claim, claimed: Leaf | LabLeaf, run: Sequence[Evidence]) -> list[str]:
    """Where the data behind a case lie: runtime/workload/size/cell, or runtime/labs/lab/case."""
    if not is_about(claim, evidence):
        return []
    if isinstance(claimed, LabLeaf):
        cases = [case for case in (claimed.of, claimed.over) if case is not None]
        return [f"{evidence.runtime}/labs/{claimed.lab}/{case}" for case in cases]
    try:
        both = involved(evidence, claim, claimed, run)
    except NotTested:
        both = [evidence]
    return [f"{one.runtime}/{claimed.workload}/{claimed.size}/{cell.name}" for one in both for cell in claimed.cells]


def judge_case(
    claim: Claim, claimed: Leaf | LabLeaf, runtime: str, looks: Sequence[Sequence[Evidence]], ended: bool = True
) -> dict[str, Any]:
    """One case: estimate, interval and p values, or the reason why there are none. looks: all runtimes' evidence."""
    run = looks[-1]
    evidence = of_runtime(run, runtime)
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
        "notes": notes_on(evidence, claim, claimed, run),
        "cells": sources_of(evidence, claim, claimed, run),
    }
    try:
        check_possible(evidence, claim, run)
        if isinstance(claimed, LabLeaf):
            found = judge_observed(evidence, claim, claimed)
        else:
            found = judge_looks(claim, claimed, runtime, looks, ended)
    except NotTested as reason:
        case["reason"] = str(reason)
    except TooFewRounds as few:
        remedy = "raise measure.rounds" if not claim.lab else str(few)
        case["reason"] = f"needs at least {FEWEST_ROUNDS} {'trials' if claim.lab else 'rounds'}; {remedy}"
    else:
        case.update(estimate=found.estimate, low=found.low, high=found.high, counted=found.counted)
        case.update(verdict="inconclusive", q_holds=found.tests.p_holds, q_fails=found.tests.p_fails)
    return case


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
    *,
    earlier: Sequence[Sequence[Evidence]] = (),
    remedy: Remedy | None = None,
) -> list[dict[str, Any]]:
    """One object per claim and runtime that it is about; all their tests are one family.

    Demonstrations form a family of their own: they cost no claim its verdict. known: the workloads that claims speak
    of, by name. otherwise: outcomes for claims that have none of their own. earlier: the evidences at each look before
    this one, if there were any. remedy: says what would decide a case that is open.
    """
    judged = judge_cases(claims, [*earlier, evidences], known)
    for claim, runtime, cases in judged if remedy else ():
        for claimed, case in cases:
            if remedy and case["verdict"] == "inconclusive" and isinstance(claimed, Leaf):
                case["reason"] += remedy(claim, claimed, case, of_runtime(evidences, runtime), evidences)
    return [pronounce(claim, runtime, [case for _, case in cases], otherwise) for claim, runtime, cases in judged]


def judge_cases(
    claims: Sequence[Claim],
    looks: Sequence[Sequence[Evidence]],
    known: Mapping[str, Workload],
    ended: bool = True,
) -> list[tuple[Claim, str, list[tuple[Leaf | LabLeaf, dict[str, Any]]]]]:
    """Each claim and runtime that it is about, with its cases: made concrete, and decided.

    looks: the evidence of each runtime at each look, the last one with all that was measured. ended: whether no
    look comes after it; then a single one pays for none.
    """
    run = looks[-1]
    judged = [
        (
            claim,
            evidence.runtime,
            [
                (claimed, judge_case(claim, claimed, evidence.runtime, looks, ended))
                for claimed in leaves(claim, known, evidence.cores)
            ],
        )
        for claim in claims
        for evidence in subjects(claim, run)
    ]
    for demonstrations in (False, True):
        decide([case for claim, _, cases in judged if claim.demonstration is demonstrations for _, case in cases])
    return judged
