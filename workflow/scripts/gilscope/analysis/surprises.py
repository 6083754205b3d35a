"""Which verdicts would surprise somebody who knows the talk: chosen by rule, so that nobody picks what suits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AGAINST_THE_TALK = {"refuted": 0, "mixed": 1}
"""Verdicts that contradict the talk, wholly or in part, in the order in which they surprise."""
NEVER_TO_ALWAYS = 4.0
"""What the way from a share of 0 to one of 1 counts as, in doublings."""


@dataclass(frozen=True)
class Surprise:
    """A verdict, its case that tells most, and by how many doublings that one's interval lies beyond the threshold."""

    verdict: Mapping[str, Any]
    case: Mapping[str, Any]
    strength: float


def beyond(value: float, limit: float, share: bool) -> float:
    """How far a value lies above a limit, in doublings."""
    if share:
        return NEVER_TO_ALWAYS * (value - limit)
    return math.log2(value / limit) if value > 0 and limit > 0 else 0.0


def strength(case: Mapping[str, Any]) -> float:
    """How far the nearer end of a case's interval lies from its threshold, on the side of its verdict; 0 if on both."""
    low, high, limits = case.get("low"), case.get("high"), case.get("threshold") or {}
    if low is None or high is None or not math.isfinite(low) or not math.isfinite(high):
        return 0.0
    least, most = limits.get("within") or (limits.get("above"), limits.get("below"))
    share = case.get("unit") == "share"
    above = [beyond(low, limit, share) for limit in (least, most) if limit is not None]
    below = [-beyond(high, limit, share) for limit in (least, most) if limit is not None]
    if limits.get("within"):
        return max(0.0, below[0], above[1]) if case["verdict"] == "refuted" else max(0.0, min(above[0], below[1]))
    return max(0.0, above[0], below[0])


def telling(verdict: Mapping[str, Any]) -> Surprise | None:
    """The case that a verdict rests on most: of those that contradict the talk, where any does."""
    wanted = "refuted" if verdict["verdict"] in AGAINST_THE_TALK else verdict["verdict"]
    cases = [case for case in verdict["cases"] if case["verdict"] == wanted]
    if not cases:
        return None
    best = max(cases, key=strength)
    return Surprise(verdict, best, strength(best))


def subject(case: Mapping[str, Any]) -> tuple[str, ...]:
    """What a case is about: a workload or a lab."""
    source = (case.get("cells") or [""])[0].split("/")
    return tuple(source[1:3]) if source[1:2] == ["labs"] else tuple(source[1:2])


def surprises(verdicts: Sequence[Mapping[str, Any]], most: int = 3) -> list[Surprise]:
    """The verdicts that surprise most, one a claim and no two about the same workload or lab.

    Refuted claims come before mixed ones, and those before confirmed ones, which fill up what is left; among equals the
    interval that lies furthest beyond its threshold comes first. Demonstrations do not surprise.
    """
    found = [telling(row) for row in verdicts if row["verdict"] in ("confirmed", *AGAINST_THE_TALK)]
    candidates = [one for one in found if one is not None and not one.verdict.get("demonstration")]
    candidates.sort(key=lambda one: (AGAINST_THE_TALK.get(one.verdict["verdict"], 2), -one.strength))
    chosen: list[Surprise] = []
    for one in candidates:
        taken = {other.verdict["claim"] for other in chosen}, {subject(other.case) for other in chosen}
        if one.verdict["claim"] not in taken[0] and subject(one.case) not in taken[1]:
            chosen.append(one)
        if len(chosen) == most:
            break
    return chosen
