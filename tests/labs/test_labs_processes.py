from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from gilscope.labs import Lab, cleanup, crash, footprint, load_lab, memory_isolation, setup_rules, startup
from gilscope.labs._scripts import MOST_OUTPUT, answer_of, running
from gilscope.labs._start_methods import missing
from gilscope.observing.keeper import Nest, kept
from gilscope.observing.trials import Chunk, run_process

FORK = pytest.mark.skipif(missing("fork") is not None, reason="no fork here")


@pytest.fixture(scope="module")
def nest() -> Iterator[Nest]:
    with kept() as nest:
        yield nest


def observed(name: str, case: str, nest: Nest, trials: int = 1) -> dict[str, float]:
    """What trials of a case saw, in a process of their own as in a real run; they must agree."""
    answers, reason = run_process(name, Chunk(load_lab(name).cases[case], 0, trials), nest)
    assert reason is None
    assert not [answer["error"] for answer in answers if "error" in answer]
    seen = [
        {metric: value for metric, value in answer["seen"].items() if metric != "seen_after_s"} for answer in answers
    ]
    assert all(each == seen[0] for each in seen)
    return dict(seen[0])


def tried(lab: Lab, case: str) -> dict[str, Any]:
    """One trial of a case that may run right here, since what it starts are scripts of its own."""
    found = lab.cases[case]
    return dict(found.function(**found.arguments))


@FORK
def test_memory_is_shared_by_threads_alone(nest: Nest) -> None:
    assert observed("memory_isolation", "threads", nest, 2) == {"unchanged": 0, "changed": 1, "inherited": 1}
    assert observed("memory_isolation", "fork", nest, 2) == {"unchanged": 1, "changed": 0, "inherited": 1}
    assert observed("memory_isolation", "spawn", nest) == {"unchanged": 1, "changed": 0, "inherited": 0}


def test_a_worker_that_changes_nothing_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_isolation, "change", lambda answers: answers.put((1, 1)))
    with pytest.raises(RuntimeError, match="did not change"):
        memory_isolation.change_in_a_thread()


@FORK
@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("Thread, exception", (1, 0, 0, 0)),
        ("ThreadPoolExecutor, sys.exit", (1, 0, 1, 1)),
        ("Thread, segmentation fault", (0, 1, 0, None)),
        ("Process, exception", (1, 0, 1, 0)),
        ("Pool, exception", (1, 0, 1, 1)),
        ("ProcessPoolExecutor, SIGKILL", (0, 0, 1, None)),
        ("Pool, segmentation fault", (1, 0, 0, None)),
        ("asyncio task, exception", (1, 0, 1, 1)),
        ("asyncio task, sys.exit", (0, 0, 1, 1)),
    ],
)
def test_who_survives_a_crash_and_what_the_caller_learns(
    case: str, expected: tuple[int | None, ...], nest: Nest
) -> None:
    seen = observed("crash", case, nest, 2)
    assert seen["others_die"] == 1 - seen["others_finish"]
    metrics = ("others_finish", "process_dies", "caller_notices", "caller_sees")
    assert tuple(seen.get(metric) for metric in metrics) == expected


def test_a_crash_that_meets_nobody_tells_nothing() -> None:
    alone = [("began", "a1", 0.0), ("finished", "a1", 1.0), ("began", crash.FATAL, 2.0)]
    with pytest.raises(RuntimeError, match="under way"):
        crash.judge(alone, "exception", died=False)
    done = [("began", task, 0.0) for task in crash.OTHERS]
    with pytest.raises(RuntimeError, match="none was still to come"):
        crash.judge([*done, ("began", crash.FATAL, 2.0)], "exception", died=False)
    met = [("began", "a1", 0.0), ("began", crash.FATAL, 2.0), ("finished", "a1", 3.0), ("sees", "-", 2.5)]
    with pytest.raises(RuntimeError, match="not fatal"):
        crash.judge([*met, ("survived", crash.FATAL, 4.0)], "exception", died=False)
    assert crash.judge(met, "exception", died=False)["seen_after_s"] == 0.5


def test_a_hung_program_is_ended_with_its_children(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def hang(work: crash.Work) -> None:
        child = multiprocessing.Process(target=time.sleep, args=(60,))
        child.start()
        work.journal.note("began", str(child.pid))
        child.join()

    monkeypatch.setattr(crash, "FAILS_S", 0.2)
    monkeypatch.setitem(crash.HOWS, "Process", hang)
    journal = crash.Journal(str(tmp_path / "journal"))
    assert crash.run_program("Process", "exception", journal.path) is False
    child = int(journal.events()[0][1])
    assert not cleanup.any_left([process for process in psutil.process_iter() if process.pid == child])


@FORK
@pytest.mark.parametrize(
    ("case", "works"),
    [
        ("no main guard, fork", True),
        ("no main guard, spawn", False),
        ("main guard, spawn", True),
        ("main guard, forkserver", True),
        ("what cannot be pickled, threads", True),
        ("what cannot be pickled, processes", False),
        ("lock as an argument, Process, fork", True),
        ("lock as an argument, Process, spawn", False),
        ("multiprocessing.Lock as an argument, ProcessPoolExecutor", False),
        ("open file, Process, fork", True),
    ],
)
def test_what_processes_demand(case: str, works: bool) -> None:
    assert tried(setup_rules.LAB, case) == {"works": works, "fails": not works}


def test_a_flood_is_capped_and_ends_with_its_script() -> None:
    flood = (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'while True: print(1)'])\nprint('x' * 100_000)"
    )
    printed = answer_of(flood, limit_s=20)
    assert printed is not None
    assert len(printed) == MOST_OUTPUT
    with running("import subprocess, sys\nprint(subprocess.Popen(['sleep', '60']).pid, flush=True)") as script:
        assert int(script.read_line()) in script.living()
    assert not script.living()


def test_a_script_that_fails_or_hangs_has_no_answer() -> None:
    assert answer_of("print('too soon'); raise SystemExit(1)", limit_s=20) is None
    assert answer_of("print('too soon'); input()", limit_s=0.5) is None


@FORK
def test_who_is_left_when_the_parent_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cleanup, "AFTER_S", 2.5)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert tried(cleanup.LAB, "Pool, fork") == {"left_running": False}
    assert tried(cleanup.LAB, "Process, fork") == {"left_running": True}
    assert tried(cleanup.LAB, "parent exits, Pool (default method)") == {"left_running": False, "parent_ends": True}
    assert not [process for process in psutil.process_iter() if str(tmp_path) in cmdline(process)]
    assert not list(tmp_path.iterdir())


def cmdline(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@pytest.mark.parametrize("case", startup.LAB.cases)
def test_every_kind_of_worker_starts_and_answers(case: str) -> None:
    reason = startup.LAB.cases[case].unavailable()
    if reason:
        pytest.skip(reason)
    seen = tried(startup.LAB, case)
    assert set(seen) == set(startup.LAB.metrics)
    assert min(seen.values()) > 0


def test_a_slope_is_that_of_the_line() -> None:
    assert footprint.slope([(1, 12.0), (4, 18.0), (16, 42.0)]) == pytest.approx(2)


@pytest.mark.parametrize("kind", ["thread", "fork", "forkserver"])
def test_more_idle_workers_hold_more(kind: str) -> None:
    if footprint.cannot(kind, 3):
        pytest.skip("no such start method")
    seen = footprint.grow(kind, (1, 3))
    assert set(seen) == {"bytes_per_worker", "total_1", "total_3", "kind_is_pss"}
    assert seen["bytes_per_worker"] == pytest.approx((seen["total_3"] - seen["total_1"]) / 2)
    assert (seen["bytes_per_worker"] > 300_000) == (kind != "thread")


def test_many_processes_are_refused_where_they_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "WORKER_BYTES", 1e15)
    assert "GB are free" in str(footprint.cannot("spawn", 64))
    assert footprint.cannot("thread", 64) is None
