"""How long it takes from starting a worker to its answer: the first in a program, and later ones.

A program of its own starts them. A forkserver, and what else comes with the first process, is part of the first one's
time; so is what a new interpreter imports to find the function that it is to call.
"""

from __future__ import annotations

import importlib.util
import statistics

from gilscope.labs import QUANTITY, SCATTERED, Lab
from gilscope.labs._scripts import answer_of, source_beside
from gilscope.labs._start_methods import START_METHODS, unless_there

LATER = 7
LIMIT_S = 8.0
TOGETHER = 5
"""Trials that share a process, since that only starts the program of its own which each of them has."""

LAB = Lab(metrics={"first_s": "s", "later_s": "s"}, timed=True, seconds=6)

SCRIPT = source_beside(__file__, "_started_workers.py")


def no_subinterpreter() -> str | None:
    if any(importlib.util.find_spec(name) for name in ("_interpreters", "_xxsubinterpreters")):
        return None
    return "this Python has no module for subinterpreters"


def start(kind: str) -> dict[str, float]:
    """A new program starts one worker, which answers; then some more, one after the other, of which the median."""
    printed = answer_of(SCRIPT, kind, LATER, limit_s=LIMIT_S)
    if printed is None:
        raise RuntimeError(f"the workers did not all answer within {LIMIT_S:g} s")
    first, *later = map(float, printed.split())
    return {"first_s": first, "later_s": statistics.median(later)}


LAB.case("thread", trials=SCATTERED, together=TOGETHER, kind="thread")(start)
for method in START_METHODS:
    often = SCATTERED if method == "fork" else QUANTITY
    LAB.case(method, trials=often, together=TOGETHER, unavailable=unless_there(method), kind=method)(start)
LAB.case("subinterpreter", trials=QUANTITY, together=TOGETHER, unavailable=no_subinterpreter, kind="subinterpreter")(
    start
)
