"""The interpreters that a run measures: found or fetched as the configuration asks, named by what they say they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gilscope.configuring.machines import CURRENT, RuntimeRequest
from gilscope.configuring.mistakes import Mistakes
from gilscope.interpreters.finding import NotToBeHad, find, introduce
from gilscope.invoking.printing import say
from gilscope.running.builds import in_words
from gilscope.running.identity import EQUIPMENT
from gilscope.running.marked import JOB

ENVIRONMENTS = ".runtimes"


@dataclass(frozen=True)
class Runtime:
    """An interpreter that a run measures, and how to start it.

    id: what it reports itself as, ``cp313t-nogil``. name: what the configuration calls it. current: whether it is the
    workflow's own interpreter, which runs in the workflow's environment. identity: what tells this build from others.
    claims: the only claims that it is measured for; None for all.
    """

    id: str
    name: str
    executable: str
    current: bool
    identity: str
    claims: tuple[str, ...] | None = None

    @property
    def environment(self) -> str:
        """The name of its environment, which one binary shares with the lock on and off."""
        return self.id.removesuffix("-gil").removesuffix("-nogil")

    @property
    def equipment(self) -> str | None:
        """The file that says that its environment is ready, and what it lacks; None for the current one."""
        return None if self.current else f"{ENVIRONMENTS}/{self.environment}/{EQUIPMENT}"

    @property
    def start(self) -> str:
        """The beginning of a shell command that this interpreter runs, free of absolute paths.

        Only the lock on is forced: where it is off it can come back, as it would for a user, and that is caught. An
        installation that cannot be written to would compile its library whenever a process starts: that is kept here.
        It finds the package, and nothing that the user's own path has: other wheels than those that are pinned. The
        mark, by which all that it starts is known, has to be there before it begins (``running.marked``).
        """
        given = ("PYTHON_GIL=1 " if self.id.endswith("-gil") else "") + 'PYTHONPATH="$GILSCOPE_PACKAGE" '
        given += f"{JOB}=$$ "
        if self.current:
            return f'{given}exec "$GILSCOPE_PYTHON"'
        return f'{given}PYTHONPYCACHEPREFIX="$PWD/{ENVIRONMENTS}/bytecode" exec {python_of(self.environment)}'


def shell_of_rules() -> str | None:
    """The shell to name to Snakemake, where its own choice could not read the rules' commands; else None.

    On Windows that is cmd.exe; Git for Windows brings a bash. Raises Mistakes where that is missing.
    """
    if os.name != "nt":
        return None
    from snakemake.utils import find_bash_on_windows

    bash = find_bash_on_windows()
    if bash is None:
        raise Mistakes(["the rules' commands are for bash, and there is none here; install Git for Windows."])
    return str(bash)


def python_of(environment: str) -> str:
    """The interpreter of an environment, relative to the clone."""
    return f"{ENVIRONMENTS}/{environment}/" + ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def interpreter_variable(environment: str) -> str:
    """The environment variable that tells the rule which makes an environment what interpreter to make it of."""
    return f"GILSCOPE_INTERPRETER_{environment.upper().replace('-', '_')}"


def resolve_one(request: RuntimeRequest, *, downloads: bool) -> Runtime:
    """One runtime of the configuration. downloads: whether it may be fetched unless it says so. Raises NotToBeHad."""
    executable = find(request.python, downloads=downloads if request.downloads is None else request.downloads)
    current = Path(executable).resolve() == Path(sys.executable).resolve() and request.python == CURRENT
    gil = request.gil
    if current and gil is None and os.environ.get("PYTHON_GIL") == "1":
        gil = True
    facts = introduce(executable, gil)
    built = facts.get("built") or {}
    build = "; ".join(filter(None, (facts["build"], in_words(built), built.get("flags"))))
    identity = f"{facts['implementation']} {facts['version']} ({build})"
    only = tuple(request.claims) if request.claims else None
    return Runtime(facts["runtime"], request.label, executable, current, identity, only)


def together(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The claims of both; None stands for all of them."""
    return None if one is None or other is None else tuple(dict.fromkeys((*one, *other)))


def resolve(requests: Sequence[RuntimeRequest], *, downloads: bool) -> tuple[list[Runtime], list[dict[str, Any]]]:
    """The runtimes of a run, and a gap (runtime, state, reason, claims) for each optional one that is not to be had.

    A runtime that is asked for twice, say as ``current`` and by its version, is measured once, for all that either is
    asked for, and a line says so. Raises Mistakes for all that are not to be had and not optional.
    """
    runtimes: dict[str, Runtime] = {}
    alike: dict[str, list[Runtime]] = {}
    gaps: list[dict[str, Any]] = []
    mistakes: list[str] = []
    for place, request in enumerate(requests):
        try:
            runtime = resolve_one(request, downloads=downloads)
            known = runtimes.setdefault(runtime.id, runtime)
            if known.identity != runtime.identity:
                raise NotToBeHad(
                    f"it reports itself as {runtime.id}, {runtime.identity}, and so does {known.name}, "
                    f"{known.identity}; a run measures one of them"
                )
            alike.setdefault(runtime.id, []).append(runtime)
            runtimes[runtime.id] = replace(known, claims=together(known.claims, runtime.claims))
        except NotToBeHad as reason:
            if request.optional:
                gap = {"runtime": request.label, "state": "not to be had", "reason": str(reason)}
                gaps.append(gap | ({"claims": request.claims} if request.claims else {}))
            else:
                mistakes.append(
                    f"runtimes[{place}], {request.label}: {reason}. Name another interpreter, or set optional: true."
                )
    if mistakes:
        raise Mistakes(mistakes)
    if not runtimes:
        raise Mistakes(["runtimes: none of them is to be had; add current."])
    for several in alike.values():
        if len(several) > 1:
            say(f"gilscope: runtimes: {one_and_the_same(several)}", sys.stderr)
    return list(runtimes.values()), gaps


def one_and_the_same(runtimes: Sequence[Runtime]) -> str:
    """In words, that several entries of the configuration are one build, which one, and what is made of it."""
    names = ", ".join(runtime.name for runtime in runtimes[:-1]) + f" and {runtimes[-1].name}"
    places = {os.path.realpath(runtime.executable) for runtime in runtimes}
    one = runtimes[0]
    what = f"one binary, {places.pop()}" if len(places) == 1 else f"one build, {one.identity}"
    return f"{names} are {what}; it is measured once, as {one.id}."
