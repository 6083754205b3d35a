"""How an interpreter says that it was built, and what a reader hears of it."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from gilscope.bundles.content import Built
from gilscope.figures import Results
from gilscope.rendering.runtimes import runtimes
from gilscope.running.builds import describe_build, in_words, why_slow
from interpreters import found
from pages import squeezed

RELEASE = {"CONFIG_ARGS": "'--enable-optimizations' '--with-lto=thin'", "PY_CORE_CFLAGS": "-O2 -Wall -O3 -I/somewhere"}


def built_with(monkeypatch: pytest.MonkeyPatch, flags: dict[str, Any]) -> dict[str, Any]:
    monkeypatch.setattr(sysconfig, "get_config_var", flags.get)
    return describe_build()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (RELEASE, "-O3, PGO, LTO thin"),
        ({"CONFIG_ARGS": "", "PY_CORE_CFLAGS": "-O2"}, "-O2, no PGO, no LTO"),
        ({"CONFIG_ARGS": "--with-lto", "PY_CORE_CFLAGS": "-Os"}, "-Os, no PGO, LTO"),
        ({"CONFIG_ARGS": "--without-lto --enable-optimizations=no", "PY_CORE_CFLAGS": "-O2"}, "-O2, no PGO, no LTO"),
        ({"PY_CORE_CFLAGS": "-O2 -flto=auto"}, "-O2, LTO"),
        ({"CONFIG_ARGS": "--with-pydebug", "PY_CORE_CFLAGS": "-O0", "Py_DEBUG": 1}, "debug build, -O0, no PGO, no LTO"),
        ({"CONFIG_ARGS": "'odd", "PY_CORE_CFLAGS": "-O2"}, "-O2, no PGO, no LTO"),
        ({}, ""),
    ],
)
def test_what_the_compiler_was_told_is_told(monkeypatch: pytest.MonkeyPatch, flags: dict[str, Any], words: str) -> None:
    built = built_with(monkeypatch, flags)
    assert in_words({**built, "jit": None, "tail_calls": None}) == words
    Built.model_validate(built)


def test_the_same_recipe_has_the_same_digest_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder is part of it."""
    here, there, other = (
        built_with(monkeypatch, {**RELEASE, "CONFIG_ARGS": f"{RELEASE['CONFIG_ARGS']} {argument}"})["flags"]
        for argument in ("--prefix=/home/ada", "'LDFLAGS=-L/opt/x -g'", "--with-assertions")
    )
    assert here == there != other
    assert built_with(monkeypatch, {})["flags"] is None


@pytest.mark.parametrize("request_", ["3.9", "3.10", "3.12", "3.13", "3.13t", "3.14", "pypy3.11"])
def test_every_interpreter_tells_what_it_knows(request_: str, scripts: Path) -> None:
    said = subprocess.run(
        [found(request_), "-c", "import json; from gilscope.running.builds import *; print(json.dumps(describe_build()))"],
        env={"PYTHONPATH": str(scripts)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    built = json.loads(said.stdout)
    Built.model_validate(built)
    assert built["debug"] is (None if request_.startswith("pypy") else False)
    assert built["jit"] in ("none", "off", "on", "interpreter", *([None] if sys.platform == "win32" else []))
    assert str(Path(found(request_)).parent) not in said.stdout


def test_builds_that_are_no_release_or_not_alike_are_told_in_the_report(tmp_path: Path) -> None:
    debug = {"debug": True, "optimisation": "Og", "pgo": False, "lto": "none"}
    fast = {"debug": False, "optimisation": "O3", "pgo": True, "lto": "yes", "tail_calls": True}
    facts = {"implementation": "CPython", "compiler": "GCC 14.2", "gil": True}
    results = Results(
        tmp_path,
        runtimes={
            "cp311": {**facts, "version": "3.11.7", "built": debug},
            "cp314": {**facts, "version": "3.14.0", "built": fast},
        },
    )
    shown = squeezed(runtimes(results))
    assert "GCC 14.2, debug build, -Og, no PGO, no LTO" in shown
    assert "Do not take cp311 for a release:</strong> it is a debug build" in shown
    assert "cp311: debug build, -Og, no PGO, no LTO; cp314: -O3, PGO, LTO. What sets" in shown


def test_what_was_measured_before_builds_were_recorded_says_nothing_of_them(tmp_path: Path) -> None:
    facts = {"implementation": "CPython", "version": "3.11.7", "build": "main", "gil": True}
    shown = runtimes(Results(tmp_path, runtimes={"cp311": facts, "cp312": {**facts, "built": {"pgo": True}}}))
    assert "how is unknown" in shown
    assert "differently" not in shown
    assert why_slow(None) is None
    assert in_words(None) == ""
