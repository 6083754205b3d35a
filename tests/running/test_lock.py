from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gilscope import doctor
from gilscope.running.lock import NoLock, machine_lock

pytestmark = pytest.mark.skipif(os.name == "nt", reason="forks and signals")

HOLD = """
import os, sys, time
from gilscope import doctor
from gilscope.running.lock import NoLock, machine_lock
with machine_lock(sys.argv[1]) as waited:
    orphan = 0
    if "fork" in sys.argv:
        orphan = os.fork()
        if orphan == 0:
            os.closerange(0, 3)
            time.sleep(600)
    print("held", waited > 0.05, orphan, flush=True)
    sys.stdin.read()
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts a process that takes the lock and keeps it until its standard input ends."""
    started: list[subprocess.Popen[str]] = []

    def call(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path / "lock"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


def says(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


def test_the_second_waits_says_so_and_follows(start: Start, tmp_path: Path) -> None:
    first = start()
    assert says(first) == ["held", "False", "0"]
    second = start()
    told = " ".join(says(second))
    assert "another measurement is running on this machine; waiting" in told
    assert str(tmp_path / "lock") in told
    assert second.poll() is None
    first.communicate("")
    assert says(second) == ["held", "True", "0"]


def test_a_killed_holder_keeps_nothing(start: Start) -> None:
    first = start()
    says(first)
    second = start()
    says(second)
    first.send_signal(signal.SIGKILL)
    assert says(second)[0] == "held"


def test_an_orphan_of_the_holder_keeps_nothing(start: Start) -> None:
    first = start("fork")
    orphan = int(says(first)[2])
    try:
        first.send_signal(signal.SIGKILL)
        first.wait()
        os.kill(orphan, 0)
        assert says(start()) == ["held", "False", "0"]
        os.kill(orphan, 0)
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_anybody_may_use_the_file(tmp_path: Path) -> None:
    """The next user of the machine must be able to open it, whatever this user's umask is."""
    previous = os.umask(0o077)
    try:
        with machine_lock(str(tmp_path / "lock")):
            assert os.umask(0o077) == 0o077
    finally:
        os.umask(previous)
    assert (tmp_path / "lock").stat().st_mode & 0o666 == 0o666


def test_a_file_of_somebody_else_is_not_created_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian refuses that in a folder for everybody, also to those who may write the file."""
    path = tmp_path / "lock"
    path.touch(0o666)
    usual = os.open

    def protected(name: str, flags: int, *more: int) -> int:
        if flags & os.O_CREAT and os.path.exists(name):
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return usual(name, flags, *more)

    monkeypatch.setattr(os, "open", protected)
    with machine_lock(str(path)):
        pass


def test_without_a_lock_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(NoLock, match=rf"{tmp_path}/no/lock: No such file.*GILSCOPE_LOCK"),
        machine_lock(f"{tmp_path}/no/lock"),
    ):
        raise AssertionError

    with pytest.raises(NoLock, match="lock: not an absolute path"), machine_lock("lock"):
        raise AssertionError

    def lockf(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.lockf", lockf)
    path = tmp_path / "lock"
    with pytest.raises(NoLock, match=f"{path}: No locks available"), machine_lock(str(path)):
        raise AssertionError
    found = doctor.lock(str(path))
    assert found.state == doctor.WARN
    assert "GILSCOPE_LOCK" in found.remedy


def test_temporary_folders_do_not_move_the_lock(environment: dict[str, str], tmp_path: Path) -> None:
    def place(**variables: str) -> str:
        own = {name: text for name, text in environment.items() if name != "GILSCOPE_LOCK"} | variables
        script = "from gilscope.running.lock import LOCK_FILE; print(LOCK_FILE)"
        return subprocess.run(
            [sys.executable, "-c", script], env=own, capture_output=True, text=True, check=True
        ).stdout

    assert place() == place(TMPDIR=str(tmp_path))
    assert place(GILSCOPE_LOCK="/elsewhere/lock") == "/elsewhere/lock\n"


def test_an_error_gives_the_lock_back(start: Start, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), machine_lock(str(tmp_path / "lock")):
        _ = 1 / 0
    assert says(start()) == ["held", "False", "0"]
