"""One small block, in two rounds of which the first calibrates, through the script that the workflow calls."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from apart import apart
from gilscope.measuring import rounds
from gilscope.measuring.raw import read_values
from gilscope.measuring.rounds import facts_of
from gilscope.running.cells import Block, Turn

CELLS = (
    "threading-2",
    "asyncio-2",
    "multiprocessing-2-warm",
    "multiprocessing-spawn-2",
    "ceiling-2-warm",
    "telepathy-2",
)
RUN = tuple(cell for cell in CELLS if cell != "telepathy-2")
Measure = Callable[..., "subprocess.CompletedProcess[str]"]
Read = Callable[[Path], Any]


def own_block(folder: Path, name: str, source: str, cells: tuple[str, ...] = ("threading-2",)) -> Block:
    """A block of a user's own workload, written to the folder."""
    (folder / f"{name}.py").write_text(source)
    return Block("cp311", name, "small", 1, 4, cells, 0.1, 2, str(folder))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, measure: Measure) -> Path:
    """The folder of a block's two rounds."""
    folder = tmp_path_factory.mktemp("block")
    block = Block("cp311", "sum_squares", "small", 2000, 8, CELLS, 0.5, 3)
    for number in (1, 2):
        done = measure(block, folder, number)
        assert done.returncode == 0, done.stderr
    return folder


def test_calibration_says_what_will_be_measured(measured: Path, read: Read) -> None:
    calibration = read(measured / "calibration.json")
    assert calibration["cells"] == list(RUN)
    assert calibration["skipped"]["telepathy-2"] == "no such strategy"
    assert calibration["failed"] == {}
    assert set(calibration["loops"]) == {"sequential-1", *RUN}
    assert calibration["laps"] >= 3


def test_every_lap_takes_every_cell(measured: Path, read: Read) -> None:
    laps = read(measured / "calibration.json")["laps"]
    values = read_values(str(measured / "round-1.json"))
    for lap in range(1, laps + 1):
        assert {value.cell for value in values if value.lap == lap} == {"sequential-1", *RUN}
    assert max(value.lap for value in values) == laps


def test_rounds_share_the_calibration_but_not_the_order(measured: Path, read: Read) -> None:
    first, second = (read_values(str(measured / f"round-{number}.json")) for number in (1, 2))
    loops = read(measured / "calibration.json")["loops"]
    assert all(value.loops == loops[value.cell] for value in first + second)
    assert len(first) == len(second)
    assert [value.cell for value in first] != [value.cell for value in second]


@pytest.mark.parametrize("command", ["stats", "hist", "check", "compare_to"])
def test_pyperf_reads_the_raw_files(measured: Path, command: str) -> None:
    files = ["round-1.json", "round-2.json"][: 2 if command == "compare_to" else 1]
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", command, *files], cwd=measured, capture_output=True, text=True, check=False
    )
    # check exits with 1 when it finds the few values of a test's round unstable
    assert done.returncode == 0 or command == "check", done.stderr
    assert command == "check" or "multiprocessing-spawn-2" in done.stdout
    assert "Traceback" not in done.stderr


def test_facts_tell_when_and_where(measured: Path, read: Read) -> None:
    first, second = (read(measured / f"round-{number}.facts.json") for number in (1, 2))
    assert first["started"] < first["ended"] <= second["started"] < second["ended"]
    assert (first["round"], second["round"]) == (1, 2)
    assert first["not_applicable"] is None
    assert set(first["skipped"]) == {"telepathy-2"}
    assert first["laps"] == read(measured / "calibration.json")["laps"]
    assert first["environment"]["after"]["busy_s"] >= first["environment"]["before"]["busy_s"]
    assert isinstance(first["gil"], bool)


def test_workers_say_how_they_ran(measured: Path, read: Read) -> None:
    workers = read(measured / "calibration.json")["workers"]
    assert set(workers) == set(RUN)
    assert workers["threading-2"]["processes"] == 1
    assert workers["asyncio-2"]["threads"] == 1
    for said in workers.values():
        assert isinstance(said["gil"], bool)


def test_cold_stays_cold(measured: Path, read: Read) -> None:
    """A spawned worker imports the main script again, and that must not bring anything heavy."""
    assert read(measured / "calibration.json")["workers"]["multiprocessing-spawn-2"]["imported"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has spawn alone")
def test_the_first_lap_is_as_cold_as_the_third(tmp_path: Path, measure: Measure) -> None:
    """A forkserver, or a resource tracker, that outlived a value would halve the time of the next."""
    cells = ("multiprocessing-fork-2", "multiprocessing-forkserver-2", "multiprocessing-spawn-2")
    block = Block("cp311", "sum_squares", "small", 100, 4, cells, 0.1, 4)
    ratios: dict[str, list[float]] = {cell: [] for cell in cells}
    for number in range(1, 6):
        done = measure(block, tmp_path, number)
        assert done.returncode == 0, done.stderr
        seconds = {
            (value.cell, value.lap): value.seconds for value in read_values(str(tmp_path / f"round-{number}.json"))
        }
        for cell in cells:
            ratios[cell].append(seconds[cell, 1] / seconds[cell, 3])
    medians = {cell: statistics.median(found) for cell, found in ratios.items()}
    assert {cell: median < 1.5 for cell, median in medians.items()} == dict.fromkeys(cells, True), medians


def test_nothing_private_is_written(measured: Path) -> None:
    private = [socket.gethostname(), str(Path.home()), sys.executable, sys.prefix, str(measured)]
    for file in measured.rglob("*.json"):
        text = file.read_text()
        assert "hostname" not in text
        assert not [found for found in private if f'"{found}' in text or (len(found) > 8 and found in text)], file.name


def test_nothing_is_left_lying_about(measured: Path) -> None:
    files = {path.name for path in measured.iterdir()} - {"gilscope-measuring.lock"}
    assert files == {"calibration.json", "traces"} | {
        f"round-{number}.{kind}" for number in (1, 2) for kind in ("json", "facts.json")
    }
    assert {path.name for path in (measured / "traces").iterdir()} == {
        f"round-{number}.{kind}" for number in (1, 2) for kind in ("json", "trace.json")
    }


def test_a_round_that_was_added_takes_what_it_was_added_for(measured: Path, measure: Measure, read: Read) -> None:
    block = Block("cp311", "sum_squares", "small", 2000, 8, CELLS, 0.5, 3)
    for only in (["threading-2", "ceiling-2-warm"], []):
        done = measure(block, measured, 9, "--stage", "2", "--laps", "2", "--only", *only)
        assert done.returncode == 0, done.stderr
        facts = read(measured / "round-9.facts.json")
        assert (facts["stage"], facts["laps"], facts["only"]) == (2, 2, only)
        assert facts["calibrated"] == read(measured / "round-1.facts.json")["calibrated"]
        values = read_values(str(measured / "round-9.json"))
        assert {value.cell for value in values} == {"sequential-1", *only}
        assert {value.lap for value in values} == {1, 2}
        assert set(read(measured / "traces/round-9.json")["cells"]) == {"sequential-1", *only}
    for file in [*measured.glob("round-9.*"), *measured.glob("traces/round-9.*")]:
        file.unlink()
    first = read(measured / "round-1.facts.json")
    assert (first["stage"], first["only"]) == (1, None)


def test_a_library_that_is_missing_is_a_fact(tmp_path: Path, measure: Measure, read: Read) -> None:
    block = own_block(tmp_path, "needs_more", "import a_library_that_nobody_has\n")
    for number in (1, 2):
        done = measure(block, tmp_path, number)
        assert done.returncode == 0, done.stderr
    for name in ("calibration.json", "round-1.facts.json", "round-2.facts.json"):
        assert "a_library_that_nobody_has" in read(tmp_path / name)["not_applicable"]
    assert read_values(str(tmp_path / "round-2.json")) == []


def test_a_task_that_goes_to_another_folder_is_measured_as_usual(
    tmp_path: Path, environment: dict[str, str], this_machine: Path, scripts: Path, read: Read
) -> None:
    source = """
import os
from gilscope.workloads import workload

@workload(kind="cpu", sizes={"small": 1000})
def wanders(steps):
    "Counts, and is elsewhere afterwards."
    os.chdir("/")
    return sum(range(steps))
"""
    cells = ("threading-2", "multiprocessing-spawn-2")
    block = replace(own_block(tmp_path, "wanders", source, cells), folder="own")
    (tmp_path / "own").mkdir()
    (tmp_path / "wanders.py").rename(tmp_path / "own/wanders.py")
    names = {"calibration": "c.json", "raw": "out/r.json", "facts": "out/f.json", "trace": "t.json", "events": "e.json"}
    command = [sys.executable, scripts / "measure.py", block.to_json(), "--machine", this_machine, "--round", "1"]
    command += [part for name, path in names.items() for part in (f"--{name}", path)]
    own = {**environment, **apart(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "out/f.json")["failed"] == {}
    assert {value.cell for value in read_values(str(tmp_path / "out/r.json"))} == {"sequential-1", *cells}


def test_a_wrong_answer_costs_the_block_and_says_whose_it_is(tmp_path: Path, measure: Measure, read: Read) -> None:
    source = """
import os
from gilscope.workloads import workload

@workload(kind="cpu", sizes={"small": 1})
def whoami(item):
    "Answers differently in every process."
    return os.getpid()
"""
    block = own_block(tmp_path, "whoami", source, ("threading-2", "multiprocessing-2"))
    for number in (1, 2):
        done = measure(block, tmp_path, number)
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith("gilscope: cp311/whoami/small: multiprocessing-2: task ")
        facts = read(tmp_path / f"round-{number}.facts.json")
        assert facts["wrong"].startswith("multiprocessing-2: task ")
        assert read_values(str(tmp_path / f"round-{number}.json")) == []
        trace = read(tmp_path / f"traces/round-{number}.json")
        assert (trace["cells"], trace["failed"]) == ({}, {"sequential-1": facts["wrong"]})


def test_a_cell_that_fails_is_a_fact(tmp_path: Path, measure: Measure, read: Read) -> None:
    source = """
import threading
from gilscope.workloads import workload

@workload(kind="cpu", sizes={"small": 1})
def main_only(item):
    "Refuses to run anywhere but in the main thread."
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("not here")
    return item
"""
    block = own_block(tmp_path, "main_only", source, ("threading-2", "asyncio-2"))
    for number in (1, 2):
        done = measure(block, tmp_path, number)
        assert done.returncode == 0, done.stderr
        assert read(tmp_path / f"round-{number}.facts.json")["failed"] == {"threading-2": "RuntimeError: not here"}
        values = read_values(str(tmp_path / f"round-{number}.json"))
        assert {value.cell for value in values} == {"sequential-1", "asyncio-2"}


def test_a_block_with_a_wrong_answer_has_no_laps_whatever_they_were_to_be() -> None:
    block = Block("cp311", "sum_squares", "small", 1, 4, (), 0.1)
    readings = {"before": {"time": 1.0}, "after": {"time": 2.0}}
    about = facts_of(block, Turn(2, laps=3), {"laps": 5, "wrong": "two runs differ"}, readings, 0.0)
    assert (about["laps"], about["wrong"]) == (0, "two runs differ")
    about = facts_of(block, Turn(2), {"laps": 5}, readings, 0.0)
    assert (about["laps"], about["wrong"]) == (5, None)


def test_laps_take_turns_over_the_rounds_for_they_count_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[tuple[int, str, int]] = []

    class Laps:
        def __init__(self, job: Any, cells: list[str], loops: dict[str, int]) -> None:
            self.cells, self.failed = cells, {"threading-2": "warmed up"}

        def warm_up(self) -> None:
            taken.append((0, "", 0))

        def take(self, lap: int, seed: str, before: int = 0) -> list[Any]:
            taken.append((lap, seed, before))
            return []

    monkeypatch.setattr(rounds, "Laps", Laps)
    monkeypatch.setattr(rounds, "lost_meanwhile", lambda job, cells: {})
    job: Any = SimpleNamespace(block=Block("cp311", "sum_squares", "small", 1, 4, ("threading-2",), 0.1))
    found = rounds.take_laps(job, Turn(3), {"cells": ["threading-2"], "loops": {}, "laps": 2}, {})
    assert taken == [(0, "", 0), (1, "cp311/sum_squares/small/3", 4), (2, "cp311/sum_squares/small/3", 4)]
    assert found == ([], {"threading-2": "warmed up"})
