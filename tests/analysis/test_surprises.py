"""Which findings come first: by the rule, whatever order they are given in."""

from __future__ import annotations

from typing import Any

import pytest
from gilscope.analysis.surprises import strength, surprises


def case(
    verdict: str,
    low: float,
    high: float,
    unit: str = "x",
    source: str = "cp311/sum_squares/large/threading-2",
    **limits: Any,
) -> dict[str, Any]:
    estimate = (low + high) / 2
    return {"case": "c", "verdict": verdict, "estimate": estimate, "low": low, "high": high, "unit": unit} | {
        "threshold": limits or {"above": 1.0},
        "cells": [source],
    }


def verdict(claim: str, *cases: dict[str, Any], is_: str = "", demonstration: bool = False) -> dict[str, Any]:
    outcome = is_ or cases[0]["verdict"]
    return {
        "claim": claim,
        "verdict": outcome,
        "cases": list(cases),
        "demonstration": demonstration,
        "runtime": "cp311",
    }


@pytest.mark.parametrize(
    ("one", "doublings"),
    [
        (case("refuted", 0.2, 0.25, above=1.0), 2.0),
        (case("refuted", 4.0, 8.0, below=1.0), 2.0),
        (case("confirmed", 4.0, 8.0, above=1.0), 2.0),
        (case("refuted", 0.0, 0.45, unit="share", above=0.95), 2.0),
        (case("refuted", 2.2, 3.0, within=[0.9, 1.1]), 1.0),
        (case("inconclusive", 0.5, 2.0, above=1.0), 0.0),
        (case("confirmed", 0.9, 1.1, within=[0.9, 1.1]), 0.0),
    ],
)
def test_strength_is_how_far_the_nearer_end_lies_beyond_the_threshold(one: dict[str, Any], doublings: float) -> None:
    assert strength(one) == pytest.approx(doublings)
    assert strength({**one, "low": None}) == 0.0


def test_refuted_claims_come_first_and_the_strongest_of_them() -> None:
    rows = [
        verdict("confirmed-by-far", case("confirmed", 30, 40, source="cp311/a/large/threading-2")),
        verdict("refuted-a-little", case("refuted", 0.8, 0.9, source="cp311/b/large/threading-2")),
        verdict("refuted-by-far", case("refuted", 0.1, 0.2, source="cp311/c/large/threading-2")),
        verdict(
            "mixed", case("confirmed", 8, 9), case("refuted", 0.2, 0.3, source="cp311/d/large/threading-2"), is_="mixed"
        ),
    ]
    for order in (rows, rows[::-1]):
        found = surprises(order)
        assert [one.verdict["claim"] for one in found] == ["refuted-by-far", "refuted-a-little", "mixed"]
    assert found[2].case["verdict"] == "refuted", "of a mixed claim the case that contradicts the talk"


def test_no_two_are_about_the_same_thing_and_no_demonstration_is_one() -> None:
    rows = [
        verdict("first", case("refuted", 0.1, 0.2)),
        verdict("same-workload", case("refuted", 0.2, 0.3)),
        verdict("shown", case("refuted", 0.01, 0.02, source="cp311/x/large/threading-2"), demonstration=True),
        verdict("a-lab", case("refuted", 0.0, 0.1, unit="share", source="cp311/labs/race/a", above=0.5)),
        verdict("same-lab", case("refuted", 0.0, 0.2, unit="share", source="cp311/labs/race/b", above=0.5)),
        verdict("open", case("inconclusive", 0.5, 2, source="cp311/y/large/threading-2")),
    ]
    assert [one.verdict["claim"] for one in surprises(rows)] == ["first", "a-lab"]


def test_of_several_runtimes_a_claim_surprises_once() -> None:
    rows = [
        verdict("one", case("refuted", 0.1, 0.2)),
        verdict("one", case("refuted", 0.1, 0.3, source="pypy/z/large/x")),
    ]
    assert len(surprises(rows)) == 1
