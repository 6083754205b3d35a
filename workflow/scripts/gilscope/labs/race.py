"""What threads do to data they share: which updates get lost, and what keeps them."""

from __future__ import annotations

import statistics
import threading
import time
from typing import Callable

from gilscope.labs import LIKELY, SURE, Lab
from gilscope.labs._switching import no_switch_interval, switch_interval

THREADS = 5
EACH = 100_000
"""As in the talk."""
MORE = 300_000
"""Where a thread does the talk's number before it has to let the next one run, and so would meet no other at it."""
PATIENCE_S = 8.0
PAIRS = 5
"""How often the bare and the locked loop take turns in a trial of the lock's cost."""

LAB = Lab(
    metrics={
        "total_wrong": "share",
        "total_right": "share",
        "lost_share": "share",
        "overlapped": "share",
        "lock_cost": "x",
    },
    timed=False,
    seconds=12,
)

counter = 0
lock = threading.Lock()


def add_in_place() -> None:
    global counter
    for _ in range(EACH):
        counter += 1


def one_more(number: int) -> int:
    return number + 1


def add_more_in_place() -> None:
    global counter
    for _ in range(MORE):
        counter += 1


def read_call_write() -> None:
    global counter
    for _ in range(MORE):
        seen = counter
        seen = one_more(seen)
        counter = seen


def add_with_lock() -> None:
    global counter
    for _ in range(EACH):
        with lock:
            counter += 1


def any_overlap(spans: list[tuple[float, float]]) -> bool:
    """Whether any two of these spans, each a beginning and an end, have time in common."""
    ordered = sorted(spans)
    return any(later[0] < earlier[1] for earlier, later in zip(ordered, ordered[1:]))


def race(work: Callable[[], None]) -> bool:
    """Five threads do the same work, from the same moment on; returns whether any two were at it at the same time.

    Without the time in common nothing can get lost, whatever the work is.
    """
    barrier = threading.Barrier(THREADS)
    spans: list[tuple[float, float]] = []

    def run() -> None:
        barrier.wait(PATIENCE_S)
        began = time.perf_counter()
        work()
        spans.append((began, time.perf_counter()))

    deadline = time.monotonic() + PATIENCE_S
    threads = [threading.Thread(target=run, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if len(spans) < THREADS:
        raise RuntimeError(f"{THREADS - len(spans)} of {THREADS} threads were not done after {PATIENCE_S:g} s")
    return any_overlap(spans)


def outcome(arrived: int, each: int, overlapped: bool) -> dict[str, float]:
    """arrived: how many of all the updates are there in the end; each: how many every thread has made."""
    total = THREADS * each
    return {
        "total_wrong": arrived != total,
        "total_right": arrived == total,
        "lost_share": 1 - arrived / total,
        "overlapped": overlapped,
    }


def count(work: Callable[[], None], each: int) -> dict[str, float]:
    """Count in threads from zero on, as far as ``each`` from every thread."""
    global counter
    counter = 0
    overlapped = race(work)
    return outcome(counter, each, overlapped)


@LAB.case("in-place add of a global", trials=LIKELY, together=LIKELY)
def race_in_place() -> dict[str, float]:
    """Five threads execute counter += 1 on one global, 100 000 times each."""
    return count(add_in_place, EACH)


@LAB.case("a call between", trials=LIKELY, together=LIKELY)
def race_with_a_call() -> dict[str, float]:
    """Five threads read the global, call a function with it and write its answer, 300 000 times each."""
    return count(read_call_write, MORE)


@LAB.case("with a lock", trials=SURE, together=SURE // 2)
def race_with_lock() -> dict[str, float]:
    """Five threads execute counter += 1 on one global, 100 000 times each, every time under one lock."""
    return count(add_with_lock, EACH)


@LAB.case("list.append", trials=SURE, together=SURE // 2)
def race_to_append() -> dict[str, float]:
    """Five threads append to one list, 300 000 times each."""
    items: list[int] = []

    def append() -> None:
        for _ in range(MORE):
            items.append(1)

    overlapped = race(append)
    return outcome(sum(items), MORE, overlapped)


@LAB.case("dict update", trials=LIKELY, together=LIKELY)
def race_to_update() -> dict[str, float]:
    """Five threads add one to the same entry of a dictionary, tally["all"] += 1, 300 000 times each."""
    tally = {"all": 0}

    def update() -> None:
        for _ in range(MORE):
            tally["all"] += 1

    overlapped = race(update)
    return outcome(tally["all"], MORE, overlapped)


@LAB.case("dict, own keys", trials=LIKELY, few=5, together=LIKELY)
def race_to_insert() -> dict[str, float]:
    """Five threads put 100 000 new keys each into one dictionary."""
    entries: dict[tuple[int, int], int] = {}

    def insert() -> None:
        mine = threading.get_ident()
        for number in range(EACH):
            entries[mine, number] = number

    overlapped = race(insert)
    return outcome(sum(key[1] == value for key, value in entries.items()), EACH, overlapped)


@LAB.case("in-place add, three times as often", trials=LIKELY, few=5, together=LIKELY)
def race_more_in_place() -> dict[str, float]:
    """Five threads execute counter += 1 on one global, 300 000 times each."""
    return count(add_more_in_place, MORE)


@LAB.case("in-place add, switching every 10 µs", trials=LIKELY, few=5, together=LIKELY, unavailable=no_switch_interval)
def race_with_many_switches() -> dict[str, float]:
    """The in-place add, 100 000 times each, by threads that take turns 500 times as often as usual."""
    with switch_interval(1e-5):
        return count(add_in_place, EACH)


def seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@LAB.case("cost of the lock", trials=LIKELY, few=5, together=LIKELY)
def cost_of_the_lock() -> dict[str, float]:
    """One thread alone adds with and without the lock, in turn; the median ratio of neighbouring times."""
    pairs = [(seconds(add_in_place), seconds(add_with_lock)) for _ in range(PAIRS)]
    return {"lock_cost": statistics.median(locked / bare for bare, locked in pairs)}
