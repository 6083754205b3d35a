"""Many connections open at once to a real server on loopback: coroutines against a thread for each.

All connections are opened first; then all ask at the same time, each one request after the other. Requests per CPU
second are of the asking alone; what opening costs is apart (``open_cpu_s``). The server is a process of its own and in
none of the figures. It takes 20 ms to answer, so that a thousand connections keep the client busy all of the time; in
the cases that say so it takes 200 ms, and the client has time to spare.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Callable

import psutil

from gilscope.labs import QUANTITY, Lab
from gilscope.labs._answering import ANSWER, HOST, MOST, SPARE_FILES, allow_files
from gilscope.measuring.memory import held, known_kind
from gilscope.measuring.services import running_service

PATIENCE_S = 8.0
STACK_BYTES = 256 * 1024

LAB = Lab(
    metrics={
        "requests_per_cpu_s": "1/s",
        "requests_per_s": "1/s",
        "p50_s": "s",
        "p99_s": "s",
        "cpu_s": "s",
        "open_cpu_s": "s",
        "peak_bytes": "bytes",
        "opened": "count",
        "failures": "count",
    },
    timed=True,
    seconds=17,
)


def too_many(connections: int) -> str | None:
    """Why so many connections cannot be held open here, or None."""
    needed = connections + SPARE_FILES
    allowed = allow_files(needed)
    if allowed < needed:
        return f"{needed} files would be open at once, and a process may open {allowed} here (ulimit -Hn)"
    return None


Questions = Sequence[bytes]
"""What each connection asks, one after the other: lines with the seconds that the server shall take."""


def own_memory() -> int:
    """Bytes of this process: its proportional part; where that is not told what is private, else what is resident."""
    process = psutil.Process()
    kind = known_kind(process)
    return (held(process, kind) if kind else None) or process.memory_info().rss


class Client:
    """Seconds of each answered request, a list for each open connection; what this process spends in each phase.

    The memory is read between phases, outside the clocks.
    """

    def __init__(self) -> None:
        self.times: list[list[float]] = []
        self.cpu_s: list[float] = []
        self.wall_s: list[float] = []
        self.memory = [own_memory()]
        self.begin()

    def begin(self) -> None:
        self.began = time.process_time(), time.perf_counter()

    def end(self) -> None:
        cpu, wall = self.began
        self.cpu_s.append(time.process_time() - cpu)
        self.wall_s.append(time.perf_counter() - wall)
        self.memory.append(own_memory())

    def connected(self) -> list[float]:
        self.times.append([])
        return self.times[-1]


async def ask_and_await(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, questions: Questions, times: list[float]
) -> None:
    """One connection's requests; they end early when the connection fails."""
    with suppress(OSError):
        for question in questions:
            began = time.perf_counter()
            writer.write(question)
            await writer.drain()
            if await reader.readline() != ANSWER:
                return
            times.append(time.perf_counter() - began)


async def asked_by_coroutines(port: int, connections: int, questions: Questions) -> Client:
    client = Client()
    streams = []
    with ExitStack() as leaving:
        for _ in range(connections):
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(HOST, port)
                leaving.callback(writer.close)
                streams.append((reader, writer, questions, client.connected()))
        client.end()
        client.begin()
        asking = asyncio.gather(*(ask_and_await(*stream) for stream in streams))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asking, PATIENCE_S)
        client.end()
    await asyncio.sleep(0)
    return client


def in_coroutines(port: int, connections: int, questions: Questions) -> Client:
    return asyncio.run(asked_by_coroutines(port, connections, questions))


def ask_and_block(connection: socket.socket, questions: Questions, times: list[float]) -> None:
    """As ``ask_and_await``, in a thread of its own."""
    with suppress(OSError), connection.makefile("rb") as lines:
        for question in questions:
            began = time.perf_counter()
            connection.sendall(question)
            if lines.readline() != ANSWER:
                return
            times.append(time.perf_counter() - began)


def open_sockets(port: int, number: int, leaving: ExitStack) -> list[socket.socket]:
    """So many connections, or as many of them as could be opened, until the stack is left."""
    opened = []
    for _ in range(number):
        with suppress(OSError):
            connection = leaving.enter_context(socket.create_connection((HOST, port), PATIENCE_S))
            connection.settimeout(None)
            opened.append(connection)
    return opened


@contextmanager
def small_stacks() -> Iterator[None]:
    usual = threading.stack_size(STACK_BYTES)
    try:
        yield
    finally:
        threading.stack_size(usual)


def in_threads(port: int, connections: int, questions: Questions) -> Client:
    """A thread with blocking calls for each connection; all wait at a gate, and for each other before they end."""
    client = Client()
    gate = threading.Lock()
    with ExitStack() as leaving, small_stacks():
        sockets = open_sockets(port, connections, leaving)
        done = threading.Barrier(len(sockets) + 1, action=client.end)
        leaving.callback(done.abort)

        def run(connection: socket.socket, times: list[float]) -> None:
            with gate:
                pass
            ask_and_block(connection, questions, times)
            with suppress(threading.BrokenBarrierError):
                done.wait()

        with gate:
            for connection in sockets:
                threading.Thread(target=run, args=(connection, client.connected()), daemon=True).start()
            client.end()
            client.begin()
        try:
            done.wait(PATIENCE_S)
        except threading.BrokenBarrierError:
            client.end()
            for connection in sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
    return client


def asked(
    ask: Callable[[int, int, Questions], Client], connections: int, requests: int, delay_s: float
) -> dict[str, float]:
    """What the client saw and spent, with a server started for it alone."""
    allow_files(connections + SPARE_FILES)
    with running_service("gilscope.labs._answering") as port:
        client = ask(int(port), connections, [b"%g\n" % delay_s] * requests)
    times = [seconds for answered in client.times for seconds in answered]
    if len(times) < 2:
        raise OSError(f"{len(times)} requests were answered, over {len(client.times)} connections")
    percentiles = statistics.quantiles(times, n=100, method="inclusive")
    open_cpu_s, cpu_s = client.cpu_s
    return {
        "requests_per_cpu_s": len(times) / cpu_s,
        "requests_per_s": len(times) / client.wall_s[1],
        "p50_s": percentiles[49],
        "p99_s": percentiles[98],
        "cpu_s": cpu_s,
        "open_cpu_s": open_cpu_s,
        "peak_bytes": max(client.memory) - client.memory[0],
        "opened": len(client.times),
        "failures": connections * requests - len(times),
    }


def with_coroutines(connections: int, requests: int, delay_s: float) -> dict[str, float]:
    """A coroutine for each connection, with asyncio's streams."""
    return asked(in_coroutines, connections, requests, delay_s)


def with_threads(connections: int, requests: int, delay_s: float) -> dict[str, float]:
    """A thread for each connection, with a small stack and blocking sockets."""
    return asked(in_threads, connections, requests, delay_s)


CLIENTS: dict[str, Callable[[int, int, float], dict[str, float]]] = {
    "asyncio": with_coroutines,
    "threads": with_threads,
}
SETTINGS = [
    # what is open, requests of each connection, the server's delay, trials in the small form
    ("1000 open", 1000, 10, 0.02, QUANTITY),
    ("1000 open, 200 ms", 1000, 8, 0.2, 1),
    ("100 open", 100, 50, 0.02, 1),
    ("5000 open", MOST, 5, 0.02, 0),
]
"""Requests enough for the clock of CPU time, which may be coarse."""

for (_open, _connections, _requests, _delay_s, _few), _name in itertools.product(SETTINGS, CLIENTS):
    LAB.case(
        f"{_name}, {_open}",
        trials=QUANTITY,
        few=_few,
        limit_s=30.0,
        unavailable=functools.partial(too_many, _connections),
        connections=_connections,
        requests=_requests,
        delay_s=_delay_s,
    )(CLIENTS[_name])
