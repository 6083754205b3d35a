"""A crash or a hang costs a cell, or a block, and not the sweep: the measurement is repeated without it.

The process that the workflow starts forks before anything heavy is imported; the other one measures and writes. Where
nothing is forked (macOS, Windows) the other one is the same script, started again.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import Callable

from gilscope.running.beside import is_second_run, run_beside, second_run
from gilscope.running.cells import CELL_NAME, SEQUENTIAL
from gilscope.running.forking import why_no_fork
from gilscope.running.logs import Log, log_at
from gilscope.running.marked import mark
from gilscope.running.plain_text import plain
from gilscope.running.progress import STARTING, Deliberate
from gilscope.running.reasons import from_outside
from gilscope.running.watching import Surroundings, run_apart

LIMIT = "GILSCOPE_LIMIT_S"
"""The environment variable that says after how many seconds a cell counts as hanging."""
LIMIT_S = 120.0

Attempt = Callable[[dict[str, str]], None]
"""Measures and writes its files; takes the cells to leave out, each with the reason."""
Surrender = Callable[[str, dict[str, str]], None]
"""Writes the same files where nothing was measured; takes the reason, and the cells that were left out by then."""


def supervise(
    attempt: Attempt, surrender: Surrender, log: str | None = None, surroundings: Surroundings = nullcontext
) -> None:
    """Call ``attempt`` in a process apart until it comes to its end, each time without the cell that it failed in.

    Each time from the beginning: a round's values live in its process until they are written together, and one that
    went on elsewhere after a crash would be two halves of a round. What somebody else has killed, the system for lack
    of memory above all, has another try before a cell is blamed. Where no cell can be blamed, or the sequential one
    that all are compared with, ``surrender`` is called. A deliberate end (``Deliberate``) ends this process as well.
    log: the file that standard error goes to; it gets standard output as well, and stays small. surroundings: what
    there is around each try.
    """
    if is_second_run():
        sys.exit(second_run(attempt))
    mark()
    known = log_at(log)
    try:
        try_all(attempt, surrender, known, surroundings)
    finally:
        if known:
            known.finish()


def try_all(attempt: Attempt, surrender: Surrender, log: Log | None, surroundings: Surroundings) -> None:
    left_out: dict[str, str] = {}
    limit_s = float(os.environ.get(LIMIT, LIMIT_S))
    again = False
    while True:
        if why_no_fork():
            phase, reason = run_beside(left_out, limit_s, log, surroundings)
        else:
            phase, reason = run_apart(lambda: attempt(dict(left_out)), limit_s, log, surroundings)
        if reason is None:
            return
        if from_outside(reason) and not again:
            again = True
            print(f"gilscope: {said_where(phase, reason)}; trying once more", file=sys.stderr)
            continue
        if phase == SEQUENTIAL.name or phase in left_out or not CELL_NAME.fullmatch(phase):
            break
        left_out[phase] = reason
        print(f"gilscope: {phase} failed: {reason}; measuring again without it", file=sys.stderr)
    reason = why_broken() or said_where(phase, reason)
    print(f"gilscope: given up: {reason}", file=sys.stderr)
    try:
        surrender(reason, left_out)
    except Deliberate as error:
        sys.exit(plain(f"gilscope: {error}"))


def said_where(phase: str, reason: str) -> str:
    if phase == STARTING:
        return reason
    return f"{reason}, in {phase}" if CELL_NAME.fullmatch(phase) else f"{reason}, while {phase}"


def why_broken() -> str | None:
    """Why nothing can run in this environment, as those who made it have written down; None where they say nothing."""
    from gilscope.running.identity import equipment

    return equipment().get("broken")
