"""What a budget has been spent on, and the rounds that the rest is for: ``allocation.json``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.allocating import JOB_S
from gilscope.analysis.budget import ANALYSIS_S, BEGIN, START_S, added_rounds, next_rounds, spent_on
from gilscope.analysis.collecting import Collected
from gilscope.analysis.observed import OBSERVATIONS
from gilscope.analysis.tables import write_json
from gilscope.analysis.traced import TRACES
from gilscope.configuring.claims import Claim
from gilscope.running.cells import Block
from gilscope.workloads import load_workload
from simulated import facts_of, simulated_timings

BLOCK = Block("cp311", "sum_squares", "large", 1000, 8, ("ceiling-2-warm", "threading-2"), 1.0, 1)
ROUND_S = 3.0


def claim(above: float) -> Claim:
    told = {"id": "open", "slide": "none", "says": "Something.", "metric": "speedup", "of": "threading"}
    return Claim.model_validate({**told, "cases": [{"workload": "sum_squares"}], "holds": {"above": above}})


def measured(rows: list[dict[str, Any]]) -> Collected:
    """Five rounds of the block, and those of these rows, each a few per cent beside the others."""
    stages = {**dict.fromkeys(range(1, 6), 1), **{row["round"]: row["stage"] for row in rows}}
    cells = {"threading-2": 1.05, "ceiling-2-warm": 1.9}
    timings = simulated_timings(cells, rounds=len(stages), laps=2, two_speeds=False, scatter=0.0)
    factors = np.exp(0.1 * np.sin(2.4 * timings["round"]))
    timings["seconds"] *= np.where(timings["strategy"] == "sequential", 1.0, factors)
    place = {"runtime": "cp311", "workload": "sum_squares", "size": "large", "parameter": 1000.0, "unit": "steps"}
    jobs = [
        {**place, "job": "measure", "round": number, "stage": stage, "started": 10.0 * number, "laps": 2}
        for number, stage in stages.items()
    ]
    rounds = pd.DataFrame(jobs).assign(ended=lambda table: table["started"] + ROUND_S)
    told = {"cp311": facts_of("cp311")}
    return Collected(timings, pd.DataFrame(columns=TRACES), rounds, pd.DataFrame(columns=OBSERVATIONS), [], told)


def allocated(
    before: dict[str, Any], done: list[dict[str, Any]], budget_s: float, above: float = 1.05, asked: str = "open"
) -> Any:
    """What comes next, of those rounds that were added before some done."""
    complete = len(done) == len(before["rounds"])
    known = {"sum_squares": load_workload("sum_squares")}
    given = {"complete": complete, "claims": [claim(above)], "known": known, "blocks": [BLOCK], "cores": 2}
    return next_rounds(measured(done), before, budget_s=budget_s, asked=[asked], **given)


def numbers(found: dict[str, Any], stage: int) -> list[int]:
    return [row["round"] for row in found["rounds"] if row["stage"] == stage]


def spent_s(rounds: int) -> float:
    return START_S + ANALYSIS_S + rounds * (ROUND_S + JOB_S)


def test_what_jobs_took_is_spent() -> None:
    jobs = [("measure", 0, 2), ("record", 2, 3), ("calibrate", 3, 7), ("observe", 10, 15), ("measure", None, None)]
    rounds = pd.DataFrame([{"job": job, "started": start, "ended": end} for job, start, end in jobs])
    spent = spent_on(rounds)
    assert spent.rounds == pytest.approx(7 + 2 * JOB_S)
    assert spent.labs == pytest.approx(5 + JOB_S)
    assert spent.whole == pytest.approx(START_S + 12 + 3 * JOB_S)


def test_the_rest_of_the_budget_goes_to_the_open_case() -> None:
    found = allocated(BEGIN, [], spent_s(5) + 20)
    assert found["stage"] == 2
    assert found["spent_s"]["left"] == pytest.approx(20)
    assert numbers(found, 2) == list(range(6, 6 + len(found["rounds"])))
    assert found["rounds"]
    assert all(row["only"] == ["threading-2"] for row in found["rounds"])
    (told,) = found["open"]
    assert told["rounds"] == len(found["rounds"])
    assert (told["claim"], told["blocks"]) == ("open", ["cp311/sum_squares/large"])
    assert allocated(BEGIN, [], spent_s(5) + 40)["open"][0]["rounds"] > told["rounds"]


def test_nothing_is_added_where_nothing_is_left_or_nothing_is_open() -> None:
    for found in (allocated(BEGIN, [], spent_s(5) - 1), allocated(BEGIN, [], spent_s(5) + 600, above=0.2)):
        assert found["rounds"] == []
    assert allocated(BEGIN, [], spent_s(5) - 1)["open"][0]["rounds"] == 0


def test_a_claim_that_the_sweep_is_not_about_gets_no_rounds() -> None:
    found = allocated(BEGIN, [], spent_s(5) + 20, asked="another")
    assert (found["open"], found["rounds"]) == ([], [])


def test_a_larger_budget_adds_a_stage_and_keeps_all_that_was_there() -> None:
    first = allocated(BEGIN, [], spent_s(5) + 15)
    count = len(first["rounds"])
    second = allocated(first, first["rounds"], spent_s(5 + count) + 15)
    assert second["rounds"][:count] == first["rounds"]
    assert second["stage"] == 3
    assert numbers(second, 3)
    assert numbers(second, 3)[0] == 6 + count
    again = allocated(second, second["rounds"], spent_s(5 + len(second["rounds"])))
    assert again["rounds"] == second["rounds"], "the budget is spent"


def test_rounds_that_are_still_to_be_measured_are_kept_and_their_price_is_reserved() -> None:
    first = allocated(BEGIN, [], spent_s(5) + 20)
    count = len(first["rounds"])
    assert count >= 2
    for done in (first["rounds"][:1], []):
        same = allocated(first, done, spent_s(5 + len(done)) + 1)
        assert same["rounds"] == first["rounds"]
        assert same["spent_s"]["left"] < 1
        assert same["stage"] == 2, "of a stage that has not ended"


def test_a_block_that_has_nothing_to_show_any_more_reserves_nothing() -> None:
    row = {"block": BLOCK.path, "round": 6, "stage": 2, "only": ["threading-2"], "laps": 1, "traced": False}
    gone = {**row, "block": "cp311/sleep/large"}
    found = allocated({"rounds": [row, gone], "stage": 2}, [], spent_s(5) + 10)
    assert found["rounds"][:2] == [row, gone]


def write_round(folder: Path, number: int, calibrated: float, only: list[str] | None = None) -> str:
    path = folder / f"raw/{BLOCK.path}/round-{number}.facts.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json({"block": asdict(BLOCK), "calibrated": {"started": calibrated}, "only": only}, path)
    return str(path)


def test_rounds_go_with_the_calibration_that_they_were_added_to(tmp_path: Path) -> None:
    pilot = [write_round(tmp_path, number, 1.0) for number in (1, 2)]
    assert added_rounds(tmp_path, pilot) == (BEGIN, [])
    row = {"block": BLOCK.path, "stage": 2, "only": ["threading-2"], "laps": 1, "traced": False}
    rows = [{**row, "round": number} for number in (3, 4, 5, 6)]
    rows[3]["only"] = []
    elsewhere = {**rows[0], "block": "cp311/sum_squares/small"}
    write_json({"stage": 2, "budget_s": 60, "rounds": [*rows, elsewhere]}, tmp_path / "allocation.json")
    here = write_round(tmp_path, 3, 1.0, ["threading-2"])
    write_round(tmp_path, 4, 0.5, ["threading-2"])
    alone = write_round(tmp_path, 6, 1.0, [])
    before, added = added_rounds(tmp_path, pilot)
    assert [one["round"] for one in before["rounds"]] == [3, 5, 6], "4 belongs to an earlier calibration; 5 is to come"
    assert added == [here, alone]
    assert before["budget_s"] == 60
    write_round(tmp_path, 3, 1.0, ["asyncio-2"])
    assert added_rounds(tmp_path, pilot)[1] == [alone], "and what was measured is what was asked for"
