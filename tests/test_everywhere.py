"""The measured side on every interpreter at hand: all of it imports, every strategy answers, blocks are measured."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyperf
import pytest
from apart import apart
from gilscope.interpreters.finding import introduce
from gilscope.measuring.raw import read_values
from gilscope.running.cells import SEQUENTIAL, Block
from gilscope.running.identity import MODULES
from gilscope.workloads import file_of, load_workload, workload_names
from interpreters import found
from test_walls import MEASURED, PACKAGE

REQUESTS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15", "pypy3.9", "pypy3.10", "pypy3.11")
FREE_THREADED = ("3.13t", "3.14t", "3.15t")
LOCKED = [(request, None) for request in REQUESTS] + [(request, True) for request in FREE_THREADED]
RUNTIMES = LOCKED + [(request, False) for request in FREE_THREADED]
OF_EACH_KIND = [("3.9", None), ("3.15", None), ("pypy3.9", None), ("pypy3.11", None), ("3.13t", False)]
"""The oldest and the newest, those that are no CPython, and one without its lock."""
CELLS = ("asyncio-2", "multiprocessing-2", "multiprocessing-2-warm", "threading-2", "threading-2-warm")
TASKS = 6

IMPORT_ALL = """
import importlib, json, sys
from gilscope.running.gil import gil_enabled
missing = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        missing[name] = error.name
print(json.dumps({"gil": gil_enabled(), "missing": missing}))
"""

SPREAD_ALL = """
from gilscope.strategies import load_strategies
from gilscope.workloads import load_workload

if __name__ == "__main__":
    function = load_workload("sum_squares").function
    for strategy in load_strategies().values():
        if strategy.unavailable() is None:
            with strategy.open(strategy.fixed_workers or 2) as spread:
                assert list(spread(function, [1, 2, 3, 4])) == [0, 1, 5, 14], strategy.name
            print(strategy.name)
"""


def named(runtime: Any) -> str | None:
    """A test's name: what is asked for, and how the lock is set where there is a choice."""
    request, lock = runtime
    return request + {None: "", True: "-lock-on", False: "-lock-off"}[lock]


class Elsewhere:
    """Another interpreter with pyperf and psutil, with the lock as asked for where it has the choice.

    The machine-wide lock is one of its own, in ``folder``: nobody waits for a measurement that really goes on.
    """

    def __init__(self, python: str, gil: bool | None, environment: dict[str, str], folder: Path):
        self.python = python
        self.facts = introduce(python, gil)
        self.folder = folder
        lock = {"PYTHON_GIL": "1"} if gil else {}
        # Many workers start here: without their bytecode, as where nobody may write it, that would take seconds each.
        cache = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(python).parents[1] / "bytecode")}
        self.environment = {**environment, **lock, **cache, **apart(folder)}

    def run(self, *command: Any) -> str:
        done = subprocess.run(
            [self.python, *map(str, command)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module", params=RUNTIMES, ids=named)
def elsewhere(
    request: pytest.FixtureRequest,
    runtime_environment: Callable[[str], str],
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Elsewhere:
    wanted, gil = request.param
    found(wanted)
    return Elsewhere(runtime_environment(wanted), gil, environment, tmp_path_factory.mktemp("elsewhere"))


def needed_by(module: str) -> set[str]:
    """What the workloads of a file say that they import; of a part that several share, what any of them does."""
    file = module.rpartition(".")[2]
    names = [name for name in workload_names() if file.startswith("_") or file_of(name) == file]
    return {MODULES.get(library, library) for name in names for library in load_workload(name).libraries}


def test_all_of_it_imports(elsewhere: Elsewhere) -> None:
    """What is missing is a library that the workload itself needs; and nothing of ours brings the lock back."""
    files = [file.relative_to(PACKAGE.parent).with_suffix("") for file in MEASURED]
    names = [".".join(file.parts).removesuffix(".__init__") for file in files]
    said = json.loads(elsewhere.run("-c", IMPORT_ALL, *names, "measure", "observe", "describe_runtime"))
    assert said["gil"] == elsewhere.facts["gil"]
    for name, library in said["missing"].items():
        assert name.startswith("gilscope.workloads."), f"{name} needs {library}"
        assert library in needed_by(name)


SHARED_FUNCTION = """
import math, sys, threading
from gilscope.measuring.job import old_objects_aside
with old_objects_aside():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    before = sys.getrefcount(math.sqrt)
    more = [math.sqrt] * 1000
    print(sys.getrefcount(math.sqrt) - before)
"""


def test_threads_without_the_lock_count_no_references_to_functions_that_they_share(elsewhere: Elsewhere) -> None:
    """They would contend for the count, and be slower than one thread where nothing else is shared."""
    if elsewhere.facts["gil"]:
        pytest.skip("it has its lock")
    assert int(elsewhere.run("-c", SHARED_FUNCTION)) == 0


def test_every_strategy_answers(elsewhere: Elsewhere, tmp_path: Path) -> None:
    script = tmp_path / "spread_all.py"
    script.write_text(SPREAD_ALL, encoding="utf-8")
    answered = elsewhere.run(script).split()
    assert {"sequential", "threading", "multiprocessing", "asyncio", "hybrid", "ceiling"} <= set(answered)


def test_a_block_is_measured_and_traced(
    elsewhere: Elsewhere, scripts: Path, tmp_path: Path, this_machine: Path
) -> None:
    measure_and_trace(elsewhere, scripts, tmp_path, this_machine, "sum_squares", 300)


@pytest.mark.parametrize("elsewhere", OF_EACH_KIND, ids=named, indirect=True)
def test_so_is_one_that_waits_with_coroutines_of_its_own(
    elsewhere: Elsewhere, scripts: Path, tmp_path: Path, this_machine: Path
) -> None:
    measure_and_trace(elsewhere, scripts, tmp_path, this_machine, "sleep", 0.0005)


def measure_and_trace(
    elsewhere: Elsewhere, scripts: Path, tmp_path: Path, this_machine: Path, workload: str, parameter: float
) -> None:
    block = Block(elsewhere.facts["runtime"], workload, "small", parameter, TASKS, CELLS, 0.05, min_laps=2)
    calibration, raw, facts, trace, events = (
        tmp_path / f"{name}.json" for name in ("calibration", "round-1", "round-1.facts", "trace", "events")
    )
    given = (block.to_json(), "--machine", this_machine, "--calibration", calibration, "--round", 1)
    written = ("--raw", raw, "--facts", facts, "--trace", trace, "--events", events)
    elsewhere.run(scripts / "measure.py", *given, *written)

    found_out = json.loads(facts.read_text(encoding="utf-8"))
    assert (found_out["not_applicable"], found_out["skipped"], found_out["failed"]) == (None, {}, {})
    assert {found_out["gil"], *(said["gil"] for said in found_out["workers"].values())} == {elsewhere.facts["gil"]}

    values = read_values(str(raw))
    assert {value.cell for value in values} == {SEQUENTIAL.name, *CELLS}
    assert all(value.seconds > 0 for value in values)
    measured_by = pyperf.BenchmarkSuite.load(str(raw)).get_metadata()
    assert elsewhere.facts["version"] in measured_by["python_version"]

    traced = json.loads(trace.read_text(encoding="utf-8"))
    assert (set(traced["cells"]), traced["failed"]) == ({SEQUENTIAL.name, *CELLS}, {})
    for cell in traced["cells"].values():
        assert len(cell["tasks"]) == TASKS
        assert all(0 <= task["start"] <= task["end"] and task["cpu"] >= 0 for task in cell["tasks"])
