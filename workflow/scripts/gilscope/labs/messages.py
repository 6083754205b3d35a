"""What messages cost between threads and between processes, from 64 bytes to 64 MiB.

Bytes travel to a worker and come back. An array travels one way: the worker adds up a number of every page of it and
answers with the sum, so that it has been there and has been read. A thread is handed the object itself.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import shutil
import statistics
import time
from contextlib import AbstractContextManager
from typing import Any, Callable

from gilscope.labs import QUANTITY, SCATTERED, Lab
from gilscope.labs._channels import PAGE, Exchange, check_sum, manager, pipe, process_queue, shared_memory, thread_queue
from gilscope.running.marks import SEGMENTS

SIZES = {"64 B": 64, "1 KiB": 2**10, "64 KiB": 2**16, "1 MiB": 2**20, "32 MiB": 2**25, "64 MiB": 2**26}
LEAST, MOST, LONG_ENOUGH_S = 3, 2000, 0.15
"""Exchanges in a trial: so many at least, so many at most, and between them until the time is up."""
COPIES = 8
"""How often a message may lie in memory at once: at both ends, pickled, in a manager."""
LAB = Lab(
    metrics={"round_trip_s": "s", "transfer_s": "s", "fill_s": "s", "bytes_per_s": "1/s"},
    timed=True,
    seconds=19,
    libraries=("numpy",),
)
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
