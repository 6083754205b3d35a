"""From the cases of a claim to its verdict, in a word and in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gilscope.analysis.intervals import (
    false_discovery_rate,
)
from gilscope.configuring.claims import Claim, Outcome, Outcomes

NO_OUTCOMES = Outcomes()
SIGNIFICANCE = 0.05


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
    """A claim's reason: the reasons of the cases that did not decide, each part once."""
    undecided = [
        case["reason"] for case in cases if case["reason"] and case["verdict"] in ("not tested", "inconclusive")
    ]
    parts = [part for reason in undecided for part in reason.split("; ")]
    return "; ".join(dict.fromkeys(parts)) if verdict in ("not tested", "inconclusive") else ""


def explain(claim: Claim, verdict: str, otherwise: Outcomes) -> Outcome | None:
    """What a verdict means to a working programmer, in the claim's words, or in those for claims that have none."""
    if verdict == "not tested":
        return None
    return getattr(claim.outcomes, verdict) or getattr(otherwise, verdict)


def pronounce(claim: Claim, runtime: str, cases: list[dict[str, Any]], otherwise: Outcomes) -> dict[str, Any]:
    """A claim's verdict on a runtime, as ``verdicts.json`` holds it. cases: decided already."""
    verdict = roll_up(cases, claim.rollup)
    said = explain(claim, verdict, otherwise)
    return {
        "claim": claim.id,
        "says": claim.says,
        "slide": claim.slide,
        "section": claim.section,
        "demonstration": claim.demonstration,
        "runtime": runtime,
        "verdict": verdict,
        "reason": why(cases, verdict),
        "explanation": said.why if said else "",
        "advice": said.do or "" if said else "",
        "cases": cases,
    }
