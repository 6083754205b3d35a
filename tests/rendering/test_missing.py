"""What a run says at its end of what its tables lack."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gilscope.analysis.gaps import WRONG
from gilscope.rendering.missing import conclusion
from gilscope.running.reasons import reason_of

BLOCK = {"runtime": "cp311", "workload": "mine", "size": "small"}
KILLED = {**BLOCK, "cell": "threading-2", "state": "failed", "reason": "its process ended with signal SIGKILL"}
NOT_HERE = {**BLOCK, "cell": "interpreters-2", "state": "skipped", "reason": "needs CPython 3.14 or later"}
UNEQUAL = {**BLOCK, "cell": None, "state": WRONG, "reason": "two sequential runs differ already"}
LAB = {"runtime": "cp311", "lab": "crash", "case": None, "trial": None, "reason": "it ended with signal SIGTERM"}


def test_what_can_be_had_is_told_from_what_cannot() -> None:
    assert conclusion([NOT_HERE]) == []
    lines = conclusion([NOT_HERE, KILLED, KILLED, LAB])
    assert lines[:-2] == [
        "missing: cp311/mine/small threading-2: its process ended with signal SIGKILL",
        "missing: cp311 lab crash: it ended with signal SIGTERM",
    ]
    assert "the next run tries again" in lines[-2]


def test_a_gap_without_a_block_has_a_line_too() -> None:
    gap = {"runtime": "3.14t", "state": "not to be had", "reason": reason_of(OSError(errno.ENOSPC, "No space left"))}
    assert conclusion([gap])[0].startswith("missing: 3.14t: ")


@pytest.mark.parametrize(("gaps", "code"), [([], 0), ([NOT_HERE], 0), ([KILLED], 0), ([KILLED, UNEQUAL], 1)])
def test_only_wrong_answers_end_a_run_with_1(
    gaps: list[dict[str, Any]], code: int, tmp_path: Path, scripts: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "gaps.json").write_text(json.dumps(gaps))
    command = [sys.executable, scripts / "conclude.py", tmp_path / "gaps.json", tmp_path / "missing.json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout.splitlines() == [f"gilscope: {line}" for line in conclusion(gaps)]
    assert (tmp_path / "missing.json").exists() is (code == 0)
    if code:
        assert "wrong answer: cp311/mine/small: two sequential runs differ already" in done.stdout
