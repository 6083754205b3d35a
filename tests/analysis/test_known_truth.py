"""What the statistics make of data whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.drift import flag_drift
from gilscope.analysis.estimates import centres, estimate, paired
from gilscope.analysis.intervals import interval, threshold_tests
from gilscope.analysis.pronouncing import decide
from gilscope.analysis.tables import CELL
from simulated import simulate, stretches

SWEEPS = 2000
TRUE = {"threading-2": 1.0, "multiprocessing-2": 1.8}
EFFECT, SCATTER, ROUNDS = 1.1, 0.02, 5


@pytest.fixture(scope="module")
def sweeps() -> pd.DataFrame:
    """Two thousand sweeps of a machine as it is: two speeds, drift, one round in ten disturbed, a few per cent noise."""
    return simulate(TRUE, sweeps=SWEEPS, laps=6, drift=0.1, disturbed=0.1, scatter=0.03)


def log_centres(timings: pd.DataFrame) -> pd.Series:
    return centres(paired(timings), "log_ratio", [*CELL, "round"])


def coverage(logs: pd.Series, strategy: str, truth: float) -> float:
    found = [interval(one.to_numpy()) for _, one in logs.xs(strategy, level="strategy").groupby(level="workload")]
    return sum(one.low <= truth <= one.high for one in found) / len(found)


def test_intervals_cover_the_truth_in_95_of_100_sweeps(sweeps: pd.DataFrame) -> None:
    logs = log_centres(sweeps)
    found = {name: coverage(logs, name.rpartition("-")[0], truth) for name, truth in TRUE.items()}
    found["A/A"] = coverage(logs, "sequential", 1.0)
    assert {name: 0.93 <= share <= 0.97 for name, share in found.items()} == dict.fromkeys(found, True), found


def test_a_machine_that_slows_down_by_30_per_cent_moves_the_paired_speedup_by_less_than_2() -> None:
    cell = {"multiprocessing-2": 1.8}
    logs = log_centres(simulate(cell, sweeps=200, laps=6, drift=0.3))
    found = np.exp(logs.xs("multiprocessing", level="strategy").groupby(level="workload").mean())
    unpaired = stretches(cell, sweeps=200, drift=0.3)["multiprocessing-2"]
    assert abs(found.median() / 1.8 - 1) < 0.02
    assert abs(np.median(unpaired) / 1.8 - 1) > 0.05


def family(truths: np.ndarray, threshold: float, random: np.random.Generator) -> list[str]:
    """The verdicts of one run, a case for each truth."""
    cases = []
    for truth in truths:
        logs = random.normal(math.log(truth), SCATTER, ROUNDS)
        tests = threshold_tests(logs, {"above": threshold})
        cases.append({"q_holds": tests.p_holds, "q_fails": tests.p_fails, "verdict": "inconclusive", "reason": ""})
    decide(cases)
    return [case["verdict"] for case in cases]


def test_where_nothing_is_true_at_most_5_per_cent_of_families_contain_a_verdict() -> None:
    random = np.random.default_rng(11)
    families = [family(np.full(20, EFFECT), EFFECT, random) for _ in range(1000)]
    wrong = sum(set(verdicts) != {"inconclusive"} for verdicts in families) / len(families)
    assert 0.02 < wrong <= 0.065, "5 %, and twice its standard error"


def test_in_mixtures_the_false_discovery_rate_is_at_most_5_per_cent() -> None:
    random = np.random.default_rng(12)
    truths = np.repeat([EFFECT, EFFECT * 1.08, EFFECT / 1.08], [30, 10, 10])
    shares = []
    for _ in range(400):
        verdicts = family(truths, EFFECT, random)
        right = {0: "inconclusive", 1: "confirmed", 2: "refuted"}
        decided = [(place, verdict) for place, verdict in enumerate(verdicts) if verdict != "inconclusive"]
        wrong = [place for place, verdict in decided if verdict != right[(place >= 30) + (place >= 40)]]
        shares.append(len(wrong) / max(1, len(decided)))
    assert np.mean(shares) <= 0.05 + 2 * np.std(shares) / math.sqrt(len(shares))
    assert np.mean(shares) > 0, "the mixture has something to get wrong"


def test_a_10_per_cent_effect_is_found(record_property: pytest.RecordProperty) -> None:
    """A single test at 5 %; and, reported beside it, the same in a family of 100 of which 10 are such effects."""
    random = np.random.default_rng(13)
    alone = [
        threshold_tests(random.normal(math.log(EFFECT), SCATTER, ROUNDS), {"above": 1.0}).p_holds < 0.05
        for _ in range(1000)
    ]
    truths = np.repeat([EFFECT, 1.0], [10, 90])
    together = [family(truths, 1.0, random)[:10].count("confirmed") / 10 for _ in range(100)]
    record_property("power alone", float(np.mean(alone)))
    record_property("power in a family of 100", float(np.mean(together)))
    assert np.mean(alone) >= 0.9
    assert np.mean(together) >= 0.5


def warming(share: float, rounds: int = 5, laps: int = 8) -> pd.DataFrame:
    """Values of 60 cells that stay as they are, and of one that is slower by a share in lap 1 and one that drifts."""
    random = np.random.default_rng(5)
    rows = []
    for cell in [*map(str, range(60)), "warming", "drifting"]:
        for number in range(rounds):
            for lap in range(1, laps + 1):
                extra = {"warming": share * (lap == 1), "drifting": share * (lap - 1) / (laps - 1)}.get(cell, 0.0)
                rows.append((cell, number, lap, extra + random.normal(0, 0.01)))
    return pd.DataFrame(rows, columns=["cell", "round", "lap", "log_ratio"])


def test_warm_up_and_drift_within_a_process_are_flagged_and_nothing_else_is() -> None:
    flags = flag_drift(warming(0.2), "log_ratio", ["cell"])
    assert {key[0] for key in flags} == {"warming", "drifting"}
    assert "still warms up in lap 1 (+2" in flags["warming",]
    assert "drifts within a round (+2" in flags["drifting",]
    assert flag_drift(warming(0.04, rounds=12), "log_ratio", ["cell"]) == {}, "4 % is not worth a flag"
    assert flag_drift(warming(0.2, rounds=2), "log_ratio", ["cell"]) == {}, "two rounds tell nothing"


def test_a_cell_that_warms_up_is_flagged_in_the_estimates() -> None:
    timings = simulate({"threading-2": 1.0}, laps=8, two_speeds=False, scatter=0.005)
    slow = (timings["strategy"] == "threading") & (timings["lap"] == 1)
    timings.loc[slow, "seconds"] *= 1.4
    places = timings[["runtime", "workload", "size"]].drop_duplicates()
    rounds = places.assign(job="measure", round=1, parameter=1.0, unit="steps", flags="memory was swapped")
    traces = pd.DataFrame(columns=[*CELL, "round", "effective_cores", "overlap", "idle_share", "memory_per_worker"])
    found = estimate(timings, traces, rounds).set_index(["strategy", "metric"])["flags"]
    assert found["threading", "speedup"] == "memory was swapped (1 of 1 rounds); still warms up in lap 1 (-29 %)"
    assert found["sequential", "speedup"] == "memory was swapped (1 of 1 rounds)"
