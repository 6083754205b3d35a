"""One contract for every strategy there is: a new file in the folder is tested without a change here."""

from __future__ import annotations

import gc
import logging
import os
import threading
import time

import psutil
import pytest
import tasks
from gilscope.measuring.helpers import forget_helpers
from gilscope.strategies import Strategy, load_strategies

STRATEGIES = load_strategies()
POOLS = [(name, pool) for name, strategy in STRATEGIES.items() for pool in strategy.pools]
WORKERS = (1, 3)
NUMBERS = range(1, 8)


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> Strategy:
    return available(STRATEGIES[request.param])


def available(strategy: Strategy) -> Strategy:
    reason = strategy.unavailable()
    if reason:
        pytest.skip(reason)
    return strategy


def workers_of(strategy: Strategy, wish: int = 2) -> int:
    return strategy.fixed_workers or wish


def left_over() -> tuple[set[int], set[int | None]]:
    """The processes and threads there are, multiprocessing's helpers (which stay on purpose) sent away first."""
    forget_helpers()
    processes = {child.pid for child in psutil.Process().children(recursive=True)}
    return processes, {thread.ident for thread in threading.enumerate()}


def test_facts(strategy: Strategy) -> None:
    assert strategy.pools
    assert set(strategy.pools) <= {"cold", "warm"}
    assert strategy.open.__doc__
    assert strategy.fixed_workers is None or strategy.fixed_workers > 0


def test_sequential_comes_first() -> None:
    assert next(iter(STRATEGIES)) == "sequential"


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize(("name", "pool"), POOLS)
def test_answers_come_in_order(name: str, pool: str, workers: int) -> None:
    """Cold: one call. Warm: a second call finds the workers as good as new."""
    strategy = available(STRATEGIES[name])
    with strategy.open(workers_of(strategy, workers)) as spread:
        for _ in range(2 if pool == "warm" else 1):
            assert list(spread(tasks.double, NUMBERS)) == [2 * number for number in NUMBERS]


def test_fewer_tasks_than_workers(strategy: Strategy) -> None:
    with strategy.open(workers_of(strategy, 3)) as spread:
        assert list(spread(tasks.double, [21])) == [42]


def test_an_error_reaches_the_caller_and_nothing_is_left(
    strategy: Strategy, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    before = left_over()
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(ValueError, match="task 3 refuses"),
        strategy.open(workers_of(strategy)) as spread,
    ):
        list(spread(tasks.refuse_three, range(1, 20)))
    gc.collect()
    assert left_over() == before
    assert not caplog.records
    assert not capfd.readouterr().err


def test_an_answer_that_cannot_be_handed_over_says_so() -> None:
    with pytest.raises(Exception, match="pickle"), load_strategies()["ceiling"].open(2) as spread:
        list(spread(tasks.keep_for_later, [1, 2]))


def test_an_error_that_cannot_be_handed_over_is_told_in_words() -> None:
    with pytest.raises(RuntimeError, match=r"^ValueError: odd$"), load_strategies()["ceiling"].open(2) as spread:
        list(spread(tasks.refuse_with_what_cannot_be_pickled, [1, 2]))


def test_threads_are_joined_where_a_later_one_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under a limit of tasks: those that go on would work beside the next value."""
    started: list[threading.Thread] = []
    usual = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if len(started) == 3:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        usual(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with load_strategies()["threading-raw"].open(8) as spread, pytest.raises(RuntimeError, match="new thread"):
        spread(time.sleep, [0.1] * 8)
    assert len(started) == 3
    assert not any(thread.is_alive() for thread in started)


def test_no_process_and_no_thread_is_left(strategy: Strategy) -> None:
    before = left_over()
    with strategy.open(workers_of(strategy)) as spread:
        list(spread(tasks.double, NUMBERS))
    assert left_over() == before


def test_workers_are_what_the_facts_say(strategy: Strategy) -> None:
    """Processes are other processes, threads and coroutines are not, and there are never more than asked for."""
    workers = workers_of(strategy)
    with strategy.open(workers) as spread:
        seen = set(spread(tasks.whereabouts, range(4)))
    pids = {pid for pid, _ in seen}
    assert (os.getpid() not in pids) == strategy.processes
    assert 1 <= len(pids) <= workers
    if not strategy.processes:
        assert len(seen) <= workers


def test_a_start_method_is_the_one_that_its_name_says() -> None:
    for strategy in STRATEGIES.values():
        if strategy.start_method and not strategy.unavailable():
            with strategy.open(1) as spread:
                assert list(spread(tasks.start_method, [1])) == [strategy.start_method], strategy.name


@pytest.mark.parametrize("name", ["multiprocessing", "multiprocessing-pool", "threading", "ceiling"])
def test_two_workers_share_the_tasks(name: str) -> None:
    with STRATEGIES[name].open(2) as spread:
        assert len(set(spread(tasks.whereabouts, range(8)))) == 2


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("name", ["asyncio", "hybrid"])
def test_coroutines_in_flight_are_bounded(name: str, workers: int) -> None:
    with STRATEGIES[name].open(workers) as spread:
        assert max(spread(tasks.tasks_in_flight, NUMBERS)) == workers
