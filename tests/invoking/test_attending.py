"""What ends make, or the script that it starts, ends the run behind it."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from gilscope.invoking.attending import hear_at_any_moment
from snakemake.scheduling.job_scheduler import JobScheduler

RUN = """
import subprocess, sys, time
job = subprocess.Popen([sys.executable, "-c", {job!r}])
open("started", "w").write(str(job.pid))
try:
    job.wait()
finally:
    open("run", "w").write("told")
"""
JOB = """
import time
open("job started", "w").close()
try:
    time.sleep(60)
finally:
    open("job", "w").write("told")
"""
ATTEND = "import sys; from gilscope.invoking.attending import attend; sys.exit(attend([sys.executable, 'run.py']))"


def begun(
    folder: Path, scripts: Path, *, background: bool = False
) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """make, and the processes below it: the one that attends, a run, and a job of the run."""
    (folder / "run.py").write_text(RUN.format(job=JOB))
    (folder / "attend.py").write_text(ATTEND)
    (folder / "Makefile").write_text(f"all:\n\t@exec {sys.executable} attend.py\n")
    make = subprocess.Popen(
        ["sh", "-c", "trap '' INT; exec make"] if background else ["make"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(scripts)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not (folder / "job started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    below = psutil.Process(make.pid).children(recursive=True)
    assert len(below) == 3
    return make, below


@pytest.mark.parametrize(
    ("number", "to"),
    [
        (signal.SIGTERM, "make"),
        (signal.SIGTERM, "script"),
        (signal.SIGHUP, "script"),
        (signal.SIGHUP, "all"),
        (signal.SIGINT, "all"),
        pytest.param(
            signal.SIGKILL, "make", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can")
        ),
    ],
)
def test_the_run_ends_with_make(tmp_path: Path, scripts: Path, number: signal.Signals, to: str) -> None:
    make, below = begun(tmp_path, scripts)
    if to == "all":
        os.killpg(make.pid, number)
    else:
        {"make": make, "script": below[0]}[to].send_signal(number)
    _, alive = psutil.wait_procs(below, timeout=20)
    assert not alive
    assert make.wait(20) != 0
    if (number, to) != (signal.SIGHUP, "all"):
        assert (tmp_path / "run").read_text() == (tmp_path / "job").read_text() == "told"


def test_so_it_does_where_a_script_has_put_it_into_the_background(tmp_path: Path, scripts: Path) -> None:
    """There all of them ignore SIGINT."""
    make, below = begun(tmp_path, scripts, background=True)
    make.terminate()
    _, alive = psutil.wait_procs(below, timeout=20)
    assert not alive


def test_no_command_of_make_stands_behind_a_shell(root: Path) -> None:
    """make sends SIGTERM to the shell of a recipe, which would not pass it on."""
    lines = (root / "Makefile").read_text().splitlines()
    commands = [line for line in lines if "$(enter);" in line]
    assert len(commands) >= 11
    assert all("; exec python " in line for line in commands)


def test_a_signal_that_interrupts_snakemake_with_its_lock_in_hand_is_heard() -> None:
    lock, heard = threading.Lock(), threading.Event()

    class Scheduler:
        def exit_gracefully(self, *given: object) -> None:
            with lock:
                heard.set()

    usual = signal.getsignal(signal.SIGTERM)
    try:
        hear_at_any_moment(Scheduler())
        with lock:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)
            assert not heard.is_set()
        assert heard.wait(10)
    finally:
        signal.signal(signal.SIGTERM, usual)


def test_snakemakes_scheduler_has_the_handler_that_is_called() -> None:
    assert "signal.signal(signal.SIGTERM, self.exit_gracefully)" in inspect.getsource(JobScheduler)
