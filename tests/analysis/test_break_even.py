"""From which size a strategy pays: on curves whose crossing is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.break_even import break_even, crossing

TASKS = 8


def estimates(points: dict[str, tuple[float, tuple[float, float, float]]], strategy: str = "threading") -> pd.DataFrame:
    """size → (seconds of one task, the speedup's estimate, low, high) as a table of estimates."""
    common: dict[str, Any] = {"runtime": "cp311", "workload": "sum_squares", "tasks": TASKS, "pool": "cold"}
    rows = []
    for size, (task, (estimate, low, high)) in points.items():
        alone = {"strategy": "sequential", "workers": 1, "metric": "seconds", "estimate": task * TASKS}
        rows.append({**common, "size": size, **alone, "low": task * TASKS, "high": task * TASKS})
        spread = {"strategy": strategy, "workers": 2, "metric": "speedup", "estimate": estimate, "low": low}
        rows.append({**common, "size": size, **spread, "high": high})
    return pd.DataFrame(rows)


def test_a_crossing_lies_on_the_line_between_its_neighbours() -> None:
    assert crossing([0.001, 0.1], [0.5, 2.0]) == pytest.approx(0.01)
    assert crossing([0.001, 0.01, 0.1], [0.5, 0.25, 4.0]) == pytest.approx(0.01 * 10**0.5)


def test_a_curve_that_comes_back_below_one_pays_only_after_that() -> None:
    assert crossing([1, 10, 100, 1000], [2.0, 0.5, 0.5, 2.0]) == pytest.approx(100 * 10**0.5)
    assert crossing([1, 10], [2.0, 0.9]) == math.inf
    assert crossing([1, 10], [1.1, 2.0]) == -math.inf


def test_start_up_costs_give_their_known_break_even() -> None:
    """On a machine where starting costs 10 ms and two workers halve the work: 8 t = 4 t + 10 ms at t = 2.5 ms."""
    times = [0.0005, 0.001, 0.002, 0.0025, 0.005]
    found = crossing(times, [TASKS * t / (TASKS * t / 2 + 0.010) for t in times])
    assert found == pytest.approx(0.0025)


def test_the_interval_is_where_the_speedup_s_bounds_cross_one() -> None:
    (row,) = break_even(estimates({"small": (0.001, (0.5, 0.25, 1.0)), "large": (0.1, (2.0, 1.0, 4.0))}))
    assert row["pays"] == "undecided"
    assert row["estimate"] == pytest.approx(0.01)
    assert row["low"] == pytest.approx(0.001), "the upper bound reaches 1 at the smallest size"
    assert row["high"] is None, "the lower bound has not left 1 behind at the largest"
    assert (row["smallest"], row["largest"], row["sizes"]) == (0.001, 0.1, 2)


@pytest.mark.parametrize(
    ("spread", "pays"),
    [((1.5, 1.4, 1.6), "everywhere"), ((0.8, 0.7, 0.9), "nowhere"), ((1.02, 0.9, 1.2), "undecided")],
)
def test_beyond_the_sizes_measured_nothing_is_made_up(spread: tuple[float, float, float], pays: str) -> None:
    (row,) = break_even(estimates({"small": (0.001, spread), "large": (0.1, spread)}))
    assert (row["pays"], row["estimate"], row["low"], row["high"]) == (pays, None, None, None)


def test_a_strategy_pays_somewhere_once_its_whole_interval_is_above_one() -> None:
    (row,) = break_even(estimates({"small": (0.001, (0.5, 0.25, 1.0)), "large": (0.1, (2.0, 1.8, 2.2))}))
    assert row["pays"] == "somewhere"
    assert 0.001 <= row["low"] < row["estimate"] < row["high"] < 0.1


def test_one_size_or_one_without_an_interval_tells_nothing() -> None:
    assert break_even(estimates({"large": (0.1, (2.0, 1.5, 2.5))})) == []
    unknown = (0.5, math.nan, math.nan)
    assert break_even(estimates({"small": (0.001, unknown), "large": (0.1, (2.0, 1.5, 2.5))})) == []


def test_the_machine_s_limit_has_no_break_even() -> None:
    points = {"small": (0.001, (0.5, 0.4, 0.6)), "large": (0.1, (2.0, 1.8, 2.2))}
    assert break_even(estimates(points, strategy="ceiling")) == []


def test_the_interval_covers_a_known_break_even_as_often_as_it_says() -> None:
    """Speedups that rise as a power of the size through 1 at 4 ms, known to ±10 %, in 500 simulated sweeps."""
    noise, truth, covered = np.random.default_rng(7), 0.004, 0
    for _ in range(500):
        points = {}
        for size, task in (("small", 0.0002), ("medium", 0.002), ("large", 0.02)):
            logs = 0.4 * math.log(task / truth) + noise.normal(0, 0.05)
            bounds = (math.exp(logs + shift) for shift in (0, -1.96 * 0.05, 1.96 * 0.05))
            points[size] = (task, tuple(bounds))
        (row,) = break_even(estimates(points))
        covered += (row["low"] or 0) <= truth <= (row["high"] or math.inf)
    assert 0.92 <= covered / 500 <= 0.99
