"""The talk's decision table, filled in from this machine's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gilscope.configuring.claims import Decision
from gilscope.strategies import load_strategies

WORTH_IT = 1.0
CELL = ["runtime", "workload", "size", "strategy", "workers", "pool"]
CURVE = ["runtime", "workload", "strategy", "workers"]
SIZES = ("large", "deck")
MEASURED = ("best", "workload", "size", "estimate", "low", "high", "agrees", "memory", "pays_from")


def describe(row: pd.Series) -> str:
    """A cell in words: ``multiprocessing, 2 workers, warm``."""
    count = "1 worker" if row["workers"] == 1 else f"{row['workers']} workers"
    return f"{row['strategy']}, {count}" + (", warm pool" if row["pool"] == "warm" else "")


def choices(estimates: pd.DataFrame, runtime: str, workload: str, size: str) -> pd.DataFrame:
    """The speedups that a user could choose between for one workload at one size, the highest first."""
    offered = [name for name, facts in load_strategies().items() if not facts.control and name != "sequential"]
    found = estimates[
        (estimates["metric"] == "speedup")
        & (estimates["runtime"] == runtime)
        & (estimates["workload"] == workload)
        & (estimates["size"] == size)
        & estimates["strategy"].isin(offered)
    ]
    return found.dropna(subset=["low", "high"]).sort_values("estimate", ascending=False)


def telling_choices(estimates: pd.DataFrame, runtime: str, workload: str, advised: Sequence[str]) -> pd.DataFrame:
    """The choices at the first of ``SIZES`` at which what the talk advises was measured, else at the first of all."""
    found = [choices(estimates, runtime, workload, size) for size in SIZES]
    found = [one for one in found if not one.empty]
    telling = [one for one in found if any(follows(name, advised) for name in one["strategy"])]
    return (telling or found or [estimates.head(0)])[0]


def best_of(found: pd.DataFrame) -> pd.Series:
    """The fastest strategy, with the fewest workers whose interval still reaches its speedup. found: not empty."""
    fastest = found.iloc[0]
    same = found[(found["strategy"] == fastest["strategy"]) & (found["pool"] == fastest["pool"])]
    return same[same["high"] >= fastest["estimate"]].sort_values("workers").iloc[0]


def follows(strategy: str, advised: Sequence[str]) -> bool:
    """Whether a strategy is one that the talk advises, or a variant of it."""
    return any(strategy == name or strategy.startswith(f"{name}-") for name in advised)


def memory_of(cell: pd.Series, estimates: pd.DataFrame) -> dict[str, float] | None:
    """Bytes that each worker of a cell holds, with the interval; None where nobody could tell."""
    found = estimates[(estimates["metric"] == "memory_per_worker") & (estimates[CELL] == cell[CELL]).all(axis=1)]
    found = found.dropna(subset=["estimate"])
    return None if found.empty else dict(found.iloc[0][["estimate", "low", "high"]])


def pays_from(cell: pd.Series, break_even: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """From which size of a task the cell's strategy pays: for its own pool if that was swept, else for a cold one."""
    same = [row for row in break_even if all(row[name] == cell[name] for name in CURVE)]
    return min(same, key=lambda row: (row["pool"] != cell["pool"], row["pool"]), default=None)


def decide_row(
    decision: Decision, found: pd.DataFrame, estimates: pd.DataFrame, break_even: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What is best for one workload, and whether the advice is as good as the best within the intervals."""
    best = best_of(found)
    advised = found[[follows(name, decision.strategies) for name in found["strategy"]]]
    row = {**best[["workload", "size", "estimate", "low", "high"]], "memory": None, "pays_from": None}
    if best["low"] <= WORTH_IT:
        reason = "nothing was measurably faster than one after the other"
        return {**row, "best": "sequential", "agrees": False, "reason": reason}
    row |= {
        "best": describe(best),
        "memory": memory_of(best, estimates),
        "pays_from": pays_from(best, break_even),
    }
    if advised.empty:
        return {**row, "agrees": None, "reason": "this sweep does not measure what the talk advises"}
    if follows(best["strategy"], decision.strategies):
        return {**row, "agrees": True, "reason": ""}
    own = best_of(advised)
    agrees = bool(own["high"] >= best["low"] and own["low"] > WORTH_IT)
    told = f"{describe(own)}: {own['estimate']:.2f} × [{own['low']:.2f}, {own['high']:.2f}]"
    return {**row, "agrees": agrees, "reason": f"the talk's advice, {told}"}


def fill_decisions(
    decisions: Sequence[Decision],
    estimates: pd.DataFrame,
    runtimes: Sequence[str],
    break_even: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """A row per decision, workload and runtime; where nothing was measured ``best`` and ``agrees`` are None.

    memory: bytes a worker of the fastest cell. pays_from: that strategy's row of the break-even table.
    """
    rows = []
    for runtime in runtimes:
        for decision in decisions:
            common = {"task": decision.task, "talk": decision.advice, "runtime": runtime}
            measured = [telling_choices(estimates, runtime, name, decision.strategies) for name in decision.workloads]
            filled = [
                {**common, **decide_row(decision, found, estimates, break_even)}
                for found in measured
                if not found.empty
            ]
            if not filled:
                missing = f"this sweep has no interval for {', '.join(decision.workloads)} at size large or deck"
                filled = [{**common, **dict.fromkeys(MEASURED), "reason": missing}]
            rows += filled
    return rows
