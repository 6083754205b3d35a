"""Reasons that name the limit to raise."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from gilscope.running import reasons
from gilscope.running.again import note_lacks, note_of, noted_lacks
from gilscope.running.reasons import for_the_machines_sake, reason_of


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no"), "ValueError: no"),
        (ValueError(), "ValueError"),
        (EOFError(), "EOFError (a worker ended without an answer)"),
        (RuntimeError("can't start new thread"), f"RuntimeError: can't start new thread ({reasons.TASKS})"),
        (OSError(errno.EAGAIN, "again"), f"BlockingIOError: [Errno 11] again ({reasons.TASKS})"),
        (OSError(errno.ENOSPC, "full"), "OSError: [Errno 28] full (no space is left on the disk, or in shared memory)"),
        (FileNotFoundError(2, "No such file", "/a/b"), "FileNotFoundError: [Errno 2] No such file: '/a/b'"),
    ],
)
def test_an_error_in_one_line(error: Exception, said: str) -> None:
    assert reason_of(error) == said


@pytest.mark.skipif(sys.platform != "linux", reason="the semaphores of Linux")
def test_semaphores_without_a_place_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = PermissionError(errno.EACCES, "Permission denied")
    assert reason_of(refused) == "PermissionError: [Errno 13] Permission denied"
    monkeypatch.setattr(reasons, "SHARED_MEMORY", str(tmp_path / "missing"))
    assert reason_of(refused).endswith(f"Permission denied ({reasons.NO_SEMAPHORES})")
    assert "/dev/shm" in reasons.NO_SEMAPHORES
    assert "/dev/shm" not in reason_of(PermissionError(errno.EACCES, "Permission denied", "/elsewhere/x")), (
        "that is a file"
    )


def test_a_socket_whose_name_is_too_long(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one, pytest.raises(OSError, match="too long") as refused:
        one.bind(str(tmp_path / ("x" * 200)))
    assert "set TMPDIR to a shorter one" in reason_of(refused.value)


def test_files_that_run_out() -> None:
    script = """
import resource
from gilscope.running.reasons import for_the_machines_sake, reason_of
resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
kept = []
try:
    while True:
        kept.append(open("/dev/null"))
except OSError as error:
    kept.clear()
    print(reason_of(error))
"""
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "[Errno 24] Too many open files" in done.stdout, done.stderr
    assert done.stdout.rstrip().endswith("(too many files are open: raise the limit, ulimit -n)")


@pytest.mark.parametrize(
    ("reason", "so"),
    [
        ("its process ended with signal SIGKILL, in threading-2", True),
        ("ended with signal SIGINT: KeyboardInterrupt", True),
        ("its process ended with signal SIGSEGV", False),
        ("its process ended with exit code 7", False),
        ("no answer within 3 s", False),
        (reason_of(OSError(errno.EMFILE, "Too many open files")), True),
        (reason_of(OSError(errno.ENOSPC, "No space left on device")), True),
        (reason_of(OSError("AF_UNIX path too long")), True),
        (reason_of(RuntimeError("can't start new thread")), True),
        (reason_of(ValueError("not with me")), False),
    ],
)
def test_what_failed_for_the_machines_sake_is_told_from_the_rest(reason: str, so: bool) -> None:
    assert for_the_machines_sake(reason) is so


def test_what_failed_for_the_machines_sake_is_noted_as_often_as_it_is_to_be_tried_again(tmp_path: Path) -> None:
    result, lack = tmp_path / "raw/cp311/sleep/small/round-2.json", "its process ended with signal SIGKILL"
    found = [noted_lacks(tmp_path)]
    for _ in range(3):
        note_lacks(str(result), [lack, lack, None, "no answer within 3 s"])
        found.append(noted_lacks(tmp_path))
    (note,) = found[-1]
    assert note == note_of("raw/cp311/sleep/small/round-2.json")
    assert (tmp_path / note).read_text() == f"{lack}\n" * 2
    assert [one.get(note, 0) > before.get(note, 0) for before, one in pairwise(found)] == [True, True, False]
