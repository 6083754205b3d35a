"""How much memory each more idle worker takes: a program with its workers, and whatever helps them, taken together.

Memory that several processes share counts in proportion (PSS), so that workers add up. Where the system does not tell
it, what is private to each is added up instead (USS), and ``kind_is_pss`` says so.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import psutil

from gilscope.labs import QUANTITY, Lab
from gilscope.labs._scripts import Script, running, source_beside
from gilscope.labs._start_methods import START_METHODS, missing
from gilscope.measuring.memory import known_kind, tree_memory

COUNTS = (1, 4, 16)
MANY = 64
WORKER_BYTES = 50e6
"""What a worker may take at most, to tell whether many fit."""

LAB = Lab(
    metrics={
        "bytes_per_worker": "bytes",
        **{f"total_{count}": "bytes" for count in (*COUNTS, MANY)},
        "kind_is_pss": "share",
    },
    timed=True,
    seconds=7,
)

SCRIPT = source_beside(__file__, "_idle_workers.py")


def slope(pairs: Sequence[tuple[float, float]]) -> float:
    """Least squares: how much the second grows by for each one of the first."""
    middle_x, middle_y = (sum(values) / len(pairs) for values in zip(*pairs))
    rise = sum((x - middle_x) * (y - middle_y) for x, y in pairs)
    return rise / sum((x - middle_x) ** 2 for x, _ in pairs)


def total(script: Script, count: int, kind: str) -> int:
    """Bytes of the program once so many workers are there."""
    if script.read_line() != str(count):
        raise RuntimeError(f"{count} workers did not come to their rest")
    held = tree_memory(psutil.Process(script.process.pid), kind, ())
    if held is None:
        raise RuntimeError("this system does not tell how much memory a worker holds")
    return held


def grow(kind: str, counts: Sequence[int]) -> dict[str, float]:
    """A new program starts idle workers, up to a number and then more; what it holds with each number of them."""
    memory = known_kind(psutil.Process())
    if memory is None:
        raise RuntimeError("this system does not tell how much memory a process shares")
    totals = {}
    with running(SCRIPT, kind, *counts) as script:
        for count in counts:
            totals[count] = total(script, count, memory)
            script.go_on()
        script.process.wait()
    return {
        "bytes_per_worker": slope(list(totals.items())),
        **{f"total_{count}": held_then for count, held_then in totals.items()},
        "kind_is_pss": memory == "pss",
    }


def cannot(kind: str, most: int) -> str | None:
    """Why so many workers of a kind cannot be had here, or None."""
    needed, available = most * WORKER_BYTES, psutil.virtual_memory().available
    if kind != "thread" and needed > available:
        return f"{most} processes may take {needed / 1e9:.1f} GB, and {available / 1e9:.1f} GB are free"
    return missing(kind) if kind in START_METHODS else None


for kind in ("thread", *START_METHODS):
    LAB.case(
        kind,
        trials=QUANTITY,
        together=QUANTITY,  # what is weighed is a program of its own for each
        unavailable=functools.partial(cannot, kind, COUNTS[-1]),
        kind=kind,
        counts=COUNTS,
    )(grow)
    LAB.case(
        f"{kind}, up to {MANY} workers",
        trials=QUANTITY,
        few=0,
        limit_s=30,
        unavailable=functools.partial(cannot, kind, MANY),
        kind=kind,
        counts=(*COUNTS, MANY),
    )(grow)
