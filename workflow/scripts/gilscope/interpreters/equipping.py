"""An environment for each runtime, made by uv from hashed locks: pyperf, psutil and what the workloads import."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gilscope.interpreters.resolving import python_of
from gilscope.interpreters.uv import Refused, run_uv, without_own_settings
from gilscope.running.identity import MODULES

BASE = ("pyperf", "psutil")
"""Without these nothing can be measured."""
INSTALL_S = 1800


def pinned(python: str, library: str, rules: Sequence[str]) -> list[str]:
    """A library and what it needs on this interpreter, in the locks' versions: ``name==version``. Raises Refused."""
    bare = ("--quiet", "--no-header", "--no-annotate", "--no-emit-index-url")
    listing = run_uv("pip", "compile", "-", "--python", python, *rules, *bare, seconds=INSTALL_S, given=library)
    return [line.partition(";")[0].strip() for line in listing.splitlines() if "==" in line]


def install(python: str, libraries: Sequence[str], locks: Sequence[str], from_source: Sequence[str]) -> dict[str, str]:
    """Install each library with what it needs, from wheels whose hashes the locks hold; library → why it is missing.

    Only what is in ``from_source`` and has no wheel here is built, from a source archive whose hash the locks hold too.
    """
    rules = [part for lock in locks for part in ("--constraints", lock)] + ["--only-binary", ":all:"]
    for library in from_source:
        try:
            pinned(python, library, rules)
        except Refused:
            rules += ["--no-binary", library]
    missing = {}
    for library in libraries:
        try:
            pins = pinned(python, library, rules)
            if pins:
                into = ("--quiet", "--python", python, "--require-hashes", *rules)
                run_uv("pip", "install", *into, *pins, seconds=INSTALL_S)
                import_once(python, MODULES.get(bare_name(library), bare_name(library)))
        except Refused as reason:
            missing[bare_name(library)] = in_short(str(reason))
    return missing


def bare_name(library: str) -> str:
    """A requirement without its marker: one that is not for this interpreter installs nothing."""
    return library.partition(";")[0].strip()


def in_short(reason: str) -> str:
    """The usual refusal in few words, any other in uv's own."""
    found = re.search(r"([\w.-]+)(?:\{[^}]*\})?==([\w.]+) has no (?:usable )?wheels", reason)
    return f"{found[1]} {found[2]} has no wheel for it" if found else reason


def import_once(python: str, module: str) -> None:
    """Import a module where it has been installed: what was built may still not load. Raises Refused."""
    command = [python, "-c", f"import {module}"]
    tried = subprocess.run(command, env=without_own_settings(), capture_output=True, text=True, check=False)
    if tried.returncode:
        complaint = tried.stderr.strip().splitlines()[-1:] or [f"the interpreter ended with {tried.returncode}"]
        raise Refused(f"it was installed and cannot be imported ({complaint[0]:.200})")


def equip(
    interpreter: str, environment: str, libraries: Sequence[str], locks: Sequence[str], from_source: Sequence[str]
) -> dict[str, Any]:
    """Make an environment of this name for an interpreter; says what it lacks, as ``runtimes.equipment`` reads it.

    ``broken`` says why nothing can be measured in it, where that is so. Raises Refused where there is no environment.
    """
    python = python_of(environment)
    folder = str(Path(python).parents[1])
    run_uv("venv", "--quiet", "--clear", "--no-project", "--python", interpreter, folder, seconds=INSTALL_S)
    missing = install(python, list(dict.fromkeys([*BASE, *libraries])), locks, from_source)
    without = [f"{library}: {missing[library]}" for library in BASE if library in missing]
    return {"missing": missing, "broken": "; ".join(without) or None}
