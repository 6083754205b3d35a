"""A real sweep with a budget: rounds are added where something is open, and what was measured is never measured again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from apart import apart
from clones import clone, command, jobs, measuring_processes, run_in, unlocked
from gilscope.analysis.budget import ANALYSIS_S, spent_on
from gilscope.measuring.raw import read_values

SWEEP = """
preset: budget
machine: here
budget_minutes: 0
measure: {rounds: 3, seconds: 0.9, min_laps: 1}
claims: [own/claims.yaml]
sweep:
  workloads:
    - {name: own/restless.py, sizes: [small], strategies: [threading], workers: [1, 2]}
    - {name: sleep, sizes: [medium], strategies: [threading], workers: [4]}
labs: {names: false}
"""
RESTLESS = '''
import random, time

from gilscope.workloads import workload


@workload(kind="io", sizes={"small": 0.01}, unit="s")
def restless(seconds):
    """Waits for now a tenth, now three times the seconds."""
    time.sleep(seconds * 3 * 0.03 ** random.random())
    return seconds
'''
CLAIM = """
  - {{id: {name}, slide: none, says: Something., metric: speedup, of: threading, holds: {{above: {above}}},
     cases: [{{workload: {workload}, size: {size}, workers: {workers}, pool: {pool}}}]}}"""
ABOUT = ("restless", "small", 1)
CLAIMS = "claims:" + "".join(
    CLAIM.format(name=name, above=above, workload=workload, size=size, workers=workers, pool=pool)
    for name, above, (workload, size, workers), pool in (
        ("open", 1.0, ABOUT, "cold"),
        ("open-when-warm", 1.0, ABOUT, "warm"),
        ("clear", 0.01, ("sleep", "medium", 4), "cold"),
    )
)
RESULTS = "results/here-budget"
VERDICTS = f"{RESULTS}/verdicts.json"
UP_TO = (VERDICTS, f"{RESULTS}/allocation.json")
OPEN = {"threading-1", "threading-1-warm"}


def with_budget(folder: Path, minutes: float) -> subprocess.CompletedProcess[str]:
    """A run up to the verdicts, without figures and report."""
    done = run_in(folder, *UP_TO, "--config", f"budget_minutes={minutes}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def minutes_for(folder: Path, left_s: float) -> float:
    """The budget that leaves so many seconds beyond what this run has spent."""
    return (spent_on(pd.read_parquet(folder / RESULTS / "rounds.parquet")).whole + ANALYSIS_S + left_s) / 60


def allocation(folder: Path) -> Any:
    return json.loads((folder / RESULTS / "allocation.json").read_text())


def measured(folder: Path) -> dict[str, int]:
    """What was measured, with the time of each file."""
    files = [*folder.glob(f"{RESULTS}/raw/**/*.json"), *folder.glob(f"{RESULTS}/traces/**/*.json")]
    return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in files}


def unchanged(before: dict[str, int], folder: Path) -> bool:
    now = measured(folder)
    return {file: now.get(file) for file in before} == before


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to, symlinks=True)
    return to


def facts_of(folder: Path, rows: Iterable[Any]) -> list[Path]:
    return [folder / RESULTS / "raw" / row["block"] / f"round-{row['round']}.facts.json" for row in rows]


@pytest.fixture(scope="module")
def pilot(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that has measured the rounds that every block gets, and no more."""
    folder = clone(root, tmp_path_factory.mktemp("pilot") / "clone")
    (folder / "own").mkdir()
    (folder / "own/restless.py").write_text(RESTLESS)
    (folder / "own/claims.yaml").write_text(CLAIMS)
    (folder / "tiny.yaml").write_text(SWEEP)
    done = run_in(folder, VERDICTS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (folder / RESULTS / "allocation.json").exists()
    return folder


@pytest.fixture(scope="module")
def added(pilot: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The same with a budget that some seconds are left of, and that budget."""
    folder, minutes = copied(pilot, tmp_path_factory.mktemp("added") / "clone"), minutes_for(pilot, 8)
    done = run_in(folder, "--config", f"budget_minutes={minutes}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "allocate" in jobs(done)
    assert not {"begin", "describe_machine"} & set(jobs(done))
    assert jobs(done).count("measure") == len(allocation(folder)["rounds"]) > 0
    return folder, minutes


def test_rounds_are_added_where_something_is_open_and_take_nothing_else(pilot: Path, added: Any) -> None:
    folder, _ = added
    found = allocation(folder)
    assert unchanged(measured(pilot), folder)
    assert {case["claim"] for case in found["open"]} <= {"open", "open-when-warm"}
    assert {row["block"].partition("/")[2] for row in found["rounds"]} == {"restless/small"}
    assert [row["round"] for row in found["rounds"]] == list(range(4, 4 + len(found["rounds"])))
    for row, facts in zip(found["rounds"], facts_of(folder, found["rounds"]), strict=True):
        assert row["stage"] == 2
        assert set(row["only"]) <= OPEN
        told = json.loads(facts.read_text())
        assert (told["stage"], told["only"], told["laps"]) == (2, row["only"], row["laps"])
        values = read_values(str(facts).replace(".facts.json", ".json"))
        assert {value.cell for value in values} == {"sequential-1", *row["only"]}
        trace = json.loads(Path(str(facts).replace("/raw/", "/traces/").replace(".facts", "")).read_text())
        assert trace["cells"] == {}, "no claim rests on the traces"


def test_the_tables_hold_the_rounds_that_were_added(added: Any) -> None:
    folder, _ = added
    count = len(allocation(folder)["rounds"])
    for name, last in (("timings", 3 + count), ("traces", 3)):
        table = pd.read_parquet(folder / RESULTS / f"{name}.parquet")
        assert table.groupby("workload")["round"].max().to_dict() == {"restless": last, "sleep": 3}
    rounds = pd.read_parquet(folder / RESULTS / "rounds.parquet").query("job == 'measure'")
    assert rounds["stage"].value_counts().to_dict() == {1: 6, 2: count}
    verdicts = {row["claim"]: row for row in json.loads((folder / VERDICTS).read_text())}
    assert verdicts["clear"]["verdict"] == "confirmed"
    assert verdicts["clear"]["cases"][0]["counted"] == "3 rounds"
    assert verdicts["open"]["cases"][0]["counted"] == f"{3 + count} rounds"


def test_the_same_budget_has_nothing_left_to_do(added: Any) -> None:
    folder, minutes = added
    assert jobs(with_budget(folder, minutes)) == []


def test_a_larger_budget_adds_rounds_and_measures_none_again_wherever_the_clone_is_and_whoever_kills_it(
    added: Any, tmp_path: Path
) -> None:
    folder, _ = added
    moved = copied(folder, tmp_path / "else where")
    before, first = measured(moved), allocation(moved)["rounds"]
    budget = f"budget_minutes={minutes_for(moved, 12)}"
    killed_among_added_rounds(moved, budget, 3 + len(first) + 1)
    rows = allocation(moved)["rounds"]
    assert rows[: len(first)] == first
    assert {row["stage"] for row in rows[len(first) :]} == {3}
    left = [file for file in facts_of(moved, rows) if not file.exists()]
    assert left, "it was killed too late"
    assert "resuming" in unlocked(moved)
    done = run_in(moved, *UP_TO, "--config", budget)
    assert done.returncode == 0, done.stdout + done.stderr
    assert allocation(moved)["rounds"] == rows
    assert unchanged(before, moved)
    assert len(left) <= jobs(done).count("measure") <= len(left) + 1, "only what had not been noted may be repeated"
    assert all(file.exists() for file in facts_of(moved, rows))


def killed_among_added_rounds(folder: Path, budget: str, number: int) -> None:
    """Start a run with this budget, and kill it once the open block has its round of this number."""
    process = subprocess.Popen(
        command(*UP_TO, "--config", budget),
        cwd=folder,
        env={**os.environ, **apart(folder.parent)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob(f"{RESULTS}/raw/*/restless/small/round-{number}.facts.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    deadline = time.monotonic() + 20
    while measuring_processes(folder):
        assert time.monotonic() < deadline, "an orphan goes on measuring"
        time.sleep(0.1)


def test_what_is_there_is_reported_with_the_rounds_that_were_added(added: Any, tmp_path: Path) -> None:
    folder = copied(added[0], tmp_path / "clone")
    rows = allocation(folder)["rounds"]
    facts_of(folder, rows)[-1].unlink()
    done = run_in(folder, VERDICTS, "--config", "only_existing=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not {"begin", "measure", "allocate"} & set(jobs(done))
    rounds = pd.read_parquet(folder / RESULTS / "rounds.parquet").query("job == 'measure'")
    assert rounds["stage"].value_counts().get(2, 0) == len(rows) - 1
