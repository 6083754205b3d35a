"""How tasks are spread over workers. One file holds a strategy and its variants."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Callable

from gilscope.running.discovery import modules

Spread = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""``spread(function, items)`` returns when every task is done; the answers come in the order of the items."""


@dataclass(frozen=True)
class Strategy:
    """The facts about a strategy; ``with open(workers) as spread`` starts its workers and ends them.

    processes: whether the workers are processes.
    pools: ``cold`` (started for the value), ``warm`` (started before the clock), or both.
    start_method: the start method that the variant is about, None for the platform's default.
    fixed_workers: the only worker count that makes sense, None for any.
    control: whether it belongs in every block as a yardstick rather than as a choice that a user has.
    blas_threads: whether BLAS and OpenMP may use as many threads as by default, and not one.
    unavailable: ``() -> reason`` or None, asked where it would run.
    libraries: what it imports beside the standard library, by the names under which it is installed.
    isolated: whether each worker is an interpreter of its own, in which not every module can be imported.
    """

    name: str
    open: Callable[[int], AbstractContextManager[Spread]]
    processes: bool
    pools: tuple[str, ...]
    start_method: str | None
    fixed_workers: int | None
    control: bool
    blas_threads: bool
    unavailable: Callable[[], str | None]
    libraries: tuple[str, ...] = ()
    isolated: bool = False


def no_reason() -> str | None:
    return None


def strategy(
    name: str,
    *,
    processes: bool = False,
    pools: tuple[str, ...] = ("cold", "warm"),
    start_method: str | None = None,
    fixed_workers: int | None = None,
    control: bool = False,
    blas_threads: bool = False,
    unavailable: Callable[[], str | None] = no_reason,
    libraries: tuple[str, ...] = (),
    isolated: bool = False,
) -> Callable[[Callable[[int], Any]], Any]:
    """Make a context manager a strategy of this name; the keywords are the fields of ``Strategy``."""

    def attach(open_workers: Callable[[int], Any]) -> Callable[[int], Any]:
        open_workers.strategy = Strategy(  # type: ignore[attr-defined]
            name=name,
            open=open_workers,
            processes=processes,
            pools=pools,
            start_method=start_method,
            fixed_workers=fixed_workers,
            control=control,
            blas_threads=blas_threads,
            unavailable=unavailable,
            libraries=libraries,
            isolated=isolated,
        )
        return open_workers

    return attach


@functools.cache
def load_strategies() -> dict[str, Strategy]:
    """Every strategy by its name, sequential first."""
    found = {
        thing.strategy.name: thing.strategy
        for module in modules(__name__)
        for thing in vars(module).values()
        if isinstance(getattr(thing, "strategy", None), Strategy)
    }
    return {name: found[name] for name in sorted(found, key=lambda name: (name != "sequential", name))}
