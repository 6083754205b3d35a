"""A real run over several interpreters: each measures real blocks, and what one of them cannot do costs its cells."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from clones import clone, jobs, run_in
from interpreters import found

SWEEP = """
preset: several
machine: here
budget_minutes: 0
measure: {{rounds: 3, seconds: 0.2, min_laps: 2, limit_s: 20}}
environments: {{downloads: false}}
runtimes:
  - python: current
  - {{name: older, python: {older}}}
  - {{name: pypy, python: {pypy}}}
  - {{name: lock-on, python: {free}, gil: true}}
  - {{name: lock-off, python: {free}, gil: false}}
  - {{name: future, python: "3.99", optional: true}}
sweep:
  claims: false
  workloads:
    - {{name: sum_squares, sizes: [large], strategies: [threading, multiprocessing], workers: [2]}}
    - {{name: chunk_stats, sizes: [small], strategies: [threading], workers: [2]}}
    - {{name: own/fragile.py, sizes: [small], strategies: [threading, multiprocessing], workers: [2]}}
labs: {{names: [joining]}}
parameters:
  sum_squares: {{large: 20000}}
  fragile: {{small: 1}}
"""
FRAGILE = '''
import multiprocessing, os, platform, sys

from gilscope.workloads import workload


@workload(kind="cpu", sizes={"small": 1})
def fragile(number):
    """Crashes in the processes of one version, hangs in those of another."""
    if multiprocessing.parent_process() is not None:
        if sys.version_info[:2] == (3, 9) and platform.python_implementation() == "CPython":
            os.abort()
    elif sys.version_info[:2] == (3, 9) and platform.python_implementation() == "PyPy":
        os.abort()
    return number
'''
RESULTS = "results/here-several"


@pytest.fixture(scope="module")
def several(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose sweep over all kinds of runtimes has run to its end."""
    runtimes = {"older": found("3.9"), "pypy": found("pypy3.9"), "free": found("3.13t")}
    folder = clone(root, tmp_path_factory.mktemp("several") / "clone")
    (folder / "tiny.yaml").write_text(SWEEP.format(**runtimes))
    (folder / "own").mkdir()
    (folder / "own/fragile.py").write_text(FRAGILE)
    done = run_in(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def facts(folder: Path, runtime: str) -> dict:
    return json.loads((folder / RESULTS / f"runtimes/{runtime}.json").read_text())


def test_each_runtime_measures_real_blocks(several: Path) -> None:
    timings = pd.read_parquet(several / RESULTS / "timings.parquet")
    blocks = timings[timings["workload"] == "sum_squares"].groupby("runtime")
    assert {name for name, _ in blocks} >= {"cp39", "pypy39", "cp313t-gil", "cp313t-nogil"}
    for _, block in blocks:
        assert set(block["round"]) == {1, 2, 3}
        assert set(block["strategy"]) == {"sequential", "threading", "multiprocessing", "ceiling", "asyncio"}
    told = timings.drop_duplicates("runtime").set_index("runtime")
    assert told.loc["pypy39", "implementation"] == "PyPy"
    assert told.loc[["cp39", "cp313t-gil", "cp313t-nogil"], "gil"].tolist() == [True, True, False]


def test_the_lock_is_read_back_in_the_workers(several: Path) -> None:
    workers = json.loads((several / RESULTS / "workers.json").read_text())
    for runtime, gil in (("cp39", True), ("pypy39", True), ("cp313t-gil", True), ("cp313t-nogil", False)):
        assert {row["gil"] for row in workers if row["runtime"] == runtime} == {gil}


def test_the_rounds_of_the_runtimes_interleave(several: Path) -> None:
    """Round 1 of a block in every runtime before round 1 of the next block; the other way round in round 2."""
    rounds = pd.read_parquet(several / RESULTS / "rounds.parquet").query("job == 'measure'").sort_values("started")
    count = rounds["runtime"].nunique()
    assert rounds["round"].is_monotonic_increasing
    turns = [list(rounds["runtime"][place : place + count]) for place in range(0, len(rounds), count)]
    assert all(len(set(turn)) == count for turn in turns)
    assert turns[0] == turns[3][::-1] != turns[3]


def test_what_a_runtime_lacks_costs_its_own_blocks(several: Path) -> None:
    gaps = json.loads((several / RESULTS / "gaps.json").read_text())
    (pandas,) = [gap for gap in gaps if gap["runtime"] == "pypy39" and gap.get("workload") == "chunk_stats"]
    assert "has no wheel for it" in pandas["reason"]
    assert "pandas" in facts(several, "pypy39")["missing"]
    (future,) = [gap for gap in gaps if gap["runtime"] == "future"]
    assert future["state"] == "not to be had"


def test_a_crash_costs_the_cells_of_that_runtime(several: Path) -> None:
    gaps = json.loads((several / RESULTS / "gaps.json").read_text())
    timings = pd.read_parquet(several / RESULTS / "timings.parquet").query("workload == 'fragile'")
    assert {"threading", "multiprocessing"} <= set(timings[timings["runtime"] == "cp313t-gil"]["strategy"])
    assert set(timings[timings["runtime"] == "cp39"]["strategy"]) >= {"sequential", "threading"}
    assert "multiprocessing" not in set(timings[timings["runtime"] == "cp39"]["strategy"])
    assert any(gap["runtime"] == "cp39" and gap.get("cell") == "multiprocessing-2" for gap in gaps)
    assert "pypy39" not in set(timings["runtime"])
    assert any(
        "SIGABRT" in gap["reason"] for gap in gaps if (gap["runtime"], gap.get("workload")) == ("pypy39", "fragile")
    )


def test_the_claims_are_judged_for_each_runtime(several: Path) -> None:
    verdicts = json.loads((several / RESULTS / "verdicts.json").read_text())
    told = {(row["claim"], row["runtime"]): row for row in verdicts}
    assert told["threads-slow-cpu-down", "cp313t-nogil"]["reason"] == "is about the lock, and this runtime has none"
    cause = told["the-gil-is-the-cause", "cp313t-nogil"]["cases"][0]
    assert cause["estimate"] or "unconnected processes themselves" in cause["reason"]
    assert told["pypy-is-an-alternative", "pypy39"]["cases"][0]["estimate"] > 1
    page = (several / RESULTS / "report.html").read_text(encoding="utf-8")
    assert "PyPy" in page
    assert "future" in page


def test_a_second_run_measures_nothing(several: Path) -> None:
    assert set(jobs(run_in(several, "-n"))) <= {"all"}
