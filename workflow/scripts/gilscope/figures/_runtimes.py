"""The runtimes of a run for readers: their order, their names in words, and which of them are one binary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gilscope.analysis.counterparts import CPYTHON, Identity, first, identify, lock_on

Runtimes = Mapping[str, Mapping[str, Any]]


def identified(runtimes: Runtimes) -> list[Identity]:
    """The runtimes by what they reported; one that did not say how its lock is has it."""
    return [identify(name, {"gil": True, **facts}) for name, facts in runtimes.items()]


def in_order(runtimes: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """CPython by version, a free-threaded build after the standard one of its version, lock on first; then others."""

    def place(one: Identity) -> tuple[Any, ...]:
        # The names of one version sort as they should: cp313, cp313t-gil, cp313t-nogil.
        return one.implementation != CPYTHON, one.implementation, one.minor, one.runtime

    return {one.runtime: runtimes[one.runtime] for one in sorted(identified(runtimes), key=place)}


def current(runtimes: Runtimes) -> str:
    """The workflow's own runtime; where it was not measured, the first. Empty where there is none."""
    own = first(identified(runtimes))
    return own.runtime if own else ""


def whole(runtimes: Runtimes) -> list[str]:
    """The runtimes that were measured for all claims, not for some only."""
    return [name for name, facts in runtimes.items() if not facts.get("claims")]


def binaries(runtimes: Runtimes) -> list[tuple[str, str]]:
    """The free-threaded binaries measured both ways: the runtime with the lock on, and the one with it off."""
    run = identified(runtimes)
    pairs = [(lock_on(one, run), one) for one in run if one.lock_off]
    return [(on.runtime, off.runtime) for on, off in pairs if on is not None]


def spoken(name: str, facts: Mapping[str, Any], lock: bool = True) -> str:
    """``CPython 3.13.5 free-threaded, lock off``; the runtime's name where it has reported nothing."""
    if not facts.get("version"):
        return name
    one = identify(name, {"gil": True, **facts})
    state = f", lock {'off' if one.lock_off else 'on'}" if lock else ""
    return f"{one.implementation} {one.version}" + (f" free-threaded{state}" if one.free_threaded else "")


def most_telling(runtimes: Runtimes) -> list[str]:
    """The runtimes, those that a reader would miss most first: the current one, those without the lock, PyPy."""
    run = identified(runtimes)
    own = first(run)

    def rank(one: Identity) -> tuple[bool, ...]:
        return one is not own, not one.lock_off, one.implementation == CPYTHON, not one.free_threaded

    return [one.runtime for one in sorted(run, key=rank)]


def named(names: Sequence[str], most: int = 4) -> str:
    """A few names, and how many others there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
