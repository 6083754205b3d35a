"""The size of a task from which spreading it pays: where the speedup rises above 1 for good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from gilscope.running.cells import SEQUENTIAL

BLOCK = ["runtime", "workload", "size"]
CURVE = ["runtime", "workload", "strategy", "workers", "pool"]
YARDSTICKS = (SEQUENTIAL.strategy, "ceiling")


def crossing(times: Sequence[float], speedups: Sequence[float]) -> float:
    """Where a curve rises above 1 and stays there, between two points on straight lines through logarithms.

    times: seconds of one task, rising. Minus infinity where it is above 1 from the first point on, infinity where it
    is not above 1 at the last.
    """
    under = [place for place, speedup in enumerate(speedups) if speedup <= 1]
    if not under:
        return -math.inf
    place = under[-1]
    if place == len(times) - 1:
        return math.inf
    (start, end), (lower, upper) = (
        [math.log(value) for value in pair[place : place + 2]] for pair in (times, speedups)
    )
    return math.exp(start + (end - start) * -lower / (upper - lower))


def within(time: float) -> float | None:
    return time if math.isfinite(time) else None


def whether_it_pays(estimate: float, high: float) -> str:
    """In a word. estimate, high: where the speedup's estimate and its lower bound rise above 1."""
    if estimate == math.inf:
        return "nowhere"
    if high == math.inf:
        return "undecided"
    return "everywhere" if estimate == -math.inf else "somewhere"


def break_even(estimates: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each strategy, worker count and pool of a workload that was measured at two sizes or more.

    pays: ``somewhere``, ``everywhere`` or ``nowhere`` among the sizes measured, or ``undecided`` where the interval
    holds 1 to the last of them. estimate, low, high: seconds of one task, where the speedup's estimate, its upper and
    its lower bound cross 1; None beyond the sizes measured, which go from smallest to largest. The interval holds the
    sizes whose speedup could be 1: its confidence is that of the speedup at each size; between sizes it rests on the
    straight line.
    """
    seconds = estimates[(estimates["metric"] == "seconds") & (estimates["strategy"] == SEQUENTIAL.strategy)]
    alone = seconds.drop_duplicates(BLOCK).assign(task=lambda rows: rows["estimate"] / rows["tasks"])
    speedups = estimates[(estimates["metric"] == "speedup") & ~estimates["strategy"].isin(YARDSTICKS)]
    points = speedups.dropna(subset=["estimate", "low", "high"]).merge(alone[[*BLOCK, "task"]], on=BLOCK)
    rows = []
    for key, curve in points.groupby(CURVE, sort=True):
        if curve["size"].nunique() < 2:
            continue
        ordered = curve.sort_values("task")
        times = ordered["task"].tolist()
        estimate, low, high = (crossing(times, ordered[name].tolist()) for name in ("estimate", "high", "low"))
        rows.append(
            {
                **dict(zip(CURVE, key, strict=True)),
                "pays": whether_it_pays(estimate, high),
                "estimate": within(estimate),
                "low": within(low),
                "high": within(high),
                "smallest": times[0],
                "largest": times[-1],
                "sizes": len(times),
            }
        )
    return rows
