"""What computes beside whoever wants to be on time: threads, processes, one long call."""

from __future__ import annotations

import functools
import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

import psutil

LONGEST_S = 4.0
"""Threads stop computing then, long after the last tick was due, should they let the main thread do nothing at all."""
CALL_S = 0.05
"""About what a long C call shall take, on a fast machine and on a slow one."""
MODULUS = (1 << 2203) - 1
PATIENCE_S = 5.0
Step = Callable[[], Any]


def count_up() -> int:
    """About a millisecond of bytecode."""
    total = 0
    for number in range(20_000):
        total += number & 7
    return total


def power(bits: int) -> int:
    """One call into C that takes time in proportion to ``bits``, and keeps the lock all the while."""
    return pow(3, (1 << bits) - 1, MODULUS)


def power_s(bits: int) -> float:
    began = time.perf_counter()
    power(bits)
    return time.perf_counter() - began


def long_call() -> tuple[Step, float]:
    """A step that is a single call into C, and the seconds that it takes here when nothing else runs."""
    bits = 100
    while power_s(bits) < CALL_S / 10:
        bits *= 2
    bits = round(bits * CALL_S / min(power_s(bits) for _ in range(3)))
    return functools.partial(power, bits), power_s(bits)


@contextmanager
def computing_threads(number: int, step: Step = count_up) -> Iterator[list[float]]:
    """Threads that take the step over and over; on leaving, the list gets the cores that they kept busy together."""
    stop = threading.Event()
    begun = threading.Barrier(number + 1)
    spent: list[float] = []
    cores: list[float] = []

    def compute() -> None:
        begun.wait(PATIENCE_S)
        until = time.perf_counter() + LONGEST_S
        while not stop.is_set() and time.perf_counter() < until:
            step()
        spent.append(time.thread_time())

    threads = [threading.Thread(target=compute, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    begun.wait(PATIENCE_S)
    began = time.perf_counter()
    try:
        yield cores
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        cores.append(sum(spent) / (time.perf_counter() - began))


def tell_and_compute(connection: Any) -> None:
    connection.send("computing")
    while True:
        count_up()


def cpu_seconds(process: Any) -> float:
    used = psutil.Process(process.pid).cpu_times()
    return used.user + used.system


@contextmanager
def computing_processes(number: int) -> Iterator[list[float]]:
    """The same with processes that count up."""
    ours, theirs = multiprocessing.Pipe()
    processes = [multiprocessing.Process(target=tell_and_compute, args=(theirs,), daemon=True) for _ in range(number)]
    cores: list[float] = []
    with ours, theirs:
        try:
            for process in processes:
                process.start()
            for _ in processes:
                if not ours.poll(PATIENCE_S):
                    raise TimeoutError(f"a process was not computing within {PATIENCE_S:g} s")
                ours.recv()
            began, before = time.perf_counter(), sum(map(cpu_seconds, processes))
            yield cores
            cores.append((sum(map(cpu_seconds, processes)) - before) / (time.perf_counter() - began))
        finally:
            for process in processes:
                process.kill()
                process.join(PATIENCE_S)
