"""The labs about time and drawing: what their trials do is real and is checked; how long it takes is not asserted."""

from __future__ import annotations

import glob
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from gilscope.labs import Lab, _channels, _computing, connections, messages, responsiveness
from gilscope.labs import turtle as drawing
from gilscope.labs._distributions import beyond, beyond_metrics
from gilscope.running.gil import gil_enabled
from gilscope.running.marks import MARK


def trial(lab: Lab, name: str, **others: Any) -> dict[str, float]:
    """One trial of a case, in this process; every metric that it returns is declared."""
    case = lab.cases[name]
    seen = dict(case.function(**{**case.arguments, **others}))
    assert not set(seen) - set(lab.metrics)
    return seen


# messages


def processes() -> set[int]:
    """Children apart from multiprocessing's own helpers, which stay."""
    return {child.pid for child in psutil.Process().children() if not is_helper(child)}


def is_helper(process: psutil.Process) -> bool:
    try:
        return any("resource_tracker" in word or "forkserver" in word for word in process.cmdline())
    except psutil.Error:
        return True


@pytest.mark.parametrize("payload", messages.PAYLOADS)
@pytest.mark.parametrize("channel", messages.CHANNELS)
def test_messages_come_through_every_channel_and_nothing_stays(
    channel: str, payload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "LONG_ENOUGH_S", 0.0)
    monkeypatch.setenv(MARK, f"test-{os.getpid()}")
    before = processes(), threading.active_count()
    seen = trial(messages.LAB, f"{channel}, 64 KiB, {payload}")
    time_of_one, ways = ("round_trip_s", 2) if payload == "bytes" else ("transfer_s", 1)
    assert set(seen) == {time_of_one, "bytes_per_s"} | ({"fill_s"} if channel == "shared_memory" else set())
    assert seen["bytes_per_s"] == pytest.approx(ways * 2**16 / seen[time_of_one])
    assert not glob.glob(f"/dev/shm/gilscope-test-{os.getpid()}-*")
    assert processes() <= before[0]
    assert threading.active_count() <= before[1] or channel != "queue.Queue"


def test_a_worker_ends_with_the_trial_even_when_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_channels, "JOIN_S", 0.1)
    before = processes()
    with pytest.raises(ValueError, match="not what was to come"), _channels.pipe() as exchange:
        messages.exchange_times(exchange, b"abc", b"abcd")
    assert processes() == before


def test_a_message_that_comes_back_changed_is_an_error() -> None:
    with pytest.raises(ValueError, match="not what was to come"):
        messages.exchange_times(lambda message: message[1:], b"abc", b"abc")


def test_the_first_exchange_warms_up_and_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "LONG_ENOUGH_S", 0.0)
    seen: list[bytes] = []
    times = messages.exchange_times(lambda message: seen.append(message) or message, b"abc", b"abc")
    assert (len(seen), len(times)) == (messages.LEAST + 1, messages.LEAST)


def test_an_array_is_read_a_number_on_every_page() -> None:
    np = pytest.importorskip("numpy")
    array = np.zeros(3 * _channels.PAGE // 8)
    array[:: _channels.PAGE // 8] = [1, 10, 100]
    assert _channels.check_sum(array) == 111


def test_a_thread_is_handed_the_message_itself_and_a_process_is_not() -> None:
    message = b"x" * 1000
    with _channels.thread_queue() as exchange:
        assert exchange(message) is message
    with _channels.pipe() as exchange:
        assert exchange(message) == message
        assert exchange(message) is not message


def test_a_message_that_does_not_fit_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shared memory that grows beyond its space ends the process, so that nobody could say why."""
    large = messages.LAB.cases["shared_memory, 32 MiB, array"]
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(messages.os.path, "isdir", lambda folder: folder == messages.SEGMENTS)
    monkeypatch.setattr(messages.shutil, "disk_usage", lambda folder: usage(2**26, 2**26 - 2**24, 2**24))
    assert large.unavailable() == "/dev/shm has room for 16.0 MiB, and the message has 32.0 MiB"
    assert messages.LAB.cases["shared_memory, 1 MiB, bytes"].unavailable() is None
    assert messages.LAB.cases["Pipe, 32 MiB, array"].unavailable() is None
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2**24))
    assert "256 MiB of memory may be needed and 16 MiB are free" in str(
        messages.LAB.cases["Pipe, 32 MiB, array"].unavailable()
    )


def test_without_numpy_arrays_are_unavailable_and_bytes_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert "numpy cannot be imported here" in str(messages.LAB.cases["Pipe, 1 KiB, array"].unavailable())
    assert messages.LAB.cases["Pipe, 1 KiB, bytes"].unavailable() is None


# responsiveness


class Clock:
    """A clock that only sleeping moves, and that jumps once as if the thread had been kept from running."""

    def __init__(self, jump_at: int, jump_s: float) -> None:
        self.now, self.sleeps, self.jump_at, self.jump_s = 100.0, 0, jump_at, jump_s

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.sleeps += 1
        self.now += seconds + (self.jump_s if self.sleeps == self.jump_at else 0.0)


def test_ticks_keep_to_their_schedule_and_missed_ones_are_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(jump_at=2, jump_s=0.040)
    monkeypatch.setattr(responsiveness, "time", clock)
    delays = responsiveness.tick_delays(6)
    period = 1 / 60
    assert delays == pytest.approx([0, 0.040, 0.040 - period, 0.040 - 2 * period, 0, 0], abs=1e-9)
    assert clock.now == pytest.approx(100 + 6 * period)


def test_threads_that_let_nobody_else_run_end_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in PyPy, which looks whether others wait only once in so many bytecodes, however long a call takes."""
    monkeypatch.setattr(_computing, "LONGEST_S", 0.01)
    before = threading.active_count()
    with _computing.computing_threads(2):
        until = time.monotonic() + 5
        while threading.active_count() > before and time.monotonic() < until:
            time.sleep(0.01)
        assert threading.active_count() <= before


@contextmanager
def computing_nothing() -> Iterator[list[float]]:
    yield [0.5]


def test_late_is_what_comes_a_frame_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responsiveness, "tick_delays", lambda ticks: [9.0] * 6 + [0.0, 0.0166, 0.0168, 0.5])
    seen = responsiveness.ticks_beside(computing_nothing())
    assert (seen["late_ticks"], seen["ticks"], seen["max_delay_s"], seen["computing_cores"]) == (2, 4, 0.5, 0.5)
    assert seen["p50_delay_s"] == pytest.approx(0.0167)
    assert seen["p50_delay_s"] < seen["p99_delay_s"] < 0.5


def shares_held(function: Any) -> list[float]:
    """The longest that another thread could not get on, as a share of the function's time; of several calls."""
    seen: list[float] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.append(time.perf_counter())

    watcher = threading.Thread(target=watch)
    watcher.start()
    shares = []
    for _ in range(6):
        began = time.perf_counter()
        function()
        ended = time.perf_counter()
        moments = [began, *(moment for moment in list(seen) if began < moment < ended), ended]
        shares.append(max(late - early for early, late in itertools.pairwise(moments)) / (ended - began))
        seen.clear()
    stop.set()
    watcher.join()
    return shares


@pytest.mark.skipif(not gil_enabled(), reason="there is no lock to keep")
def test_the_long_call_keeps_the_lock_and_bytecode_does_not() -> None:
    assert max(shares_held(responsiveness.long_call()[0])) > 0.5
    assert min(shares_held(lambda: [_computing.count_up() for _ in range(50)])) < 0.5


@pytest.mark.parametrize("name", ["nothing computes", "1 thread, one long C call", "2 processes, bytecode"])
def test_others_compute_while_the_ticks_go_on_and_end_with_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responsiveness, "WARM_UP", 2)
    monkeypatch.setattr(responsiveness, "TICKS", 12)
    before = processes(), threading.active_count()
    seen = trial(responsiveness.LAB, name)
    assert (processes(), threading.active_count()) == before
    assert seen["ticks"] == 12
    assert (seen["computing_cores"] > 0) == (name != "nothing computes")


def test_the_switch_interval_is_set_for_the_trial_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = sys.getswitchinterval()
    monkeypatch.setattr(responsiveness, "beside_threads", lambda workers: {"call_s": sys.getswitchinterval()})
    assert trial(responsiveness.LAB, "1 thread, interval 20 ms")["call_s"] == pytest.approx(0.02)
    assert sys.getswitchinterval() == usual


@pytest.mark.parametrize("name", ["echo, 1 thread", "echo, 1 process"])
def test_echoes_come_back_and_nothing_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responsiveness, "MOST_ECHOES", 5)
    before = processes(), threading.active_count(), listening()
    seen = trial(responsiveness.LAB, name)
    assert (processes(), threading.active_count(), listening()) == before
    assert 2 <= seen["echoes"] <= 5
    assert 0 < seen["echo_p50_s"] <= seen["echo_p99_s"] <= seen["echo_max_s"]


def listening() -> set[int]:
    return {part.laddr.port for part in psutil.Process().net_connections("tcp") if part.status == psutil.CONN_LISTEN}


# connections

QUESTION = b"0.02\n"
CLIENTS = [connections.in_coroutines, connections.in_threads]


@pytest.mark.parametrize("name", ["asyncio, 100 open", "threads, 100 open"])
def test_every_connection_gets_all_its_answers_and_nothing_stays(name: str) -> None:
    before = processes(), threading.stack_size()
    seen = trial(connections.LAB, name, connections=30, requests=3)
    assert (processes(), threading.stack_size()) == before
    assert (seen["opened"], seen["failures"]) == (30, 0)
    assert seen["requests_per_cpu_s"] == pytest.approx(90 / seen["cpu_s"])
    assert 0.02 < seen["p50_s"] <= seen["p99_s"]


def test_requests_without_an_answer_are_failures() -> None:
    def ask(port: int, number: int, questions: connections.Questions) -> connections.Client:
        client = connections.Client()
        client.end()
        client.begin()
        client.connected().extend([0.1, 0.2])
        client.connected().append(0.1)
        client.end()
        return client

    seen = connections.asked(ask, 4, len(CLIENTS), 0.0)
    assert (seen["opened"], seen["failures"]) == (2, 4 * 2 - 3)


@contextmanager
def server(number: int, answers: int) -> Iterator[int]:
    """A server that answers nobody before ``number`` clients are there, each so often, and then hangs up; 0: never."""
    over = threading.Event()

    def run() -> None:
        clients = [listener.accept()[0] for _ in range(number)]
        for client in clients if answers else []:
            for _ in range(answers):
                client.recv(100)
                client.sendall(connections.ANSWER)
            client.close()
        over.wait(20)
        for client in clients:
            client.close()

    with socket.create_server((connections.HOST, 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("client", CLIENTS)
def test_all_are_open_before_any_asks_and_hanging_up_is_a_failure(client: Any) -> None:
    with server(5, answers=2) as port:
        seen = client(port, 5, [QUESTION] * 3)
    assert [len(times) for times in seen.times] == [2] * 5
    assert (len(seen.cpu_s), len(seen.memory)) == (2, 3)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_that_never_answers_is_not_waited_for_for_ever(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE_S", 0.2)
    with server(3, answers=0) as port:
        before = threading.active_count()
        seen = client(port, 3, [QUESTION])
        until = time.monotonic() + 5
        while threading.active_count() > before and time.monotonic() < until:
            time.sleep(0.01)
        assert threading.active_count() <= before
    assert seen.times == [[], [], []]
    assert len(seen.cpu_s) == 2


@pytest.mark.parametrize("client", CLIENTS)
def test_connections_that_are_refused_are_missing(client: Any) -> None:
    with socket.create_server((connections.HOST, 0)) as listener:
        port = listener.getsockname()[1]
    assert client(port, 3, [QUESTION]).times == []


def test_files_are_allowed_as_far_as_they_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    asked_for: list[Any] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (100, 1100))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: asked_for.append(limits))
    assert (connections.allow_files(50), asked_for) == (50, [])
    assert connections.allow_files(1064) == 1064
    assert connections.allow_files(5064) == 1100
    assert asked_for == [(1064, 1100), (1100, 1100)]
    assert connections.LAB.cases["threads, 1000 open"].unavailable() is None
    reason = connections.LAB.cases["threads, 5000 open"].unavailable()
    assert reason == "5064 files would be open at once, and a process may open 1100 here (ulimit -Hn)"


# turtle


@pytest.fixture
def drawn(display: str, environment: dict[str, str], tmp_path: Path) -> Callable[[str], dict[str, float]]:
    """What a trial saw, in a process of its own: turtle has one screen a process."""
    pytest.importorskip("tkinter", reason="this Python has no tkinter")

    def run(name: str) -> dict[str, float]:
        command = [sys.executable, "-m", "gilscope.observing.trial_host", "turtle", name, "0", "1", "answer"]
        here = {**environment, "DISPLAY": display}
        subprocess.run(command, cwd=tmp_path, env=here, check=False, timeout=30)
        return json.loads((tmp_path / "answer").read_text())["seen"]

    return run


@pytest.mark.parametrize("name", ["from worker threads, in the main loop", "through a queue to the main thread"])
def test_squares_are_drawn_where_tk_is_asked_as_it_requires(
    name: str, drawn: Callable[[str], dict[str, float]]
) -> None:
    assert drawn(name) == {"all_drawn": 1, "squares": 4, "errors": 0, "hung": 0}


def test_drawing_straight_from_threads_has_an_outcome(drawn: Callable[[str], dict[str, float]]) -> None:
    """Which one is for the lab to find; it depends on how Tcl was built."""
    seen = drawn("from worker threads")
    assert seen["squares"] + seen["errors"] + seen["hung"] >= 4
    assert seen["all_drawn"] == (seen == {"all_drawn": 1, "squares": 4, "errors": 0, "hung": 0})


class Canvas:
    """As much of a canvas as is looked at: lines of these coordinates."""

    def __init__(self, lines: list[list[float]]) -> None:
        self.lines = lines

    def find_all(self) -> range:
        return range(len(self.lines))

    def type(self, item: int) -> str:
        return "line"

    def coords(self, item: int) -> list[float]:
        return self.lines[item]


@pytest.mark.parametrize(("missing", "error", "expected"), [(0, False, 4), (1, False, 3), (0, True, 4)])
def test_all_drawn_means_every_side_and_no_error(missing: int, error: bool, expected: int) -> None:
    squares = [[x, 0.0, x + 50, -0.0, x + 50, 50, x, 50.00001, x - 1e-14, 7e-15] for x in (0, 60, 120, 180)]
    squares[2] = squares[2][: 10 - 2 * missing]
    work = drawing.Drawing()
    work.errors = [RuntimeError("main thread is not in main loop")] * error
    seen = drawing.outcome(work, Canvas([*squares, [0.0, 0.0, 0.0, 0.0]]))
    assert (seen["squares"], seen["all_drawn"]) == (expected, expected == 4 and not error)


def test_a_thread_that_hangs_is_counted() -> None:
    release = threading.Event()
    work = drawing.Drawing(lambda *step: release.wait(10))
    work.start()
    assert drawing.outcome(work, Canvas([]))["hung"] == 4
    release.set()
    for thread in work.threads:
        thread.join()


def test_durations_are_counted_beyond_each_limit() -> None:
    counts = beyond("ticks", [0.00005, 0.0015, 0.0167, 0.2])
    assert counts["ticks_beyond_1_ms"] == 3
    assert (counts["ticks_beyond_0.1_ms"], counts["ticks_beyond_10_ms"], counts["ticks_beyond_100_ms"]) == (3, 2, 1)
    assert set(counts) == set(beyond_metrics("ticks"))
