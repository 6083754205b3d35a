"""Traces of a real block, through the script that the workflow calls."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from gilscope.analysis.traced import collect_traces, traced_columns
from gilscope.measuring.memory import tree_memory
from gilscope.measuring.trace_events import rows_of, trace_events
from gilscope.measuring.tracing import charged_elsewhere
from gilscope.running.cells import Block, Cell

CELLS = (
    "threading-2",
    "threading-2-warm",
    "asyncio-2",
    "multiprocessing-2",
    "multiprocessing-2-warm",
    "multiprocessing-forkserver-2",
    "ceiling-2-warm",
    "hybrid-2",
)
MIB = 2**20


class Told:
    """A process whose memory is as many bytes, or whose system raises this."""

    def __init__(self, says: int | Exception, *children: Told):
        self.pid, self.says, self.below = id(self), says, children

    def children(self, recursive: bool) -> list[Told]:
        return [*self.below]

    def memory_full_info(self) -> SimpleNamespace:
        if isinstance(self.says, Exception):
            raise self.says
        return SimpleNamespace(pss=self.says)


@pytest.mark.parametrize(
    ("worker", "whole"),
    [
        (50 * MIB, 60 * MIB),
        (psutil.NoSuchProcess(1), 10 * MIB),
        (psutil.AccessDenied(1), None),
        (PermissionError(13, "smaps_rollup"), None),
    ],
)
def test_memory_that_the_system_does_not_tell_is_unknown_and_not_nothing(worker: Any, whole: int | None) -> None:
    assert tree_memory(Told(10 * MIB, Told(worker)), "pss", ()) == whole


SOURCE = """
import asyncio, time
from contextlib import asynccontextmanager
from gilscope.workloads import workload

def burn(megabytes):
    held = bytearray(megabytes * 2**20)
    ends = time.thread_time() + 0.075
    while time.thread_time() < ends:
        held[::4096] = bytes(len(held[::4096]))
    return megabytes

@asynccontextmanager
async def holding(offload):
    async def call(megabytes):
        await asyncio.sleep(0.025)
        return await offload(burn, megabytes)
    yield call

@workload(kind="mixed", sizes={"small": 1}, unit="MiB", coroutine=holding)
def holds(megabytes):
    "Waits 25 ms, then holds memory and computes for 75 ms."
    time.sleep(0.025)
    return burn(megabytes)
"""
Read = Callable[[Path], Any]


@pytest.fixture(scope="module")
def traced(
    tmp_path_factory: pytest.TempPathFactory,
    measure: Any,
) -> Path:
    """The folder of a round's traces, in the one where the round was measured."""
    folder = tmp_path_factory.mktemp("trace")
    (folder / "holds.py").write_text(SOURCE)
    block = Block("cp311", "holds", "small", 40, 4, CELLS, 0.1, 1, str(folder))
    done = measure(block, folder)
    assert done.returncode == 0, done.stderr
    return folder / "traces"


@pytest.fixture(scope="module")
def cells(traced: Path, read: Read) -> dict[str, dict[str, Any]]:
    record = read(traced / "round-1.json")
    assert record["failed"] == {}
    return record["cells"]


def test_every_cell_is_traced_task_by_task(cells: dict[str, Any]) -> None:
    assert set(cells) == {"sequential-1", *CELLS}
    for name, cell in cells.items():
        assert len(cell["tasks"]) == 4, name
        assert min(task["start"] for task in cell["tasks"]) == 0
        assert all(task["end"] - task["start"] >= 0.095 for task in cell["tasks"]), name
        assert all(task["cpu"] >= 0.07 for task in cell["tasks"]), name


def test_workers_are_told_apart(cells: dict[str, Any]) -> None:
    workers = {name: len({task["worker"] for task in cell["tasks"]}) for name, cell in cells.items()}
    assert workers["sequential-1"] == workers["asyncio-2"] == 1
    assert {workers[name] for name in ("threading-2", "multiprocessing-2", "ceiling-2-warm")} == {2}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell what a process was charged with")
def test_the_process_tree_is_charged_with_what_its_tasks_used(cells: dict[str, Any]) -> None:
    for name, cell in cells.items():
        spent = sum(task["cpu"] for task in cell["tasks"])
        assert spent * 0.9 <= cell["usage"]["cpu"] < spent + 0.6, name
        assert cell["usage"]["voluntary"] >= 2, f"{name} waits four times, in two workers at most twice at once"
    cold, warm = (cells[name]["usage"]["cpu"] for name in ("multiprocessing-forkserver-2", "multiprocessing-2-warm"))
    assert cold > warm, "a cold worker's start is part of what it costs"


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no proportional set size here")
def test_memory_is_the_highest_of_the_whole_tree_beyond_what_was_there_before(cells: dict[str, Any]) -> None:
    for name, cell in cells.items():
        memory = cell["memory"]
        assert memory["kind"] == "pss"
        assert memory["samples"] >= 3, name
        workers = 1 if name.startswith(("sequential", "asyncio")) else Cell.parse(name).workers
        extra = (memory["peak"] - memory["base"]) / MIB
        assert 0.8 * 40 <= extra < 40 * workers + 60, name


def test_the_table_holds_what_the_traces_say(traced: Path, cells: dict[str, Any]) -> None:
    sys.path.insert(0, str(traced.parent))
    table = collect_traces([str(traced / "round-1.json")], "here").set_index(["strategy", "pool"])
    assert len(table) == len(CELLS) + 1
    assert table.loc[("sequential", "cold"), "overlap"] == pytest.approx(1, abs=0.05)
    assert table.loc[("multiprocessing", "warm"), "overlap"] > 1.3
    assert (table["idle_share"] < 0.7).all()
    tasks = cells["sequential-1"]["tasks"]
    busy = sum(task["cpu"] for task in tasks) / max(task["end"] for task in tasks)
    assert table.loc[("sequential", "cold"), "effective_cores"] == pytest.approx(busy, rel=0.15)


def test_perfetto_finds_a_process_for_each_cell_and_no_two_tasks_in_a_row_at_once(traced: Path, read: Read) -> None:
    events = read(traced / "round-1.trace.json")["traceEvents"]
    names = [event["args"]["name"] for event in events if event["name"] == "process_name"]
    assert sorted(names) == sorted(["sequential-1", *CELLS])
    spans: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in events:
        if event["ph"] == "X":
            spans.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
    assert sum(map(len, spans.values())) == 4 * (len(CELLS) + 1)
    for row in spans.values():
        ordered = sorted(row)
        assert all(end <= start + 1 for (_, end), (start, _) in pairwise(ordered))


def test_coroutines_that_wait_together_get_a_row_each() -> None:
    tasks = [{"start": 0.0, "end": 1.0, "worker": "1/1"}, {"start": 0.1, "end": 0.9, "worker": "1/1"}]
    tasks.append({"start": 1.0, "end": 2.0, "worker": "1/1"})
    assert rows_of(tasks) == [("1/1", 0), ("1/1", 1), ("1/1", 0)]


def test_nothing_of_a_trace_is_made_up_where_no_sensor_tells() -> None:
    tasks = [{"start": 0.0, "end": 1.0, "cpu": 0.5, "worker": "1/1"}]
    found = traced_columns({"tasks": tasks, "usage": None, "memory": None}, 1)
    assert found["memory_per_worker"] is None
    assert found["tree_cpu"] is None
    assert found["effective_cores"] == 0.5
    memory = {"kind": "pss", "base": 1000, "peak": 5000}
    assert traced_columns({"tasks": tasks, "usage": None, "memory": memory}, 2)["memory_per_worker"] == 2000
    assert charged_elsewhere([], warm=False).cpu == 0
    block = {"runtime": "cp311", "workload": "x", "size": "small"}
    (event,) = (
        event
        for event in trace_events({"block": block, "round": 1, "cells": {"threading-2": {"tasks": tasks}}})[
            "traceEvents"
        ]
        if event["ph"] == "X"
    )
    assert (event["ts"], event["dur"], event["args"]["cpu_ms"]) == (0, 1e6, 500), (
        "in microseconds, as the format has it"
    )
    assert trace_events({"block": block, "round": 1, "cells": {}})["traceEvents"] == []


def test_the_sampler_ends_with_the_process_that_asked(traced: Path) -> None:
    assert not [name for name in os.listdir(traced.parent) if name.startswith(".scratch")]
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False).stdout
    assert f"gilscope.measuring.memory {os.getpid()}" not in listing
