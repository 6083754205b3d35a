"""The columns that rows of several tables have in common: which block, which cell, which round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gilscope.running.cells import Cell
from gilscope.running.files import making_sense_of, read_json
from gilscope.workloads import Workload, load_workload


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


def place(about: Mapping[str, Any]) -> dict[str, Any]:
    """A job's block, and what its size stands for."""
    block = about["block"]
    named = {key: block[key] for key in ("runtime", "workload", "size")}
    return {**named, "parameter": float(block["parameter"]), "unit": workload_of(block).unit}


def of_each(
    files: Iterable[str], rows: Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The rows that a function makes of each file's path and content. Raises Damaged for what it can make none of."""
    found = []
    for path in files:
        with making_sense_of(path):
            found += rows(path, read_json(path))
    return found
