"""From trace files to a tidy table: a row for each traced value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from gilscope.analysis.columns import block_columns, cell_columns, of_each
from gilscope.analysis.tables import CELL

TRACES = [
    *CELL,
    "round",
    "wall",
    "cpu",
    "effective_cores",
    "overlap",
    "idle_share",
    "tree_cpu",
    "voluntary_switches",
    "involuntary_switches",
    "memory_kind",
    "peak_memory",
    "memory_per_worker",
]


def overlap(spans: Iterable[tuple[float, float]]) -> float:
    """The mean number of tasks under way, over the time from the first start to the last end."""
    spans = list(spans)
    length = max(end for _, end in spans) - min(start for start, _ in spans)
    return sum(end - start for start, end in spans) / length if length > 0 else float(len(spans))


def traced_columns(trace: Mapping[str, Any], workers: int) -> dict[str, Any]:
    """What one trace of a cell says. Memory is what the process tree held beyond what it held before, in bytes."""
    spans = [(task["start"], task["end"]) for task in trace["tasks"]]
    wall = max(end for _, end in spans) - min(start for start, _ in spans)
    cpu = sum(task["cpu"] for task in trace["tasks"])
    usage, memory = trace["usage"] or {}, trace["memory"] or {}
    known = memory.get("peak") is not None
    extra = max(0, memory["peak"] - memory["base"]) if known else None
    return {
        "wall": wall,
        "cpu": cpu,
        "effective_cores": cpu / wall if wall > 0 else math.nan,
        "overlap": overlap(spans),
        "idle_share": max(0.0, 1 - overlap(spans) / workers),
        "tree_cpu": usage.get("cpu"),
        "voluntary_switches": usage.get("voluntary"),
        "involuntary_switches": usage.get("involuntary"),
        "memory_kind": memory.get("kind"),
        "peak_memory": memory.get("peak"),
        "memory_per_worker": extra / workers if extra is not None else None,
    }


def collect_traces(traces: Iterable[str], machine: str) -> pd.DataFrame:
    """A row per cell and round, from its recorded tasks."""

    def rows(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        common = {**block_columns(about, machine), "round": about["round"]}
        cells = {name: cell_columns(name) for name in about["cells"]}
        return [
            {**common, **cell, **traced_columns(about["cells"][name], cell["workers"])} for name, cell in cells.items()
        ]

    return pd.DataFrame(of_each(traces, rows), columns=TRACES)
