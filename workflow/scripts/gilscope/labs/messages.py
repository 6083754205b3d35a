"""What messages cost between threads and between processes, from 64 bytes to 64 MiB.

Bytes travel to a worker and come back. An array travels one way: the worker adds up a number of every page of it and
answers with the sum, so that it has been there and has been read. A thread is handed the object itself.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import multiprocessing
import os
import queue
import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any, Callable

from gilscope.labs import QUANTITY, SCATTERED, Lab
from gilscope.running.marks import SEGMENTS, segment_name

Exchange = Callable[[Any], Any]
"""Hands a message over and returns the worker's answer."""

SIZES = {"64 B": 64, "1 KiB": 2**10, "64 KiB": 2**16, "1 MiB": 2**20, "32 MiB": 2**25, "64 MiB": 2**26}
PAGE = 4096
LEAST, MOST, LONG_ENOUGH_S = 3, 2000, 0.15
"""Exchanges in a trial: so many at least, so many at most, and between them until the time is up."""
COPIES = 8
"""How often a message may lie in memory at once: at both ends, pickled, in a manager."""
JOIN_S = 2.0

LAB = Lab(
    metrics={"round_trip_s": "s", "transfer_s": "s", "fill_s": "s", "bytes_per_s": "1/s"},
    timed=True,
    seconds=19,
    libraries=("numpy",),
)


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


CHANNELS: dict[str, Callable[..., AbstractContextManager[Exchange]]] = {
    "queue.Queue": thread_queue,
    "multiprocessing.Queue": process_queue,
    "Pipe": pipe,
    "shared_memory": shared_memory,
    "Manager": manager,
}


def exchange_times(exchange: Exchange, message: Any, expected: Any) -> list[float]:
    """Seconds of each exchange after the first, which warms up. Raises ValueError at a wrong answer."""
    times: list[float] = []
    began = time.perf_counter()
    while len(times) <= LEAST or (len(times) <= MOST and time.perf_counter() - began < LONG_ENOUGH_S):
        handed_over = time.perf_counter()
        said = exchange(message)
        times.append(time.perf_counter() - handed_over)
        if said != expected:
            raise ValueError("what came back is not what was to come")
        del said
    return times[1:]


def exchanged(channel: str, message: Any, expected: Any) -> tuple[float, dict[str, float]]:
    """Median seconds of an exchange, and what else the channel has measured."""
    fills: list[float] = []
    with CHANNELS[channel](*([fills] if channel == "shared_memory" else [])) as exchange:
        typical = statistics.median(exchange_times(exchange, message, expected))
    return typical, {"fill_s": statistics.median(fills[1:])} if fills else {}


def there_and_back(channel: str, size: int) -> dict[str, float]:
    """Bytes go to a worker and come back; the median of many round trips."""
    message = b"\x5a" * size
    typical, more = exchanged(channel, message, message)
    return {"round_trip_s": typical, "bytes_per_s": 2 * size / typical, **more}


def there_and_read(channel: str, size: int) -> dict[str, float]:
    """A numpy array goes to a worker, which reads it and says so; the median of several."""
    import numpy as np

    message = np.arange(size // 8, dtype=np.float64)
    typical, more = exchanged(channel, message, check_sum(message))
    return {"transfer_s": typical, "bytes_per_s": size / typical, **more}


PAYLOADS: dict[str, Callable[[str, int], dict[str, float]]] = {"bytes": there_and_back, "array": there_and_read}


def cannot_import(module: str) -> str | None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        return f"{module} cannot be imported here: {error}"
    return None


def no_room(size: int, shared: bool) -> str | None:
    """Why a message of this size does not fit. Memory files that grow too large end the process with SIGBUS."""
    import psutil  # asked before the trials, whose processes need not import it

    free = psutil.virtual_memory().available
    if free < COPIES * size:
        return f"{COPIES * size / 2**20:.0f} MiB of memory may be needed and {free / 2**20:.0f} MiB are free"
    if shared and os.path.isdir(SEGMENTS):
        free = shutil.disk_usage(SEGMENTS).free
        if free < size + PAGE:
            return f"{SEGMENTS} has room for {free / 2**20:.1f} MiB, and the message has {size / 2**20:.1f} MiB"
    return None


def why_not(channel: str, size: int, payload: str) -> str | None:
    """Why a case cannot run here, or None."""
    needs = ["numpy"] * (payload == "array") + ["multiprocessing.shared_memory"] * (channel == "shared_memory")
    reasons = [*map(cannot_import, needs), no_room(size, channel == "shared_memory")]
    return next((reason for reason in reasons if reason), None)


CLAIMED = {
    ("queue.Queue", "1 KiB", "bytes"): SCATTERED,
    ("multiprocessing.Queue", "1 KiB", "bytes"): SCATTERED,
    ("Pipe", "32 MiB", "array"): QUANTITY,
    ("shared_memory", "32 MiB", "array"): QUANTITY,
}
"""The cases of claims, and their trials."""
BRIEF = {
    **{f"{size}, bytes": list(CHANNELS) for size in ("1 KiB", "64 KiB", "1 MiB", "32 MiB")},
    "32 MiB, array": ["multiprocessing.Queue"],
}
"""What the small form of the lab has besides, and of which channels."""

for _channel, _size, _payload in itertools.product(CHANNELS, SIZES, PAYLOADS):
    _claimed = CLAIMED.get((_channel, _size, _payload))
    LAB.case(
        f"{_channel}, {_size}, {_payload}",
        trials=_claimed or QUANTITY,
        few=_claimed or int(_channel in BRIEF.get(f"{_size}, {_payload}", [])),
        limit_s=30.0,
        unavailable=functools.partial(why_not, _channel, SIZES[_size], _payload),
        channel=_channel,
        size=SIZES[_size],
    )(PAYLOADS[_payload])
