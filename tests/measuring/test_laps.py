from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from apart import apart
from benches import soon
from gilscope.measuring.answers import WrongAnswer
from gilscope.measuring.helpers import running_helpers, stop_helpers
from gilscope.measuring.job import Job
from gilscope.measuring.laps import (
    AGAIN,
    CELLS_PER_PROBE,
    ClockStopped,
    Lap,
    Laps,
    Value,
    is_reference,
    lap_order,
    time_value,
)
from gilscope.measuring.lengths import MOST_LAPS, SHORTEST_VALUE_S, how_long, laps_for, loops_for, nothing_to_decide
from gilscope.running.cells import SEQUENTIAL, Block
from gilscope.strategies import load_strategies, strategy
from gilscope.workloads import Site, load_workload
from hypothesis import given
from hypothesis import strategies as st

CELLS = st.lists(st.integers(1, 40).map("threading-{}".format), max_size=12, unique=True)
PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=open(sys.argv[1], "w"))
print(child.pid, flush=True)
child.wait()
"""


@given(CELLS, st.text(max_size=10), st.booleans())
def test_a_lap_takes_every_cell_once_beside_a_reference(cells: list[str], seed: str, turned: bool) -> None:
    order = lap_order(cells, seed, turned)
    references = {position for position, _ in order if is_reference(position)}
    others = [name for position, name in order if not is_reference(position)]
    probes = max(1, round(len(cells) / CELLS_PER_PROBE))
    assert sorted(others) == sorted([*cells, *[SEQUENTIAL.name] * probes])
    assert {name for position, name in order if position in references} == {SEQUENTIAL.name}
    positions = [position for position, _ in order]
    assert positions == list(range(positions[0], positions[0] + len(order)))
    for position in positions:
        assert is_reference(position) or {position - 1, position + 1} & references


@given(CELLS, st.text(max_size=10), st.booleans())
def test_the_seed_alone_decides_the_order(cells: list[str], seed: str, turned: bool) -> None:
    assert lap_order(cells, seed, turned) == lap_order(list(cells), seed, turned)


@pytest.mark.parametrize("count", range(1, 12))
def test_over_two_laps_as_many_cells_have_their_reference_before_them_as_after(count: int) -> None:
    cells = [f"threading-{workers}" for workers in range(1, count + 1)]
    before = after = 0
    for turned in (False, True):
        for position, _ in lap_order(cells, "any", turned):
            before += position % 3 == 1
            after += position % 3 == 2
    assert before == after


def test_laps_differ_in_order() -> None:
    cells = [f"threading-{workers}" for workers in range(1, 6)]
    assert len({tuple(lap_order(cells, f"cp311/sleep/small/1/{lap}")) for lap in range(20)}) > 15


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(1e-6, 10)), min_size=1))
def test_no_value_is_shorter_than_the_shortest(timed: list[tuple[str, float]]) -> None:
    loops = loops_for(Value(cell, 0, 0, 1, seconds) for cell, seconds in timed)
    for cell in {cell for cell, _ in timed}:
        fastest = min(seconds for name, seconds in timed if name == cell)
        assert loops[cell] * fastest >= SHORTEST_VALUE_S * (1 - 1e-9)
        assert loops[cell] == 1 or (loops[cell] - 1) * fastest < SHORTEST_VALUE_S


def test_what_fills_several_cores_is_looked_at_for_longer() -> None:
    timed = {"sequential-1": 0.08, "ceiling-2-warm": 0.042, "multiprocessing-2": 0.07, "threading-2": 0.08}
    values = [Value(cell, 1, 0, 1, seconds) for cell, seconds in timed.items()]
    assert loops_for(values, reference=0.08) == dict.fromkeys(timed, 1) | {"ceiling-2-warm": AGAIN}
    assert loops_for(values) == dict.fromkeys(timed, 1), "waiting fills no core"
    short = [Value("ceiling-2-warm", 1, 0, 1, 0.0001)]
    assert loops_for(short, reference=0.001)["ceiling-2-warm"] == 50


@pytest.mark.parametrize("part", [1, 8])
def test_a_cell_is_held_against_the_whole_sequential_time(part: int) -> None:
    """Whatever part of the tasks a sequential value does; and a lap counts that was taken with the loops of all others."""
    taken: list[dict[str, int]] = []
    seconds = {"sequential-1": 0.8, "ceiling-16-warm": 0.5, "threading-16": 0.7}

    def take(lap: int, seed: str) -> list[Value]:
        taken.append(laps.loops)
        return [Value(cell, lap, 0, laps.loops.get(cell, 1), each) for cell, each in seconds.items()]

    block = Block("cp311", "sum_squares", "large", 1, 16, (*seconds,)[1:], seconds=100.0, part=part)
    job = SimpleNamespace(block=block, workload=SimpleNamespace(kind="cpu"))
    laps: Any = SimpleNamespace(job=job, cells=[*block.cells], loops={}, take=take)
    length = how_long(laps, 0.8, "seed")
    assert length.loops == dict.fromkeys(seconds, 1) | {"ceiling-16-warm": AGAIN}
    assert taken == [{}, length.loops]
    assert {value.cell: value.loops for value in length.first} == length.loops


def test_a_clock_that_stands_still_is_said_and_not_divided_by(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.perf_counter", lambda: 5.0)
    laps = Laps(job, ["threading-2"], {})
    with pytest.raises(ClockStopped, match="does a task replace it"):
        laps.take(1, "seed")


@strategy("slow-to-hand-over", pools=("warm",))
@contextmanager
def slow_to_hand_over(workers: int) -> Iterator[Any]:
    def collected(answers: list[Any]) -> Iterator[Any]:
        time.sleep(0.05)
        yield from answers

    yield lambda function, items: collected([function(item) for item in items])


@pytest.mark.parametrize("loops", [1, 4])
def test_answers_that_come_after_the_work_are_not_timed_in_any_loop(job: Job, loops: int) -> None:
    """The ceiling's: what the hardware can give does not include handing over eight matrices."""
    job.strategies["slow-to-hand-over"] = slow_to_hand_over.strategy
    assert time_value(job, "slow-to-hand-over-1-warm", loops) < 0.01


def test_a_cold_value_starts_its_helpers_in_each_of_its_loops(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten = []
    for module in ("laps", "helpers"):
        monkeypatch.setattr(f"gilscope.measuring.{module}.forget_helpers", lambda: forgotten.append(1))
    time_value(job, "multiprocessing-2", loops=3)
    assert len(forgotten) == 3 + bool(running_helpers()), "before each loop, and at the end"
    stop_helpers()
    forgotten.clear()
    time_value(job, "threading-2", loops=3)
    assert len(forgotten) == 1, "threads have none"


@pytest.mark.parametrize(
    ("seconds", "lap_seconds", "laps"),
    [(10, 1, 10), (10, 3, 5), (10, 100, 5), (10, 1e-4, MOST_LAPS)],
)
def test_laps_fill_the_round_within_bounds(seconds: float, lap_seconds: float, laps: int) -> None:
    assert laps_for(seconds, lap_seconds, min_laps=5) == laps


def test_one_sequential_value_decides_where_a_lap_cannot_be_short() -> None:
    cells = ["threading-2", "multiprocessing-2", "ceiling-2-warm"]
    assert nothing_to_decide(0.2, cells, seconds=1.0, min_laps=5)
    assert not nothing_to_decide(0.01, cells, seconds=1.0, min_laps=5), "more laps might fit"
    assert not nothing_to_decide(0.2, cells, seconds=10.0, min_laps=5)
    assert not nothing_to_decide(0.2, [*cells, "threading-64"], seconds=1.0, min_laps=5), "a value might be too short"


@strategy("failing")
@contextmanager
def failing(workers: int) -> Iterator[Any]:
    raise OSError("no workers to be had")
    yield


@strategy("lying", pools=("cold", "warm"))
@contextmanager
def lying(workers: int) -> Iterator[Any]:
    yield lambda function, items: [function(item) + (item == 3) for item in items]


@strategy("forgetful")
@contextmanager
def forgetful(workers: int) -> Iterator[Any]:
    yield lambda function, items: [function(item) for item in items][1:]


@pytest.fixture
def job() -> Job:
    """Four tasks of sum_squares, with three strategies that nobody should use."""
    sum_squares = load_workload("sum_squares")
    bad = {open_workers.strategy.name: open_workers.strategy for open_workers in (failing, lying, forgetful)}
    items = [1, 2, 3, 4]
    expected = [sum_squares.function(item) for item in items]
    block = Block("cp311", "sum_squares", "small", 4, 4, (), 1.0)
    return Job(block, sum_squares, {**load_strategies(), **bad}, Site("."), items, expected)


def test_values_say_where_they_were_taken(job: Job) -> None:
    cells = ["threading-2", "asyncio-1"]
    values = Laps(job, cells, {"threading-2": 3}).take(7, "seed")
    assert [(value.position, value.cell) for value in values] == lap_order(cells, "seed/7", turned=True)
    assert {value.lap for value in values} == {7}
    assert {value.cell: value.loops for value in values} == {"threading-2": 3, "asyncio-1": 1, "sequential-1": 1}
    assert all(value.seconds > 0 for value in values)


def test_a_cell_that_fails_is_left_out_with_its_reason(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    laps = Laps(job, ["failing-2", "threading-2"], {})
    first, second = laps.take(1, "seed"), laps.take(2, "seed")
    assert laps.failed == {"failing-2": "OSError: no workers to be had"}
    assert {value.cell for value in first + second} == {"threading-2", "sequential-1"}
    assert capsys.readouterr().err.count("cp311/sum_squares/small failing-2 failed: OSError") == 1


@pytest.mark.parametrize("cell", ["lying-2", "lying-2-warm"])
def test_a_wrong_answer_ends_the_round_and_names_cell_and_task(job: Job, cell: str) -> None:
    with pytest.raises(WrongAnswer, match=rf"^{cell}: task 2 answered 6, sequentially 5"):
        Laps(job, [cell], {}).take(1, "seed")


def test_a_missing_answer_is_a_wrong_answer(job: Job) -> None:
    with pytest.raises(WrongAnswer, match="forgetful-2: 3 answers to 4 tasks"):
        time_value(job, "forgetful-2")


def test_without_sequential_values_there_is_no_round(job: Job) -> None:
    broken = Job(job.block, job.workload, {"sequential": failing.strategy}, job.site, job.items, job.expected)
    with pytest.raises(OSError, match="no workers to be had"):
        Laps(broken, [], {}).take(1, "seed")


def test_warming_up_leaves_no_values_and_checks_nothing(job: Job) -> None:
    """Each cell is started once, with a task for each of its workers, before any lap."""
    opened = []

    @contextmanager
    def open_and_tell(workers: int) -> Iterator[Any]:
        def spread(function: Callable[[Any], Any], items: list[Any]) -> list[Any]:
            opened.append((workers, list(items)))
            return [0 for _ in items]

        yield spread

    counted = strategy("counted", pools=("cold", "warm"))(open_and_tell).strategy
    strategies = {"counted": counted, "sequential": counted}
    told = Job(job.block, job.workload, strategies, job.site, job.items)
    Laps(told, ["counted-3", "counted-2-warm"], {"counted-3": 5}).warm_up()
    assert opened == [(1, [1]), (3, [1, 2, 3]), (2, [1, 2])]
    assert (told.expected, told.unchecked) == ([], [])


def test_what_fails_while_warming_up_is_left_out_with_its_reason(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    laps = Laps(job, ["failing-2", "threading-2"], {})
    laps.warm_up()
    assert laps.failed == {"failing-2": "OSError: no workers to be had"}
    assert {value.cell for value in laps.take(1, "seed")} == {"threading-2", "sequential-1"}
    assert "cp311/sum_squares/small failing-2 failed: OSError" in capsys.readouterr().err
    broken = Job(job.block, job.workload, {"sequential": failing.strategy}, job.site, job.items, job.expected)
    with pytest.raises(OSError, match="no workers to be had"):
        Laps(broken, [], {}).warm_up()


def test_an_answer_that_came_before_the_first_sequential_one_is_checked_when_that_comes(job: Job) -> None:
    """A turned lap begins with a cell."""
    fresh = Job(job.block, job.workload, job.strategies, job.site, job.items)
    time_value(fresh, "threading-2")
    time_value(fresh, "lying-2")
    assert fresh.expected == []
    with pytest.raises(WrongAnswer, match=r"^lying-2: task 2 answered 6, sequentially 5"):
        time_value(fresh, "sequential-1")
    right = Job(job.block, job.workload, job.strategies, job.site, job.items)
    time_value(right, "threading-2")
    time_value(right, "sequential-1")
    assert right.expected == job.expected
    with pytest.raises(WrongAnswer, match="lying-2"):
        time_value(right, "lying-2")


def test_a_round_whose_first_lap_is_turned_finds_a_wrong_answer_too(job: Job) -> None:
    fresh = Job(job.block, job.workload, job.strategies, job.site, job.items)
    cells = ["lying-2", "threading-2"]
    assert lap_order(cells, "seed/1", turned=True)[0][1] != SEQUENTIAL.name
    with pytest.raises(WrongAnswer, match="lying-2: task 2 answered 6"):
        Laps(fresh, cells, {}).take(1, "seed", before=2)


@pytest.mark.parametrize("laps", [1, 2, 3])
def test_rare_cells_and_turned_laps_take_turns_over_the_rounds_too(laps: int) -> None:
    """A round of one lap would never come to a second one, and rounds would be alike."""
    cells, seldom = ["a", "b", "c"], ["b"]
    taken = [
        Lap(lap, (number - 1) * laps + lap - 1) for number in range(1, 1 + 12 // laps) for lap in range(1, laps + 1)
    ]
    assert [lap.count for lap in taken] == list(range(12))
    rare = [lap for lap in taken if "b" in lap.of(cells, seldom)]
    assert rare == [lap for lap in taken if lap.number == 1 or lap.count % 2 == 0]
    assert all(lap.of(cells, []) == cells for lap in taken)
    assert {lap.turned for lap in rare} == {False, True}, "a rare cell meets both"
    assert sum(lap.turned for lap in taken) == 6


def test_a_round_takes_a_cell_that_no_claim_names_first_and_in_every_second_lap(job: Job) -> None:
    block = replace(job.block, seldom=("asyncio-1",))
    laps = Laps(replace(job, block=block), ["threading-2", "asyncio-1"], {})
    for lap, before, rare in ((1, 0, True), (2, 0, False), (3, 0, True), (1, 3, True), (2, 3, True), (3, 3, False)):
        cells = {value.cell for value in laps.take(lap, "seed", before=before)}
        assert ("asyncio-1" in cells) is rare
        assert {"threading-2", "sequential-1"} <= cells
    assert "asyncio-1" in {value.cell for value in laps.take(0, "calibration")}


def test_a_sequential_value_may_do_a_part_and_counts_for_all(job: Job) -> None:
    """Where a value has many tasks; the answers to all of them are found out beforehand, and each is checked."""
    done: list[int] = []

    def note(item: int) -> int:
        done.append(item)
        time.sleep(0.01)
        return item

    workload = replace(job.workload, function=note)
    halved = Job(replace(job.block, part=2), workload, job.strategies, job.site, job.items)
    halved.expect()
    assert halved.expected == [1, 2, 3, 4]
    done.clear()
    assert time_value(halved, "sequential-1") >= 0.04
    assert done == [1, 2]
    done.clear()
    time_value(halved, "threading-2")
    assert sorted(done) == [1, 2, 3, 4]
    halved.expected[1] = 7
    with pytest.raises(WrongAnswer, match="two sequential runs differ already: task 1 answered 7, then 2"):
        time_value(halved, "sequential-1")


def test_a_loop_is_a_whole_cold_start(job: Job) -> None:
    """Seconds are per loop, and each loop of a cold cell starts and ends its workers."""
    opened = []

    @contextmanager
    def open_and_tell(workers: int) -> Iterator[Any]:
        opened.append(workers)
        yield lambda function, items: [function(item) for item in items]

    counted = strategy("counted")(open_and_tell).strategy
    told = Job(job.block, job.workload, {"counted": counted}, job.site, job.items, job.expected)
    time_value(told, "counted-3", loops=4)
    assert opened == [3, 3, 3, 3]
    opened.clear()
    time_value(told, "counted-3-warm", loops=4)
    assert opened == [3]


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_measurement_ends_itself_when_its_parent_is_killed(
    tmp_path: Path, scripts: Path, environment: dict[str, str], this_machine: Path
) -> None:
    block = Block("cp311", "sum_squares", "small", 2000, 4, ("multiprocessing-2",), 3600.0)
    said = tmp_path / "stderr"
    command = [sys.executable, str(scripts / "measure.py"), block.to_json(), "--machine", str(this_machine)]
    for name in ("calibration", "raw", "facts", "trace", "events"):
        command += [f"--{name}", str(tmp_path / f"{name}.json")]
    (tmp_path / "calibration.json").write_text('{"cells": ["multiprocessing-2"], "loops": {}, "laps": 1000000}')
    command += ["--round", "2"]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(said), *command],
        stdout=subprocess.PIPE,
        text=True,
        env={**environment, **apart(tmp_path)},
    )
    assert parent.stdout is not None
    measuring = psutil.Process(int(parent.stdout.readline()))
    try:
        assert soon(lambda: list(tmp_path.glob(".scratch-*"))), "it never began"
        parent.kill()
        parent.wait()
        assert soon(lambda: ended(measuring)), "it went on without its parent"
    finally:
        parent.stdout.close()
        if not ended(measuring):
            measuring.kill()
    assert said.read_text() == "gilscope: the run that asked for this measurement is gone; it ends here\n"
    assert not list(tmp_path.glob("*.json.part"))
    assert not list(tmp_path.glob(".scratch-*"))
    assert not (tmp_path / "raw.json").exists()
