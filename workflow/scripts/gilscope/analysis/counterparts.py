"""Who the runtimes of a run are, by what they reported, and which of them is to be compared with which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gilscope.running.identity import lock_expected

CPYTHON = "CPython"


@dataclass(frozen=True)
class Identity:
    """What a runtime reported about itself.

    gil: whether it runs with the lock. flags: a digest of what its compiler was told, empty where
    it did not tell. current: whether it is the workflow's own. broken: why nothing can run in it.
    """

    runtime: str
    implementation: str
    version: str
    build: str
    compiler: str
    free_threaded: bool
    gil: bool
    flags: str = ""
    current: bool = False
    broken: str | None = None

    @property
    def minor(self) -> tuple[int, ...]:
        """The version without its last part: (3, 13)."""
        return tuple(int(part) for part in self.version.split(".")[:2] if part.isdigit())

    @property
    def lock_off(self) -> bool:
        return self.free_threaded and not self.gil

    @property
    def standard(self) -> bool:
        """Whether it is a CPython as it is commonly built, with the lock."""
        return self.implementation == CPYTHON and not self.free_threaded

    @property
    def words(self) -> str:
        """The runtime for people: ``cp313t-gil (CPython 3.13.5, free-threaded, lock on)``."""
        lock = f", free-threaded, lock {'on' if self.gil else 'off'}" if self.free_threaded else ""
        return f"{self.runtime} ({self.implementation} {self.version}{lock})"


def identify(runtime: str, facts: Mapping[str, Any]) -> Identity:
    """A runtime's identity from its facts.

    Whether a free-threaded build has its lock on is told by its name, not by its report: describing it imports every
    workload, and one of those may turn the lock on. Each cell's own lock is read where it runs.
    """
    promised = lock_expected(runtime)
    return Identity(
        runtime=runtime,
        implementation=facts.get("implementation", CPYTHON),
        version=facts.get("version", ""),
        build=facts.get("build", ""),
        compiler=facts.get("compiler", ""),
        free_threaded=bool(facts.get("free_threaded", promised is not None)),
        gil=facts["gil"] if promised is None else promised,
        flags=(facts.get("built") or {}).get("flags") or "",
        current=bool(facts.get("current")),
        broken=facts.get("broken"),
    )


def first(found: Iterable[Identity]) -> Identity | None:
    """The current runtime, if it is among these, or the first."""
    return next(iter(sorted(found, key=lambda one: not one.current)), None)


def reference(run: Sequence[Identity]) -> Identity | None:
    """The runtime that others' speed is told against: the current one, if it is in the run, or the first."""
    return first(run)


def this_cpython(run: Sequence[Identity]) -> Identity | None:
    """The CPython that other implementations are compared with: the current one if it has the lock, or the first."""
    return first(one for one in run if one.implementation == CPYTHON and one.gil)


def lock_on(one: Identity, run: Sequence[Identity]) -> Identity | None:
    """The same binary with the lock on."""
    return first(other for other in run if other.gil and same_binary(one, other))


def same_binary(one: Identity, other: Identity) -> bool:
    """Whether two runtimes are one free-threaded binary; only the lock may differ."""
    keys = [(own.implementation, own.version, own.build, own.compiler, own.flags) for own in (one, other)]
    return one.free_threaded and other.free_threaded and keys[0] == keys[1]


def standard_build(one: Identity, run: Sequence[Identity]) -> Identity | None:
    """The common build to compare a free-threaded one with: of the same minor version, or the current, or the first."""
    builds = [other for other in run if other.standard]
    return first(other for other in builds if other.minor == one.minor) or first(builds)


COUNTERPARTS = {"lock-on": lock_on, "standard": standard_build, "cpython": lambda _, run: this_cpython(run)}
"""What a claim's ``against`` means."""
