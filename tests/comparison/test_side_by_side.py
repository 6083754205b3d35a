"""Several runs side by side: what is the same work, by how much it differs, what changes an answer, what got worse."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.estimates import ESTIMATES
from gilscope.analysis.intervals import difference_interval, interval
from gilscope.bundles.reading import Bundle
from gilscope.comparison.matching import comparable, differences, unmatched
from gilscope.comparison.sides import NoBaseline, describe_sides, what_to_know
from gilscope.comparison.tables import lay_side_by_side
from gilscope.figures.comparison import Comparison
from gilscope.rendering.comparison.opening import runtimes_of

GATE = {"metric": "speedup", "tolerance": 0.05}
EPYC = {"cpu": "AMD EPYC", "usable_cores": 2, "os": "Linux"}
NAMELESS = {**EPYC, "cpu": None}
XEON = {"cpu": "Xeon", "usable_cores": 2, "os": "Linux"}
NO_OBSERVATIONS = pd.DataFrame(columns=["runtime", "lab", "case", "trial", "metric", "value", "unit"])
Logs = Mapping[tuple[str, str, int, str], np.ndarray]
"""(workload, strategy, workers, metric) → logarithms, one a round."""


def cells(logs: Logs, runtime: str = "cp311", tasks: int = 8, parameter: float = 1000.0) -> pd.DataFrame:
    """The estimates that rounds of these logarithms give."""
    rows = []
    for (workload, strategy, workers, metric), values in logs.items():
        found = interval(values)
        place = {"machine": "here", "runtime": runtime, "workload": workload, "kind": "cpu", "size": "large"}
        cell = {"tasks": tasks, "strategy": strategy, "workers": workers, "pool": "cold"}
        bounds = {"estimate": found.estimate, "low": found.low, "high": found.high, "rounds": found.rounds}
        about = {"parameter": parameter, "unit": "steps", "metric": metric, "noise_floor": 0.01, "flags": ""}
        rows.append({**place, **cell, **about, **bounds})
    return pd.DataFrame(rows, columns=ESTIMATES)


def bundle(
    label: str,
    estimates: pd.DataFrame | None = None,
    *,
    machine: Mapping[str, Any] = EPYC,
    verdicts: Mapping[str, Mapping[str, str]] | None = None,
    observations: pd.DataFrame = NO_OBSERVATIONS,
    threshold: float = 1.15,
    rounds: int = 5,
) -> Bundle:
    """A bundle of these estimates. verdicts: runtime → claim → verdict."""
    verdicts = verdicts or {"cp311": {}}
    described = {
        name: {
            "implementation": "CPython",
            "version": f"3.{name[3:5]}.1",
            "free_threaded": "t" in name,
            "gil": "nogil" not in name,
        }
        for name in verdicts
    }
    return Bundle(
        file=f"{label}.zip",
        digest=label,
        label=label,
        version="0.1.0",
        measured_from=0.0,
        measured_to=1.0,
        nodes=1,
        machine=dict(machine),
        runtimes={name: {**facts, "build": "", "compiler": ""} for name, facts in described.items()},
        config={"preset": "default", "measure": {"rounds": rounds}},
        estimates=cells({}) if estimates is None else estimates,
        verdicts=[
            {"claim": claim, "says": claim, "section": "speed", "runtime": runtime, "verdict": verdict, "reason": "",
             "cases": [{"case": "one", "verdict": verdict, "metric": "speedup", "threshold": {"below": threshold}}]}
            for runtime, found in verdicts.items()
            for claim, verdict in found.items()
        ],
        break_even=[],
        scaling=[],
        observations=observations,
    )  # fmt: skip


def compared(*bundles: Bundle, baseline: str | None = None, gate: Mapping[str, Any] = GATE) -> Any:
    return lay_side_by_side(bundles, [], [], baseline, gate)


def noisy(mean: float, rounds: int = 5, spread: float = 0.02, seed: int = 0) -> np.ndarray:
    return np.log(mean) + np.random.default_rng(seed).normal(0, spread, rounds)


def test_an_interval_gives_back_what_welchs_test_needs() -> None:
    """The difference of two estimates, of whose rounds nothing is left, is that of the rounds themselves."""
    here, there = noisy(1.9, 5, seed=1), noisy(1.4, 8, 0.05, seed=2)
    key = ("sum_squares", "threading", 2, "speedup")
    (row,) = differences(
        comparable(cells({key: here}).assign(side="b")), comparable(cells({key: there}).assign(side="a"))
    ).to_dict("records")
    wanted = difference_interval(here, there)
    assert [row["estimate"], row["low"], row["high"]] == pytest.approx([wanted.estimate, wanted.low, wanted.high])
    assert (row["side"], row["against"], row["outcome"]) == ("b", "a", "better")
    assert row["here"] == pytest.approx(math.exp(here.mean()))


@pytest.mark.parametrize(
    ("metric", "strategy", "here", "outcome"),
    [
        ("speedup", "threading", 1.5, "better"),
        ("speedup", "threading", 0.5, "worse"),
        ("speedup", "threading", 1.001, "alike"),
        ("seconds", "threading", 1.5, "worse"),
        ("seconds", "sequential", 0.5, "better"),
    ],
)
def test_what_is_better_depends_on_the_metric(metric: str, strategy: str, here: float, outcome: str) -> None:
    key = ("sum_squares", strategy, 2, metric)
    sides = [comparable(cells({key: noisy(mean)}).assign(side=mean)) for mean in (here, 1.0)]
    assert differences(*sides)["outcome"].tolist() == [outcome]


def test_the_probe_and_what_is_no_quantity_of_its_own_are_not_compared() -> None:
    logs = {("sleep", "sequential", 1, "speedup"): noisy(1), ("sleep", "threading", 2, "overlap"): noisy(1.5)}
    assert comparable(cells(logs).assign(side="a")).empty


def test_a_task_alone_is_compared_whatever_the_number_of_tasks_and_a_cell_is_not() -> None:
    """16 tasks in 2 s and 8 in 1 s are the same speed; a pool's start is shared among more."""
    alone, pool = ("sleep", "sequential", 1, "seconds"), ("sleep", "multiprocessing", 2, "seconds")
    here = comparable(cells({alone: noisy(2), pool: noisy(1)}, tasks=16).assign(side="b"))
    there = comparable(cells({alone: noisy(1), pool: noisy(0.5)}, tasks=8).assign(side="a"))
    (row,) = differences(here, there).to_dict("records")
    assert (row["strategy"], round(row["estimate"], 6), row["outcome"]) == ("sequential", 1.0, "alike")
    assert list(unmatched(here, there, "b", "a")) == [
        {"side": "b", "against": "a", "count": 1, "what": "sleep/large", "reason": "16 tasks here, 8 there"}
    ]


def test_what_cannot_be_compared_is_said_and_not_averaged() -> None:
    key, other = ("sleep", "threading", 2, "speedup"), ("sleep", "threading", 4, "speedup")
    here = comparable(pd.concat([cells({key: noisy(2)}, parameter=30_000), cells({other: noisy(2)})]).assign(side="b"))
    few = comparable(cells({other: noisy(2, rounds=2)}).assign(side="a"))
    there = comparable(pd.concat([cells({key: noisy(2)}), cells({("gone", *key[1:]): noisy(2)})]).assign(side="a"))
    assert differences(here, there).empty
    assert {row["reason"]: row["what"] for row in unmatched(here, there, "b", "a")} == {
        "30,000 steps here, 1,000 there": "sleep/large",
        "only measured here": "sleep/large",
        "only measured there": "gone/large",
    }
    assert differences(here, few)["outcome"].tolist() == ["unknown"]
    assert "too few rounds for an interval" in {row["reason"] for row in unmatched(here, few, "b", "a")}


def test_memory_may_be_nothing() -> None:
    key = ("sleep", "threading", 2, "memory_per_worker")
    none = cells({key: np.zeros(5)}).assign(estimate=0.0, low=0.0, high=0.0)
    some = cells({key: np.zeros(5)}).assign(estimate=4096.0, low=4000.0, high=4192.0)
    (row,) = differences(comparable(some.assign(side="b")), comparable(none.assign(side="a"))).to_dict("records")
    assert row["outcome"] == "worse"
    assert math.isnan(row["estimate"]), "no multiple of nothing"
    (row,) = differences(comparable(none.assign(side="b")), comparable(some.assign(side="a"))).to_dict("records")
    assert (row["outcome"], row["estimate"]) == ("better", 0.0)


def test_each_runtime_is_compared_with_its_own_and_a_new_one_with_the_first() -> None:
    one = cells({("sleep", "sequential", 1, "seconds"): noisy(1)})
    runtimes = {"cp311": {}, "cp312": {}}
    both = pd.concat([one, one.assign(runtime="cp312")])
    before, after = (bundle(label, both, verdicts=runtimes) for label in ("before", "after"))
    extra = bundle("extra", one.assign(runtime="cp314"), verdicts={"cp314": {}})
    found = compared(before, after, extra).tables["speeds"]
    assert dict(zip(found["side"], found["against"], strict=True)) == {
        "before · cp312": "before · cp311",
        "after · cp311": "before · cp311",
        "after · cp312": "before · cp312",
        "extra · cp314": "before · cp311",
    }


def test_speed_is_time_there_over_time_here() -> None:
    slow, fast = (cells({("sleep", "sequential", 1, "seconds"): noisy(mean)}) for mean in (2.0, 1.0))
    (row,) = compared(bundle("slow", slow), bundle("fast", fast)).tables["speeds"].to_dict("records")
    assert row["low"] < row["estimate"] < row["high"]
    assert row["estimate"] == pytest.approx(2.0)
    assert (row["parameter"], row["unit"], row["rounds"]) == (1000.0, "steps", 5)


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ([(EPYC, {"cp311": "confirmed"}), (XEON, {"cp311": "refuted"})], "machine"),
        ([(EPYC, {"cp311": "confirmed", "cp313t-nogil": "refuted"})], "runtime"),
        ([(EPYC, {"cp311": "confirmed"}), (EPYC, {"cp311": "refuted"})], "run"),
        ([(NAMELESS, {"cp311": "confirmed"}), (NAMELESS, {"cp311": "refuted"})], "unclear"),
        ([(EPYC, {"cp311": "confirmed"}), (XEON, {"cp312": "refuted"})], "either"),
        ([(EPYC, {"cp311": "confirmed"}), (XEON, {"cp312": "confirmed"})], "alike"),
        ([(EPYC, {"cp311": "confirmed"}), (XEON, {"cp311": "inconclusive"})], "open"),
        ([(EPYC, {"cp311": "not tested"}), (XEON, {"cp311": "not tested"})], "untested"),
        ([(EPYC, {"cp311": "mixed", "cp312": "refuted"}), (XEON, {"cp311": "refuted"})], "machine"),
    ],
)
def test_what_changes_the_answer(given: list[tuple[dict[str, Any], dict[str, str]]], outcome: str) -> None:
    bundles = [
        bundle(f"run-{number}", machine=machine, verdicts={name: {"claim": word} for name, word in verdicts.items()})
        for number, (machine, verdicts) in enumerate(given)
    ]
    (claim,) = compared(*bundles).documents["claims"]
    assert claim["outcome"] == outcome
    assert {told["verdict"] for told in claim["sides"].values()} == {w for _, words in given for w in words.values()}


def test_a_claim_with_another_threshold_is_not_compared() -> None:
    verdicts = {"cp311": {"claim": "confirmed"}}
    first, second = bundle("a", verdicts=verdicts), bundle("b", verdicts=verdicts, threshold=1.5)
    found = compared(first, second).documents
    assert list(found["claims"][0]["sides"]) == ["a · cp311"]
    assert {
        "side": "b · cp311",
        "against": "a",
        "count": 1,
        "what": "the claim claim",
        "reason": "another threshold",
    } in found["unmatched"]


def many(change: float, spread: float, count: int = 40, seed: int = 0) -> pd.DataFrame:
    rows = {
        ("sum_squares", "threading", workers, "speedup"): noisy(2.0 * change, 5, spread, seed + workers)
        for workers in range(1, count + 1)
    }
    return cells(rows)


@pytest.mark.parametrize(("change", "worse"), [(0.7, True), (0.97, False), (1.4, False)])
def test_the_gate_closes_where_something_got_worse_by_more_than_it_may(change: float, worse: bool) -> None:
    before, after = bundle("before", many(1, 0.01)), bundle("after", many(change, 0.01, seed=100))
    gate = compared(before, after, baseline="before.zip").documents["gate"]
    assert gate["compared"] == 40
    assert bool(gate["worse"]) is worse
    assert all(row["here"] < row["there"] and row["side"] == "after · cp311" for row in gate["worse"])


def test_the_gate_is_not_closed_by_noise() -> None:
    """Forty cells that differ by noise alone, twenty times: about one false alarm is what 5 % allows; none here."""
    closed = [
        bool(
            compared(
                bundle("a", many(1, 0.1, seed=seed)), bundle("b", many(1, 0.1, seed=seed + 5000)), baseline="a"
            ).documents["gate"]["worse"]
        )
        for seed in range(0, 2000, 100)
    ]
    assert sum(closed) <= 2


def test_differences_are_corrected_for_how_many_there_are() -> None:
    """Of a thousand cells that differ by noise alone, some fifty intervals leave 1 out, and nothing is called better or worse."""
    found = compared(bundle("a", many(1, 0.1, 500)), bundle("b", many(1, 0.1, 500, seed=5000))).tables["differences"]
    assert 10 < ((found["low"] > 1) | (found["high"] < 1)).sum() < 60
    assert (found["outcome"] != "alike").sum() <= 1


def test_the_gate_judges_no_other_runtime_of_the_baseline_itself() -> None:
    both = pd.concat([many(1, 0.01), many(0.5, 0.01).assign(runtime="cp312")])
    before = bundle("before", both, verdicts={"cp311": {}, "cp312": {}})
    gate = compared(before, bundle("after", many(1, 0.01, seed=100)), baseline="before").documents["gate"]
    assert (gate["compared"], gate["worse"]) == (40, [])


def test_the_gate_judges_a_change_of_python_but_no_stranger_beside_the_same_runtime() -> None:
    before = bundle("before", many(1, 0.01))
    slower = many(0.5, 0.01, seed=100).assign(runtime="cp312")
    upgraded = bundle("after", slower, verdicts={"cp312": {}})
    assert len(compared(before, upgraded, baseline="before").documents["gate"]["worse"]) == 40
    beside = bundle("after", pd.concat([many(1, 0.01, seed=200), slower]), verdicts={"cp311": {}, "cp312": {}})
    assert compared(before, beside, baseline="before").documents["gate"]["worse"] == []


def test_without_a_baseline_there_is_no_gate_and_an_unknown_one_is_named() -> None:
    assert compared(bundle("a"), bundle("b")).documents["gate"] == {}
    with pytest.raises(NoBaseline, match=r"'lost\.zip', which is none of the bundles that could be read: a, b\."):
        compared(bundle("a"), bundle("b"), baseline="lost.zip")


def test_the_baseline_comes_first_and_what_differs_is_said() -> None:
    found = compared(bundle("a"), bundle("b", rounds=3), baseline="b").documents["sides"]
    assert [side["side"] for side in found["sides"]] == ["b · cp311", "a · cp311"]
    assert found["notes"] == ["The number of rounds differs: 3 in b; 5 in a."]


def test_a_baseline_that_is_a_file_is_that_file() -> None:
    """Before and after a change on one machine: two files of one name, in two folders."""
    after, before = bundle("a"), replace(bundle("a-2"), file="before/a.zip")
    sides = compared(after, before, baseline="before/a.zip").documents["sides"]["sides"]
    assert [side["file"] for side in sides] == ["before/a.zip", "a.zip"]
    assert compared(after, before, baseline="a").documents["sides"]["sides"][0]["file"] == "a.zip"


def test_labs_are_summed_up_over_their_trials() -> None:
    seen = pd.DataFrame(
        [("cp311", "startup", "fork", trial, "first_s", value, "s") for trial, value in enumerate((0.01, 0.02, 0.04, 0.0))]
        + [("cp311", "messages", "Pipe, 1 KiB, bytes", 0, "round_trip_s", 1e-4, "s"), ("cp311", "startup", "fork", 0, "odd", 1.0, "s")],
        columns=list(NO_OBSERVATIONS),
    )  # fmt: skip
    fork, pipe = (
        compared(bundle("a", observations=seen)).tables["labs"].sort_values("lab", ascending=False).to_dict("records")
    )
    assert (fork["side"], fork["case"], fork["trials"]) == ("a · cp311", "fork", 3)
    assert fork["low"] < fork["estimate"] < fork["high"]
    assert fork["estimate"] == pytest.approx(0.02)
    assert pipe["trials"] == 1
    assert math.isnan(pipe["low"])


def test_what_is_written_is_what_the_page_reads(tmp_path: Path) -> None:
    found = compared(bundle("a", many(1, 0.01)), bundle("b", many(0.5, 0.01, seed=100)), baseline="a")
    found.write(tmp_path)
    read = Comparison.read(tmp_path)
    assert read.names == ["a · cp311", "b · cp311"]
    assert read.gate["worse"] == json.loads(json.dumps(found.documents["gate"]["worse"]))
    pd.testing.assert_frame_equal(read.differences, found.tables["differences"])
    for name in ("cells", "speeds", "labs"):
        assert sorted(getattr(read, name)) == sorted(found.tables[name]), name


def test_one_bundle_alone_has_nothing_to_compare() -> None:
    found = compared(bundle("a", many(1, 0.01)))
    assert found.tables["differences"].empty
    assert found.tables["speeds"].empty
    assert len(found.documents["sides"]["sides"]) == 1


O3 = {"debug": False, "optimisation": "O3", "pgo": True, "lto": "yes", "flags": "1a"}
ALIKE = "GCC 14.2, -O3, PGO, LTO"


def with_build(label: str, compiler: str = "GCC 14.2", **built: Any) -> Bundle:
    one = bundle(label)
    facts = {**one.runtimes["cp311"], "compiler": compiler, **({"built": built} if built else {})}
    return replace(one, runtimes={"cp311": facts})


@pytest.mark.parametrize(
    ("bundles", "notes"),
    [
        ([with_build("a", **O3), with_build("b", **O3)], []),
        ([with_build("a", **O3), with_build("b")], []),
        ([with_build("a"), with_build("b", "")], []),
        (
            [with_build("a"), with_build("b", "Clang 18", **O3)],
            ["The build of cp311 differs: GCC 14.2 in a; Clang 18 in b."],
        ),
        (
            [with_build("a", **O3), with_build("b", **{**O3, "pgo": False})],
            ["The build of cp311 differs: GCC 14.2, -O3, PGO, LTO in a; GCC 14.2, -O3, no PGO, LTO in b."],
        ),
        (
            [with_build("a", **O3), with_build("b", **{**O3, "flags": "2b"})],
            [
                f"The build of cp311 differs: {ALIKE}, flags 1a in a; {ALIKE}, flags 2b in b.",
            ],
        ),
        (
            [with_build("a", debug=True)],
            ["a: do not take cp311 for a release: it is a debug build, whose checks take much of its time."],
        ),
        (
            [with_build(f"m{number}", f"GCC {number}") for number in range(9)],
            [
                "The build of cp311 differs: GCC 0 in m0; GCC 1 in m1; GCC 2 in m2; GCC 3 in m3; and 5 other builds.",
            ],
        ),
    ],
)
def test_builds_that_differ_say_so(bundles: list[Bundle], notes: list[str]) -> None:
    assert what_to_know(bundles) == notes


def test_each_side_tells_its_build_on_the_page() -> None:
    sides = describe_sides([with_build("a", **O3), with_build("b")])
    assert [side["built"] for side in sides] == ["GCC 14.2, -O3, PGO, LTO", "GCC 14.2"]
    assert runtimes_of(sides) == [
        ("CPython 3.11.1 (cp311)", "GCC 14.2, -O3, PGO, LTO"),
        ("CPython 3.11.1 (cp311)", "GCC 14.2"),
    ]
