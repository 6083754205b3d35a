"""Two threads that each need the same two locks: when they stop each other for good, and what prevents it."""

from __future__ import annotations

import threading
import time
from typing import Callable

from gilscope.labs import LIKELY, SURE, Lab
from gilscope.running.gil import gil_enabled

FAILS_S = 3.0
PAUSE_S = 0.05
TIMEOUT_S = 0.1
AGAIN_S = 0.3
"""For how long two threads that do not pause take the locks over and over."""
AT_ONCE = 60 if gil_enabled() else 8
"""Pairs side by side. Without the GIL a busy pair takes two cores, and in a crowd one thread would be done first."""

LAB = Lab(
    metrics={"stuck": "share", "gave_up": "share", "overlapped": "share"},
    timed=False,
    seconds=5,
    side_by_side=AT_ONCE,
)

Take = Callable[[threading.Lock, threading.Lock], bool]
"""Takes the first lock, then the second, and lets go of both; returns whether it went without giving up."""


def take_with_pause(first: threading.Lock, second: threading.Lock) -> bool:
    with first:
        time.sleep(PAUSE_S)
        with second:
            return True


def take_once(first: threading.Lock, second: threading.Lock) -> bool:
    with first, second:
        return True


def take_again_and_again(first: threading.Lock, second: threading.Lock) -> bool:
    until = time.monotonic() + AGAIN_S
    while time.monotonic() < until:
        with first, second:
            pass
    return True


def take_with_timeout(first: threading.Lock, second: threading.Lock) -> bool:
    with first:
        time.sleep(PAUSE_S)
        if not second.acquire(timeout=TIMEOUT_S):
            return False
        second.release()
        return True


def run_pair(take: Take, opposite: bool) -> tuple[bool, bool, bool]:
    """Two threads take two locks from the same moment on, in opposite order or the same.

    Returns whether they were stuck (not both at their end after 3 s), whether either gave up, and whether they were at
    it at the same time. Threads that are stuck stay so until their process ends.
    """
    one, other = threading.Lock(), threading.Lock()
    barrier = threading.Barrier(2)
    began: list[float] = []
    ended: list[tuple[float, bool]] = []

    def run(first: threading.Lock, second: threading.Lock) -> None:
        barrier.wait(FAILS_S)
        began.append(time.perf_counter())
        went = take(first, second)
        ended.append((time.perf_counter(), went))

    orders = [(one, other), (other, one) if opposite else (one, other)]
    threads = [threading.Thread(target=run, args=order, daemon=True) for order in orders]
    deadline = time.monotonic() + FAILS_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    ends = list(ended)
    if len(began) < len(threads):
        raise RuntimeError("the threads did not come to begin")
    overlapped = not ends or max(began) < min(end for end, _ in ends)
    return len(ends) < len(threads), not all(went for _, went in ends), overlapped


def stuck_or_not(take: Take, opposite: bool) -> dict[str, bool]:
    stuck, _, overlapped = run_pair(take, opposite)
    return {"stuck": stuck, "overlapped": overlapped}


@LAB.case("opposite order, with a pause", trials=LIKELY)
def opposite_with_a_pause() -> dict[str, bool]:
    """Two threads take two locks in opposite order and pause for 50 ms between the first and the second."""
    return stuck_or_not(take_with_pause, opposite=True)


@LAB.case("opposite order, without a pause", trials=LIKELY)
def opposite_without_a_pause() -> dict[str, bool]:
    """Two threads take two locks in opposite order without a pause, over and over for 0.3 s."""
    return stuck_or_not(take_again_and_again, opposite=True)


@LAB.case("same order", trials=SURE, together=SURE // 10)
def same_order() -> dict[str, bool]:
    """Two threads take two locks in the same order, with the same pause of 50 ms."""
    return stuck_or_not(take_with_pause, opposite=False)


@LAB.case("opposite order, once, without a pause", trials=LIKELY, few=5)
def opposite_once() -> dict[str, bool]:
    """Two threads take two locks in opposite order a single time, without a pause: as a test of such a program does."""
    return stuck_or_not(take_once, opposite=True)


@LAB.case("same order, without a pause", trials=LIKELY, few=5, together=5)
def same_order_without_a_pause() -> dict[str, bool]:
    """Two threads take two locks in the same order without a pause, over and over for 0.3 s."""
    return stuck_or_not(take_again_and_again, opposite=False)


@LAB.case("a timeout on acquire", trials=LIKELY, few=5, together=5)
def timeout_on_acquire() -> dict[str, bool]:
    """Opposite order with the pause, but whoever waits 0.1 s for the second lock gives up and lets go of the first."""
    stuck, gave_up, overlapped = run_pair(take_with_timeout, opposite=True)
    return {"stuck": stuck, "gave_up": gave_up and not stuck, "overlapped": overlapped}
