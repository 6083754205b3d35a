"""Experiments about behaviour rather than speed. One file is one lab: its ``LAB``, and a function for each case.

A case's function does one trial and returns what it saw: metric → number (true and false count as 1 and 0). It runs in
a process that is watched from outside (``observing/trials.py``), so it may hang, crash or flood its output; where the
behaviour allows, trials share one.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from gilscope.running.discovery import module_names

SURE = 110
"""Trials that show a share above 0.95 or below 0.05 (72 of 72 would just do)."""
LIKELY = 20
"""Trials that show a share above 0.5."""
QUANTITY = 5
"""Trials of a quantity, whose interval is over trials."""
SCATTERED = 15
"""Trials of a short quantity that comes out differently from process to process."""


def no_reason() -> str | None:
    return None


@dataclass(frozen=True)
class Case:
    """What a lab tries, and how often; ``function(**arguments)`` is one trial.

    few: the trials of a descriptive case in the small form of the lab, as the default sweep has it; ``trials`` is the
        full number. A case that a claim names is not descriptive: the two are equal.
    together: how many trials may share a process, one after the other.
    limit_s: seconds after which a trial, and with it its process, is ended.
    unavailable: ``() -> reason`` or None, asked where it would run.
    """

    name: str
    function: Callable[..., Mapping[str, float]]
    arguments: Mapping[str, Any]
    trials: int
    few: int
    together: int
    limit_s: float
    unavailable: Callable[[], str | None]

    @property
    def descriptive(self) -> bool:
        return self.few < self.trials

    @property
    def summary(self) -> str:
        """The first line of the trial's docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


@dataclass(frozen=True)
class Lab:
    """The facts about a lab, and its cases by name, in order.

    metrics: every metric that a trial may return → its unit; ``share`` for what is true or false.
    timed: whether trials measure time, so that nothing may run beside them; else they run side by side.
    side_by_side: how many processes at a time where nothing is timed; None for as many as cores are usable.
    seconds: about how long the small form takes on two cores.
    limit_s: seconds after which no further trial of the small form begins; the full form has ten times as many.
    unavailable: ``() -> reason`` or None, for the lab as a whole.
    libraries: what it imports beside the standard library, by the names under which it is installed.
    """

    metrics: Mapping[str, str]
    timed: bool
    seconds: float
    side_by_side: int | None = None
    limit_s: float = 120.0
    unavailable: Callable[[], str | None] = no_reason
    libraries: tuple[str, ...] = ()
    cases: dict[str, Case] = field(default_factory=dict)

    def case(
        self,
        name: str,
        *,
        trials: int,
        few: int | None = None,
        together: int = 1,
        limit_s: float = 10.0,
        unavailable: Callable[[], str | None] = no_reason,
        **arguments: Any,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Make a function this lab's case of that name; ``arguments`` are handed to it. Cases may share a function."""

        def attach(function: Callable[..., Any]) -> Callable[..., Any]:
            if name in self.cases:
                raise ValueError(f"the case {name!r} is there twice")
            least = trials if few is None else few
            self.cases[name] = Case(name, function, arguments, trials, least, together, limit_s, unavailable)
            return function

        return attach


def lab_names() -> list[str]:
    """The labs that there are, by their files."""
    return module_names(__name__)


def load_lab(name: str) -> Lab:
    """A lab by its file's name. Raises ImportError when it, or something it imports, is missing."""
    lab = importlib.import_module(f"{__name__}.{name}").LAB
    assert isinstance(lab, Lab)
    return lab


def lab_summary(name: str) -> str:
    """The first line of a lab's docstring."""
    return (importlib.import_module(f"{__name__}.{name}").__doc__ or "").strip().partition("\n")[0]
