"""A simple model of a machine, as far as it measures: times, traces, rounds, what runtimes report of themselves."""

from __future__ import annotations

import json
import math
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

CPU = {
    "count_loop": (2_000, 60_000, 600_000),
    "sum_squares": (300, 30_000, 300_000),
    "sqrt_sin": (200, 20_000, 200_000),
}
NATIVE = {"matmul": (64, 160, 400), "chunk_stats": (500, 5_000, 25_000)}
WAITING = {"sleep": (0.0001, 0.002, 0.02), "http_fetch": (0.0001, 0.002, 0.02), "file_write": (1_000, 50_000, 500_000)}
SIZES = ("small", "medium", "large")
SECONDS = {"small": 0.00012, "medium": 0.0025, "large": 0.025}
"""What one task takes alone."""
SWEPT = ("sum_squares", "http_fetch")
TASKS = 8
STARTED = 1_763_800_000.0


def speedup(kind: str, strategy: str, workers: int, pool: str, *, task: float, native: bool, gil: bool) -> float:
    """Sequential time ÷ time on two cores, from start-up costs and what overlaps."""
    total = task * TASKS
    processes = strategy.startswith(("multiprocessing", "hybrid", "ceiling"))
    start = 0.0 if pool == "warm" else {True: 0.011, False: 0.00008}[processes] * workers
    if strategy == "multiprocessing-spawn":
        start *= 6
    message = 0.00006 if processes and strategy != "ceiling" else 0.00001
    if kind == "io":
        at_once = workers
    elif processes:
        at_once = min(workers, 1.9)
    elif strategy.startswith("threading") and (native or not gil):
        at_once = min(workers, 1.75)
    else:
        at_once = 1.0
    return total / (total / at_once + start + message * TASKS)


def estimates(machine: str, runtimes: dict[str, dict[str, Any]], rounds: int) -> pd.DataFrame:
    """The table of estimates; without intervals where there are fewer than three rounds."""
    rows = []
    for runtime, facts in runtimes.items():
        for workload, sizes in {**CPU, **NATIVE, **WAITING}.items():
            kind = "io" if workload in WAITING else "cpu"
            for size, parameter in zip(SIZES, sizes, strict=True):
                if size != "large" and workload not in SWEPT:
                    continue
                cells = [("sequential", 1, "cold"), *measured_cells(workload in SWEPT, kind)]
                noise = np.random.default_rng(zlib.crc32(f"{runtime}{workload}{size}".encode()))
                for strategy, workers, pool in cells:
                    ratio = 1.0
                    if strategy != "sequential":
                        ratio = speedup(
                            kind,
                            strategy,
                            workers,
                            pool,
                            task=SECONDS[size],
                            native=workload in NATIVE,
                            gil=facts["gil"],
                        )
                    half = 0.008 if strategy == "sequential" else 0.03 + 0.02 * (strategy != "threading")
                    ratio *= math.exp(noise.normal(0, half / 3))
                    seconds = SECONDS[size] * TASKS / ratio / (pace(runtime) if workload in CPU else 1)
                    for metric, value in (("speedup", ratio), ("seconds", seconds), ("effective_cores", ratio)):
                        known = rounds >= 3
                        rows.append(
                            {
                                "machine": machine,
                                "runtime": runtime,
                                "workload": workload,
                                "kind": kind,
                                "size": size,
                                "tasks": TASKS,
                                "parameter": float(parameter),
                                "unit": "s" if workload == "sleep" else "steps",
                                "strategy": strategy,
                                "workers": workers,
                                "pool": pool,
                                "metric": metric,
                                "estimate": value,
                                "low": value * math.exp(-half) if known else math.nan,
                                "high": value * math.exp(half) if known else math.nan,
                                "rounds": rounds,
                                "noise_floor": 0.012,
                                "flags": "disturbed" if workload == "matmul" else "",
                            }
                        )
    return pd.DataFrame(rows)


def measured_cells(swept: bool, kind: str) -> list[tuple[str, int, str]]:
    counts = (1, 2, 4) if swept else ((2,) if kind == "cpu" else (4,))
    names = ["threading", "multiprocessing", "asyncio"]
    if swept:
        names += ["threading-raw", "multiprocessing-pool", "multiprocessing-spawn", "hybrid"]
    cells = [(name, workers, "cold") for name in names for workers in counts]
    cells += [("multiprocessing", workers, "warm") for workers in counts]
    return cells + [("ceiling", workers, pool) for workers in counts for pool in ("cold", "warm")]


def traces_table(table: pd.DataFrame) -> pd.DataFrame:
    """One trace of every cell."""
    cells = table[table["metric"] == "speedup"][
        ["machine", "runtime", "workload", "kind", "size", "strategy", "workers", "pool"]
    ]
    told = {"effective_cores": 1.4, "overlap": 1.9, "idle_share": 0.05, "memory_per_worker": 9e6}
    return cells.assign(round=1, tasks=2, voluntary_switches=8, involuntary_switches=3, **told)


def trace_files(folder: Path, runtimes: tuple[str, ...]) -> None:
    """Three traced rounds of a computing and of a waiting workload: eight tasks of 20 ms in each cell."""
    for runtime in runtimes:
        for workload, workers, share in (("sum_squares", 2, 1.0), ("http_fetch", 4, 0.05)):
            for number in (1, 2, 3):
                cells = {"sequential-1": traced_tasks(1, 0.02, share)}
                for name in ("threading", "multiprocessing", "asyncio"):
                    slower = workers if share == 1 and name != "multiprocessing" else 1
                    cells[f"{name}-{workers}"] = traced_tasks(workers, 0.02 * slower, share / slower, name)
                cells[f"multiprocessing-{workers}-warm"] = cells[f"multiprocessing-{workers}"]
                path = folder / f"traces/{runtime}/{workload}/large/round-{number}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps({"round": number, "cells": cells}), encoding="utf-8")


def traced_tasks(workers: int, seconds: float, share: float, strategy: str = "") -> dict[str, Any]:
    tasks = [
        {
            "start": task // workers * seconds,
            "end": (task // workers + 1) * seconds,
            "cpu": seconds * share,
            "worker": "1/1" if strategy == "asyncio" else f"1/{task % workers}",
        }
        for task in range(TASKS)
    ]
    return {"tasks": tasks, "usage": None, "memory": None}


def rounds_table(table: pd.DataFrame, rounds: int, overlapping: bool) -> pd.DataFrame:
    """A row per block and round, one after the other; the last begins too early where ``overlapping``."""
    blocks = table[["runtime", "workload", "size"]].drop_duplicates().to_dict("records")
    rows, now = [], STARTED
    for number in range(1, rounds + 1):
        for block in blocks:
            rows.append(
                {
                    **block,
                    "round": number,
                    "started": now,
                    "ended": now + 3.1,
                    "waited_s": 0.02,
                    "laps": 7,
                    "load_before": 0.4,
                    "load_after": 1.1,
                    "job": "measure",
                    "busy_cores": 0.03,
                    "steal_share": 0.01,
                    "throttled_share": 0.0,
                    "frequency_mhz": None,
                    "governor": None,
                    "swap_mib": 0.0,
                    "flags": "disturbed" if block["workload"] == "matmul" and number == 2 else "",
                }
            )
            now += 3.3
    if overlapping:
        rows[-1]["started"] -= 2
    return pd.DataFrame(rows)


def runtime_facts(name: str) -> dict[str, Any]:
    """What a runtime of this name would report: cp39 … cp315, cp313t-gil, cp313t-nogil, pypy39."""
    implementation = "PyPy" if name.startswith("pypy") else "CPython"
    digits = re.search(r"3(\d+)", name)
    minor = int(digits[1]) if digits else 11
    return {
        "runtime": name,
        "name": {"cp311": "current"}.get(name, name),
        "current": name == "cp311",
        "implementation": implementation,
        "version": f"3.{minor}.{20 - minor}",
        "build": "main",
        "compiler": "GCC 14.2",
        "gil": "nogil" not in name,
        "free_threaded": f"3{minor}t" in name,
        "start_method": "fork" if minor < 14 else "forkserver",
        "packages": {"numpy": "2.4.1", "pandas": "3.1.1", "pyperf": "2.10.0"},
        "missing": {"numpy": "no wheel for <this> runtime"} if name.startswith("pypy") else {},
        "broken": None,
    }


def pace(name: str) -> float:
    """How many times as fast as on CPython 3.11 pure Python runs here."""
    facts = runtime_facts(name)
    if facts["implementation"] == "PyPy":
        return 9.0
    newer = int(facts["version"].split(".")[1]) - 11
    tax = {True: 1.16, False: 1.38}[facts["gil"]] if facts["free_threaded"] else 1.0
    return (1.04**newer if newer >= 0 else 0.8 + 0.01 * newer) / tax


def across(runtimes: list[str], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """The ratios between runtimes: what a single thread pays without the lock, and each runtime's speed."""
    reference = "cp311" if "cp311" in runtimes else runtimes[0]

    def row(workload: str, runtime: str, against: str, ratio: float) -> dict[str, Any]:
        ratio = ratio if workload in CPU else 1 + (ratio - 1) / 30
        ratio *= math.exp(np.random.default_rng(zlib.crc32(f"{runtime}{workload}{against}".encode())).normal(0, 0.02))
        bounds = {"low": ratio * 0.97, "high": ratio * 1.03} if rounds >= 3 else {"low": None, "high": None}
        about = {"workload": workload, "size": "large", "runtime": runtime, "against": against}
        return about | {"estimate": ratio, **bounds, "rounds": rounds}

    everything = [*CPU, *NATIVE, *WAITING]
    taxes = []
    for runtime in runtimes:
        others = {"lock-on": runtime.replace("nogil", "gil"), "standard": runtime.split("t-")[0]}
        taxes += [
            row(workload, runtime, against, pace(against) / pace(runtime)) | {"kind_of": kind}
            for kind, other in others.items()
            for against in [other if other in runtimes else reference]
            for workload in everything
            if runtime.endswith("nogil")
        ]
    speeds = [
        row(workload, runtime, reference, pace(runtime) / pace(reference))
        for runtime in runtimes
        if runtime != reference
        for workload in everything
    ]
    return {"taxes": taxes, "speeds": speeds}


def worker_rows(table: pd.DataFrame, runtimes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What the workers of each timed cell said of their lock."""
    cells = table[(table["metric"] == "speedup") & (table["strategy"] != "sequential")]
    return [
        {"runtime": row.runtime, "workload": row.workload, "size": row.size, "cell": f"{row.strategy}-{row.workers}"}
        | {"gil": runtimes[row.runtime]["gil"], "hidden_threads": {}}
        for row in cells.itertuples(index=False)
    ]
