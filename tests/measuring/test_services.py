"""What a block or a lab cannot do without, killed by somebody else: another try, and the right reason."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from gilscope.observing import keeper
from gilscope.observing.keeper import kept
from gilscope.running.cells import Block

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")

SERVED = """
import os, sys
from gilscope.workloads import workload

HERE = os.path.dirname(__file__)

def first(what):
    "Whether it happens for the first time, or is to happen each time."
    if os.path.exists(os.path.join(HERE, what + " each time")):
        return True
    try:
        os.unlink(os.path.join(HERE, what))
    except FileNotFoundError:
        return False
    return True

@workload(kind="io", sizes={"small": 1}, service="served", inputs=lambda parameter, tasks, site: [int(site.address)] * tasks)
def served(process):
    "Asks whether the service is there."
    if first("killed later"):
        os.kill(process, 9)
    try:
        os.kill(process, 0)
        with open(f"/proc/{process}/stat") as file:
            assert file.read().rpartition(")")[2].split()[0] != "Z"
    except (OSError, AssertionError):
        raise ConnectionRefusedError("nobody answers") from None

if __name__ == "__main__":
    if first("killed at its start"):
        os.kill(os.getpid(), 9)
    if first("broken"):
        sys.exit(3)
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""
GONE = "the service served is gone: its process ended with signal SIGKILL, while its tasks needed the service"
NOT_STARTED = "RuntimeError: the service served did not start: its process ended with signal SIGKILL"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("killed at its start", None),
        ("killed later", None),
        ("killed at its start each time", f"{NOT_STARTED}, while preparing the block"),
        ("killed later each time", f"RuntimeError: {GONE}"),
        ("broken each time", "the service served did not start: its process ended with exit code 3"),
    ],
)
def test_a_service_that_is_killed_has_another_try(
    what: str, reason: str | None, tmp_path: Path, measure: Any, read: Any
) -> None:
    (tmp_path / "served.py").write_text(SERVED)
    (tmp_path / what).touch()
    done = measure(Block("cp311", "served", "small", 1, 4, ("threading-2",), 0.1, 2, str(tmp_path)), tmp_path)
    assert done.returncode == 0, done.stderr
    facts = read(tmp_path / "round-1.facts.json")
    assert (facts["not_applicable"], facts["failed"]) == (reason, {})
    assert ("trying once more" in done.stderr) == (what not in ("killed at its start", "broken each time"))


class Killed(subprocess.Popen):  # type: ignore[type-arg]
    """A process that is killed before it has said anything, the first so many times."""

    times = 1

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        if Killed.times:
            Killed.times -= 1
            self.kill()
            self.wait()


def test_a_labs_keeper_that_is_killed_has_another_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper.subprocess, "Popen", Killed)
    monkeypatch.setattr(Killed, "times", 1)
    with kept() as nest:
        assert os.path.isdir(nest.folder)
    assert not os.path.exists(nest.folder)
    monkeypatch.setattr(Killed, "times", 2)
    with pytest.raises(OSError, match="cleans up after a lab did not start: its process ended with signal SIGKILL"):
        kept().__enter__()


def test_where_a_keeper_is_killed_later_the_lab_cleans_up_itself() -> None:
    with kept() as nest:
        (Path(nest.folder) / "left").touch()
        (child,) = [one for one in psutil.Process().children() if nest.token in one.cmdline()]
        child.send_signal(signal.SIGKILL)
    assert not os.path.exists(nest.folder)
