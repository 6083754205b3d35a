from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apart import apart
from gilscope.running.cells import Block
from gilscope.running.node import cpu_model
from interpreters import equipped
from servers import Missing, running_display, running_postgres

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "workflow" / "scripts"

# Under `make test`, a make that a test starts would take itself for a part of that one, and say which folder it enters.
for _name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(_name, None)


# They take longest, the longest first: the workers of pytest-xdist are then done at about the same time.
LONGEST = (
    "test_workflow",
    "test_faults",
    "test_runtimes_workflow",
    "test_everywhere",
    "test_supervising",
    "test_budget_workflow",
    "test_figures",
    "test_browser",
    "test_benchmarks",
    "test_figures_scaling",
    "test_comparison_page",
    "test_rendering",
    "test_trials",
    "test_labs_processes",
    "test_privacy",
    "test_sharing",
    "test_workloads",
    "test_strategies",
    "test_planning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each file of tests has one worker: what it measures for all of them is measured once.

    Whatever --dist says: groups of tests, as pytest-xdist 3.8 marks them, are none to pytest 9.2, which names tests anew.
    """
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.fixture(scope="module", autouse=True)
def _one_worker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Fails where the tests of a file come to more than one worker, for what they share would be made by each."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        begun = tmp_path_factory.getbasetemp().parent / f"begun-{request.node.nodeid.replace('/', '-')}"
        begun.touch(exist_ok=False)


@pytest.fixture(scope="session")
def scripts() -> Path:
    return SCRIPTS


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment in which another interpreter finds the package, as the workflow's rules give it."""
    return {**os.environ, "PYTHONPATH": str(SCRIPTS), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="session")
def this_machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine.json with what a job asks of it, about this computer."""
    path = tmp_path_factory.mktemp("machine") / "machine.json"
    path.write_text(json.dumps({"cpu": cpu_model()}))
    return path


@pytest.fixture(scope="session")
def measure(environment: dict[str, str], this_machine: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Calls workflow/scripts/measure.py: ``measure(block, folder, number)`` measures that round; the first calibrates.

    Its traces lie in ``traces``. more: further options of the script.

    The temporary folder, and so the lock, is the test's own: nobody waits for a measurement that really goes on. One
    that hangs is ended with all the workers it has started.
    """

    def call(block: Block, folder: Path, number: int = 1, *more: str) -> subprocess.CompletedProcess[str]:
        command: list[Any] = [sys.executable, SCRIPTS / "measure.py", block.to_json(), "--machine", this_machine]
        command += ["--calibration", folder / "calibration.json"]
        command += ["--round", str(number), "--raw", folder / f"round-{number}.json"]
        command += ["--facts", folder / f"round-{number}.facts.json"]
        command += ["--trace", folder / f"traces/round-{number}.json"]
        command += ["--events", folder / f"traces/round-{number}.trace.json", *more]
        process = subprocess.Popen(
            command,
            env={**environment, **apart(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            said, complained = process.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(command, process.returncode, said, complained)

    return call


@pytest.fixture(scope="session")
def read() -> Callable[[Path], Any]:
    return lambda path: json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def runtime_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Calls ``equipped(request)`` once for each interpreter: the Python of an environment to measure in."""
    return functools.cache(lambda request: equipped(request, tmp_path_factory))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The DSN of a real PostgreSQL."""
    try:
        with running_postgres() as dsn:
            yield dsn
    except Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of a real X display."""
    try:
        with running_display() as name:
            yield name
    except Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture
def quick_turtles(display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A display, and the folder to start in sets turtle's pause between two steps of an animation to 0."""
    (tmp_path / "turtle.cfg").write_text("delay = 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISPLAY", display)
    return display
