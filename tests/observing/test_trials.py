"""Labs run in a copy of the package that has one more: a lab that hangs, crashes, floods and leaves things behind."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from apart import apart
from gilscope.labs import Lab
from gilscope.observing.keeper import clean
from gilscope.observing.trials import plan_chunks, read_answers
from gilscope.running.marked import end_all
from gilscope.running.marks import MARK, SEGMENT, SEGMENTS
from gilscope.running.waiting import exit_code

SLEEPING = "import time; time.sleep(600)"
SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
GRIM = '''
"""A lab for tests."""
import ctypes, multiprocessing, os, subprocess, sys, tempfile, time
from multiprocessing import shared_memory
from gilscope.labs import Lab
from gilscope.running.marks import segment_name

LAB = Lab(metrics={"ok": "share", "pid": "count"}, timed=False, seconds=1, side_by_side=8)
SLEEPER = "import time; time.sleep(600)"


@LAB.case("plain", trials=6, together=4)
def plain():
    """Does nothing."""
    return {"ok": True, "pid": os.getpid()}


@LAB.case("hangs", trials=2, limit_s=1.0)
def hangs():
    time.sleep(600)
    return {"ok": True}


@LAB.case("holds the lock", trials=1, limit_s=1.0)
def holds():
    ctypes.PyDLL(None).sleep(600)
    return {"ok": True}


@LAB.case("crashes on the second", trials=3, together=3)
def crashes(seen=[]):
    seen.append(1)
    if len(seen) == 2:
        ctypes.string_at(0)
    return {"ok": True}


@LAB.case("is killed once", trials=2, together=2)
def killed_once():
    try:
        os.close(os.open(os.path.join(tempfile.gettempdir(), "killed"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return {"ok": True}
    os.kill(os.getpid(), 9)


@LAB.case("is killed", trials=1)
def killed():
    os.kill(os.getpid(), 9)


@LAB.case("raises", trials=1)
def raises():
    raise LookupError("nothing there")


@LAB.case("undeclared", trials=1)
def undeclared():
    return {"other": 1}


@LAB.case("floods", trials=1)
def floods():
    for _ in range(2000):
        print("x" * 10_000)
    return {"ok": True}


@LAB.case("leaves things", trials=1)
def leaves():
    subprocess.Popen([sys.executable, "-c", SLEEPER])
    subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
    tempfile.mkstemp()
    memory = shared_memory.SharedMemory(segment_name(1), create=True, size=4096)
    memory.close()
    return {"ok": True}


@LAB.case("long", trials=1, few=0, limit_s=60.0)
def long():
    pool = multiprocessing.get_context("spawn").Pool(2)
    pool.map(abs, [1, 2])
    leaves()
    open(os.environ["STARTED"], "w").close()
    time.sleep(600)
    return {"ok": True}


@LAB.case("not here", trials=5, unavailable=lambda: "needs a moon")
def not_here():
    return {"ok": True}
'''


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = tmp_path_factory.mktemp("grim") / "scripts"
    shutil.copytree(SCRIPTS, copied, ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "gilscope/labs/grim.py").write_text(GRIM)
    return copied


@dataclass
class Run:
    """A lab that runs, with a folder for temporary files of its own, by which what it leaves behind can be told."""

    process: subprocess.Popen[bytes]
    temporary: Path

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                environment = process.environ()
            except psutil.Error:
                continue
            if MARK in environment and os.path.dirname(environment.get("TMPDIR", "")) == str(self.temporary):
                found.append(process)
        return found

    def nests(self) -> list[str]:
        return [path.name for path in self.temporary.iterdir() if path.name.startswith("gilscope-") and path.is_dir()]

    def ports(self) -> set[int]:
        """The ports that its processes listen at."""
        found = set()
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                found |= {at.laddr.port for at in process.net_connections() if at.status == psutil.CONN_LISTEN}
        return found

    def left(self, nests: list[str]) -> list[str]:
        """What is there of a run whose nests had these names: files, processes, segments."""
        files = [path.name for path in self.temporary.iterdir() if path.name != "gilscope-measuring.lock"]
        segments = [path for nest in nests for path in glob.glob(f"{SEGMENTS}/{nest.replace('gilscope', SEGMENT)}-*")]
        return [*files, *(f"process {process.pid}" for process in self.processes()), *segments]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder whose path is short enough for the sockets that multiprocessing makes below it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def start(scripts: Path, output: Path, temporary: Path, lab: str, descriptive: str) -> Run:
    machine = output.with_name("machine.json")
    machine.write_text('{"cpu": null}')
    command = [sys.executable, str(scripts / "observe.py"), lab, "--machine", str(machine)]
    command += ["--descriptive", descriptive, str(output)]
    environment = {**os.environ, **apart(temporary), "STARTED": str(output.with_suffix(".started"))}
    # What runs in the background of a shell is deaf to Ctrl-C, and so would be what it starts.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return Run(subprocess.Popen(command, env=environment), temporary)
    finally:
        signal.signal(signal.SIGINT, usual)


def wait_for(condition: Callable[[], Any], run: Run) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        assert run.process.poll() is None
        time.sleep(0.02)


def assert_gone(run: Run, nests: list[str], ports: Iterable[int] = ()) -> None:
    """Nothing is left a moment after a lab has gone."""
    deadline = time.monotonic() + 20
    while run.left(nests):
        assert time.monotonic() < deadline, run.left(nests)
        time.sleep(0.05)
    for port in ports:
        with socket.socket() as unused:
            unused.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            unused.bind(("127.0.0.1", port))


@pytest.fixture(scope="module")
def seen(scripts: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    output = tmp_path_factory.mktemp("seen") / "grim.json"
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        run = start(scripts, output, Path(temporary), "grim", "small")
        wait_for(run.nests, run)
        nests = run.nests()
        assert run.process.wait(120) == 0
        assert not run.left(nests), "the lab's own folder, or something of it, is still there"
    return json.loads(output.read_text())


def reasons(seen: dict[str, Any], case: str) -> list[tuple[int | None, str]]:
    return [(gap["trial"], gap["reason"]) for gap in seen["gaps"] if gap["case"] == case]


def trials(seen: dict[str, Any], case: str) -> list[int]:
    return [row["trial"] for row in seen["observations"] if row["case"] == case and row["metric"] == "ok"]


def test_trials_share_as_many_processes_as_the_lab_allows(seen: dict[str, Any]) -> None:
    pids = [row["value"] for row in seen["observations"] if (row["case"], row["metric"]) == ("plain", "pid")]
    assert trials(seen, "plain") == [0, 1, 2, 3, 4, 5]
    assert len(set(pids)) == 2
    assert {row["unit"] for row in seen["observations"]} == {"share", "count"}


@pytest.mark.parametrize("case", ["hangs", "holds the lock"])
def test_a_trial_that_hangs_is_ended_even_while_it_holds_the_lock(seen: dict[str, Any], case: str) -> None:
    assert {reason for _, reason in reasons(seen, case)} == {"no answer within 1 s"}


def test_a_crash_costs_its_trial_and_no_other(seen: dict[str, Any]) -> None:
    ((trial, reason),) = reasons(seen, "crashes on the second")
    assert trial == 1
    assert "its process ended with signal SIGSEGV" in reason
    assert trials(seen, "crashes on the second") == [0, 2]


def test_a_trial_that_somebody_kills_has_another_try(seen: dict[str, Any]) -> None:
    assert trials(seen, "is killed once") == [0, 1]
    assert reasons(seen, "is killed once") == []
    assert reasons(seen, "is killed") == [(0, "its process ended with signal SIGKILL")]


def test_errors_and_undeclared_metrics_are_gaps_with_a_reason(seen: dict[str, Any]) -> None:
    assert reasons(seen, "raises") == [(0, "LookupError: nothing there")]
    assert reasons(seen, "undeclared") == [(0, "the lab does not declare the metric other")]
    assert reasons(seen, "not here") == [(None, "needs a moon")]


def test_a_flood_of_output_is_read_and_thrown_away(seen: dict[str, Any]) -> None:
    assert trials(seen, "floods") == [0]


def test_what_trials_leave_is_gone_when_the_lab_ends(seen: dict[str, Any]) -> None:
    assert trials(seen, "leaves things") == [0]
    assert trials(seen, "long") == [], "a case with few=0 belongs to the full form only"


@pytest.mark.parametrize("lab", ["deadlock", "locking", "memory_isolation", "messages", "race", "startup"])
def test_a_trial_imports_nothing_that_only_its_lab_needs(lab: str) -> None:
    """Hundreds of processes start in a sweep, and what each of them imports is most of what it costs."""
    heavy = [
        "importlib.metadata",
        "gilscope.running.identity",
        "gilscope.strategies",
        "concurrent.futures.process",
        "numpy",
    ]
    heavy += ["psutil"] * (lab != "startup")
    code = f"import sys, gilscope.observing.trial_host, gilscope.labs.{lab}; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert not set(heavy) & set(printed.stdout.split())


def test_time_is_measured_in_random_order_and_all_else_in_the_labs_own() -> None:
    def order(timed: bool) -> list[tuple[str, int, int]]:
        lab = Lab(metrics={}, timed=timed, seconds=1)
        lab.case("described", trials=3, few=2)(dict)
        for name in "abcdef":
            lab.case(name, trials=5, together=3)(dict)
        return [(chunk.case.name, chunk.first, chunk.count) for chunk in plan_chunks(lab, small=True)]

    planned = [*((name, 0, 3) for name in "abcdef"), *((name, 3, 2) for name in "abcdef")]
    planned += [("described", 0, 1), ("described", 1, 1)]
    assert order(timed=False) == planned
    assert order(timed=True) != planned
    assert sorted(order(timed=True)) == sorted(planned)
    assert [chunk[1:] for chunk in order(timed=True)] == [chunk[1:] for chunk in planned]


def test_a_process_is_waited_for_until_it_ends_or_for_as_long_as_it_may_take() -> None:
    assert exit_code(python("raise SystemExit(3)"), 30) == 3
    assert exit_code(python("import os, signal; os.kill(os.getpid(), signal.SIGTERM)"), 30) == -signal.SIGTERM
    hanging = python(SLEEPING)
    assert exit_code(hanging, 0.3) is None
    assert hanging.poll() == -signal.SIGKILL
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def python(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code])


def test_only_two_looks_that_find_nothing_are_an_end() -> None:
    """A process shows itself again once it has begun the program that it was about to start."""
    with python(SLEEPING) as process:
        looks = iter([[process.pid], [], [process.pid], [], []])
        end_all(lambda: next(looks))
        assert next(looks, None) is None
        assert process.wait(10) == -signal.SIGKILL


def test_half_a_line_is_no_answer(tmp_path: Path) -> None:
    """As a process leaves it that was killed while it wrote; the trial has another try."""
    path = tmp_path / "answers"
    path.write_text('{"trial": 0}\n{"trial": 1, "se')
    assert read_answers(str(path)) == [{"trial": 0}]
    assert not path.exists()
    assert read_answers(str(path)) == []


@pytest.mark.skipif(not os.path.isdir(SEGMENTS), reason="shared memory is in no folder here")
def test_segments_go_with_their_lab_whoever_should_have_removed_them(tmp_path: Path) -> None:
    token = secrets.token_hex(6)
    own, other = (Path(SEGMENTS, f"{SEGMENT}-{name}-1-1") for name in (token, f"{token}x"))
    for segment in (own, other):
        segment.touch()
    clean(token, str(tmp_path))
    assert (own.exists(), other.exists(), tmp_path.exists()) == (False, True, False)
    other.unlink()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killing_a_lab_leaves_nothing_behind(
    scripts: Path, tmp_path: Path, temporary: Path, how: signal.Signals
) -> None:
    run = start(scripts, tmp_path / "grim.json", temporary, "grim", "full")
    wait_for((tmp_path / "grim.started").exists, run)
    nests = run.nests()
    assert len(run.left(nests)) > 3, "there must be something to clean up"
    assert any(thing.startswith(SEGMENTS) for thing in run.left(nests)) or not os.path.isdir(SEGMENTS)
    run.process.send_signal(how)
    run.process.wait(30)
    assert_gone(run, nests)
    assert not (tmp_path / "grim.json").exists()


@pytest.mark.parametrize(
    ("lab", "moment"),
    [
        ("cleanup", 0.0),
        ("cleanup", 1.3),
        ("connections", 0.4),
        ("connections", 1.3),
        ("messages", 0.0),
        ("messages", 0.4),
    ],
)
def test_a_real_lab_killed_at_any_moment_leaves_nothing_behind(
    tmp_path: Path, temporary: Path, lab: str, moment: float
) -> None:
    run = start(SCRIPTS, tmp_path / "lab.json", temporary, lab, "small")
    wait_for(run.nests, run)
    time.sleep(moment)
    nests, ports = run.nests(), run.ports()
    assert run.process.poll() is None
    assert run.left(nests)
    run.process.kill()
    run.process.wait()
    assert_gone(run, nests, ports)
