"""A results folder made up from a simple model of a machine, for tests of what comes after measuring."""

from __future__ import annotations

import json
import math
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

OBSERVED = Path(__file__).parent / "data/observations.parquet"
"""What the labs of a real default sweep saw (cp311), and some of them on 3.13t with its lock on and off."""
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
MIXED = ("confirmed", "refuted")
FOUND = ["confirmed", "refuted", "confirmed", "mixed", "inconclusive", "confirmed", "not tested"]
SAID = [
    "Threads bring no speedup to pure-Python computing",
    "… nor to any computing at all",
    "Processes do speed it up",
    "and come close to what the hardware can give",
    "For pure-Python work threads are even slower than one after the other",
    "Coroutines overlap waiting as well as threads do",
    "It is the lock that does it: same binary, lock off, threads scale",
]


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


def observations_table(machine: str, runtimes: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """What labs really saw on a machine, with some of it replaced by numbers that tests know."""
    real = pd.read_parquet(OBSERVED)
    made_up = [("race", "a call between", "total_wrong", "share", [1.0] * 19 + [0.0])]
    made_up += [("race", "a call between", "lost_share", "share", [0.25, 0.5, 0.75])]
    made_up += [("startup", case, "first_s", "s", [0.00009, 0.0001, 0.00011]) for case in ("thread", "<fork>")]
    known = pd.DataFrame(
        [
            {"lab": lab, "case": case, "unit": unit, "metric": metric, "trial": trial, "value": value}
            for lab, case, metric, unit, values in made_up
            for trial, value in enumerate(values)
        ]
    )
    key = ["lab", "case", "metric"]
    replaced = real[key].apply(tuple, axis=1).isin(set(known[key].apply(tuple, axis=1)))
    seen = set(real["runtime"])
    return pd.concat(
        [
            part.assign(machine=machine, runtime=name, gil=facts["gil"])
            for name, facts in runtimes.items()
            for part in (known, real[~replaced & (real["runtime"] == (name if name in seen else "cp311"))])
        ],
        ignore_index=True,
    )


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


def verdicts(runtimes: dict[str, dict[str, Any]], claims: int) -> list[dict[str, Any]]:
    """As many claims as asked for, of both sections, with every verdict among them."""
    found = []
    for number in range(claims):
        for shift, runtime in enumerate(runtimes):
            verdict = FOUND[(number + shift * (number % 3 == 0)) % len(FOUND)]
            estimate = 0.9 + (number % 9) / 4
            cases = [
                {
                    "case": f"{workload}, large, cold",
                    "verdict": MIXED[place] if verdict == "mixed" else verdict,
                    "reason": "",
                    "metric": "speedup",
                    "estimate": estimate,
                    "low": estimate * 0.96,
                    "high": estimate * 1.05,
                    "unit": "x",
                    "threshold": [{"below": 1.15}, {"above": 1.2}, {"within": [0.9, 1.1]}][number % 3],
                    "q_holds": 0.0004,
                    "q_fails": 0.91,
                    "counted": "5 rounds",
                    "cells": [f"{runtime}/{workload}/large/threading-2"],
                }
                for place, workload in enumerate(("sum_squares", "sqrt_sin")[: 1 + (verdict == "mixed")])
            ]
            reason = "this machine has no free-threaded Python" if verdict == "not tested" else ""
            found.append(
                {
                    "claim": f"claim-number-{number + 1}-about-threads",
                    "says": SAID[number % len(SAID)],
                    "slide": "takeaways",
                    "section": "speed" if number < claims / 2 else "behaviour",
                    "demonstration": number % 11 == 10,
                    "runtime": runtime,
                    "verdict": verdict,
                    "reason": reason,
                    "explanation": "So it is, <since 3.10>." if verdict == "confirmed" else "",
                    "advice": "Then <do> so." if verdict == "confirmed" else "",
                    "cases": [] if verdict == "not tested" else cases,
                }
            )
    return found


def decisions(runtime: str) -> list[dict[str, Any]]:
    rows = [
        ("Computing in Python", "processes", "multiprocessing × 2, warm", "sum_squares", 1.87, True, ""),
        (
            "Waiting for the network",
            "coroutines",
            "threading × 4",
            "http_fetch",
            3.91,
            False,
            "both overlap; threads by 3 %",
        ),
        ("Reading and writing files", "threads or coroutines", "threading × 4", "file_write", 2.4, True, ""),
        ("A mixture of both", "a combination", None, None, None, None, "pipeline has not been measured"),
    ]
    return [
        {
            "task": task,
            "talk": talk,
            "runtime": runtime,
            "best": "threading × 2" if workload == "sum_squares" and runtime.endswith("-nogil") else best,
            "workload": workload,
            "size": workload and "large",
            "estimate": estimate,
            "low": estimate and estimate * 0.97,
            "high": estimate and estimate * 1.04,
            "agrees": agrees,
            "reason": reason,
        }
        for task, talk, best, workload, estimate, agrees, reason in rows
    ]


def write_results(
    folder: Path,
    *,
    label: str = "example-2c",
    runtimes: tuple[str, ...] = ("cp311",),
    rounds: int = 5,
    claims: int = 20,
    quota: float | None = None,
    overlapping: bool = False,
) -> Path:
    """Write everything that a report is made from, apart from the figures; returns the folder."""
    facts = {name: runtime_facts(name) for name in runtimes}
    table = estimates(label, facts, rounds)
    machine = {
        "label": label,
        "cpu": "Example CPU @ 2.80GHz",
        "physical_cores": 1,
        "logical_cores": 2,
        "usable_cores": 2,
        "quota_cores": quota,
        "memory_bytes": 8_321_499_136,
        "os": "Linux",
        "kernel": "6.1.0",
        "governor": None,
        "turbo": None,
        "smt": True,
        "virtualisation": "kvm",
        "load": 0.31,
    }
    gaps = [
        {
            "runtime": runtimes[0],
            "workload": "fetch_csv",
            "size": "large",
            "cell": None,
            "state": "not applicable",
            "reason": "needs pandas, which this runtime does not have",
        },
        {
            "runtime": runtimes[0],
            "workload": "sum_squares",
            "size": "large",
            "cell": "ceiling-4",
            "state": "skipped",
            "reason": "pinned to 2 cores, fewer than its 4 processes",
        },
    ]
    if len(runtimes) > 1:
        gaps.append({"runtime": "py315", "state": "not to be had", "reason": "no <build> of 3.15 for this platform"})
    contents = {
        "machine.json": machine,
        "gaps.json": gaps,
        "verdicts.json": verdicts(facts, claims),
        "decisions.json": [row for name in runtimes for row in decisions(name)],
        "across.json": across(list(runtimes), rounds),
        "workers.json": worker_rows(table, facts),
        "config.json": {"preset": "quick" if rounds < 5 else "default", "measure": {"rounds": rounds}},
        **{f"runtimes/{name}.json": known for name, known in facts.items()},
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    table.to_parquet(folder / "estimates.parquet")
    observations_table(label, facts).to_parquet(folder / "observations.parquet")
    rounds_table(table, rounds, overlapping).to_parquet(folder / "rounds.parquet")
    traces_table(table).to_parquet(folder / "traces.parquet")
    trace_files(folder, runtimes)
    return folder


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
