"""The talk's decision table, filled in from this machine's data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from gilscope.claims import Decision
from gilscope.strategies import load_strategies

WORTH_IT = 1.0


def describe(row: pd.Series) -> str:
    """A cell in words: ``multiprocessing, 2 workers, warm``."""
    count = "1 worker" if row["workers"] == 1 else f"{row['workers']} workers"
    return f"{row['strategy']}, {count}" + (", warm pool" if row["pool"] == "warm" else "")


def choices(estimates: pd.DataFrame, runtime: str, workload: str) -> pd.DataFrame:
    """The speedups that a user could choose between for one workload at size large, the highest first."""
    offered = [name for name, facts in load_strategies().items() if not facts.control and name != "sequential"]
    found = estimates[
        (estimates["metric"] == "speedup")
        & (estimates["runtime"] == runtime)
        & (estimates["workload"] == workload)
        & (estimates["size"] == "large")
        & estimates["strategy"].isin(offered)
    ]
    return found.dropna(subset=["low", "high"]).sort_values("estimate", ascending=False)


def follows(strategy: str, advised: Sequence[str]) -> bool:
    """Whether a strategy is one that the talk advises, or a variant of it."""
    return any(strategy == name or strategy.startswith(f"{name}-") for name in advised)


def decide_row(decision: Decision, workload: str, found: pd.DataFrame) -> dict[str, Any]:
    """What is best for one workload, and whether the advice is as good as the best within the intervals."""
    best = found.iloc[0]
    advised = found[[follows(name, decision.strategies) for name in found["strategy"]]]
    row = {"workload": workload, "estimate": best["estimate"], "low": best["low"], "high": best["high"]}
    if best["low"] <= WORTH_IT:
        return {
            **row,
            "best": "sequential",
            "agrees": False,
            "reason": "nothing was measurably faster than one after the other",
        }
    if advised.empty:
        return {
            **row,
            "best": describe(best),
            "agrees": None,
            "reason": "this sweep does not measure what the talk advises",
        }
    own = advised.sort_values("high", ascending=False).iloc[0]
    agrees = bool(own["high"] >= best["low"] and own["low"] > WORTH_IT)
    told = f"{describe(own)}: {own['estimate']:.2f} × [{own['low']:.2f}, {own['high']:.2f}]"
    return {**row, "best": describe(best), "agrees": agrees, "reason": f"the talk's advice, {told}"}


def fill_decisions(
    decisions: Sequence[Decision], estimates: pd.DataFrame, runtimes: Sequence[str]
) -> list[dict[str, Any]]:
    """A row per decision, workload and runtime; where nothing was measured ``best`` and ``agrees`` are None."""
    rows = []
    for runtime in runtimes:
        for decision in decisions:
            common = {"task": decision.task, "talk": decision.advice, "runtime": runtime}
            measured = {name: choices(estimates, runtime, name) for name in decision.workloads}
            filled = [
                {**common, **decide_row(decision, name, found)} for name, found in measured.items() if not found.empty
            ]
            if not filled:
                missing = f"this sweep has no interval for {', '.join(decision.workloads)} at size large"
                empty = dict.fromkeys(("best", "workload", "estimate", "low", "high", "agrees"))
                filled = [{**common, **empty, "reason": missing}]
            rows += filled
    return rows
