"""Runs of several runtimes, as figures have to fit them in."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

WITH_PAIR = ("cp311", "cp313t-gil", "cp313t-nogil")
EIGHT = ("cp39", "cp310", "cp311", "cp312", "cp313", "cp313t-gil", "cp313t-nogil", "pypy39")


def turn_the_dial(folder: Path) -> Path:
    """Add three dials to a results folder: threads as theory has them, processes 10 % short of it."""
    estimates, traces = (pd.read_parquet(folder / f"{name}.parquet") for name in ("estimates", "traces"))
    rows, alone = [], []
    for runtime, some in estimates[estimates["metric"] == "speedup"].groupby("runtime"):
        for waiting, threads in ((0.0, 1.0), (0.5, 2.0), (1.0, 4.0)):
            name = f"dial_{100 * waiting:.0f}"
            place = {**some.iloc[0], "workload": name, "size": "large", "tasks": 4000, "workers": 4}
            for strategy, speedup in (("threading", threads), ("multiprocessing", 1.62 * threads), ("ceiling", 1.8)):
                own = {"strategy": strategy, "pool": "warm", "estimate": speedup, "low": speedup * 0.98}
                rows.append({**place, **own, "high": speedup * 1.02})
            sequential = {**traces.iloc[0], "runtime": runtime, "workload": name, "strategy": "sequential"}
            alone.append({**sequential, "wall": 2.0, "cpu": 2.0 * (1 - waiting)})
    pd.concat([estimates, pd.DataFrame(rows)], ignore_index=True).to_parquet(folder / "estimates.parquet")
    pd.concat([traces, pd.DataFrame(alone)], ignore_index=True).to_parquet(folder / "traces.parquet")
    return folder
