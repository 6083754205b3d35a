"""Raw files into tidy tables: timings, traces, rounds, and the gaps where nothing could be measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gilscope.analysis.tables import TIMINGS, read_json
from gilscope.cells import Cell
from gilscope.measuring.raw import read_values
from gilscope.workloads import Workload, load_workload

TRACES = [
    "machine",
    "runtime",
    "workload",
    "kind",
    "size",
    "tasks",
    "strategy",
    "workers",
    "pool",
    "round",
    "wall",
    "cpu",
    "effective_cores",
    "overlap",
]
ROUNDS = [
    "runtime",
    "workload",
    "size",
    "parameter",
    "unit",
    "round",
    "started",
    "ended",
    "waited_s",
    "laps",
    "load_before",
    "load_after",
    "steal_s",
    "throttled_us",
    "flags",
]


def block_columns(facts: Mapping[str, Any], machine: str) -> dict[str, Any]:
    """What every row of a block has in common."""
    block = facts["block"]
    return {
        "machine": machine,
        "runtime": block["runtime"],
        "workload": block["workload"],
        "kind": workload_of(block).kind,
        "size": block["size"],
        "tasks": block["tasks"],
    }


def workload_of(block: Mapping[str, Any]) -> Workload:
    return load_workload(block["workload"], block["folder"])


def cell_columns(name: str) -> dict[str, Any]:
    cell = Cell.parse(name)
    return {"strategy": cell.strategy, "workers": cell.workers, "pool": cell.pool}


def collect_timings(
    raws: Iterable[str], facts: Iterable[str], machine: str, runtimes: Mapping[str, Any]
) -> pd.DataFrame:
    """A row per timed value. raws and facts: the files of the same rounds in the same order."""
    rows = []
    for raw, fact in zip(raws, facts, strict=True):
        about = read_json(fact)
        runtime = runtimes[about["block"]["runtime"]]
        common = {
            **block_columns(about, machine),
            "implementation": runtime["implementation"],
            "version": runtime["version"],
            "gil": about["gil"],
            "round": about["round"],
        }
        for value in read_values(raw):
            timed = {"lap": value.lap, "position": value.position, "loops": value.loops, "seconds": value.seconds}
            rows.append({**common, **cell_columns(value.cell), **timed})
    return pd.DataFrame(rows, columns=TIMINGS)


def overlap(spans: Iterable[tuple[float, float]]) -> float:
    """The mean number of tasks under way, over the time from the first start to the last end."""
    spans = list(spans)
    length = max(end for _, end in spans) - min(start for start, _ in spans)
    return sum(end - start for start, end in spans) / length if length > 0 else float(len(spans))


def collect_traces(traces: Iterable[str], machine: str) -> pd.DataFrame:
    """A row per cell and round, from its recorded tasks."""
    rows = []
    for path in traces:
        about = read_json(path)
        common = {**block_columns(about, machine), "round": about["round"]}
        for name, tasks in about["cells"].items():
            wall = max(task["end"] for task in tasks) - min(task["start"] for task in tasks)
            cpu = sum(task["cpu"] for task in tasks)
            rows.append(
                {
                    **common,
                    **cell_columns(name),
                    "wall": wall,
                    "cpu": cpu,
                    "effective_cores": cpu / wall if wall > 0 else float("nan"),
                    "overlap": overlap((task["start"], task["end"]) for task in tasks),
                }
            )
    return pd.DataFrame(rows, columns=TRACES)


def difference(after: Mapping[str, Any], before: Mapping[str, Any], key: str) -> float | None:
    return after[key] - before[key] if after[key] is not None and before[key] is not None else None


def collect_rounds(facts: Iterable[str]) -> pd.DataFrame:
    """A row per block and round: when, how long, and what the machine was doing."""
    rows = []
    for path in facts:
        about = read_json(path)
        before, after = about["environment"]["before"], about["environment"]["after"]
        rows.append(
            {
                **{key: about["block"][key] for key in ("runtime", "workload", "size")},
                "parameter": float(about["block"]["parameter"]),
                "unit": workload_of(about["block"]).unit,
                **{key: about[key] for key in ("round", "started", "ended", "waited_s", "laps")},
                "load_before": before["load"],
                "load_after": after["load"],
                "steal_s": difference(after, before, "steal_s"),
                "throttled_us": difference(after, before, "throttled_us"),
                "flags": "",
            }
        )
    return pd.DataFrame(rows, columns=ROUNDS)


def collect_gaps(facts: Iterable[str]) -> list[dict[str, Any]]:
    """What could not be measured and why, each once; ``cell`` is None where it is the whole block."""
    gaps: dict[tuple[Any, ...], dict[str, Any]] = {}
    for path in facts:
        about = read_json(path)
        place = {key: about["block"][key] for key in ("runtime", "workload", "size")}
        found = [(cell, "skipped", reason) for cell, reason in about["skipped"].items()]
        found += [(cell, "failed", reason) for cell, reason in about["failed"].items()]
        if about["not_applicable"]:
            found.append((None, "not applicable", about["not_applicable"]))
        for cell, state, reason in found:
            gap = {**place, "cell": cell, "state": state, "reason": reason}
            gaps.setdefault(tuple(gap.values())[:-1], gap)
    return list(gaps.values())


def collect_runtimes(files: Iterable[str]) -> dict[str, Any]:
    """Runtime → what it said about itself."""
    return {Path(file).stem: read_json(file) for file in files}
