from typing import Any

import pandas as pd
import pytest
from gilscope.analysis.collecting import TRACES
from gilscope.analysis.verdicts import decide, gather_evidence, judge, roll_up
from gilscope.claims import Claim
from simulated import simulated_timings

TRUE = {"threading-2": 1.0, "multiprocessing-2-warm": 1.8, "ceiling-2-warm": 1.95, "threading-raw-2": 1.0}


def claim(**parts: Any) -> Claim:
    cases = parts.pop("cases", [{"workload": "sum_squares"}])
    return Claim.model_validate(
        {"id": "a-claim", "slide": "none", "says": "Something.", "cases": cases, "metric": "speedup", **parts}
    )


def verdicts(*claims: Claim, timings: pd.DataFrame | None = None, **facts: Any) -> list[dict[str, Any]]:
    timings = simulated_timings(TRUE, laps=12) if timings is None else timings
    runtimes = {"cp311": {"gil": facts.get("gil", True)}}
    traces = facts.get("traces", pd.DataFrame(columns=TRACES))
    evidence = gather_evidence(timings, traces, facts.get("gaps", []), runtimes, facts.get("cores", 2))
    return judge(claims, evidence)


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ({"of": "threading", "holds": {"below": 1.15}}, "confirmed"),
        ({"of": "threading", "holds": {"above": 1.3}}, "refuted"),
        ({"metric": "time_ratio", "of": "threading", "over": "threading-raw", "holds": {"within": [0.8, 1.25]}}, "confirmed"),
        ({"metric": "speedup_ratio", "of": "multiprocessing", "over": "ceiling", "holds": {"above": 0.8}, "cases": [{"workload": "sum_squares", "pool": "warm"}]}, "confirmed"),
        ({"metric": "time_ratio", "of": "multiprocessing", "over": "ceiling", "holds": {"below": 1.0}, "cases": [{"workload": "sum_squares", "pool": "warm"}]}, "refuted"),
    ],
)  # fmt: skip
def test_a_clear_case_gets_its_verdict(parts: dict[str, Any], verdict: str) -> None:
    (found,) = verdicts(claim(**parts))
    assert found["verdict"] == verdict, found


def test_a_case_on_its_threshold_is_inconclusive_and_says_why() -> None:
    timings = simulated_timings({"threading-2": 1.15, "ceiling-2-warm": 1.95}, scatter=0.05)
    (found,) = verdicts(claim(of="threading", holds={"below": 1.15}), timings=timings)
    assert found["verdict"] == "inconclusive"
    assert "threshold" in found["reason"]


@pytest.mark.parametrize(
    ("parts", "facts", "reason"),
    [
        ({"metric": "lab", "lab": "race"}, {}, "needs the lab race"),
        ({"cases": [{"workload": "image_blur"}]}, {}, "needs the workload image_blur"),
        ({"needs": ["gil"]}, {"gil": False}, "is about the lock"),
        ({"needs": ["cores"]}, {"cores": 1}, "needs at least 2 usable cores"),
        ({"needs": ["lock-off"]}, {}, "lock on and off"),
        ({"needs": ["pypy"]}, {}, "needs PyPy"),
        ({"cases": [{"workload": "sqrt_sin"}]}, {}, "does not measure threading-2 of sqrt_sin"),
        (
            {"cases": [{"workload": "sqrt_sin"}]},
            {"gaps": [{"runtime": "cp311", "workload": "sqrt_sin", "size": "large", "cell": "threading-2", "state": "failed", "reason": "no luck"}]},
            "sqrt_sin, threading-2 failed: no luck",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_tested_says_what_it_needs(parts: dict[str, Any], facts: dict[str, Any], reason: str) -> None:
    (found,) = verdicts(claim(**{"of": "threading", "holds": {"below": 1.15}, **parts}), **facts)
    assert found["verdict"] == "not tested"
    assert reason in found["reason"]


def test_where_the_hardware_gives_nothing_no_parallel_claim_is_tested() -> None:
    timings = simulated_timings({"threading-2": 1.0, "ceiling-2-warm": 1.1})
    (found,) = verdicts(claim(of="threading", holds={"below": 1.15}, needs=["cores"]), timings=timings)
    assert found["verdict"] == "not tested"
    assert "unconnected processes themselves reached 1." in found["reason"]


def test_two_rounds_are_too_few_for_a_verdict() -> None:
    timings = simulated_timings(TRUE, rounds=2)
    (found,) = verdicts(claim(of="threading", holds={"below": 1.15}), timings=timings)
    assert found["verdict"] == "not tested"
    assert "needs at least 3 rounds" in found["reason"]


@pytest.mark.parametrize(
    ("cases", "rule", "verdict"),
    [
        (["confirmed", "confirmed"], "all", "confirmed"),
        (["refuted", "not tested"], "all", "refuted"),
        (["confirmed", "refuted"], "all", "mixed"),
        (["confirmed", "inconclusive"], "all", "inconclusive"),
        (["refuted", "inconclusive"], "all", "inconclusive"),
        (["confirmed", "refuted", "confirmed"], "one-refutes", "refuted"),
        (["not tested"], "all", "not tested"),
    ],
)
def test_cases_roll_up(cases: list[str], rule: str, verdict: str) -> None:
    assert roll_up([{"verdict": case} for case in cases], rule) == verdict


def test_the_more_tests_the_stronger_each_must_be() -> None:
    def family(size: int) -> dict[str, Any]:
        cases = [{"q_holds": 0.02, "q_fails": 0.98, "verdict": "", "reason": ""}]
        cases += [{"q_holds": 0.5, "q_fails": 0.5, "verdict": "", "reason": ""} for _ in range(size)]
        decide(cases)
        return cases[0]

    assert family(0)["verdict"] == "confirmed"
    assert family(20)["verdict"] == ""


def test_demonstrations_do_not_cost_a_claim_its_verdict() -> None:
    alone = verdicts(claim(of="threading", holds={"below": 1.15}))[0]["cases"][0]
    shown = [claim(id=f"shown-{n}", of="threading", holds={"below": 1.0}, demonstration=True) for n in range(20)]
    beside = verdicts(claim(of="threading", holds={"below": 1.15}), *shown)[0]["cases"][0]
    assert beside["q_holds"] == alone["q_holds"]


def test_effective_cores_come_from_the_traces() -> None:
    row = simulated_timings(TRUE).query("strategy == 'threading'").drop_duplicates("round")
    traces = row.assign(effective_cores=1.02, overlap=2.0).reindex(columns=TRACES)
    (found,) = verdicts(claim(metric="effective_cores", of="threading", holds={"below": 1.1}), traces=traces)
    assert found["verdict"] == "confirmed"
    assert found["cases"][0]["unit"] == "cores"
