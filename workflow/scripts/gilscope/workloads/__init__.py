"""What a task does. One file is one workload; the file, the function and the workload share their name.

Variants of a workload share its file: ``dial_25`` lies in ``dial.py``.

One that lives here, and not in a user's own file, is tried by the tests of all: it has the four sizes, small < medium <
large, a docstring whose first line says what one task does, ``seconds`` of at most 0.05 at ``large``, and answers with
a number or a tuple of them.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Callable

from gilscope.running.discovery import module_names

KINDS = ("cpu", "io", "mixed")
SIZES = ("small", "medium", "large", "deck")
TYPICAL_TASK_S = {"small": 0.0001, "medium": 0.001, "large": 0.005, "deck": 0.1}


@dataclass(frozen=True)
class Site:
    """Where a block's tasks run: a scratch folder, its file system, the address of the service if there is one.

    external: how to reach the outside service that the workload needs, as the configuration says; None without.
    """

    folder: str
    address: str | None = None
    file_system: str | None = None
    external: str | None = field(default=None, repr=False)


def repeat_parameter(parameter: Any, tasks: int, site: Site) -> Sequence[Any]:
    """The plainest inputs: every task gets the size's parameter itself."""
    return [parameter] * tasks


def equal(answer: Any, expected: Any) -> bool:
    """Whether two answers of one task are the same; arrays are compared element by element."""
    same = answer == expected
    return bool(same.all()) if hasattr(same, "all") else bool(same)


def no_reason(site: Site) -> str | None:
    return None


def nothing() -> None:
    return None


def nothing_to_clear(site: Site) -> None:
    return None


def no_memory(parameter: Any) -> int:
    return 0


@dataclass(frozen=True)
class Workload:
    """The facts about a workload; ``function(item)`` is one task.

    kind: ``cpu``, ``io`` or ``mixed``.
    sizes: size → parameter; at ``large`` some 2 to 25 ms a task.
    unit: what the parameter counts, for people.
    seconds: ``(parameter) -> seconds``, about what one task takes on a common machine; None: its size tells.
    inputs: ``(parameter, tasks, site) -> items``; built before the clock starts.
    finish: ``(site)``; removes what the inputs have left outside the site's folder, even if they were not finished.
    coroutine: ``(offload) -> async context manager`` that yields the task as a native coroutine function;
        ``await offload(function, *args)`` computes, in place or in a process, as the strategy decides.
    external: the key below ``services`` in the configuration that says how to reach an outside service it needs.
    service: module run as a process of its own during the block; it prints its address on its first line.
    memory: ``(parameter) -> bytes`` one task holds, to refuse sizes that do not fit.
    unavailable: ``(site) -> reason`` or None, asked where it would run, before its service starts.
    fresh: forgets what earlier values left behind (open connections); called, untimed, before each value.
    same: ``(answer, expected) -> bool``.
    library: whether the computing happens in a C library rather than in bytecode.
    libraries: what it imports beside the standard library, by the names under which it is installed.
    waiting: the share of its time that a task waits, where that is set; None where it is not.
    """

    name: str
    function: Callable[[Any], Any]
    kind: str
    sizes: Mapping[str, Any]
    unit: str = "steps"
    seconds: Callable[[Any], float] | None = None
    inputs: Callable[[Any, int, Site], Sequence[Any]] = repeat_parameter
    finish: Callable[[Site], None] = nothing_to_clear
    coroutine: Callable[..., Any] | None = None
    external: str | None = None
    service: str | None = None
    memory: Callable[[Any], int] = no_memory
    unavailable: Callable[[Site], str | None] = no_reason
    fresh: Callable[[], None] = nothing
    same: Callable[[Any, Any], bool] = equal
    library: bool = False
    libraries: tuple[str, ...] = ()
    waiting: float | None = None

    def task_seconds(self, size: str, parameter: Any) -> float:
        """About how long one task takes; of a user's own workload its size tells, or the seconds that it waits."""
        if self.seconds is not None:
            return self.seconds(parameter)
        return float(parameter) if self.unit == "s" else TYPICAL_TASK_S[size]

    @property
    def waiting_share(self) -> float:
        """The share of its time that a task presumably waits, and workers of any kind overlap."""
        if self.waiting is not None:
            return self.waiting
        return {"cpu": 0.0, "mixed": 0.5, "io": 1.0 if self.unit == "s" else 0.0}[self.kind]

    @property
    def summary(self) -> str:
        """The first line of the task's docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


def workload(*, kind: str, sizes: Mapping[str, Any], **parts: Any) -> Callable[[Callable[[Any], Any]], Any]:
    """Make a function a workload. Returns the function itself, with the facts attached as ``.workload``.

    An object in the function's place could not be pickled by name. The keywords are the fields of ``Workload``.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; a workload is one of {', '.join(KINDS)}")
    unknown = sorted(set(sizes) - set(SIZES))
    if unknown:
        raise ValueError(f"unknown sizes {', '.join(unknown)}; a workload has {', '.join(SIZES)}")

    def attach(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        facts = Workload(name=function.__name__, function=function, kind=kind, sizes=dict(sizes), **parts)
        function.workload = facts  # type: ignore[attr-defined]
        return function

    return attach


def variants(module: ModuleType) -> list[str]:
    """The workloads that a file holds: the one of its name, or those whose names begin with it."""
    stem = module.__name__.rpartition(".")[2]
    things = [getattr(thing, "workload", None) for thing in vars(module).values()]
    names = [thing.name for thing in things if isinstance(thing, Workload)]
    return [name for name in names if name == stem or name.startswith(f"{stem}_")]


@functools.cache
def workload_names() -> tuple[str, ...]:
    """The workloads that come with gilscope; a file that cannot be imported here counts as the one of its name."""
    names: list[str] = []
    for file in module_names(__name__):
        try:
            names += variants(importlib.import_module(f"{__name__}.{file}")) or [file]
        except Exception:
            names.append(file)
    return tuple(names)


def expand(name: str) -> list[str]:
    """The workloads that a name stands for: itself, or, when it is that of a file of variants, all of them."""
    names = workload_names()
    return [name] if name in names else [variant for variant in names if file_of(variant) == name]


@functools.cache
def file_of(name: str) -> str:
    """The file that a workload lies in, found without importing any other: the longest that begins its name."""
    return max((file for file in module_names(__name__) if f"{name}_".startswith(f"{file}_")), key=len, default=name)


def load_workload(name: str, folder: str = "") -> Workload:
    """The facts of a workload of the package or, with a folder, of a user's own file ``<folder>/<name>.py``.

    A user's file is imported by name from its folder: what is loaded by path cannot be found again by a spawned worker.
    Raises ImportError when the file or something it imports is missing, LookupError when it holds no such workload.
    """
    if folder:
        if os.path.abspath(folder) not in sys.path:
            sys.path.insert(0, os.path.abspath(folder))
        module = importlib.import_module(name)
    else:
        module = importlib.import_module(f"{__name__}.{file_of(name)}")
    facts = getattr(getattr(module, name, None), "workload", None)
    if not isinstance(facts, Workload):
        raise LookupError(f"{module.__file__}: no function {name} with the @workload decorator")
    return facts
