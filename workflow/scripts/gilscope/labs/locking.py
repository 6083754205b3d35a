"""What holding a lock costs the others, by the share of its work that a thread does under it; and who lets go of it."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Callable

from gilscope.labs import QUANTITY, SURE, Lab

TASK_S = 0.002
TRIAL_S = 0.3
PATIENCE_S = 1.0
THREADS = 4
HELD = (0, 10, 50, 90, 100)
SEVERAL = (1, 2, 4, 8)
CLAIMED = {(10, THREADS), (90, THREADS)}
"""Per cent held and threads of the cells of the grid that are cases of a claim, under names of their own."""

LAB = Lab(metrics={"tasks_per_s": "1/s", "released": "share"}, timed=True, seconds=7)


def wait_task(lock: threading.Lock, held: float) -> None:
    """One task: it waits 2 ms in all, the share ``held`` of it under the lock."""
    if held > 0:
        with lock:
            time.sleep(TASK_S * held)
    if held < 1:
        time.sleep(TASK_S * (1 - held))


def throughput(held: int, threads: int) -> dict[str, float]:
    """Threads do one waiting task of 2 ms after the other, this share of each under one lock that all share.

    From the moment all are there each goes on for 0.3 s and finishes its last task; the time counts until the last end.
    """
    lock = threading.Lock()
    barrier = threading.Barrier(threads)
    spans: list[tuple[float, float, int]] = []

    def run() -> None:
        barrier.wait(PATIENCE_S)
        began = now = time.perf_counter()
        tasks = 0
        while now < began + TRIAL_S:
            wait_task(lock, held / 100)
            tasks += 1
            now = time.perf_counter()
        spans.append((began, now, tasks))

    workers = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(TRIAL_S + 2 * PATIENCE_S)
    if len(spans) < threads:
        raise RuntimeError(f"{threads - len(spans)} of {threads} threads did not come to an end")
    took = max(end for _, end, _ in spans) - min(begin for begin, _, _ in spans)
    return {"tasks_per_s": sum(tasks for _, _, tasks in spans) / took}


@LAB.case("10 % held", trials=QUANTITY, held=10, threads=THREADS)
@LAB.case("90 % held", trials=QUANTITY, held=90, threads=THREADS)
def claimed_throughput(held: int, threads: int) -> dict[str, float]:
    """Four threads do tasks that wait 2 ms each, this share of it under one lock that all of them need."""
    return throughput(held, threads)


class BodyError(Exception):
    """What goes wrong while a lock is held."""


def body() -> None:
    raise BodyError


def with_lock(lock: threading.Lock) -> None:
    with lock:
        body()


def acquire_and_release(lock: threading.Lock) -> None:
    lock.acquire()
    body()
    lock.release()


def released_after(take: Callable[[threading.Lock], None]) -> dict[str, bool]:
    """One thread takes a lock and fails; once it has ended, another one tries for 1 s to take it."""
    lock = threading.Lock()
    taken: list[bool] = []

    def run() -> None:
        with contextlib.suppress(BodyError):
            take(lock)

    for target in (run, lambda: taken.append(lock.acquire(timeout=PATIENCE_S))):
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        thread.join(2 * PATIENCE_S)
    return {"released": taken == [True]}


@LAB.case("an exception in the body", trials=SURE, together=SURE)
def exception_within_with() -> dict[str, bool]:
    """One thread fails within "with lock"; another one then tries to take the lock."""
    return released_after(with_lock)


@LAB.case("acquire without with", trials=5, few=1, together=5)
def exception_after_acquire() -> dict[str, bool]:
    """One thread fails between lock.acquire() and lock.release(); another one then tries to take the lock."""
    return released_after(acquire_and_release)


def few_trials(held: int, threads: int) -> int:
    """The small form: every share at four threads, and every number of threads at one half held."""
    return 1 if threads == THREADS or held == 50 else 0


for held in HELD:
    for threads in SEVERAL:
        if (held, threads) not in CLAIMED:
            LAB.case(
                f"{held} % held, {threads} thread{'s' if threads > 1 else ''}",
                trials=QUANTITY,
                few=few_trials(held, threads),
                held=held,
                threads=threads,
            )(throughput)
