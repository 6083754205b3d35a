"""Workers that are interpreters of their own: a real block on a CPython that has them, and the reason elsewhere."""

from __future__ import annotations

import concurrent.futures
import itertools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apart import apart
from gilscope.measuring.isolation import refused_import
from gilscope.running.cells import Block
from gilscope.strategies.interpreters import missing
from interpreters import found

CELLS = ("interpreters-2", "interpreters-2-warm", "threading-2-warm")
BURNS = """
import time
from gilscope.workloads import workload

@workload(kind="cpu", sizes={"small": 1}, unit="s")
def burns(seconds):
    "Computes for some seconds of its own thread's CPU time."
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass
    return seconds
"""
REFUSED = """
import psutil
from gilscope.workloads import workload

@workload(kind="cpu", sizes={"small": 1})
def refused(number):
    "Needs a module that only the first interpreter of a process can import."
    return number + 1
"""
FAILING = """
import threading
from gilscope.workloads import workload

@workload(kind="cpu", sizes={"small": 1})
def failing(number):
    "Fails in every thread but the main one."
    if threading.current_thread() is not threading.main_thread():
        raise ValueError("not here")
    return number + 1
"""
CONTRACT = """
import sys, tasks
from gilscope.strategies import load_strategies
from gilscope.measuring.traced import Traced
pool = load_strategies()["interpreters"].open
for workers in (1, 2, 3):
    with pool(workers) as spread:
        for _ in range(2):
            assert list(spread(tasks.double, range(1, 8))) == [2 * number for number in range(1, 8)]
        assert list(spread(tasks.double, [21])) == [42]
        seen = list(spread(Traced(tasks.whereabouts), range(8)))
        assert len({task.worker for _, task in seen}) == len({answer for answer, _ in seen}) == workers, seen
try:
    with pool(2) as spread:
        list(spread(tasks.refuse_three, range(1, 20)))
except ValueError as error:
    print(error)
"""
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(runtime_environment: Callable[..., str], environment: dict[str, str]) -> Run:
    """Calls a CPython 3.14 with these arguments; a temporary folder, and so the lock, of the test's own."""
    python = runtime_environment("3.14")

    def call(folder: Path, *arguments: Any, path: str = "") -> str:
        variables = {**environment, **apart(folder), "PYTHONPATH": f"{environment['PYTHONPATH']}:{path}"}
        command = [python, *map(str, arguments)]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        return done.stdout

    return call


@pytest.fixture(scope="module")
def measured(
    run: Run, scripts: Path, this_machine: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Any], Any]:
    """Measures a round of a user's own workload with the cells above; its folder, and what calibrating has found."""

    def call(source: str, parameter: Any) -> tuple[Path, dict[str, Any]]:
        name = source.partition("def ")[2].partition("(")[0]
        folder = tmp_path_factory.mktemp(name)
        (folder / f"{name}.py").write_text(source)
        block = Block("cp314", name, "small", parameter, 4, CELLS, 0.1, 2, str(folder))
        given = (block.to_json(), "--machine", this_machine, "--calibration", folder / "calibration.json")
        written = [(f"--{kind}", folder / f"{kind}.json") for kind in ("raw", "facts", "trace", "events")]
        run(folder, scripts / "measure.py", *given, "--round", "1", *itertools.chain(*written))
        return folder, json.loads((folder / "calibration.json").read_text())

    return call


def test_interpreters_keep_the_contract_of_strategies(run: Run, tmp_path: Path) -> None:
    assert run(tmp_path, "-c", CONTRACT, path=str(Path(__file__).parents[1] / "doubles")).strip() == "task 3 refuses"


def test_a_real_block(measured: Any) -> None:
    """Measured, and traced with the CPU time of one worker each, although all of them are one process."""
    folder, calibration = measured(BURNS, 0.1)
    assert (calibration["skipped"], calibration["failed"]) == ({}, {})
    for name in CELLS:
        assert calibration["workers"][name]["processes"] == 1
        assert calibration["workers"][name]["threads"] == 2, name
    facts = json.loads((folder / "facts.json").read_text())
    traces = json.loads((folder / "trace.json").read_text())["cells"]
    assert facts["failed"] == {}
    assert set(traces) == {"sequential-1", *CELLS}
    for name in CELLS:
        assert len({task["worker"] for task in traces[name]["tasks"]}) == 2, name
        assert all(0.09 < task["cpu"] < 0.15 for task in traces[name]["tasks"]), traces[name]["tasks"]
        assert sum(task["cpu"] for task in traces[name]["tasks"]) < traces[name]["usage"]["cpu"] + 0.05
    cost = {name: traces[name]["memory"]["peak"] - traces[name]["memory"]["base"] for name in CELLS}
    assert cost["interpreters-2"] - cost["threading-2-warm"] > 2 * 2**20, "an interpreter has modules of its own"


def test_a_module_that_refuses_interpreters_skips_their_cells(measured: Any) -> None:
    _, calibration = measured(REFUSED, 1)
    assert calibration["failed"] == {}
    assert set(calibration["skipped"]) == {"interpreters-2", "interpreters-2-warm"}
    for reason in calibration["skipped"].values():
        assert reason.startswith("psutil cannot be imported in a subinterpreter: ")
    assert calibration["cells"] == ["threading-2-warm"]


def test_an_error_that_is_no_import_fails_the_cells(measured: Any) -> None:
    _, calibration = measured(FAILING, 1)
    assert calibration["skipped"] == {}
    assert "ValueError: not here" in calibration["failed"]["threading-2-warm"]


@pytest.mark.parametrize("request_", ["3.9", "3.13", "3.13t", "pypy3.9"])
def test_other_runtimes_have_none_and_say_why(request_: str, environment: dict[str, str]) -> None:
    code = "from gilscope.strategies.interpreters import missing; print(missing())"
    said = subprocess.run([found(request_), "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("needs CPython 3.14 or later")
    assert ("3.13 leaves" in said.stdout) == request_.startswith("3.13")


def test_this_runtime_has_them_or_a_reason() -> None:
    assert (missing() is None) == hasattr(concurrent.futures, "InterpreterPoolExecutor")


def test_the_reason_of_a_refusal_is_found_however_deep_it_lies() -> None:
    words = "module numpy._core._multiarray_umath does not support loading in subinterpreters"
    wrapped = ImportError("Unable to import required dependency numpy.")
    wrapped.__cause__ = RuntimeError(f"Uncaught in the interpreter:\n...\nImportError: {words}\n\nImportError: advice")
    assert refused_import(wrapped) == f"numpy cannot be imported in a subinterpreter: {words}"
    unshareable = ValueError("args not shareable")
    unshareable.__cause__ = Exception("Traceback\nModuleNotFoundError: No module named 'tasks'\n")
    assert refused_import(unshareable) == "an import fails in a subinterpreter: No module named 'tasks'"
    assert (
        refused_import(ImportError("no such thing\nand more")) == "an import fails in a subinterpreter: no such thing"
    )
    assert refused_import(ValueError("task 3 refuses")) is None
