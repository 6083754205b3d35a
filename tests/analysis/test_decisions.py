"""The talk's decision table, filled in from estimates whose best strategy is known."""

from __future__ import annotations

from typing import Any

import pandas as pd
from gilscope.analysis.decisions import fill_decisions
from gilscope.configuring.claims import Decision

COMPUTING = Decision(task="Computing", advice="processes", strategies=["multiprocessing"], workloads=["sum_squares"])
PAYS = {"runtime": "cp311", "workload": "sum_squares", "strategy": "multiprocessing", "workers": 2, "pool": "cold"}


def cell(
    strategy: str,
    estimate: float,
    *,
    workers: int = 2,
    pool: str = "cold",
    size: str = "large",
    half: float = 0.05,
    metric: str = "speedup",
) -> dict[str, Any]:
    row = {"runtime": "cp311", "workload": "sum_squares", "size": size, "strategy": strategy, "workers": workers}
    spread = {"estimate": estimate, "low": estimate * (1 - half), "high": estimate * (1 + half)}
    return {**row, "pool": pool, "metric": metric, **spread}


def decide(*cells: dict[str, Any], break_even: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    (row,) = fill_decisions([COMPUTING], pd.DataFrame(cells), ["cp311"], break_even or [])
    return row


def test_the_advice_that_is_best_agrees_with_its_memory_and_break_even() -> None:
    row = decide(
        cell("multiprocessing", 1.8),
        cell("multiprocessing", 9e6, metric="memory_per_worker"),
        cell("threading", 1.0),
        break_even=[{**PAYS, "estimate": 0.002}, {**PAYS, "workers": 4, "estimate": 0.1}],
    )
    assert (row["best"], row["agrees"], row["reason"]) == ("multiprocessing, 2 workers", True, "")
    assert (row["workload"], row["size"]) == ("sum_squares", "large")
    assert row["memory"]["estimate"] == 9e6
    assert row["pays_from"]["estimate"] == 0.002


def test_advice_that_is_beaten_beyond_its_interval_does_not_agree() -> None:
    row = decide(cell("threading", 2.0), cell("multiprocessing", 1.5))
    assert (row["best"], row["agrees"]) == ("threading, 2 workers", False)
    assert "multiprocessing, 2 workers: 1.50 ×" in row["reason"]


def test_advice_within_the_interval_of_the_best_agrees() -> None:
    assert decide(cell("threading", 2.0), cell("multiprocessing", 1.95))["agrees"] is True


def test_of_equally_fast_worker_counts_the_fewest_is_named() -> None:
    row = decide(cell("multiprocessing", 1.80, workers=16), cell("multiprocessing", 1.78, workers=2))
    assert row["best"] == "multiprocessing, 2 workers"
    row = decide(cell("multiprocessing", 3.0, workers=16), cell("multiprocessing", 1.7, workers=2))
    assert row["best"] == "multiprocessing, 16 workers"


def test_a_warm_pool_takes_its_break_even_from_a_cold_one_where_only_that_was_swept() -> None:
    row = decide(cell("multiprocessing", 1.8, pool="warm"), break_even=[{**PAYS, "estimate": 0.002}])
    assert row["best"] == "multiprocessing, 2 workers, warm pool"
    assert row["pays_from"]["pool"] == "cold"


def test_nothing_faster_means_sequential() -> None:
    row = decide(cell("multiprocessing", 1.01), cell("threading", 0.9))
    assert (row["best"], row["agrees"], row["memory"], row["pays_from"]) == ("sequential", False, None, None)


def test_the_size_is_one_at_which_the_advice_was_measured() -> None:
    row = decide(cell("threading", 2.0), cell("multiprocessing", 1.2, size="deck"), cell("threading", 1.9, size="deck"))
    assert (row["size"], row["best"], row["agrees"]) == ("deck", "threading, 2 workers", False)
    row = decide(cell("threading", 2.0), cell("threading", 1.9, size="deck"))
    assert (row["size"], row["agrees"], row["reason"]) == (
        "large",
        None,
        "this sweep does not measure what the talk advises",
    )


def test_without_an_interval_nothing_is_decided() -> None:
    row = decide({**cell("multiprocessing", 1.8), "low": None, "high": None})
    assert (row["best"], row["agrees"]) == (None, None)
    assert "no interval for sum_squares" in row["reason"]
