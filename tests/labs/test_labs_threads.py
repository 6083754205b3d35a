"""The labs about threads that share, wait for each other and take turns: what they report follows what happens."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from gilscope.labs import deadlock, joining, locking, producer_consumer, race, switching
from gilscope.observing.keeper import kept
from gilscope.observing.trials import Chunk, run_process
from gilscope.running.gil import gil_enabled

Spans = list[tuple[float, float]]


@pytest.mark.parametrize(
    ("spans", "overlap"),
    [
        ([(0, 1), (1, 2), (2, 3)], False),
        ([(2, 3), (0, 1)], False),
        ([(2, 3), (0, 1), (1.5, 2.5)], True),
        ([(0, 9), (1, 2)], True),
        ([(0, 1)], False),
    ],
)
def test_overlap_is_read_from_the_spans(spans: Spans, overlap: bool) -> None:
    assert race.any_overlap(spans) is overlap


def test_a_lost_update_is_counted() -> None:
    everybody_has_read = threading.Barrier(race.THREADS)

    def read_all_then_write_all() -> None:
        seen = race.counter
        everybody_has_read.wait(5)
        race.counter = seen + 1

    seen = race.count(read_all_then_write_all, each=1)
    assert seen == {"total_wrong": True, "total_right": False, "lost_share": pytest.approx(0.8), "overlapped": True}


def test_a_lock_keeps_every_update() -> None:
    seen = race.race_with_lock()
    assert (seen["total_right"], seen["total_wrong"], seen["lost_share"]) == (True, False, 0)
    assert race.counter == 500_000


@pytest.mark.parametrize("work", [race.add_in_place, race.read_call_write, race.add_more_in_place])
def test_one_thread_alone_loses_nothing(work: Any) -> None:
    race.counter = 7
    work()
    assert race.counter == 7 + (race.EACH if work is race.add_in_place else race.MORE)


def test_a_thread_that_does_not_end_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "PATIENCE_S", 0.2)
    let_go = threading.Event()
    with pytest.raises(RuntimeError, match="5 of 5 threads"):
        race.race(lambda: let_go.wait(5) and None)
    first = threading.Lock()
    with pytest.raises(RuntimeError, match="1 of 5 threads"):
        race.race(lambda: first.acquire(blocking=False) and let_go.wait(5) and None)
    let_go.set()


def test_the_switch_interval_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, seen = sys.getswitchinterval(), []
    monkeypatch.setattr(switching, "two_busy_threads", lambda: seen.append(sys.getswitchinterval()))
    monkeypatch.setattr(race, "count", lambda work, each: seen.append(sys.getswitchinterval()))
    switching.with_interval(0.02)
    race.race_with_many_switches()
    assert seen == pytest.approx([0.02, 1e-5])
    assert sys.getswitchinterval() == usual


@pytest.mark.parametrize(
    ("held", "waits"),
    [
        (0.0, [(0.002, False)]),
        (0.1, [(0.0002, True), (0.0018, False)]),
        (1.0, [(0.002, True)]),
    ],
)
def test_the_share_of_a_task_is_under_the_lock(
    held: float, waits: list[tuple[float, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = threading.Lock()
    seen: list[tuple[float, bool]] = []
    monkeypatch.setattr(locking, "time", SimpleNamespace(sleep=lambda seconds: seen.append((seconds, lock.locked()))))
    locking.wait_task(lock, held)
    assert seen == [(pytest.approx(seconds), locked) for seconds, locked in waits]


def test_tasks_under_one_lock_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait is never shorter than asked for, so that one lock cannot pass more than 500 tasks of 2 ms a second."""
    monkeypatch.setattr(locking, "TRIAL_S", 0.01)
    assert 0 < locking.throughput(100, 4)["tasks_per_s"] <= 505


def test_only_with_lets_go_of_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "PATIENCE_S", 0.1)
    assert locking.exception_within_with() == {"released": True}
    assert locking.exception_after_acquire() == {"released": False}


def test_who_waits_in_a_circle_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlock, "FAILS_S", 0.5)
    let_go = threading.Event()
    daemons: list[bool] = []

    def take(first: threading.Lock, second: threading.Lock) -> bool:
        daemons.append(threading.current_thread().daemon)
        with first:
            time.sleep(0.05)
            while not second.acquire(timeout=0.01):
                if let_go.is_set():
                    return False
            second.release()
            return True

    stuck = deadlock.run_pair(take, opposite=True)
    let_go.set()
    assert stuck[::2] == (True, True)
    assert daemons == [True, True]
    assert deadlock.run_pair(take, opposite=False)[:2] == (False, False)


def test_order_or_a_timeout_keeps_from_being_stuck() -> None:
    assert deadlock.same_order() == {"stuck": False, "overlapped": True}
    assert deadlock.timeout_on_acquire() == {"stuck": False, "gave_up": True, "overlapped": True}


def test_a_trial_that_is_stuck_is_seen_and_ended() -> None:
    case = deadlock.LAB.cases["opposite order, with a pause"]
    with kept() as nest:
        answers, reason = run_process("deadlock", Chunk(case, 0, 1), nest)
    assert [answer["seen"] for answer in answers] == [{"stuck": 1, "overlapped": 1}]
    assert reason is None


def test_what_is_read_before_the_threads_are_done_is_incomplete() -> None:
    begun = threading.active_count()
    assert joining.read_at_once() == {"incomplete": True}
    assert threading.active_count() == begun
    assert joining.read_after_joining() == {"incomplete": False}


@pytest.mark.parametrize(
    ("produced", "all_in_order"),
    [
        (range(500), True),
        (range(499), False),
        ([1, 0, *range(2, 500)], False),
        ([*range(500), 499], False),
    ],
)
def test_items_arrive_all_and_in_order(produced: Any, all_in_order: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producer_consumer, "produce_to_the_end", lambda items: [*map(items.put, [*produced, None])])
    assert producer_consumer.one_thread_to_another() == {"all_in_order": all_in_order}


def test_items_pass_between_processes_and_no_process_stays() -> None:
    assert producer_consumer.one_process_to_another() == {"all_in_order": True}
    assert producer_consumer.several() == {"nothing_lost": True, "all_in_order": True}
    assert multiprocessing.active_children() == []


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producer_consumer, "PATIENCE_S", 0.1)
    began = time.monotonic()
    with producer_consumer.running(producer_consumer.process(time.sleep, 90)):
        pass
    assert multiprocessing.active_children() == []
    assert time.monotonic() < began + 60, "nobody waits until it has had its sleep"


@pytest.mark.parametrize(("pauses", "nothing_lost"), [((0, 0, 0), True), ((0, 0.5, 0), False)])
def test_a_timeout_takes_a_quiet_spell_for_the_end(pauses: tuple[float, ...], nothing_lost: bool) -> None:
    assert producer_consumer.timeout_as_the_end(pauses) == {"nothing_lost": nothing_lost}
    assert producer_consumer.timeout_in_threads(pauses) == {"nothing_lost": nothing_lost}
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("first", "second", "runs", "both", "neither"),
    [
        # in turn; what runs before both have begun, and what the end cuts off, is no run
        ([(0, 5), (10, 15), (20, 25)], [(5, 10), (15, 20)], [5, 5], 0, 0),
        # a gap in which nobody advances is no part of a run and does not end it
        ([(0, 1), (4, 5), (7, 9), (12, 13)], [(2, 3), (10, 11), (14, 15)], [1, 3, 1], 0, 5),
        # a single reading of the other one ends a run
        ([(0, 3), (4, 6), (8, 9)], [(0, 0), (3.5, 3.5), (7, 8)], [3, 2], 0, 2),
        # without the lock: only what one has to itself
        ([(0, 2), (5, 7), (12, 13)], [(0, 1), (10, 13)], [3, 2], 2, 6),
        ([(0, 10)], [(0, 4), (6, 9), (9.5, 10)], [2, 0.5], 7.5, 0),
    ],
)
def test_runs_are_what_one_advances_alone(first: Spans, second: Spans, runs: Any, both: float, neither: float) -> None:
    seen = switching.turns(first, second)
    assert (list(seen.runs), seen.both_s, seen.neither_s) == (pytest.approx(runs), both, neither)
    mirrored = switching.turns(second, first)
    assert (mirrored.runs, mirrored.both_s, mirrored.neither_s) == (seen.runs, seen.both_s, seen.neither_s)


def test_two_busy_threads_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switching, "TRIAL_S", 0.2)
    seen = switching.two_busy_threads()
    assert set(seen) <= set(switching.LAB.metrics)
    assert 0 <= seen["long_runs"] <= seen["runs"]
    if gil_enabled():
        assert seen["runs"] > 1
        assert seen["both_s"] < 0.01
