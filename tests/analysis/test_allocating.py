"""Where the rest of a budget goes: by scatter and price alone to where it tells most, and never beyond what there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.allocating import JOB_S, MOST_ROUNDS, allocate, plan_rounds
from gilscope.analysis.collecting import Collected
from gilscope.analysis.costs import Costs, costs_of
from gilscope.analysis.looks import gather_looks
from gilscope.analysis.observed import OBSERVATIONS
from gilscope.analysis.traced import TRACES
from gilscope.analysis.wants import COARSEST, FINEST, Scatter, Want, asked_for, open_wants
from gilscope.configuring.claims import Claim, Holds
from gilscope.running.cells import Block
from gilscope.workloads import load_workload
from hypothesis import given
from hypothesis import strategies as st
from simulated import facts_of, simulated_timings

NAMES = ("a", "b", "c")
BLOCKS = {f"cp311/{name}/large": Block("cp311", name, "large", 1, 8, ("threading-2",), 1.0, 1) for name in NAMES}
VALUES = {(path, cell): 0.1 for path in BLOCKS for cell in ("sequential-1", "threading-2")}
COSTS = Costs(VALUES, dict.fromkeys(BLOCKS, 0.2))
PRICE = COSTS.round(BLOCKS["cp311/a/large"], ["threading-2"])
FIVE = dict.fromkeys(BLOCKS, 5)


def want(name: str, deviation: float, allowed: float = 0.05, rounds: int = 5) -> Want:
    cells = {f"cp311/{name}/large": ("threading-2",)}
    return Want("a-claim", name, "cp311", cells, Scatter(deviation, rounds), allowed)


def given_to(wants: list[Want], budget_s: float, have: dict[str, int] | None = None) -> dict[str, int]:
    found = allocate(wants, BLOCKS, COSTS, have or FIVE, budget_s)
    return {one.block.workload: one.rounds for one in found}


def test_the_neediest_end_with_most() -> None:
    wants = [want("a", 0.05), want("b", 0.1), want("c", 0.07)]
    assert given_to(wants, 100 * PRICE)["b"] > given_to(wants, 100 * PRICE)["c"] > given_to(wants, 100 * PRICE)["a"]


def test_a_round_goes_to_where_it_narrows_most_per_second() -> None:
    assert given_to([want("a", 0.1, rounds=9), want("b", 0.1, rounds=5)], PRICE) == {"b": 1}, "the sixth counts more"
    two = replace(want("c", 0.1), case="another")
    assert given_to([want("a", 0.1), want("c", 0.1), two], PRICE) == {"c": 1}, "one round for two cases"
    dear = Costs({**VALUES, ("cp311/a/large", "threading-2"): 2.0}, COSTS.aside)
    budget_s = dear.round(BLOCKS["cp311/a/large"], ["threading-2"])
    found = allocate([want("a", 0.1), want("b", 0.1)], BLOCKS, dear, FIVE, budget_s)
    assert [one.block.workload for one in found] == ["b"]


def test_whoever_asks_for_less_needs_less() -> None:
    some = [want("a", 0.05, allowed=0.2), want("b", 0.05, allowed=0.05)]
    assert given_to(some, 100 * PRICE).keys() == {"b"}
    assert asked_for(Holds(above=1.2)) == pytest.approx(np.log(1.2) / 2)
    assert (asked_for(Holds(above=1.001)), asked_for(Holds(below=0.2))) == (FINEST, COARSEST)
    assert asked_for(Holds(within=(0.9, 1.05))) == FINEST


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0.001, 2), st.integers(3, 20)), max_size=6),
    st.floats(0, 300),
)
def test_the_budget_is_never_exceeded(some: list[tuple[str, float, int]], budget_s: float) -> None:
    found = allocate([want(name, scatter, rounds=n) for name, scatter, n in some], BLOCKS, COSTS, FIVE, budget_s)
    assert sum(one.rounds * one.seconds for one in found) <= budget_s + 1e-9
    assert all(0 < one.rounds <= MOST_ROUNDS - 5 for one in found)


def test_no_block_has_more_rounds_than_anybody_measures() -> None:
    assert given_to([want("a", 5.0)], 1e6) == {"a": MOST_ROUNDS - 5}
    assert given_to([want("a", 5.0)], 1e6, {**FIVE, "cp311/a/large": MOST_ROUNDS}) == {}


def test_the_hopeless_get_no_more_than_others() -> None:
    """However needy: the widest are often too wide for any budget, and are not served before all others."""
    hopeless, hopeful = want("a", 3.0), want("b", 0.08)
    assert given_to([hopeful, hopeless], 4 * PRICE * 1.001) == {"a": 2, "b": 2}
    enough = given_to([hopeful], 1000 * PRICE)["b"]
    assert given_to([hopeful, hopeless], 90 * PRICE * 1.001) == {"a": 90 - enough, "b": enough}


def test_what_is_much_sharper_than_asked_for_lies_at_its_threshold_and_gets_nothing() -> None:
    assert want("a", 0.005).need() < 0.5
    assert given_to([want("a", 0.005)], 1000 * PRICE) == {}
    assert given_to([], 1000 * PRICE) == {}


def test_a_case_of_two_runtimes_needs_rounds_of_both() -> None:
    both = Want("a-claim", "x", "cp311", dict.fromkeys(list(BLOCKS)[:2], ("threading-2",)), Scatter(0.1, 5), 0.05)
    assert given_to([both], 3.5 * PRICE) == {"a": 1, "b": 1}


def test_a_block_takes_all_that_is_open_in_it_and_says_how_many_laps() -> None:
    path = "cp311/a/large"
    block = Block("cp311", "a", "large", 1, 8, ("asyncio-2", "threading-2", "threading-4"), 1.0, 1)
    costs = Costs({(path, name): 0.1 for name in ("sequential-1", *block.cells)}, {path: 0.2})
    wants = [
        Want("one", "x", "cp311", {path: ("threading-2", "sequential-1")}, Scatter(0.1, 5), 0.05),
        Want("two", "x", "cp311", {path: ("asyncio-2",)}, Scatter(0.1, 5), 0.05),
    ]
    found = allocate(wants, {path: block}, costs, {path: 7}, 10)
    rows = plan_rounds(found, costs, stage=3)
    assert [row["round"] for row in rows] == list(range(8, 8 + len(rows)))
    assert {row["stage"] for row in rows} == {3}
    assert {tuple(row["only"]) for row in rows} == {("threading-2", "asyncio-2")}
    # Two cells, a probe, and two references beside them.
    assert costs.lap(block, rows[0]["only"]) == pytest.approx(0.5)
    assert {row["laps"] for row in rows} == {2}


def claim(name: str, above: float, **parts: Any) -> Claim:
    told = {"id": name, "slide": "none", "says": "Something.", "metric": "speedup", "of": "threading"}
    return Claim.model_validate({**told, "cases": [{"workload": "sum_squares"}], "holds": {"above": above}, **parts})


def wants_of_run(speedup: float, *claims: Claim, ceiling: float = 1.9) -> list[Want]:
    """What a run wants whose cells come to just this, with a round a few per cent beside it either way."""
    cells = {"threading-2": speedup, "ceiling-2-warm": ceiling}
    timings = simulated_timings(cells, rounds=5, laps=2, two_speeds=False, scatter=0.0)
    factors = np.exp([0.0, 0.06, -0.06, 0.03, -0.03, 0.0])[timings["round"].to_numpy()]
    timings["seconds"] *= np.where(timings["strategy"] == "sequential", 1.0, factors)
    rounds = timings[["runtime", "workload", "size", "round"]].drop_duplicates()
    traces, observations = pd.DataFrame(columns=TRACES), pd.DataFrame(columns=OBSERVATIONS)
    rounds = rounds.assign(job="measure", stage=1, parameter=1.0)
    collected = Collected(timings, traces, rounds, observations, [], {"cp311": facts_of("cp311")})
    looks = gather_looks(collected, cores=2, looks=1)
    return open_wants(claims, looks, {"sum_squares": load_workload("sum_squares")})


def test_only_what_is_open_wants_rounds() -> None:
    decided, unsettled = claim("decided", 0.5), claim("unsettled", 1.2)
    shown = claim("shown", 1.2, demonstration=True)
    unmeasured = claim("unmeasured", 1.2, cases=[{"workload": "sum_squares", "workers": 7}])
    found = wants_of_run(1.2, decided, unsettled, shown, unmeasured)
    assert [one.claim for one in found] == ["unsettled"]
    assert found[0].cells == {"cp311/sum_squares/large": ("threading-2",)}
    assert found[0].scatter.rounds == 5


def test_a_ceiling_in_doubt_wants_rounds_too() -> None:
    """Else nobody knows whether the claim can be tested here, which is no verdict of it."""
    needy = claim("needy", 0.5, needs=["cores"])
    assert wants_of_run(1.2, needy) == []
    ceiling, own = wants_of_run(1.2, needy, ceiling=1.3)
    assert ceiling.cells == {"cp311/sum_squares/large": ("ceiling-2-warm",)}
    assert own.cells == {"cp311/sum_squares/large": ("threading-2",)}


def test_an_estimate_draws_no_rounds_to_itself() -> None:
    """Two runs that scatter alike, both open, one on either side of the threshold: the same rounds are added."""
    path = "cp311/sum_squares/large"
    block = Block("cp311", "sum_squares", "large", 1, 8, ("threading-2",), 1.0, 1)
    costs = Costs({(path, name): 0.1 for name in ("sequential-1", "threading-2")}, {path: 0.2})
    added = []
    for speedup in (1.04, 1.05, 1.07):
        wants = wants_of_run(speedup, claim("unsettled", 1.05))
        assert len(wants) == 1
        added.append(allocate(wants, {path: block}, costs, {path: 5}, 60))
    assert len({tuple((one.rounds, *one.cells) for one in found) for found in added}) == 1
    assert added[0][0].rounds > 0


def test_costs_come_from_the_rounds_that_there_were() -> None:
    place = {"runtime": "cp311", "workload": "a", "size": "large"}
    rows = [
        {"strategy": strategy, "workers": workers, "pool": pool, "loops": loops, "seconds": seconds, "round": number}
        for number in (1, 2)
        for strategy, workers, pool, loops, seconds in (
            ("sequential", 1, "cold", 1, 0.2),
            ("sequential", 1, "cold", 1, 0.4),
            ("threading", 2, "warm", 10, 0.01),
        )
    ]
    timings = pd.DataFrame(rows).assign(**place)
    jobs = [("measure", 1, 10.0, 11.5), ("measure", 2, 20.0, 21.1), ("record", 1, 11.5, 13.0), ("calibrate", 0, 0, 9)]
    rounds = pd.DataFrame(
        [{"job": job, "round": number, "started": start, "ended": end, **place} for job, number, start, end in jobs]
    )
    costs = costs_of(timings, rounds)
    path = "cp311/a/large"
    assert costs.values == {(path, "sequential-1"): pytest.approx(0.3), (path, "threading-2-warm"): pytest.approx(0.1)}
    assert costs.aside[path] == pytest.approx(0.6), "0.8 s and 0.4 s were neither of the values"
    block = Block("cp311", "a", "large", 1, 8, ("threading-2-warm",), 3.0, 1)
    # One cell, a probe, a reference before them and one after.
    lap = costs.lap(block, ["threading-2-warm", "unknown-2"])
    assert lap == pytest.approx(0.1 + 2 * 0.3, abs=0.31)
    halved = costs.lap(replace(block, part=2), ["threading-2-warm"])
    assert halved == pytest.approx(0.1 + (lap - 0.1) / 2), "a sequential value that does half of the tasks"
    lap = costs.lap(block, block.cells)
    assert costs.laps(block, block.cells) == int(3 / lap)
    assert costs.round(block, block.cells) == pytest.approx(0.6 + JOB_S + int(3 / lap) * lap)
    assert costs.round(block, block.cells, traced=True) == pytest.approx(0.6 + JOB_S + (int(3 / lap) + 1) * lap)
