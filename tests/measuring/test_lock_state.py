"""The lock as a fact: a real extension that brings it back, built here, in a free-threaded interpreter."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from apart import apart
from gilscope.measuring.lock_state import lock_here, lock_objection
from gilscope.measuring.raw import read_values
from gilscope.running.cells import Block
from interpreters import found

FREE_THREADED = "3.13t"
EXTENSION = """
#include <Python.h>
/* Says nothing of the lock, as extensions did before there was a choice. */
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_fake", NULL, 0, NULL};
PyMODINIT_FUNC PyInit__fake(void) { return PyModule_Create(&definition); }
"""
WORKLOAD = """
import multiprocessing, os, sys
from gilscope.workloads import workload

HERE = os.path.dirname(__file__)

@workload(kind="cpu", sizes={"small": 1})
def careless(item):
    "Imports an extension once a file says where, and forgets it if it says so."
    with open(os.path.join(HERE, "where")) as file:
        where = file.read()
    if where == "everywhere" or (where and multiprocessing.parent_process()):
        import _fake
        if where == "in workers, in secret":
            del sys.modules["_fake"]
    return sum(i * i for i in range(2000))
"""
CELLS = ("threading-2", "multiprocessing-2", "asyncio-2")
CAME_BACK = "the lock came back {}: the module _fake turned it on when it was imported"


@pytest.fixture(scope="session")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension, built for the free-threaded interpreter with its own headers."""
    interpreter, compiler = found(FREE_THREADED), shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    code = "import sysconfig; print(sysconfig.get_path('include'), sysconfig.get_config_var('EXT_SUFFIX'), sep='\\n')"
    include, suffix = subprocess.check_output([interpreter, "-c", code], text=True).split("\n")[:2]
    if not Path(include, "Python.h").exists():
        pytest.skip(f"the headers of {FREE_THREADED} are not here")
    folder = tmp_path_factory.mktemp("extension")
    (folder / "_fake.c").write_text(EXTENSION)
    built = folder / f"_fake{suffix}"
    subprocess.run([compiler, "-shared", "-fPIC", f"-I{include}", "_fake.c", "-o", built], cwd=folder, check=True)
    return built


class Careless:
    """A block of the careless workload in the free-threaded interpreter, in a folder of its own."""

    def __init__(self, folder: Path, scripts: Path, python: str, environment: dict[str, str]):
        self.folder, self.scripts, self.python = folder, scripts, python
        self.environment = {**environment, **apart(folder)}
        self.environment.pop("PYTHON_GIL", None)
        (folder / "careless.py").write_text(WORKLOAD)
        (folder / "machine.json").write_text('{"cpu": null}')
        self.imports("")
        self.block = Block("cp313t-nogil", "careless", "small", 1, 4, CELLS, 0.1, 2, str(folder))

    def imports(self, where: str) -> None:
        (self.folder / "where").write_text(where)

    def read(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_text())

    def measure(self, number: int) -> dict[str, str]:
        """The cells that failed in a round, with the reason."""
        command = [self.python, str(self.scripts / "measure.py"), self.block.to_json(), "--round", str(number)]
        for name in ("machine", "calibration", "raw", "facts", "trace", "events"):
            command += [f"--{name}", str(self.folder / f"{name}.json")]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        failed: dict[str, str] = self.read("facts")["failed"]
        return failed

    def calibrate(self) -> Any:
        self.measure(1)
        return self.read("calibration")

    def measured(self) -> set[str]:
        """The cells that the last round has values of."""
        return {value.cell for value in read_values(str(self.folder / "raw.json"))}

    def traced(self) -> set[str]:
        return set(self.read("trace")["cells"])


@pytest.fixture
def careless(
    tmp_path: Path,
    extension: Path,
    scripts: Path,
    runtime_environment: Callable[..., str],
    environment: dict[str, str],
) -> Careless:
    shutil.copy(extension, tmp_path)
    return Careless(tmp_path, scripts, runtime_environment(FREE_THREADED), environment)


def test_a_module_that_brings_the_lock_back_fails_every_cell_by_name(careless: Careless) -> None:
    """Also those in processes: what they are compared with was measured with the lock."""
    careless.imports("everywhere")
    calibration = careless.calibrate()
    reason = CAME_BACK.format("in the measuring process")
    assert calibration["failed"] == dict.fromkeys(["sequential-1", *CELLS], reason)
    assert {said["gil"] for said in calibration["workers"].values()} == {True}
    for number in (1, 2):
        assert careless.measure(number) == calibration["failed"]
        assert careless.measured() == careless.traced() == set()


def test_in_worker_processes_alone_it_fails_theirs(careless: Careless) -> None:
    careless.imports("in workers")
    calibration = careless.calibrate()
    assert calibration["failed"] == {"multiprocessing-2": CAME_BACK.format("in a worker")}
    assert {cell: said["gil"] for cell, said in calibration["workers"].items()} == {
        "threading-2": False,
        "multiprocessing-2": True,
        "asyncio-2": False,
    }
    for number in (1, 2):
        assert careless.measure(number) == calibration["failed"]
        assert careless.measured() == careless.traced() == {"sequential-1", "threading-2", "asyncio-2"}


def test_where_the_module_cannot_be_found_the_reason_says_so(careless: Careless) -> None:
    careless.imports("in workers, in secret")
    reason = "the lock came back in a worker; which module turned it on cannot be told"
    assert careless.calibrate()["failed"] == {"multiprocessing-2": reason}


def test_a_lock_that_comes_back_after_calibrating_takes_the_values_with_it(careless: Careless) -> None:
    for number in (1, 2):
        assert careless.measure(number) == {}
        assert careless.measured() == careless.traced() == {"sequential-1", *CELLS}
    careless.imports("in workers")
    assert careless.measure(3) == {"multiprocessing-2": CAME_BACK.format("in a worker")}
    assert careless.measured() == careless.traced() == {"sequential-1", "threading-2", "asyncio-2"}
    careless.imports("everywhere")
    lost = dict.fromkeys(["sequential-1", *CELLS], CAME_BACK.format("in the measuring process"))
    assert careless.measure(4) == lost
    assert careless.measured() == careless.traced() == set()


def test_a_setting_that_did_not_take_fails_every_cell(careless: Careless) -> None:
    careless.environment["PYTHON_GIL"] = "1"
    reasons = set(careless.calibrate()["failed"].values())
    assert reasons == {
        "the lock is on in the measuring process, and was so from the start: is PYTHON_GIL or -X gil set?"
    }
    careless.block = replace(careless.block, runtime="cp313t-gil")
    assert careless.calibrate()["failed"] == {}
    careless.environment.pop("PYTHON_GIL")
    calibration = careless.calibrate()
    assert set(calibration["failed"]) == {"sequential-1", *CELLS}
    assert set(calibration["failed"].values()) == {"the lock is off in the measuring process where on was asked for"}


def test_the_guilty_module_is_found_below_those_that_import_it(extension: Path, environment: dict[str, str]) -> None:
    (extension.parent / "innocent.py").write_text("import json\nprint('hello')\n")
    (extension.parent / "outer.py").write_text("import innocent, _fake\n")
    (extension.parent / "fatal.py").write_text("raise SystemExit(3)\n")
    code = (
        "import sys; from gilscope.measuring.lock_state import find_in_order as find; path = tuple(sys.path)\n"
        "print(find(('fatal', 'innocent', 'nothing_there', 'outer'), path), find(('innocent', 'math'), path))"
    )
    own = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}:{extension.parent}"}
    own.pop("PYTHON_GIL", None)
    told = subprocess.check_output([found(FREE_THREADED), "-c", code], env=own, text=True)
    assert told == "_fake None\n"


def test_where_there_is_no_choice_nothing_is_objected_to() -> None:
    assert lock_here(None).keys() == lock_here(True).keys() == {"gil"}
    assert lock_objection([{"gil": True}, {"gil": False}], None, "in a worker") is None
    assert lock_objection([{"gil": True}, {"gil": False}], True, "in a worker") is not None
