"""macOS and Windows as far as fakes can stand for them: no fork, other locks, other paths. Neither was the real thing."""

from __future__ import annotations

import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace

import psutil
import pytest
import snakemake.utils
from benches import Bench, soon
from gilscope.analysis.behaviour import why_unseen
from gilscope.configuring import models as configurations
from gilscope.configuring.claims import Holds
from gilscope.configuring.leaves import LabLeaf
from gilscope.configuring.mistakes import Mistakes
from gilscope.configuring.models import Config
from gilscope.interpreters import finding, resolving
from gilscope.labs import _channels, crash, lab_names, load_lab, messages
from gilscope.labs._scripts import running
from gilscope.measuring.job import prepared
from gilscope.measuring.rounds import applicable
from gilscope.observing import trials
from gilscope.running import lock
from gilscope.running.cells import Block
from gilscope.running.files import write_json
from gilscope.running.marks import segment_name
from gilscope.running.progress import Board
from gilscope.running.watching import why_ended
from gilscope.strategies import load_strategies

UNSAFE = "fork is not safe on macOS: its system libraries may start threads, and a forked process lacks them"
MISSING = "this platform has no start method {}"
REASONS = {
    "darwin": {"fork": UNSAFE},
    "win32": {method: MISSING.format(method) for method in ("fork", "forkserver")},
}


@pytest.fixture(params=REASONS)
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A platform that does not fork; start method → why it is not to be had."""
    monkeypatch.setattr(sys, "platform", request.param)
    if request.param == "win32":
        monkeypatch.delattr(os, "fork")
        monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    return REASONS[request.param]


def test_strategies_that_fork_do_not_apply_and_say_why(elsewhere: dict[str, str], tmp_path: Path) -> None:
    """The sweep is planned as everywhere; where it runs, their cells are left out, and nothing else is."""
    multiprocess = [name for name, facts in load_strategies().items() if facts.start_method]
    cells = (*(f"{name}-2" for name in multiprocess), "threading-2", "multiprocessing-2")
    with prepared(Block("cp311", "sum_squares", "small", 1, 4, cells, 0.1, 2), str(tmp_path)) as job:
        able, skipped = applicable(job)
    assert skipped == {f"multiprocessing-{method}-2": reason for method, reason in elsewhere.items()}
    assert set(able) == set(cells) - set(skipped)
    assert "multiprocessing-spawn-2" in able


def test_cases_that_fork_do_not_apply_and_their_claims_are_not_tested(elsewhere: dict[str, str]) -> None:
    found: set[tuple[str, str]] = set()
    for name in lab_names():
        seen = trials.Seen()
        left = {part for chunk in trials.applicable(load_lab(name), True, seen) for part in chunk.case.name.split(", ")}
        assert not left & set(elsewhere)
        found |= {(name, gap["reason"]) for gap in seen.gaps if set(gap["case"].split(", ")) & set(elsewhere)}
        for gap in seen.gaps:
            leaf = LabLeaf("", name, "", None, gap["case"], None, Holds(below=1))
            said = why_unseen([{**gap, "lab": name}], leaf, gap["case"], True)
            assert said == f"the lab {name}, {gap['case']}: {gap['reason']}"
    forking = ("cleanup", "footprint", "memory_isolation", "setup_rules", "startup")
    assert found == {(name, reason) for name in forking for reason in elsewhere.values()}


def test_a_program_that_crashes_is_spawned_where_nothing_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    spawn = multiprocessing.get_context("spawn")
    monkeypatch.setattr(multiprocessing.context._default_context, "_actual_context", spawn)
    monkeypatch.delattr(os, "fork")
    seen = crash.try_to_crash("Thread", "SIGKILL")
    assert (seen["process_dies"], seen["others_finish"]) == (True, False)


def test_shared_memory_needs_no_tracker_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_channels, "os", SimpleNamespace(name="nt"))
    monkeypatch.setattr(_channels.resource_tracker, "ensure_running", lambda: pytest.fail("there is none"))
    with _channels.shared_memory([]):
        pass


def test_names_of_shared_memory_are_short_enough_for_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    """31 bytes there, of which the slash before the name is one."""
    monkeypatch.setenv("GILSCOPE_LAB", "0123456789ab")
    monkeypatch.setattr(os, "getpid", lambda: 99998)
    assert len({segment_name(number) for number in (1, messages.MOST)}) == 2
    assert len(segment_name(messages.MOST)) <= 30


def test_scripts_end_with_all_they_have_started_without_process_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getpgid")
    with running("import subprocess\nprint(subprocess.Popen(['sleep', '60']).pid, flush=True)\ninput()") as script:
        child = psutil.Process(int(script.read_line()))
        both = {child.pid, script.process.pid}
        assert soon(lambda: set(script.living()) == both, 5), "not while one is just starting"
    assert not script.living()
    assert soon(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 5)


class FakeLocks(types.ModuleType):
    """msvcrt, as far as files are locked: by whoever opened them, and closing gives nothing back."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.holders: dict[int, int] = {}

    def locking(self, descriptor: int, mode: int, length: int) -> None:
        assert length == 1
        file = os.fstat(descriptor).st_ino
        if mode == self.LK_UNLCK and self.holders.get(file) == descriptor:
            del self.holders[file]
        elif mode == self.LK_NBLCK and file not in self.holders:
            self.holders[file] = descriptor
        else:
            raise PermissionError(13, "Permission denied")


def test_the_lock_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", FakeLocks())
    path = str(tmp_path / "lock")
    with lock.machine_lock(path):
        other = os.open(path, os.O_RDWR)
        assert not lock.try_lock(other)
        lock.give_back(other)
        other = os.open(path, os.O_RDWR)
        assert not lock.try_lock(other), "whoever waited in vain has given nothing back"
        os.close(other)
    after = os.open(path, os.O_RDWR)
    assert lock.try_lock(after)
    lock.give_back(after)


class FakeHandles(types.ModuleType):
    """_winapi, as far as one process waits for the end of another."""

    SYNCHRONIZE, WAIT_OBJECT_0, WAIT_TIMEOUT = 0x100000, 0, 258

    def __init__(self, living: set[int]):
        super().__init__("_winapi")
        self.living = living

    def OpenProcess(self, access: int, inherit: bool, process: int) -> int:  # noqa: N802
        assert (access, inherit) == (self.SYNCHRONIZE, False)
        if process not in self.living:
            raise OSError(87, "The parameter is incorrect")
        return process

    def WaitForSingleObject(self, handle: int, milliseconds: int) -> int:  # noqa: N802
        assert milliseconds == 0
        return self.WAIT_TIMEOUT if handle in self.living else self.WAIT_OBJECT_0


def test_windows_notices_that_a_parent_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number stays the same there, whoever has it now."""
    living = {lock.PARENT}
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "_winapi", FakeHandles(living))
    assert lock.handle_of(4711) is None
    monkeypatch.setattr(lock, "PARENT_HANDLE", lock.handle_of(lock.PARENT))
    lock.check_parent()
    living.clear()
    with pytest.raises(lock.Orphaned):
        lock.check_parent()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (3, "its process ended with exit code 3"),
        (-signal.SIGSEGV, "its process ended with signal SIGSEGV"),
        (0xC0000005, "its process ended with exit code 0xc0000005"),
    ],
)
def test_exit_codes_in_words(code: int, said: str) -> None:
    assert why_ended(code) == said


@pytest.mark.parametrize(
    ("separators", "request_", "expected"),
    [
        (("\\", "/"), "C:\\Python313\\python.exe", True),
        (("\\", "/"), "C:/Python313/python.exe", True),
        (("\\", "/"), "~\\python.exe", True),
        (("\\", "/"), "3.14t", False),
        (("/", None), "/opt/python/bin/python", True),
        (("/", None), "pypy@3.11", False),
    ],
)
def test_an_interpreter_is_asked_for_by_its_place_or_its_version(
    monkeypatch: pytest.MonkeyPatch, separators: tuple[str, str | None], request_: str, expected: bool
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "sep", separators[0])
        patched.setattr(os, "altsep", separators[1])
        found = finding.is_path(request_)
    assert found is expected


@pytest.mark.parametrize("place", ["C:\\Users\\somebody\\python.exe", "C:/Users/somebody/python.exe"])
def test_results_do_not_say_where_an_interpreter_lies_on_windows(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr(configurations, "Path", PureWindowsPath)
    assert Config(runtimes=[{"python": place}]).shared()["runtimes"][0]["python"] == "python.exe"


def test_a_folder_with_a_drive_reaches_a_job_through_bash() -> None:
    """Where a user's own workload lies is part of the block, and the block of a command."""
    block = Block("cp311", "mine", "small", 1, 4, ("threading-2",), 0.1, 2, str(PureWindowsPath("C:/my work/new")))
    assert block.folder == "C:\\my work\\new"
    show = shlex.join([sys.executable, "-c", "import sys; sys.stdout.write(sys.argv[1])"])
    said = subprocess.check_output(["bash", "-c", f"{show} {shlex.quote(block.to_json())}"], text=True)
    assert Block.from_json(said) == block


def test_commands_go_to_a_bash_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolving.shell_of_rules() is None
    found: list[str | None] = ["C:\\Git\\bin\\bash.exe", None]
    monkeypatch.setattr(snakemake.utils, "find_bash_on_windows", lambda: found.pop(0))
    with monkeypatch.context() as patched:
        patched.setattr(os, "name", "nt")
        shell = resolving.shell_of_rules()
        python = resolving.python_of("cp313")
        with pytest.raises(Mistakes) as complaint:
            resolving.shell_of_rules()
    assert shell == "C:\\Git\\bin\\bash.exe"
    assert python == ".runtimes/cp313/Scripts/python.exe"
    assert "install Git for Windows" in str(complaint.value)


LIKE_MACOS = "import os\ndel os.fork\n"
LIKE_WINDOWS = LIKE_MACOS + "import signal\ndel os.killpg, os.getpgid, os.setsid, signal.setitimer, signal.SIGALRM\n"


@pytest.fixture(params=[LIKE_MACOS, LIKE_WINDOWS], ids=["macos", "windows"])
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, scripts: Path, environment: dict[str, str]
) -> Iterator[Bench]:
    """The scripts in interpreters that lack what the platform lacks; the rest is real."""
    lacking = tmp_path / "lacking"
    lacking.mkdir()
    (lacking / "sitecustomize.py").write_text(request.param)
    path = os.pathsep.join([str(lacking), environment["PYTHONPATH"]])
    made = Bench(tmp_path, scripts, {**environment, "PYTHONPATH": path})
    made.block = replace(made.block, cells=("asyncio-2", "threading-2", "multiprocessing-spawn-2"))
    yield made
    for thing in made.left():
        if isinstance(thing, psutil.Process):
            thing.kill()


@pytest.mark.parametrize(
    ("end", "reason"),
    [("crash", "its process ended with signal SIGSEGV"), ("hold the lock", "no answer within 3 s")],
)
def test_without_fork_a_cell_that_takes_its_process_down_costs_itself_alone(
    bench: Bench, end: str, reason: str
) -> None:
    bench.comes_to(f"threads: {end}")
    bench.run("begin")
    calibration = bench.read("calibration.json")
    assert calibration["failed"] == {"threading-2": reason}
    assert calibration["cells"] == ["asyncio-2", "multiprocessing-spawn-2"]
    if end == "crash":
        bench.run("measure")
        assert bench.cells() == {"sequential-1", *calibration["cells"]}
    assert not bench.left()
    assert not list(bench.folder.glob("gilscope-*/")), "nor the folder that the two runs shared"


def test_without_fork_a_block_that_cannot_be_measured_says_why(bench: Bench) -> None:
    bench.comes_to("always: quit")
    bench.run("begin")
    assert bench.read("calibration.json")["not_applicable"] == "its process ended with exit code 7, in sequential-1"
    assert not bench.left()


def test_without_fork_a_wrong_answer_still_fails_the_job(bench: Bench) -> None:
    (bench.folder / "calibration.json").write_text("{")
    process = bench.start("measure")
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert not (bench.folder / "facts.json").exists()


def test_without_fork_all_ends_with_the_one_who_asked(bench: Bench) -> None:
    bench.run("begin")
    write_json(str(bench.folder / "calibration.json"), {**bench.read("calibration.json"), "laps": 10_000})
    asker = subprocess.Popen(["/bin/sh", "-c", '"$@" & wait', "sh", *bench.command("measure")], env=bench.environment)
    assert soon(lambda: list(bench.folder.glob(".scratch-*")))
    asker.kill()
    asker.wait()
    assert soon(lambda: not bench.left()), bench.left()


@pytest.mark.parametrize("bench", [LIKE_MACOS], indirect=True, ids=["macos"])
def test_without_fork_a_signal_ends_all_of_it(bench: Bench) -> None:
    bench.environment["GILSCOPE_LIMIT_S"] = "120"
    bench.comes_to("always: hang")
    process = bench.start("begin")
    assert soon((bench.folder / "hangs").exists)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert soon(lambda: not bench.left(), 3), bench.left()
    assert not (bench.folder / "calibration.json").exists()


def test_a_board_in_a_file_is_shared_and_can_be_let_go(tmp_path: Path) -> None:
    """Windows removes no file that somebody has mapped."""
    path = str(tmp_path / "board")
    first = Board(path)
    first.note("threading-2")
    second, mapped = Board(path), first.memory
    assert (second.phase, second.steps) == ("threading-2", 1)
    second.abandon()
    first.let_go()
    second.note("asyncio-2")
    assert mapped.closed
    assert (first.phase, first.abandoned) == ("threading-2", True)
