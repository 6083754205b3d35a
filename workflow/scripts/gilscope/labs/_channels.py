"""The channels of the lab ``messages``: queues, a pipe, a manager, shared memory, each with somebody who answers."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any, Callable

from gilscope.running.marks import segment_name

Exchange = Callable[[Any], Any]
"""Hands a message over and returns the worker's answer."""
PAGE = 4096
JOIN_S = 2.0


@dataclass
class Segment:
    """Where a message lies in shared memory; ``array``: whether it is numbers to be read, or bytes to be sent back."""

    name: str
    size: int
    array: bool


def check_sum(array: Any) -> float:
    """The sum of the first number of each page."""
    return float(array[:: PAGE // array.itemsize].sum())


def numbers_in(memory: Any, size: int) -> Any:
    """An array over shared memory, which may be longer than was asked for."""
    import numpy as np

    return np.ndarray((size // 8,), dtype=np.float64, buffer=memory)


def copied(memory: Any, size: int) -> bytes:
    with memory.buf[:size] as part:  # shared memory cannot be closed while a view of it is left, as PyPy may leave it
        return bytes(part)


def look_into(segment: Segment) -> Any:
    """A worker's answer to a message in shared memory; what was to come back has been written there anew."""
    from multiprocessing.shared_memory import SharedMemory

    memory: Any = SharedMemory(name=segment.name)
    try:
        if segment.array:
            return check_sum(numbers_in(memory.buf, segment.size))
        memory.buf[: segment.size] = copied(memory, segment.size)
        return None
    finally:
        memory.close()


def answer(message: Any) -> Any:
    if isinstance(message, bytes):
        return message
    return look_into(message) if isinstance(message, Segment) else check_sum(message)


def work(receive: Callable[[], Any], send: Callable[[Any], None]) -> None:
    """Answer every message until None comes."""
    while True:
        message = receive()
        if message is None:
            return
        send(answer(message))
        del message


@contextmanager
def working(worker: Any, send: Callable[[Any], None], receive: Callable[[], Any]) -> Iterator[Exchange]:
    """A worker, thread or process, at the other end; the trial's own limit bounds every wait for it."""
    worker.start()

    def exchange(message: Any) -> Any:
        send(message)
        return receive()

    try:
        yield exchange
        send(None)
    finally:
        worker.join(JOIN_S)
        if isinstance(worker, multiprocessing.process.BaseProcess) and worker.is_alive():
            worker.kill()
            worker.join()


def thread_queue() -> AbstractContextManager[Exchange]:
    there: Any = queue.Queue()
    back: Any = queue.Queue()
    worker = threading.Thread(target=work, args=(there.get, back.put), daemon=True)
    return working(worker, there.put, back.get)


def process_between(there: Any, back: Any) -> AbstractContextManager[Exchange]:
    """A worker process that is reached by one queue and answers by another."""
    worker = multiprocessing.Process(target=work, args=(there.get, back.put), daemon=True)
    return working(worker, there.put, back.get)


def process_queue() -> AbstractContextManager[Exchange]:
    return process_between(multiprocessing.Queue(), multiprocessing.Queue())


@contextmanager
def manager() -> Iterator[Exchange]:
    with multiprocessing.Manager() as served, process_between(served.Queue(), served.Queue()) as exchange:
        yield exchange


@contextmanager
def pipe() -> Iterator[Exchange]:
    ours, theirs = multiprocessing.Pipe()
    worker = multiprocessing.Process(target=work, args=(theirs.recv, theirs.send), daemon=True)
    with ours, theirs, working(worker, ours.send, ours.recv) as exchange:
        yield exchange


@contextmanager
def filled_segment(message: Any, name: str) -> Iterator[tuple[Any, float]]:
    """Shared memory that holds a message, and the seconds that filling it took; unlinked afterwards."""
    from multiprocessing.shared_memory import SharedMemory

    size = memoryview(message).nbytes
    memory: Any = SharedMemory(name=name, create=True, size=size)
    try:
        began = time.perf_counter()
        if isinstance(message, bytes):
            memory.buf[:size] = message
        else:
            numbers_in(memory.buf, size)[:] = message
        yield memory, time.perf_counter() - began
    finally:
        memory.close()
        memory.unlink()


@contextmanager
def shared_memory(fills: list[float]) -> Iterator[Exchange]:
    """A new segment for each message, its name sent through a pipe; the seconds of each fill are added to ``fills``."""
    if os.name == "posix":  # Windows removes a segment with the last that has it open
        resource_tracker.ensure_running()  # a worker that had one of its own would believe our segments lost
    numbers = itertools.count()
    with pipe() as exchange:

        def share(message: Any) -> Any:
            with filled_segment(message, segment_name(next(numbers))) as (memory, fill_s):
                fills.append(fill_s)
                size = memoryview(message).nbytes
                said = exchange(Segment(memory.name, size, not isinstance(message, bytes)))
                return copied(memory, size) if said is None else said

        yield share
