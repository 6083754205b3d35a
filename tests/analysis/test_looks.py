"""Looks: a run that goes on where nothing is decided must not find more than it should."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.collecting import Collected
from gilscope.analysis.intervals import Tests as BothTests
from gilscope.analysis.intervals import threshold_tests
from gilscope.analysis.looks import gather_looks, least, share, stages_of, up_to
from gilscope.analysis.observed import OBSERVATIONS
from gilscope.analysis.traced import TRACES
from gilscope.analysis.verdicts import judge, judge_cases
from gilscope.configuring.claims import Claim
from gilscope.workloads import load_workload
from simulated import facts_of, simulated_timings

BOUND = 1.1
SIZE = ["runtime", "workload", "size"]


def test_the_shares_of_all_looks_are_one_chance() -> None:
    shares = [share(look) for look in range(1, 60)]
    assert all(part > 0 for part in shares)
    assert 0.999 < sum(shares) <= 1 + 1e-12


def test_the_least_of_the_tests_is_paid_for() -> None:
    looks = [(1, BothTests(0.001, 0.9)), (2, BothTests(0.04, 0.4))]
    assert least(looks) == BothTests(pytest.approx(0.001 / share(1)), pytest.approx(0.4 / share(2)))
    assert least([(1, BothTests(0.5, 0.5))]) == BothTests(1.0, 1.0)


def one_run(random: np.random.Generator, most: int, adaptive: bool) -> tuple[BothTests, BothTests]:
    """The tests of one case that lies at its threshold, looked at until it is decided: paid for, and the best unpaid.

    adaptive: how many rounds are added depends on the scatter of those before, as many as the interval seems to need.
    """
    logs = random.normal(math.log(BOUND), 0.05, 5)
    looks: list[tuple[int, BothTests]] = []
    for look in range(1, most + 1):
        looks.append((look, threshold_tests(logs, {"above": BOUND})))
        paid = least(looks)
        if min(paid.p_holds, paid.p_fails) < 0.05:
            break
        needed = round((2.5 * float(logs.std(ddof=1)) / 0.03) ** 2) - len(logs) if adaptive else 6
        logs = np.concatenate([logs, random.normal(math.log(BOUND), 0.05, min(40, max(3, needed)))])
    return paid, BothTests(min(tests.p_holds for _, tests in looks), min(tests.p_fails for _, tests in looks))


@pytest.mark.parametrize(("adaptive", "most_false"), [(False, 0.05), (True, 0.06)], ids=["as planned", "as needed"])
@pytest.mark.parametrize("most", [2, 3])
def test_at_the_threshold_itself_few_verdicts_are_false_however_often_one_looks(
    most: int, adaptive: bool, most_false: float
) -> None:
    """Rounds that end sooner where the first ones scatter less than they should take a little more than their share."""
    random = np.random.default_rng(most)
    runs = [one_run(random, most, adaptive) for _ in range(2500)]
    for side in ("p_holds", "p_fails"):
        false, unpaid = (np.mean([getattr(tests, side) < 0.05 for tests in found]) for found in zip(*runs, strict=True))
        assert 0.02 < false <= most_false
        assert unpaid > 0.06, "without paying"


def added_later(timings: pd.DataFrame) -> pd.DataFrame:
    """The rounds of a block, of which those after the fifth came in a second stage."""
    rounds = timings[[*SIZE, "round"]].drop_duplicates()
    return rounds.assign(job="measure", stage=1 + (rounds["round"] > 5), parameter=1.0)


def looked(timings: pd.DataFrame, looks: int) -> list[Any]:
    traces, observations = pd.DataFrame(columns=TRACES), pd.DataFrame(columns=OBSERVATIONS)
    told = {"cp311": facts_of("cp311")}
    collected = Collected(timings, traces, added_later(timings), observations, [], told)
    return gather_looks(collected, cores=2, looks=looks)


def test_each_look_has_the_rounds_that_were_there() -> None:
    timings = simulated_timings({"threading-2": 1.0}, rounds=8, laps=2)
    other = timings.assign(workload="sqrt_sin")
    both = pd.concat([timings, other])
    rounds = pd.concat([added_later(timings), added_later(other).assign(stage=1)])
    assert stages_of(rounds) == 2
    first = up_to(both, rounds, 1).groupby("workload")["round"].max()
    assert first.to_dict() == {"sum_squares": 5, "sqrt_sin": 8}, "only what was added to a block is left out"
    assert up_to(both, rounds, 2).equals(both)
    assert stages_of(rounds.assign(stage=None)) == 1
    seen = [run[0].ratios["round"].max() for run in looked(timings, 3)]
    assert seen == [5, 8, 8]


def test_a_verdict_pays_for_the_look_that_went_before_and_keeps_what_that_has_found() -> None:
    parts = {"id": "a-claim", "slide": "none", "says": "Something.", "metric": "speedup", "of": "threading"}
    claim = Claim.model_validate({**parts, "cases": [{"workload": "sum_squares"}], "holds": {"above": 1.0}})
    known = {"sum_squares": load_workload("sum_squares")}
    timings = simulated_timings({"threading-2": 1.03}, rounds=8, laps=6, two_speeds=False, scatter=0.03)
    first, last = looked(timings, 2)
    alone, both = (judge([claim], last, known, earlier=earlier)[0]["cases"][0] for earlier in ([], [first]))
    assert (alone["estimate"], alone["low"]) == (both["estimate"], both["low"]), "the estimate is from all rounds"
    found = {case: judge_cases([claim], [run], known)[0][2][0][1] for case, run in (("first", first), ("last", last))}
    for side in ("q_holds", "q_fails"):
        paid = [(1, found["first"][side], share(1)), (2, found["last"][side], share(2))]
        assert found["last"][side] < 1 / 2 or side == "q_fails"
        assert both[side] >= min(1.0, *(p / part for _, p, part in paid)) - 1e-9
        assert alone[side] <= both[side]
    (((_, open_case),),) = [cases for _, _, cases in judge_cases([claim], [first], known, ended=False)]
    assert open_case["q_holds"] >= min(1.0, found["first"]["q_holds"] / share(1)) - 1e-9
    clear = looked(timings.assign(seconds=timings["seconds"].where(timings["round"] < 6, 0.2)), 2)
    (kept,) = judge(
        [claim.model_copy(update={"holds": claim.holds.model_copy(update={"above": 0.5})})], clear[1], known
    )
    assert kept["verdict"] == "confirmed"
