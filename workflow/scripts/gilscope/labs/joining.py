"""What a program reads that does not wait for its threads."""

from __future__ import annotations

import threading
import time
from typing import Callable

from gilscope.labs import SURE, Lab

THREADS = 4
WORK_S = 0.01
STEPS = 100_000
PATIENCE_S = 3.0

LAB = Lab(metrics={"incomplete": "share"}, timed=False, seconds=1)


def wait_a_little() -> None:
    time.sleep(WORK_S)


def compute_a_little() -> None:
    total = 0
    for step in range(STEPS):
        total += step


def read_results(work: Callable[[], None], joined: bool) -> dict[str, bool]:
    """Start threads that work and then leave a result; read the results, with or without joining the threads first."""
    results: list[int] = []

    def run(number: int) -> None:
        work()
        results.append(number)

    def join() -> None:
        for thread in threads:
            thread.join(PATIENCE_S)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    if joined:
        join()
    read = sorted(results)
    join()
    return {"incomplete": read != list(range(THREADS))}


@LAB.case("read without joining", trials=SURE, together=SURE // 2)
def read_at_once() -> dict[str, bool]:
    """Four threads wait 10 ms and leave a result each; the results are read as soon as all have been started."""
    return read_results(wait_a_little, joined=False)


@LAB.case("joined first", trials=20, few=5, together=20)
def read_after_joining() -> dict[str, bool]:
    """The same, but the results are read after joining the threads."""
    return read_results(wait_a_little, joined=True)


@LAB.case("read without joining, computing", trials=20, few=5, together=20)
def read_while_computing() -> dict[str, bool]:
    """Four threads count to 100 000 instead of waiting, and may be done before the reader has its turn."""
    return read_results(compute_a_little, joined=False)
