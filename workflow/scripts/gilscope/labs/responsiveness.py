"""How late a 60 Hz tick of the main thread comes, and how long an echo takes, while others compute.

A tick is due every sixtieth of a second whatever became of the one before; one that was missed is made up for as soon
as may be, and counts with the delay that it has by then. It is late when that is more than 16.7 ms, a whole frame.
"""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import threading
import time
from contextlib import AbstractContextManager
from typing import Any

from gilscope.labs import QUANTITY, Lab
from gilscope.labs._computing import PATIENCE_S, computing_processes, computing_threads, long_call
from gilscope.labs._distributions import beyond, beyond_metrics
from gilscope.labs._switching import no_switch_interval, switch_interval

PERIOD_S = 1 / 60
LATE_S = 0.0167
WARM_UP, TICKS = 6, 72
ENOUGH = 8
"""Trials whose ticks are enough for a share below 0.01: of 576 none may be late, of 299 it would just do alone."""
MESSAGE = b"." * 64
MOST_ECHOES, PAUSE_S, ECHOING_S = 300, 0.001, 0.7
LAB = Lab(
    metrics={
        "late_ticks": "count",
        "ticks": "count",
        "p50_delay_s": "s",
        "p99_delay_s": "s",
        "max_delay_s": "s",
        **beyond_metrics("ticks"),
        "echo_p50_s": "s",
        "echo_p99_s": "s",
        "echo_max_s": "s",
        "echoes": "count",
        **beyond_metrics("echoes"),
        "computing_cores": "x",
        "call_s": "s",
    },
    timed=True,
    seconds=31,
)


def tick_delays(ticks: int) -> list[float]:
    """Seconds by which each tick came after its time."""
    delays = []
    began = time.perf_counter()
    for tick in range(1, ticks + 1):
        due = began + tick * PERIOD_S
        left = due - time.perf_counter()
        if left > 0:
            time.sleep(left)
        delays.append(time.perf_counter() - due)
    return delays


def spread_of(values: list[float], name: str) -> dict[str, float]:
    """Median, 99th percentile and maximum; ``name`` has a place for which of them it is."""
    percentiles = statistics.quantiles(values, n=100, method="inclusive")
    return {
        name.format("p50"): percentiles[49],
        name.format("p99"): percentiles[98],
        name.format("max"): max(values),
    }


def ticks_beside(computing: AbstractContextManager[list[float]]) -> dict[str, float]:
    with computing as cores:
        delays = tick_delays(WARM_UP + TICKS)[WARM_UP:]
    late = sum(delay > LATE_S for delay in delays)
    return {
        "late_ticks": late,
        "ticks": len(delays),
        **spread_of(delays, "{}_delay_s"),
        **beyond("ticks", delays),
        "computing_cores": sum(cores),
    }


@LAB.case("4 threads, bytecode", trials=QUANTITY, few=1, workers=4)
@LAB.case("3 threads, bytecode", trials=QUANTITY, few=0, workers=3)
@LAB.case("2 threads, bytecode", trials=QUANTITY, few=0, workers=2)
@LAB.case("1 thread, bytecode", trials=ENOUGH, workers=1)
@LAB.case("nothing computes", trials=QUANTITY, few=1, workers=0)
def beside_threads(workers: int) -> dict[str, float]:
    """The main thread ticks while threads of its process compute in bytecode."""
    return ticks_beside(computing_threads(workers))


@LAB.case("1 thread, one long C call", trials=QUANTITY)
def beside_a_long_call() -> dict[str, float]:
    """The main thread ticks while another is in a C call of some 50 ms that keeps the lock, over and over."""
    step, call_s = long_call()
    return {**ticks_beside(computing_threads(1, step)), "call_s": call_s}


@LAB.case("4 processes, bytecode", trials=QUANTITY, few=0, workers=4)
@LAB.case("3 processes, bytecode", trials=QUANTITY, few=0, workers=3)
@LAB.case("2 processes, bytecode", trials=QUANTITY, few=0, workers=2)
@LAB.case("1 process, bytecode", trials=QUANTITY, workers=1)
def beside_processes(workers: int) -> dict[str, float]:
    """The main thread ticks while processes compute in bytecode."""
    return ticks_beside(computing_processes(workers))


@LAB.case("1 thread, interval 20 ms", trials=QUANTITY, few=0, unavailable=no_switch_interval, interval_s=0.02)
@LAB.case("1 thread, interval 0.5 ms", trials=QUANTITY, few=1, unavailable=no_switch_interval, interval_s=0.0005)
def at_an_interval(interval_s: float) -> dict[str, float]:
    """The main thread ticks while one thread computes, asked to make room after another time than the usual 5 ms."""
    with switch_interval(interval_s):
        return beside_threads(1)


def echo(listener: socket.socket) -> None:
    """Send back whatever one client sends, until it hangs up."""
    connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(PATIENCE_S)
        for message in iter(lambda: connection.recv(len(MESSAGE)), b""):
            connection.sendall(message)


def round_trip(connection: socket.socket) -> float:
    began = time.perf_counter()
    connection.sendall(MESSAGE)
    missing = len(MESSAGE)
    while missing:
        received = len(connection.recv(missing))
        if not received:
            raise OSError("the echo server hung up")
        missing -= received
    return time.perf_counter() - began


def ask_for_echoes(address: Any, told: Any) -> None:
    """The client, a process of its own: round trips, a pause between them, from when it is told to begin."""
    with socket.create_connection(address, timeout=PATIENCE_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        round_trip(connection)
        told.send("connected")
        if not told.poll(PATIENCE_S):
            return
        times: list[float] = []
        until = time.perf_counter() + ECHOING_S
        while len(times) < MOST_ECHOES and (time.perf_counter() < until or len(times) < 2):
            times.append(round_trip(connection))
            time.sleep(PAUSE_S)
    told.send(times)


def said_by(connection: Any) -> Any:
    if not connection.poll(PATIENCE_S):
        raise TimeoutError(f"the client said nothing for {PATIENCE_S:g} s")
    return connection.recv()


def echo_times(computing: AbstractContextManager[list[float]]) -> dict[str, float]:
    """The client's round trips to a server thread of this process while others compute."""
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        client = multiprocessing.Process(target=ask_for_echoes, args=(listener.getsockname(), theirs), daemon=True)
        client.start()
        server = threading.Thread(target=echo, args=(listener,), daemon=True)
        server.start()
        try:
            said_by(ours)
            with computing as cores:
                ours.send("begin")
                times = said_by(ours)
        finally:
            client.kill()
            client.join(PATIENCE_S)
            server.join(PATIENCE_S)
    return {
        **spread_of(times, "echo_{}_s"),
        "echoes": len(times),
        **beyond("echoes", times),
        "computing_cores": sum(cores),
    }


@LAB.case("echo, 4 threads", trials=QUANTITY, few=0, workers=4)
@LAB.case("echo, 3 threads", trials=QUANTITY, few=0, workers=3)
@LAB.case("echo, 2 threads", trials=QUANTITY, few=0, workers=2)
@LAB.case("echo, 1 thread", trials=QUANTITY, few=1, workers=1)
@LAB.case("echo, nothing computes", trials=QUANTITY, few=1, workers=0)
def echo_beside_threads(workers: int) -> dict[str, float]:
    """A thread of this process echoes 64 bytes to a client on loopback while other threads of it compute."""
    return echo_times(computing_threads(workers))


@LAB.case("echo, 4 processes", trials=QUANTITY, few=0, workers=4)
@LAB.case("echo, 3 processes", trials=QUANTITY, few=0, workers=3)
@LAB.case("echo, 2 processes", trials=QUANTITY, few=0, workers=2)
@LAB.case("echo, 1 process", trials=QUANTITY, few=1, workers=1)
def echo_beside_processes(workers: int) -> dict[str, float]:
    """The same while processes compute."""
    return echo_times(computing_processes(workers))
