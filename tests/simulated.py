"""Timings of a machine whose truth is known: two speeds, drift, noise, and cells with a set effect."""

from __future__ import annotations

import numpy as np
import pandas as pd
from gilscope.cells import Cell
from gilscope.measuring.laps import lap_order

SLOW = 1.7


def simulated_timings(
    speedups: dict[str, float],
    *,
    rounds: int = 5,
    laps: int = 8,
    seed: int = 1,
    scatter: float = 0.02,
    drift: float = 0.0,
    two_speeds: bool = True,
    workload: str = "sum_squares",
) -> pd.DataFrame:
    """A block as ``collect`` would hand it over. speedups: cell → true speedup. drift: slow-down from start to end."""
    random = np.random.default_rng(seed)
    rows, clock, slow, left = [], 0.0, False, 0.0
    length = rounds * laps * len(lap_order(list(speedups), "")) * 0.2
    for number in range(1, rounds + 1):
        bias = {cell: random.normal(0, scatter / 2) for cell in speedups}
        for lap in range(1, laps + 1):
            for position, name in enumerate(lap_order(list(speedups), f"{seed}/{number}/{lap}")):
                if left <= 0 and two_speeds:
                    slow, left = not slow, float(np.exp(random.uniform(np.log(0.1), np.log(10))))
                seconds = 0.2 / speedups.get(name, 1.0) * np.exp(random.normal(bias.get(name, 0.0), scatter))
                seconds *= (SLOW if slow else 1.0) * (1 + drift * clock / length)
                clock, left = clock + seconds, left - seconds
                cell = Cell.parse(name)
                rows.append(
                    {
                        "machine": "simulated",
                        "runtime": "cp311",
                        "implementation": "CPython",
                        "version": "3.11.7",
                        "gil": True,
                        "workload": workload,
                        "kind": "cpu",
                        "size": "large",
                        "tasks": 8,
                        "strategy": cell.strategy,
                        "workers": cell.workers,
                        "pool": cell.pool,
                        "round": number,
                        "lap": lap,
                        "position": position,
                        "loops": 1,
                        "seconds": seconds,
                    }
                )
    return pd.DataFrame(rows)
