"""What an interpreter reports about itself; a runtime is named by that."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import multiprocessing
import os
import platform
import sys
import sysconfig
from collections.abc import Iterable
from typing import Any

from gilscope.running.builds import describe_build
from gilscope.running.gil import gil_enabled
from gilscope.running.plain_text import words_of

PREFIXES = {"CPython": "cp", "PyPy": "pypy"}
PACKAGES = ("pyperf", "psutil", "numpy", "pandas", "pillow", "urllib3", "aiohttp", "threadpoolctl", "psycopg")
EQUIPMENT = "gilscope.json"
"""A file in a runtime's environment: what could not be installed there, and why."""
MODULES = {"pillow": "PIL", "psycopg[binary]": "psycopg"}
"""Libraries whose module has another name."""


def free_threaded() -> bool:
    """Whether the interpreter was built to run without the lock."""
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def runtime_name() -> str:
    """This runtime's name: ``cp311``, ``cp313t-gil``, ``cp313t-nogil``, ``pypy311``."""
    implementation = platform.python_implementation()
    name = PREFIXES.get(implementation, implementation.lower()) + f"{sys.version_info[0]}{sys.version_info[1]}"
    if free_threaded():
        name += "t-gil" if gil_enabled() else "t-nogil"
    return name


def lock_expected(runtime: str) -> bool | None:
    """Whether a runtime of this name runs with the lock; None where its build leaves no choice."""
    return {"gil": True, "nogil": False}.get(runtime.rpartition("-")[2])


def identity() -> dict[str, Any]:
    """What tells this interpreter from others; equal in all but ``gil`` for one binary with the lock on and off."""
    return {
        "runtime": runtime_name(),
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
        "build": " ".join(platform.python_build()),
        "compiler": platform.python_compiler(),
        "built": describe_build(),
        "free_threaded": free_threaded(),
        "gil": gil_enabled(),
    }


def equipment() -> dict[str, Any]:
    """What the environment that this interpreter runs in lacks: ``missing``, library → reason; ``broken``, or None."""
    try:
        with open(os.path.join(sys.prefix, EQUIPMENT), encoding="utf-8") as file:
            return dict(json.load(file))
    except FileNotFoundError:
        return {"missing": {}, "broken": None}


def why_missing(error: ImportError) -> str:
    """An import's failure in words, with the reason why the library is not in this runtime's environment."""
    module = (error.name or "").partition(".")[0]
    reasons = {MODULES.get(library, library): reason for library, reason in equipment()["missing"].items()}
    said = words_of(error)
    return f"{said}: {reasons[module]}" if module in reasons else said


def describe_runtime(modules: Iterable[str] = ()) -> dict[str, Any]:
    """Facts about the running interpreter; the GIL's state is read after importing ``modules`` (what workloads import).

    A module that cannot be imported is left out: the blocks that need it say so themselves.
    """
    began = identity()
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            continue
    packages = {}
    for package in PACKAGES:
        try:
            packages[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        **began,
        **equipment(),
        "gil": gil_enabled(),
        "start_method": multiprocessing.get_start_method(),
        "switch_interval_s": sys.getswitchinterval() if hasattr(sys, "getswitchinterval") else None,
        "packages": packages,
    }


if __name__ == "__main__":
    print(json.dumps(identity()))
