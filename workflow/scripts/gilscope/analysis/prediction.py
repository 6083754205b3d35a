"""What theory says about the dial: a closed queue, where each worker waits by itself and the computing takes turns."""

from __future__ import annotations

import heapq
import math

import pandas as pd

from gilscope.running.cells import SEQUENTIAL
from gilscope.strategies import load_strategies
from gilscope.workloads.dial import SLICES

POINTS = ["runtime", "workload", "waiting", "tasks", "strategy", "workers", "pool", "estimate", "low", "high"]


def makespan(tasks: int, workers: int, servers: int, *, computing: float, waiting: float, slices: int) -> float:
    """Seconds until all tasks are done; a slice waits first, then computes on the server that is free the earliest.

    computing, waiting: seconds of one slice. servers: 1 where the GIL lets one compute at a time, else the cores. First
    come, first served: work conserving, as the GIL is for computing that is shorter than its switch interval.
    """
    free = [0.0] * servers
    left = tasks - min(workers, tasks)
    ready = [(waiting, worker, slices) for worker in range(min(workers, tasks))]
    ended = 0.0
    while ready:
        came, worker, remaining = heapq.heappop(ready)
        done = max(came, heapq.heappop(free)) + computing
        heapq.heappush(free, done)
        if remaining > 1:
            heapq.heappush(ready, (done + waiting, worker, remaining - 1))
        elif left:
            left -= 1
            heapq.heappush(ready, (done + waiting, worker, slices))
        ended = max(ended, done)
    return ended


def predicted_speedup(share: float, tasks: int, workers: int, capacity: float = 1.0, slices: int = 1) -> float:
    """The speedup of ``workers`` on tasks that wait for a share of their time.

    capacity: how many times one core's computing the machine gives at once, 1 under the GIL, the ceiling's speedup for
    processes; a capacity between two whole numbers is that many slower servers.
    """
    servers = max(1, min(workers, math.ceil(capacity - 1e-9)))
    slowed = (1 - share) * servers / capacity
    return tasks / makespan(tasks, workers, servers, computing=slowed / slices, waiting=share / slices, slices=slices)


def waiting_shares(traces: pd.DataFrame) -> pd.Series:
    """The share of its time that each dial really waited, by runtime and workload, from its sequential traces.

    Less than it is set to where the core was slow: it then computes for longer and waits as long as ever.
    """
    alone = traces[(traces["strategy"] == SEQUENTIAL.strategy) & traces["workload"].str.startswith("dial_")]
    shares = 1 - (alone["cpu"] / alone["wall"]).astype(float)
    return shares.clip(0, 1).groupby([alone["runtime"], alone["workload"]]).median()


def capacities(estimates: pd.DataFrame) -> dict[tuple[str, int], float]:
    """Runtime and workers → what unconnected processes reached on the dial that only computes."""
    found = estimates[
        (estimates["workload"] == "dial_0") & (estimates["strategy"] == "ceiling") & (estimates["metric"] == "speedup")
    ]
    return {(row["runtime"], row["workers"]): row["estimate"] for row in found.to_dict("records")}


def predict_dial(estimates: pd.DataFrame, traces: pd.DataFrame, gil: dict[str, bool]) -> pd.DataFrame:
    """The dial's speedups at size large with ``capacity`` and ``predicted`` beside them; the columns of ``POINTS`` too.

    gil: runtime → whether the lock is on, so that threads have the capacity of one core.
    """
    columns = [*POINTS, "capacity", "predicted"]
    if estimates.empty or traces.empty:
        return pd.DataFrame(columns=columns)
    known, limits, strategies = waiting_shares(traces), capacities(estimates), load_strategies()
    dials = estimates[
        estimates["workload"].str.startswith("dial_")
        & (estimates["metric"] == "speedup")
        & (estimates["size"] == "large")
        & ~estimates["strategy"].isin([SEQUENTIAL.strategy, "ceiling"])
    ]
    rows = []
    for row in dials.to_dict("records"):
        share = known.get((row["runtime"], row["workload"]))
        parallel = strategies[row["strategy"]].processes or not gil[row["runtime"]]
        most = max((workers for runtime, workers in limits if runtime == row["runtime"]), default=None)
        if share is None or (parallel and most is None):
            continue
        capacity = limits[row["runtime"], min(row["workers"], most)] if parallel else 1.0
        predicted = predicted_speedup(share, row["tasks"], row["workers"], capacity, SLICES)
        rows.append({**row, "waiting": share, "capacity": capacity, "predicted": predicted})
    return pd.DataFrame(rows, columns=columns)
