"""Blocks that crash, hang and are ended, through the scripts that the workflow calls: what is lost, and what stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from benches import CELLS, OTHERS, Bench, soon
from gilscope.analysis.collecting import collect_timings
from gilscope.analysis.gaps import collect_gaps, collect_lab_gaps
from gilscope.analysis.rounds import collect_rounds
from gilscope.analysis.traced import collect_traces
from gilscope.configuring.models import Limits
from gilscope.running.node import cpu_model, node
from gilscope.running.progress import Board
from gilscope.running.watching import last_line

pytestmark = pytest.mark.skipif(os.name == "nt", reason="nothing is forked there")


@pytest.fixture
def bench(tmp_path: Path, scripts: Path, environment: dict[str, str]) -> Iterator[Bench]:
    made = Bench(tmp_path, scripts, environment)
    yield made
    for thing in made.left():
        if isinstance(thing, psutil.Process):
            thing.kill()


@pytest.mark.parametrize("rule", ["begin", "measure"])
@pytest.mark.parametrize("where", ["threads", "workers", "always"])
def test_what_somebody_kills_has_another_try(bench: Bench, rule: str, where: str) -> None:
    """As the system does, for lack of memory, with whatever it finds."""
    if rule == "measure":
        bench.run("begin")
    bench.comes_to(f"{where}: be killed once")
    complained = bench.run(rule)
    assert bench.read("facts.json")["failed"] == bench.read("trace.json")["failed"] == {}
    assert bench.cells() == {"sequential-1", *CELLS}
    assert ("its process ended with signal SIGKILL" in complained) == (where != "workers")
    assert ("trying once more" in complained) == (where != "workers")
    assert not bench.left()


@pytest.mark.parametrize("rule", ["begin", "measure"])
def test_where_results_cannot_be_written_no_cell_is_blamed(bench: Bench, rule: str) -> None:
    """As on a disk that is full; the limit of a file's size is easier to come by."""
    bench.block = replace(bench.block, seconds=0.3)
    if rule == "measure":
        bench.run("begin")
    bench.python = ["bash", "-c", 'ulimit -f 2; exec "$@"', "-", sys.executable]
    process = bench.start(rule)
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complained.splitlines()[-1].startswith(f"gilscope: {bench.folder}/")
    assert complained.endswith(" cannot be written: File too large; make room for it, and run again\n")
    assert not bench.left()


def test_what_is_killed_each_time_is_blamed(bench: Bench) -> None:
    bench.comes_to("threads: be killed")
    complained = bench.run("begin")
    assert bench.read("calibration.json")["failed"] == {"threading-2": "its process ended with signal SIGKILL"}
    assert "SIGKILL, in threading-2; trying once more\n" in complained
    assert noted(bench) == ["its process ended with signal SIGKILL\n"], "the next run tries again"


def noted(bench: Bench) -> list[str]:
    return [path.read_text() for path in bench.folder.glob(".*.again")]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("crash", "its process ended with signal SIGSEGV"),
        ("quit", "its process ended with exit code 7"),
        ("hang", "no answer within 3 s"),
        ("hold the lock", "no answer within 3 s"),
    ],
)
def test_a_cell_that_takes_its_process_down_costs_itself_alone(bench: Bench, end: str, reason: str) -> None:
    """First where calibration meets it, then where a later round does."""
    bench.comes_to(f"threads: {end}")
    complained = bench.run("begin")
    calibration = bench.read("calibration.json")
    assert calibration["failed"] == {"threading-2": reason}
    assert noted(bench) == [], "no other machine would do better"
    assert calibration["cells"] == OTHERS
    assert f"gilscope: threading-2 failed: {reason}" in complained
    assert not bench.left()
    if end in ("crash", "hang"):
        bench.comes_to("")
        bench.run("begin")
        assert bench.read("calibration.json")["failed"] == {}
        bench.comes_to(f"threads: {end}")
        bench.run("measure")
        assert bench.read("facts.json")["failed"] == bench.read("trace.json")["failed"] == {"threading-2": reason}
        assert bench.cells() == set(bench.read("trace.json")["cells"]) == {"sequential-1", *OTHERS}
        assert not bench.left()


@pytest.mark.parametrize("rule", ["begin", "measure", "observe"])
def test_another_cpu_than_the_results_are_about_ends_the_job_before_it_measures(bench: Bench, rule: str) -> None:
    if rule == "measure":
        bench.run("begin")
    before = sorted(path.name for path in bench.folder.iterdir())
    bench.is_about("Imagined CPU @ 1.00GHz")
    process = bench.start(rule)
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complained == (
        f"gilscope: this machine has the CPU {cpu_model()}, and {bench.folder} is about one with Imagined CPU @ 1.00GHz; "
        "nothing was measured. On a cluster give its entry under `machines:` a partition or constraint that has one kind "
        "of node (docs/cluster.md), elsewhere give this machine its own label with `machine:`\n"
    )
    assert sorted(path.name for path in bench.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"cpu": None, "architecture": "s390x"}, "is about one with s390x; nothing was measured. On a cluster"),
        ({"cpu": cpu_model(), "affinity_cores": 5000}, "of the 5000 cores that "),
    ],
)
def test_a_job_on_other_cores_measures_nothing(bench: Bench, about: dict[str, Any], said: str) -> None:
    (bench.folder / "machine.json").write_text(json.dumps(about))
    before = sorted(path.name for path in bench.folder.iterdir())
    process = bench.start("begin")
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said in complained
    assert sorted(path.name for path in bench.folder.iterdir()) == before


@pytest.mark.parametrize("rule", ["begin", "measure", "observe"])
def test_without_the_lock_of_the_machine_a_job_fails_and_writes_nothing(bench: Bench, rule: str) -> None:
    if rule == "measure":
        bench.run("begin")
    before = sorted(path.name for path in bench.folder.iterdir())
    bench.environment["GILSCOPE_LOCK"] = f"{bench.folder}/no such folder/lock"
    process = bench.start(rule)
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complained.startswith("gilscope: the lock that keeps measurements apart cannot be had: ")
    assert "No such file or directory; nothing was measured. Let GILSCOPE_LOCK name a file" in complained
    assert sorted(path.name for path in bench.folder.iterdir()) == before


def test_a_job_must_know_which_cpu_its_results_are_about(bench: Bench) -> None:
    (bench.folder / "machine.json").write_text("{}")
    process = bench.start("begin")
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complained == f"gilscope: {bench.folder}/machine.json does not say which CPU it is about: KeyError: 'cpu'\n"
    bench.is_about(None)
    bench.run("begin")


def test_workers_that_hang_go_with_all_their_helpers(bench: Bench) -> None:
    bench.block = replace(bench.block, cells=("multiprocessing-forkserver-2",))
    bench.comes_to("workers: hold the lock")
    bench.run("begin")
    assert bench.read("calibration.json")["failed"] == {"multiprocessing-forkserver-2": "no answer within 3 s"}
    assert not bench.left()


def test_a_long_name_for_temporary_files_costs_no_cell(bench: Bench) -> None:
    """Forkserver's socket lies there; its path may have some hundred bytes. Nothing of it stays."""
    long = bench.folder / ("long" * 20)
    long.mkdir()
    bench.environment["TMPDIR"] = str(long)
    bench.block = replace(bench.block, cells=("multiprocessing-forkserver-2", "multiprocessing-spawn-2"))
    bench.run("begin")
    assert bench.read("facts.json")["failed"] == {}
    assert bench.cells() == {"sequential-1", *bench.block.cells}
    assert not [*long.iterdir(), *bench.left()]


def test_what_a_task_leaves_behind_is_ended_and_costs_the_cell_that_it_holds_up(bench: Bench) -> None:
    """Each in a session of its own; that of a spawned worker has the pipe that multiprocessing's tracker waits for."""
    bench.block = replace(bench.block, cells=("threading-2", "multiprocessing-spawn-2", "asyncio-2"))
    bench.comes_to("workers: leave behind")
    bench.run("begin")
    assert not bench.left()
    failed = bench.read("facts.json")["failed"]
    assert set(failed) == {"multiprocessing-spawn-2"}
    assert "LeftBehind: its tasks leave processes behind" in failed["multiprocessing-spawn-2"]
    assert bench.cells() == {"sequential-1", "threading-2", "asyncio-2"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the mark cannot be seen without psutil")
def test_a_copy_of_its_process_that_a_task_leaves_behind_is_ended_too(bench: Bench) -> None:
    """It shows the environment that its job began with: the mark is the rule's."""
    bench.block = replace(bench.block, cells=("threading-2",))
    bench.python = ["bash", "-c", 'GILSCOPE_JOB=$$ exec "$@"', "-", sys.executable]
    bench.comes_to("threads: leave a copy")
    bench.run("begin")
    assert not bench.left()
    assert bench.read("facts.json")["failed"] == {}
    assert bench.cells() == {"sequential-1", "threading-2"}


def test_where_no_cell_can_be_blamed_the_block_gives_nothing_and_says_why(bench: Bench) -> None:
    bench.run("begin", "measure")
    usual = {name: bench.read(name) for name in ("facts.json", "trace.json")}
    bench.comes_to("always: quit")
    bench.run("measure")
    reason = "its process ended with exit code 7, in sequential-1"
    facts, trace = bench.read("facts.json"), bench.read("trace.json")
    assert facts["not_applicable"] == trace["failed"]["sequential-1"] == reason
    assert {"facts.json": set(facts), "trace.json": set(trace)} == {name: set(file) for name, file in usual.items()}
    assert facts["workers"].keys() == set(CELLS)
    assert facts["node"] == trace["node"] == bench.read("calibration.json")["node"] == node()
    assert (
        facts["calibrated"].keys()
        == usual["facts.json"]["calibrated"].keys()
        == {"started", "ended", "waited_s", "node"}
    )
    assert {file["node"] for file in usual.values()} == {node()}
    assert bench.cells() == set()
    assert trace["cells"] == {}
    assert bench.read("events.json")["traceEvents"] == []
    complained = bench.run("begin")
    assert complained == f"gilscope: given up: {reason}\n", "the cells were tried before the one they are compared with"
    bench.run("measure")
    assert bench.read("calibration.json")["not_applicable"] == reason
    assert bench.read("facts.json")["not_applicable"] == reason
    assert not bench.left()


def collected(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The gaps, when all tables could be made of what was written."""
    monkeypatch.syspath_prepend(str(bench.folder))
    raw, facts, trace, lab = (str(bench.folder / f"{name}.json") for name in ("raw", "facts", "trace", "lab"))
    runtimes = {"cp311": {"implementation": "CPython", "version": "3.11"}}
    rounds = collect_rounds([facts], [trace], [lab], Limits(), 2)
    assert sorted(rounds["job"]) == ["calibrate", "measure", "observe", "record"]
    assert set(rounds["flags"]) == {""}
    assert collect_timings([raw], [facts], "here", runtimes, [""]).empty
    assert collect_traces([trace], "here").empty
    return [*collect_gaps([facts]), *collect_lab_gaps([lab])]


@pytest.mark.parametrize("broken", [None, "its psutil could not be built: no compiler"])
def test_an_interpreter_without_the_libraries_costs_its_blocks_and_labs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, broken: str | None
) -> None:
    bare = bench.folder / "bare"
    venv.create(bare, symlinks=True)
    if broken:
        (bare / "gilscope.json").write_text(json.dumps({"missing": {}, "broken": broken}))
    bench.python = [str(bare / "bin/python")]
    bench.run("begin", "measure", "observe")
    reasons = {gap["reason"] for gap in collected(bench, monkeypatch)}
    first = {f"ModuleNotFoundError: No module named '{name}'" for name in ("pyperf", "psutil")}
    assert reasons == ({broken} if broken else first), "what a round and what a lab imports first"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it_and_is_how_it_ended(bench: Bench, number: signal.Signals) -> None:
    bench.environment["GILSCOPE_LIMIT_S"] = "120"
    bench.comes_to("always: hang")
    process = bench.start("begin")
    assert soon((bench.folder / "hangs").exists)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == -number
    assert soon(lambda: not bench.left(), 3), bench.left()
    assert (bench.folder / "tidied").exists() is (number == signal.SIGINT), "it was passed on"
    assert not (bench.folder / "calibration.json").exists()


def test_a_signal_that_shall_be_ignored_is_ignored(bench: Bench) -> None:
    """As nohup starts it."""
    bench.python = ["/bin/sh", "-c", 'trap \'\' HUP; exec "$0" "$@"', *bench.python]
    bench.comes_to("always: hang")
    process = bench.start("begin")
    assert soon((bench.folder / "hangs").exists)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert "no answer within 3 s" in bench.read("calibration.json")["not_applicable"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does not tell elsewhere")
@pytest.mark.parametrize("end", ["always: hold the lock", "always: hang"])
def test_killing_the_one_who_watches_ends_all(bench: Bench, end: str) -> None:
    bench.environment["GILSCOPE_LIMIT_S"] = "120"
    bench.comes_to(end)
    process = bench.start("begin")
    assert soon(lambda: list(bench.folder.glob(".scratch-*")))
    assert soon(lambda: len(bench.left()) >= 3), "the folder, and two processes"
    process.kill()
    process.wait()
    process.stderr.close()
    assert soon(lambda: bench.left() == [path.name for path in bench.folder.glob(".scratch-*")]), bench.left()


def test_one_that_hangs_is_ended_when_nobody_waits_for_it(bench: Bench) -> None:
    bench.environment["GILSCOPE_LIMIT_S"] = "120"
    bench.comes_to("always: hold the lock")
    said = bench.folder / "stderr"
    asker = subprocess.Popen(
        ["/bin/sh", "-c", '"$@" 2> "$0" & wait', str(said), *bench.command("begin")], env=bench.environment
    )
    assert soon(lambda: list(bench.folder.glob(".scratch-*")))
    asker.kill()
    asker.wait()
    assert soon(lambda: not bench.left()), bench.left()
    assert said.read_text() == "gilscope: the run that asked for this measurement is gone; it ends here\n"


def test_waiting_for_another_measurement_is_no_hanging(bench: Bench) -> None:
    hold = "import sys; from gilscope.running.lock import machine_lock\nwith machine_lock(): print(1, flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", hold], env=bench.environment, **pipes) as holder:  # type: ignore[call-overload]
        assert holder.stdout.readline()
        process = bench.start("begin", stdout=subprocess.DEVNULL)
        time.sleep(5.5)
        holder.stdin.close()
    process.communicate(timeout=60)
    assert process.returncode == 0
    calibration = bench.read("calibration.json")
    assert calibration["cells"] == list(CELLS)
    assert calibration["waited_s"] > 3


def test_a_file_that_cannot_be_read_fails_the_job(bench: Bench) -> None:
    """Without the calibration nothing can be said of a round, not even that there was none."""
    (bench.folder / "calibration.json").write_text("{")
    process = bench.start("measure")
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert not (bench.folder / "facts.json").exists()


def test_a_workload_that_is_none_is_a_gap(bench: Bench) -> None:
    bench.block = replace(bench.block, workload="end")
    (bench.folder / "end.py").write_text("raise SystemExit('not me')\n")
    bench.run("begin", "measure")
    assert bench.read("facts.json")["not_applicable"] == "SystemExit: not me, while preparing the block"


def test_reasons_name_no_folders() -> None:
    error = ImportError("/home/somebody/env/lib/_x.so: undefined symbol: y; see 'C:\\Users\\some\\z.dll'")
    assert last_line(error) == "ImportError: _x.so: undefined symbol: y; see 'z.dll'"


def test_notes_are_cut_and_kept_apart() -> None:
    board = Board()
    assert (board.phase, board.steps, board.abandoned) == ("starting", 0, False)
    board.reason = "é" * 2000
    board.note("threading-2")
    board.abandon()
    board.note("asyncio-2")
    assert (board.phase, board.steps, board.abandoned) == ("asyncio-2", 2, True)
    assert board.reason == "é" * 499
