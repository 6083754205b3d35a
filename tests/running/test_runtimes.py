from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from apart import apart
from gilscope.running import identity as runtimes
from gilscope.running.identity import lock_expected, runtime_name


def describe(folder: Path, environment: dict[str, str], *workloads: str) -> dict:
    """What workflow/scripts/describe_runtime.py writes; modules in ``folder`` come before installed ones."""
    scripts, machine = environment["PYTHONPATH"], folder / "machine.json"
    machine.write_text('{"cpu": null}')
    command = [sys.executable, f"{scripts}/describe_runtime.py", str(folder / "facts.json"), "--machine", str(machine)]
    command += ["--name", "mine", "--current"]
    path = f"{folder}:{scripts}"
    done = subprocess.run(
        [*command, "--workloads", *workloads],
        env={**environment, "PYTHONPATH": path, **apart(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "facts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("runtime", "expected"), [("cp313t-gil", True), ("cp313t-nogil", False), ("cp313", None), ("pypy311", None)]
)
def test_a_name_promises_the_lock_where_the_build_leaves_a_choice(runtime: str, expected: bool | None) -> None:
    assert lock_expected(runtime) is expected


@pytest.mark.parametrize("lock", [True, False])
def test_a_build_that_leaves_the_choice_is_named_by_how_its_lock_is(
    monkeypatch: pytest.MonkeyPatch, lock: bool
) -> None:
    monkeypatch.setattr(runtimes, "free_threaded", lambda: True)
    monkeypatch.setattr(runtimes, "gil_enabled", lambda: lock)
    name = runtime_name()
    assert name.endswith("t-gil" if lock else "t-nogil")
    assert lock_expected(name) is lock


def test_a_runtime_says_what_it_is(tmp_path: Path, environment: dict[str, str]) -> None:
    facts = describe(tmp_path, environment, "matmul", "sleep")
    assert (facts["runtime"], facts["name"], facts["current"]) == (runtime_name(), "mine", True)
    assert (facts["missing"], facts["broken"], facts["imports_ended_with"]) == ({}, None, None)
    assert facts["packages"]["numpy"]


def test_a_workload_that_crashes_when_it_is_imported_costs_no_description(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "aiohttp.py").write_text("import os; os.abort()\n")
    facts = describe(tmp_path, environment, "http_fetch")
    assert facts["runtime"] == runtime_name()
    assert "SIGABRT" in facts["imports_ended_with"]
