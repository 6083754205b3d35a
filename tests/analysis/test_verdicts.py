import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.evidence import gather_evidence
from gilscope.analysis.intervals import plain_interval, share_interval
from gilscope.analysis.observed import OBSERVATIONS
from gilscope.analysis.pronouncing import NO_OUTCOMES, decide, roll_up
from gilscope.analysis.traced import TRACES
from gilscope.analysis.verdicts import judge
from gilscope.configuring.claims import Claim, Outcomes
from gilscope.workloads import load_workload
from judged import all_claims
from simulated import simulated_timings

TRUE = {"threading-2": 1.0, "multiprocessing-2-warm": 1.8, "ceiling-2-warm": 1.95, "threading-raw-2": 1.0}


def claim(**parts: Any) -> Claim:
    cases = parts.pop("cases", [{"workload": "sum_squares"}])
    return Claim.model_validate(
        {"id": "a-claim", "slide": "none", "says": "Something.", "cases": cases, "metric": "speedup", **parts}
    )


@cache
def usual_timings() -> pd.DataFrame:
    return simulated_timings(TRUE, laps=12)


def verdicts(*claims: Claim, timings: pd.DataFrame | None = None, **facts: Any) -> list[dict[str, Any]]:
    timings = usual_timings() if timings is None else timings
    runtimes = facts.get("runtimes", {"cp311": {"gil": facts.get("gil", True), "version": "3.11.7"}})
    rounds = facts.get("rounds", blocks_of(timings))
    traces = facts.get("traces", pd.DataFrame(columns=TRACES))
    observations = facts.get("observations", pd.DataFrame(columns=OBSERVATIONS))
    told = {"rounds": rounds, "gaps": facts.get("gaps", []), "runtimes": runtimes, "cores": facts.get("cores", 2)}
    evidence = gather_evidence(timings, traces, observations, **told)
    known = {name: load_workload(name) for name in ("sum_squares", "sqrt_sin")}
    return judge(claims, evidence, known, facts.get("otherwise", NO_OUTCOMES))


def blocks_of(timings: pd.DataFrame) -> pd.DataFrame:
    """What each block's size stands for."""
    return timings[["runtime", "workload", "size"]].drop_duplicates().assign(parameter=130_000.0)


def observations(**cases: dict[str, list[float]]) -> pd.DataFrame:
    """What a lab called race saw: case → metric → a value per trial."""
    rows = [
        {"machine": "m", "runtime": "cp311", "gil": True, "lab": "race", "case": case, "unit": ""}
        | {"trial": trial, "metric": metric, "value": value}
        for case, metrics in cases.items()
        for metric, values in metrics.items()
        for trial, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=OBSERVATIONS)


def observed(**parts: Any) -> Claim:
    return claim(**{"lab": "race", "metric": "share", "observes": "wrong", "cases": [{"of": "plain"}], **parts})


@pytest.mark.parametrize(
    ("wrong", "holds", "verdict", "counted"),
    [
        ([1] * 110, {"above": 0.95}, "confirmed", "110 of 110 trials"),
        ([0] * 110, {"above": 0.95}, "refuted", "0 of 110 trials"),
        ([0] * 110, {"below": 0.05}, "confirmed", "0 of 110 trials"),
        ([1, 0] * 10, {"above": 0.5}, "inconclusive", "10 of 20 trials"),
        ([1] * 20, {"above": 0.95}, "inconclusive", "20 of 20 trials"),
    ],
)
def test_behaviour_is_judged_by_counts(wrong: list[float], holds: dict[str, float], verdict: str, counted: str) -> None:
    (found,) = verdicts(observed(holds=holds), observations=observations(plain={"wrong": wrong}))
    assert (found["verdict"], found["cases"][0]["counted"]) == (verdict, counted)


def test_events_within_trials_need_many_events_and_agreeing_trials() -> None:
    part = {"per": "runs", "observes": "long", "holds": {"below": 0.01}}

    def found(long: list[float], runs: float) -> dict[str, Any]:
        seen = observations(plain={"long": long, "runs": [runs] * len(long)})
        return verdicts(observed(**part), observations=seen)[0]

    def judged(long: list[float], runs: float) -> str:
        return str(found(long, runs)["verdict"])

    assert judged([0, 0, 0, 0, 0], 1000) == "confirmed"
    assert judged([0, 0, 0, 0, 0], 0) == "not tested"
    assert judged([0, 0, 0, 0, 0], 20) == "inconclusive", "100 events cannot show a share below 0.01"
    assert judged([0, 0, 0, 0, 40], 1000) == "inconclusive", "one trial of five says otherwise"
    assert judged([900, 950, 990, 940, 930], 1000) == "refuted"
    for long in ([80, 120, 100, 90, 110], [100, 100, 100, 100, 100]):
        (case,), trials = found(long, 1000)["cases"], plain_interval(np.array(long) / 1000)
        _, low, high = share_interval(500, 5000)
        assert case["low"] == pytest.approx(min(low, trials.low)), "the wider of the two"
        assert case["high"] == pytest.approx(max(high, trials.high))


def test_a_ratio_of_two_cases_is_formed_within_each_trial() -> None:
    slow, fast = {"seconds": [1.0, 10.0, 100.0, 5.0, 50.0]}, {"seconds": [0.1, 1.01, 9.9, 0.5, 5.0]}
    parts = {"metric": "observed_ratio", "observes": "seconds", "cases": [{"of": "slow", "over": "fast"}]}
    (found,) = verdicts(observed(**parts, holds={"above": 9}), observations=observations(slow=slow, fast=fast))
    assert found["verdict"] == "confirmed"
    assert found["cases"][0]["estimate"] == pytest.approx(10, rel=0.01)


def test_trials_without_an_answer_are_told() -> None:
    lost = {"runtime": "cp311", "lab": "race", "case": "plain", "trial": 7, "reason": "no answer within 10 s"}
    seen = observations(plain={"wrong": [1] * 110})
    (found,) = verdicts(observed(holds={"above": 0.95}), observations=seen, gaps=[lost])
    assert found["cases"][0]["counted"] == "110 of 110 trials, 1 more gave no answer (no answer within 10 s)"
    assert found["verdict"] == "confirmed"
    many = [{**lost, "trial": trial} for trial in range(30)]
    (found,) = verdicts(observed(holds={"above": 0.95}), observations=seen, gaps=many)
    assert found["verdict"] == "inconclusive", "lost trials may have gone either way"


def test_each_outcome_has_its_explanation_and_its_advice() -> None:
    outcomes = {"confirmed": {"why": "As they say.", "do": "Use it."}, "refuted": {"why": "Not so."}}
    parts = {"holds": {"above": 0.95}, "outcomes": outcomes}
    general = {verdict: {"why": "In general.", "do": "Look closer."} for verdict in ("confirmed", "inconclusive")}

    def said(otherwise: Outcomes) -> list[tuple[str, str]]:
        found = [
            verdicts(observed(**parts), observations=seen, otherwise=otherwise)[0]
            for seen in [observations(plain={"wrong": wrong}) for wrong in ([1] * 110, [0] * 110, [1] * 20, [])]
        ]
        assert [one["verdict"] for one in found] == ["confirmed", "refuted", "inconclusive", "not tested"]
        return [(one["explanation"], one["advice"]) for one in found]

    own = [("As they say.", "Use it."), ("Not so.", "")]
    assert said(NO_OUTCOMES) == [*own, ("", ""), ("", "")]
    assert said(Outcomes.model_validate(general)) == [*own, ("In general.", "Look closer."), ("", "")]


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
        (
            {"metric": "share", "lab": "race", "observes": "wrong", "cases": [{"of": "plain"}]},
            {},
            "this sweep does not run the lab race",
        ),
        (
            {"metric": "share", "lab": "race", "observes": "wrong", "cases": [{"of": "plain"}]},
            {"gaps": [{"runtime": "cp311", "lab": "race", "case": "plain", "trial": None, "reason": "needs a display"}]},
            "the lab race, plain: needs a display",
        ),
        ({"needs": ["gil"]}, {"gil": False}, "is about the lock"),
        ({"needs": ["cores"]}, {"cores": 1}, "needs at least 2 usable cores"),
        ({"needs": ["lock-off"]}, {}, "lock on and off; this run has cp311 (CPython 3.11.7); run it with --configfile config/presets/gil.yaml"),
        ({"needs": ["pypy"]}, {}, "needs PyPy beside CPython; this run has cp311 (CPython 3.11.7); run it with --configfile config/presets/versions.yaml"),
        (
            {"needs": ["pypy"]},
            {"gaps": [{"runtime": "pypy3.11", "state": "not to be had", "reason": "there is none"}]},
            "needs PyPy beside CPython; this run has cp311 (CPython 3.11.7); not to be had: pypy3.11 (there is none)",
        ),
        (
            {},
            {"runtimes": {"cp311": {"gil": True, "version": "3.11.7", "broken": "it has no pyperf"}}},
            "nothing can run in cp311 (CPython 3.11.7): it has no pyperf",
        ),
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


def test_where_the_hardware_may_give_too_little_no_parallel_claim_is_tested() -> None:
    timings = simulated_timings({"threading-2": 1.0, "ceiling-2-warm": 1.31}, two_speeds=False, scatter=0.05)
    (found,) = verdicts(claim(of="threading", holds={"below": 1.15}, needs=["cores"]), timings=timings)
    low, high = map(float, re.findall(r"\d\.\d+", found["reason"])[1:3])
    assert low < 1.3 < high
    assert found["verdict"] == "not tested"


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


@pytest.mark.parametrize("cores", [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512])
def test_without_data_each_claim_says_why_it_is_not_tested(cores: int) -> None:
    judged = verdicts(*all_claims().claims, timings=usual_timings().iloc[:0], cores=cores)
    assert len(judged) == len(all_claims().claims)
    for said in judged:
        assert said["verdict"] == "not tested"
        assert all(case["reason"] for case in said["cases"])
        assert said["reason"]
    reasons = {said["claim"]: said["reason"] for said in judged}
    assert reasons["too-many-processes-hurt"] == {
        1: "needs at least 2 usable cores; this machine gives 1",
        48: "needs 384 processes; 256 are the most here",
        64: "needs 512 processes; 256 are the most here",
    }.get(cores, reasons["too-many-processes-hurt"])
    assert ("are the most here" in reasons["too-many-processes-hurt"]) == (cores > 32)
    assert ("are the most here" in reasons["processes-are-true-parallelism"]) == (cores > 256)


def test_a_machine_with_more_cores_than_processes_is_held_to_the_largest_ceiling() -> None:
    parallel = claim(
        of="threading", needs=["cores"], holds={"above": 0.5}, cases=[{"workload": "sum_squares", "workers": 2}]
    )
    low = simulated_timings({**TRUE, "ceiling-2-warm": 1.1}, laps=12)
    (found,) = verdicts(parallel, timings=low, cores=512)
    assert found["reason"].startswith("unconnected processes themselves reached 1.09 ×")
    (found,) = verdicts(parallel, cores=512)
    assert found["verdict"] == "confirmed"


def test_a_runtime_for_some_claims_gets_no_verdict_on_others() -> None:
    lock, free = {"version": "3.11.7", "gil": True, "current": True}, {"version": "3.13.5", "free_threaded": True}
    runtimes = {
        "cp311": lock,
        "cp313t-gil": {**free, "gil": True, "claims": ["tax"]},
        "cp313t-nogil": {**free, "gil": False, "claims": ["tax"]},
    }
    tax = {"metric": "tax", "of": "sequential", "against": "standard", "needs": ["lock-off"], "holds": {"above": 1.0}}
    asked = [claim(of="threading", holds={"below": 1.15}), claim(id="tax", **tax), claim(id="other-tax", **tax)]
    found = [(said["claim"], said["runtime"]) for said in verdicts(*asked, runtimes=runtimes)]
    assert found == [("a-claim", "cp311"), ("tax", "cp313t-nogil"), ("other-tax", "cp311")]


def test_a_runtime_that_was_only_looked_for_is_told_with_what_fetches_it() -> None:
    """To the claims that it would be for; others never hear of it."""
    gap = {"state": "not to be had", "reason": "it is not here", "claims": ["a-claim"]}
    gaps = [{"runtime": name, **gap} for name in ("lock-on", "lock-off")]
    needs = [
        claim(id=name, of="threading", holds={"above": 1}, needs=[need])
        for name, need in (("a-claim", "lock-off"), ("b", "pypy"))
    ]
    about_lock, about_pypy = (said["reason"] for said in verdicts(*needs, gaps=gaps))
    assert about_lock == (
        "needs a free-threaded CPython with the lock on and off; this run has cp311 (CPython 3.11.7); not to be had: "
        'lock-on and lock-off (it is not here); make ARGS="--configfile config/presets/gil.yaml" fetches one'
    )
    assert about_pypy.endswith(
        "this run has cp311 (CPython 3.11.7); run it with --configfile config/presets/versions.yaml, or list one in runtimes"
    )
