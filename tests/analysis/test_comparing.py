"""Several runtimes in one run: which is compared with which, and what comes of it where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.comparing import compare_runtimes
from gilscope.analysis.conditions import is_about
from gilscope.analysis.counterparts import COUNTERPARTS, Identity, identify
from gilscope.analysis.estimates import centres, paired
from gilscope.analysis.evidence import Evidence, gather_evidence
from gilscope.analysis.intervals import difference_interval, difference_tests, false_discovery_rate
from gilscope.analysis.observed import OBSERVATIONS
from gilscope.analysis.tables import CELL
from gilscope.analysis.traced import TRACES
from gilscope.analysis.verdicts import judge, judge_case, leaves
from gilscope.configuring.claim_files import read_claims
from gilscope.configuring.claims import Claim, ClaimsFile
from gilscope.workloads import load_workload
from simulated import facts_of, simulate, simulated_run


def identities(runtimes: Mapping[str, Any]) -> list[Identity]:
    return [identify(runtime, facts) for runtime, facts in runtimes.items()]


@pytest.mark.parametrize(
    ("run", "one", "against", "other"),
    [
        (["cp311", "cp313t-gil", "cp313t-nogil"], "cp313t-nogil", "lock-on", "cp313t-gil"),
        (["cp313t-nogil", "cp314t-gil", "cp313"], "cp313t-nogil", "lock-on", None),
        (["cp312", "cp313", "cp313t-nogil"], "cp313t-nogil", "standard", "cp313"),
        (["cp39", "cp311*", "cp313t-nogil"], "cp313t-nogil", "standard", "cp311"),
        (["cp313t-gil", "cp313t-nogil*"], "cp313t-nogil", "standard", None),
        (["cp39", "cp311*", "pypy39"], "pypy39", "cpython", "cp311"),
        (["cp313t-nogil*", "cp39", "cp311", "pypy39"], "pypy39", "cpython", "cp39"),
        (["pypy311", "pypy39"], "pypy39", "cpython", None),
    ],
)
def test_a_runtime_is_compared_with_the_right_one(
    run: Sequence[str], one: str, against: str, other: str | None
) -> None:
    known = identities({name.rstrip("*"): facts_of(name, current=name.endswith("*")) for name in run})
    own = next(identity for identity in known if identity.runtime == one)
    found = COUNTERPARTS[against](own, known)
    assert (found and found.runtime) == other


@pytest.mark.parametrize(
    ("key", "other"), [*((key, "3.13.9") for key in ("build", "compiler", "version")), ("built", {"flags": "1a"})]
)
def test_another_build_is_not_the_same_binary(key: str, other: object) -> None:
    on, off = facts_of("cp313t-gil"), facts_of("cp313t-nogil", **{key: other})
    known = identities({"cp313t-gil": on, "cp313t-nogil": off})
    assert COUNTERPARTS["lock-on"](known[1], known) is None


def test_what_a_build_promises_of_its_lock_counts_and_else_what_it_reports() -> None:
    """Describing a runtime imports every workload, and one of them may bring the lock back; cells read their own."""
    known = identities({"cp313t-nogil": facts_of("cp313t-nogil", gil=True), "pypy39": facts_of("pypy39")})
    assert [one.gil for one in known] == [False, True]
    assert [one.lock_off for one in known] == [True, False]


CEILING = {"ceiling-2-warm": 1.95}
RUN = {
    "cp311": {"threading-2": 1.0, **CEILING},
    "cp313t-gil": {"threading-2": 1.0, **CEILING},
    "cp313t-nogil": {"threading-2": 1.8, **CEILING},
    "pypy39": {"threading-2": 1.0, **CEILING},
}
SPEEDS = {"cp313t-gil": 0.7, "cp313t-nogil": 0.6, "pypy39": 9.0}


@pytest.fixture(scope="module")
def shipped(root: Any) -> ClaimsFile:
    return read_claims([str(root / "config/claims.yaml")])


@pytest.fixture(scope="module")
def timings() -> pd.DataFrame:
    return simulated_run(RUN, SPEEDS)


def gathered(timings: pd.DataFrame, **own: Any) -> list[Evidence]:
    """The evidence of these timings' runtimes; own: facts of a runtime, by its name with ``_``, and parameters."""
    names = list(dict.fromkeys(timings["runtime"]))
    blocks = timings[["runtime", "workload", "size"]].drop_duplicates()
    parameters = own.pop("parameters", {})
    rounds = blocks.assign(parameter=[parameters.get(runtime, 130_000.0) for runtime in blocks["runtime"]])
    runtimes = {name: facts_of(name, current=name == "cp311", **own.get(name.replace("-", "_"), {})) for name in names}
    empty = (pd.DataFrame(columns=TRACES), pd.DataFrame(columns=OBSERVATIONS))
    return gather_evidence(timings, *empty, rounds=rounds, gaps=own.get("gaps", []), runtimes=runtimes, cores=2)


def verdicts(shipped: ClaimsFile, claim: str, evidence: list[Evidence]) -> list[dict[str, Any]]:
    known = {name: load_workload(name) for name in ("sum_squares", "sqrt_sin", "count_loop")}
    return judge([one for one in shipped.claims if one.id == claim], evidence, known)


def test_that_it_is_the_lock_is_confirmed_where_threads_scale_without_it(
    shipped: ClaimsFile, timings: pd.DataFrame
) -> None:
    (found,) = verdicts(shipped, "the-gil-is-the-cause", gathered(timings))
    (case,) = found["cases"]
    assert (found["runtime"], found["verdict"]) == ("cp313t-nogil", "confirmed")
    assert case["low"] < 1.8 < case["high"] < 2
    assert case["counted"] == "5 rounds off, 5 on"
    assert case["cells"] == ["cp313t-nogil/sum_squares/large/threading-2", "cp313t-gil/sum_squares/large/threading-2"]
    assert case["notes"].startswith("compared with cp313t-gil (CPython 3.13.1, free-threaded, lock on); speedups: 1.8")


def test_that_it_is_the_lock_is_refuted_where_they_do_not(shipped: ClaimsFile) -> None:
    run = {**RUN, "cp313t-nogil": RUN["cp313t-gil"]}
    (found,) = verdicts(shipped, "the-gil-is-the-cause", gathered(simulated_run(run, SPEEDS)))
    assert found["verdict"] == "refuted"


@pytest.mark.parametrize("weak", ["cp313t-gil", "cp313t-nogil"])
def test_neither_runtime_of_the_causal_test_may_have_a_low_ceiling(shipped: ClaimsFile, weak: str) -> None:
    run = {**RUN, weak: {**RUN[weak], "ceiling-2-warm": 1.1}}
    (found,) = verdicts(shipped, "the-gil-is-the-cause", gathered(simulated_run(run, SPEEDS)))
    assert found["verdict"] == "not tested"
    assert f"] in {weak}: with the lower end below 1.3" in found["reason"]


def test_pypy_is_compared_with_this_cpython(shipped: ClaimsFile, timings: pd.DataFrame) -> None:
    (found,) = verdicts(shipped, "pypy-is-an-alternative", gathered(timings))
    (case,) = found["cases"]
    assert (found["runtime"], found["verdict"], case["counted"]) == ("pypy39", "confirmed", "5 pairs of rounds")
    assert case["low"] < 9 < case["high"] < 10
    assert case["notes"] == "compared with cp311 (CPython 3.11.1)"


def test_rounds_that_follow_one_another_are_paired(shipped: ClaimsFile, timings: pd.DataFrame) -> None:
    """A machine that is twice as fast in every second round says as much as one that stays as it is."""
    swinging = timings.assign(seconds=timings["seconds"] * np.where(timings["round"] % 2, 1, 2))
    (plain,), (found,) = (verdicts(shipped, "pypy-is-an-alternative", gathered(one)) for one in (timings, swinging))
    assert found["cases"][0]["low"] == pytest.approx(plain["cases"][0]["low"])


def test_a_tax_is_told_against_the_same_binary_and_the_standard_build(
    shipped: ClaimsFile, timings: pd.DataFrame
) -> None:
    (found,) = verdicts(shipped, "one-thread-pays-for-no-lock", gathered(timings))
    cases = {case["case"]: case for case in found["cases"]}
    same, standard = cases["sum_squares, against lock-on"], cases["sum_squares, against standard"]
    assert found["runtime"] == "cp313t-nogil"
    assert (same["estimate"], same["verdict"]) == (pytest.approx(0.7 / 0.6, rel=0.03), "confirmed")
    assert (standard["estimate"], standard["verdict"]) == (pytest.approx(1 / 0.6, rel=0.03), "confirmed")
    assert standard["notes"] == "compared with cp311 (CPython 3.11.1); the versions differ: 3.13.1 and 3.11.1"
    assert "does not measure sequential-1 of sqrt_sin" in cases["sqrt_sin, against standard"]["reason"]


def test_the_tables_hold_every_workload_that_both_have_measured(timings: pd.DataFrame) -> None:
    other = timings[timings["runtime"] != "cp311"].assign(workload="count_loop")
    tables = compare_runtimes(gathered(pd.concat([timings, other])))
    taxes = {(row["workload"], row["kind_of"], row["against"]): row["estimate"] for row in tables["taxes"]}
    assert {row["runtime"] for row in tables["taxes"]} == {"cp313t-nogil"}
    assert taxes == {
        ("sum_squares", "lock-on", "cp313t-gil"): pytest.approx(0.7 / 0.6, rel=0.03),
        ("count_loop", "lock-on", "cp313t-gil"): pytest.approx(0.7 / 0.6, rel=0.03),
        ("sum_squares", "standard", "cp311"): pytest.approx(1 / 0.6, rel=0.03),
    }
    speeds = {row["runtime"]: row["estimate"] for row in tables["speeds"]}
    assert speeds == {name: pytest.approx(speed, rel=0.03) for name, speed in SPEEDS.items()}
    assert {row["against"] for row in tables["speeds"]} == {"cp311"}
    assert set(tables["taxes"][0]) == {
        *("workload", "size", "runtime", "against", "kind_of", "estimate", "low", "high", "rounds")
    }
    assert set(tables["speeds"][0]) == set(tables["taxes"][0]) - {"kind_of"}


@pytest.mark.parametrize("differs", ["tasks", "parameter"])
def test_different_work_is_never_compared(shipped: ClaimsFile, timings: pd.DataFrame, differs: str) -> None:
    on = timings["runtime"] == "cp313t-gil"
    if differs == "tasks":
        evidence = gathered(timings.assign(tasks=timings["tasks"].where(~on, 16)))
    else:
        evidence = gathered(timings, parameters={"cp313t-gil": 9_000.0})
    (cause,) = verdicts(shipped, "the-gil-is-the-cause", evidence)
    assert cause["verdict"] == "not tested"
    assert (
        "sum_squares at size large is not the same work in both: 8 tasks of 130000 in cp313t-nogil" in cause["reason"]
    )
    (tax,) = verdicts(shipped, "one-thread-pays-for-no-lock", evidence)
    tested = [case["case"] for case in tax["cases"] if case["verdict"] != "not tested"]
    assert tested == ["sum_squares, against standard"]
    tables = compare_runtimes(evidence)
    assert {row["kind_of"] for row in tables["taxes"]} == {"standard"}
    assert {row["runtime"] for row in tables["speeds"]} == {"cp313t-nogil", "pypy39"}


def test_a_broken_runtime_is_not_compared_with(shipped: ClaimsFile, timings: pd.DataFrame) -> None:
    evidence = gathered(timings, cp313t_gil={"broken": "it has no pyperf"})
    (found,) = verdicts(shipped, "the-gil-is-the-cause", evidence)
    assert "nothing can run in cp313t-gil" in found["reason"]
    assert "it has no pyperf" in found["reason"]


def test_what_no_runtime_of_the_run_is_about_is_said_once(shipped: ClaimsFile, timings: pd.DataFrame) -> None:
    evidence = gathered(timings[timings["runtime"].isin(["cp313t-gil", "cp311"])])
    for claim in ("the-gil-is-the-cause", "one-thread-pays-for-no-lock", "pypy-is-an-alternative"):
        (found,) = verdicts(shipped, claim, evidence)
        assert (found["runtime"], found["verdict"]) == ("cp311", "not tested"), "the current one"
        assert "--configfile config/presets/" in found["reason"]
        assert found["cases"][0]["cells"] == [], "nothing of the current runtime is behind it"


def test_claims_about_the_lock_are_judged_where_there_is_one(shipped: ClaimsFile, timings: pd.DataFrame) -> None:
    found = {row["runtime"]: row for row in verdicts(shipped, "threads-slow-cpu-down", gathered(timings))}
    assert found["cp313t-nogil"]["reason"] == "is about the lock, and this runtime has none"
    assert {name for name, row in found.items() if row["verdict"] != "not tested"} == set(RUN) - {"cp313t-nogil"}


def test_the_evidence_of_a_runtime_holds_no_row_of_another(timings: pd.DataFrame) -> None:
    one, two, *_ = gathered(timings)
    for table in ("ratios", "values", "traces", "observations"):
        mixed = {table: pd.DataFrame({"runtime": [one.runtime, two.runtime]})}
        with pytest.raises(ValueError, match=f"the evidence of cp311 holds rows of {two.runtime}"):
            replace(one, **mixed)
    with pytest.raises(ValueError, match="cp313t-gil"):
        replace(one, gaps=[{"runtime": "cp313t-gil"}])


def test_each_runtimes_verdict_comes_from_its_own_rows(timings: pd.DataFrame) -> None:
    """Cells and labs alike: what is true of one runtime alone is confirmed for it alone."""
    said = {"slide": "none", "says": "Something.", "cases": [{"workload": "sum_squares"}]}
    fast = Claim.model_validate({"id": "fast", "metric": "speedup", "of": "threading", "holds": {"above": 1.5}, **said})
    lab = {"metric": "share", "lab": "race", "observes": "wrong", "cases": [{"of": "plain"}], "holds": {"above": 0.5}}
    raced = Claim.model_validate({**said, "id": "raced", **lab})
    common = {"machine": "m", "gil": True, "lab": "race", "case": "plain", "metric": "wrong", "unit": ""}
    seen = pd.DataFrame(
        [
            {**common, "runtime": runtime, "trial": trial, "value": float(runtime == "pypy39")}
            for runtime in RUN
            for trial in range(30)
        ],
        columns=OBSERVATIONS,
    )
    evidence = [
        replace(one, observations=seen[seen["runtime"] == one.runtime].reset_index(drop=True))
        for one in gathered(timings)
    ]
    found = judge([fast, raced], evidence, {"sum_squares": load_workload("sum_squares")})
    confirmed = {(row["claim"], row["runtime"]) for row in found if row["verdict"] == "confirmed"}
    assert confirmed == {("fast", "cp313t-nogil"), ("raced", "pypy39")}
    assert {row["verdict"] for row in found} == {"confirmed", "refuted"}


def test_all_runtimes_are_one_family_of_tests(shipped: ClaimsFile, timings: pd.DataFrame) -> None:
    names = ("threads-slow-cpu-down", "the-gil-is-the-cause", "pypy-is-an-alternative")
    claims, known = (
        [claim for claim in shipped.claims if claim.id in names],
        {"sum_squares": load_workload("sum_squares")},
    )
    run = gathered(timings)
    apart = [
        judge_case(claim, claimed, evidence.runtime, [run])
        for evidence in run
        for claim in claims
        if is_about(claim, evidence)
        for claimed in leaves(claim, known, 2)
    ]
    family = [case[p] for case in apart if case["q_holds"] is not None for p in ("q_holds", "q_fails")]
    cases = [case for row in judge(claims, run, known) for case in row["cases"] if case["q_holds"] is not None]
    assert len(cases) == 5, "three runtimes with a lock, the one without, and PyPy"
    found = [case[q] for case in cases for q in ("q_holds", "q_fails")]
    assert sorted(found) == pytest.approx(sorted(false_discovery_rate(family)))


@pytest.fixture(scope="module")
def pairs_of_samples() -> list[tuple[np.ndarray, np.ndarray]]:
    """log(speedup) by round with the lock off (truly 1.8) and on (1.0), of 1 000 sweeps of a machine as it is."""
    noise = {"sweeps": 1000, "laps": 6, "drift": 0.1, "disturbed": 0.1, "scatter": 0.03}
    both = [simulate({"threading-2": truth}, seed=seed, **noise) for seed, truth in ((21, 1.8), (22, 1.0))]
    found = []
    for one in both:
        logs = centres(paired(one), "log_ratio", [*CELL, "round"]).xs("threading", level="strategy")
        found.append([sweep.to_numpy() for _, sweep in logs.groupby(level="workload")])
    return list(zip(*found, strict=True))


def test_a_lock_ratios_interval_covers_the_truth(pairs_of_samples: list[tuple[np.ndarray, np.ndarray]]) -> None:
    found = [difference_interval(off, on) for off, on in pairs_of_samples]
    assert 0.93 <= sum(one.low <= 1.8 <= one.high for one in found) / len(found) <= 0.98


@pytest.mark.parametrize("holds", [{"above": 1.8}, {"below": 1.8}])
def test_on_its_threshold_a_lock_ratio_is_decided_in_at_most_5_of_100(
    holds: dict[str, float], pairs_of_samples: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    decided = [difference_tests(off, on, holds).p_holds < 0.05 for off, on in pairs_of_samples]
    assert 0.02 <= sum(decided) / len(decided) <= 0.065
