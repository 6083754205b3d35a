"""What tasks print: it is kept in part, and reaches nothing but the log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from apart import LOCK, apart
from gilscope.running.logs import KEPT, ROOM

SUPERVISED = """
import os, subprocess, sys, time
from gilscope.running.supervising import supervise

def attempt(left_out):
    {task}

def surrender(reason, left_out):
    print("surrendered: " + reason, file=sys.stderr)

if "never fork" in sys.argv:
    del os.fork
supervise(attempt, surrender, sys.argv[1])
"""


def supervised(folder: Path, environment: dict[str, str], task: str, *how: str, log: bool = True) -> tuple[str, str]:
    """What is said on standard output, and the log, of a job that does this; how: ``never fork`` or nothing."""
    (folder / "job.py").write_text(SUPERVISED.format(task=task))
    path = folder / "job.log"
    command = [sys.executable, "job.py", str(path) if log else "", *how]
    with path.open("w") as file:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**environment, **apart(folder)},
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            timeout=60,
            check=False,
        )
    return done.stdout, path.read_text()


@pytest.mark.parametrize("how", [[], ["never fork"]], ids=["forked", "started"])
def test_a_log_keeps_beginning_end_and_count(tmp_path: Path, environment: dict[str, str], how: list[str]) -> None:
    """Of what goes to both streams, of children's children too."""
    task = (
        "os.write(1, b'first line\\n')\n    for one in (1, 2): os.write(one, b'x' * 50_000)\n"
        "    subprocess.run([sys.executable, '-c', 'print(\"y\" * 50_000)'])\n    raise OSError('the cause')"
    )
    said, log = supervised(tmp_path, environment, task, *how)
    assert said == ""
    assert log.startswith("first line\nxxx")
    assert log.splitlines()[-1] == "surrendered: OSError: the cause"
    assert "Traceback" in log
    (count,) = [int(line.split()[2]) for line in log.splitlines() if "of what was printed are left out here" in line]
    assert 110_000 < count < 112_000
    assert len(log) < 2 * KEPT + 200


def test_a_log_stays_small_while_it_is_written(tmp_path: Path, environment: dict[str, str]) -> None:
    """Emptied twice, each time by the process that watches; the last line is there all the same."""
    task = (
        f"size = {ROOM} + 1\n    for turn in range(2):\n        os.write(turn + 1, b'x' * size)\n"
        "        while os.fstat(2).st_size: time.sleep(0.01)\n    print('the last line')"
    )
    said, log = supervised(tmp_path, environment, task)
    assert said == ""
    assert log.endswith("the last line\n")
    assert f"gilscope: about {2 * ROOM + 2 + len('the last line') + 1 - 2 * KEPT} bytes" in log
    assert "\0" not in log


def test_little_is_left_as_it_is(tmp_path: Path, environment: dict[str, str]) -> None:
    assert supervised(tmp_path, environment, "print('out', flush=True); print('err', file=sys.stderr)") == (
        "",
        "out\nerr\n",
    )


def test_where_there_is_no_log_both_streams_are_left_alone(tmp_path: Path, environment: dict[str, str]) -> None:
    assert supervised(tmp_path, environment, "print('out')\n    os.write(2, b'err')", log=False) == ("out\n", "err")


def test_whom_a_job_waits_for_is_said_where_it_is_seen(tmp_path: Path, environment: dict[str, str]) -> None:
    hold = "import time; from gilscope.running.lock import machine_lock\nwith machine_lock(): print(flush=True); time.sleep(3)"
    own = {**environment, **apart(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", hold], env=own, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline()
        task = "from gilscope.running.lock import machine_lock\n    with machine_lock(): pass"
        said, log = supervised(tmp_path, environment, task)
    assert (
        said == log == f"gilscope: another measurement is running on this machine; waiting for it ({tmp_path}/{LOCK})\n"
    )
