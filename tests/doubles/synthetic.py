"""A results folder made up from a simple model of a machine, for tests of what comes after measuring."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pandas as pd
from modelled import (
    STARTED,  # noqa: F401 (others take it from here)
    across,
    estimates,
    rounds_table,
    runtime_facts,
    trace_files,
    traces_table,
    worker_rows,
)

OBSERVED = Path(__file__).parents[1] / "data/observations.parquet"
"""What the labs of a real default sweep saw (cp311), and some of them on 3.13t with its lock on and off."""
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


@functools.cache
def observed() -> pd.DataFrame:
    """What is in the file, not to be changed."""
    return pd.read_parquet(OBSERVED)


def observations_table(machine: str, runtimes: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """What labs really saw on a machine, with some of it replaced by numbers that tests know."""
    real = observed()
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
    replaced = pd.MultiIndex.from_frame(real[key]).isin(pd.MultiIndex.from_frame(known[key]))
    seen = set(real["runtime"])
    return pd.concat(
        [
            part.assign(machine=machine, runtime=name, gil=facts["gil"])
            for name, facts in runtimes.items()
            for part in (known, real[~replaced & (real["runtime"] == (name if name in seen else "cp311"))])
        ],
        ignore_index=True,
    )


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
