"""Two sides: what runs inside every runtime never needs what only the workflow's own Python has."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "workflow" / "scripts" / "gilscope"
ROOMS = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.MULTILINE)
"""From the lowest: each imports only those before it."""
MEASURED_ROOMS = ROOMS[: ROOMS.index("configuring")]
MEASURED = [file for room in MEASURED_ROOMS for file in sorted((PACKAGE / room).rglob("*.py"))]
SCRIPTS = [PACKAGE.parent / f"{name}.py" for name in ("describe_runtime", "measure", "observe")]
ANALYSING = {"pandas", "scipy", "seaborn", "matplotlib", "pyarrow", "pydantic", "snakemake", "papermill", "nbconvert"}
OURS = {f"gilscope.{name}" for name in (*ROOMS[len(MEASURED_ROOMS) :], "doctor")}
OWNERS = {"pyperf": {"measuring"}, "scipy": {"analysis", "comparison"}, "seaborn": {"figures"}}
ONLY_FOR_ONE = {"pandas"}


def imports(file: Path) -> Iterator[str]:
    """The full names of the modules that a file imports anywhere, within functions too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file.name} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{name.name}" for name in node.names)


def top(name: str) -> str:
    return name.partition(".")[0]


def place(file: Path) -> str:
    return file.relative_to(PACKAGE.parent).as_posix()


@pytest.mark.parametrize("file", MEASURED, ids=place)
def test_the_measured_side_names_nothing_of_the_analysing_side(file: Path) -> None:
    named = set(imports(file))
    allowed = ONLY_FOR_ONE if file.parent.name == "workloads" else set()
    assert not {top(name) for name in named} & (ANALYSING - allowed)
    assert not {".".join(name.split(".")[:2]) for name in named} & OURS


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_those_below_it(room: str) -> None:
    named = {name for file in (PACKAGE / room).rglob("*.py") for name in imports(file) if top(name) == "gilscope"}
    entered = {name.split(".")[1] for name in named if "." in name} - {"__version__"}
    assert entered <= set(ROOMS[: ROOMS.index(room) + 1])


def test_only_commands_of_their_own_lie_beside_the_rooms() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "doctor"}
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ROOMS)


@pytest.mark.parametrize("file", sorted((PACKAGE / "workloads").glob("*.py")), ids=place)
def test_a_workload_knows_only_workloads(file: Path) -> None:
    """Not how it is spread, nor how it is timed: a user's own file could not know either."""
    ours = {name for name in imports(file) if top(name) == "gilscope"}
    allowed = ("gilscope.workloads", "gilscope.running.discovery")
    assert not {name for name in ours if not name.startswith(allowed)}


@pytest.mark.parametrize("library", OWNERS)
def test_only_its_rooms_know_a_library(library: str) -> None:
    files = [file for file in PACKAGE.rglob("*.py") if library in {top(name) for name in imports(file)}]
    assert {file.relative_to(PACKAGE).parts[0] for file in files} == OWNERS[library]


def test_importing_the_measured_side_brings_nothing_of_the_other(environment: dict[str, str]) -> None:
    """What a library imports in its turn counts as well, so this asks a new interpreter."""
    names = [
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for file in MEASURED
        if file.parent.name != "workloads" or file.name == "__init__.py"
    ]
    code = f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    imported = set(done.stdout.split())
    assert set(names) <= imported
    assert not imported & (ANALYSING | OURS)


@pytest.mark.parametrize("file", [*MEASURED, *SCRIPTS], ids=place)
def test_the_measured_side_is_python_3_9(file: Path) -> None:
    ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
