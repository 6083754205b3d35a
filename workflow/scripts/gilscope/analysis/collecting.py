"""Raw files into tidy tables: timings, traces, rounds, and the gaps where nothing could be measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gilscope.analysis.completeness import check_lab, check_values
from gilscope.analysis.disturbances import flag_rounds, readings
from gilscope.analysis.tables import TIMINGS
from gilscope.configuring.models import Limits
from gilscope.measuring.raw import read_values
from gilscope.running.cells import Cell
from gilscope.running.files import making_sense_of, read_json
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
    "idle_share",
    "tree_cpu",
    "voluntary_switches",
    "involuntary_switches",
    "memory_kind",
    "peak_memory",
    "memory_per_worker",
]
OBSERVATIONS = ["machine", "runtime", "gil", "lab", "case", "trial", "metric", "value", "unit"]
ROUNDS = [
    "runtime",
    "workload",
    "size",
    "parameter",
    "unit",
    "round",
    "stage",
    "job",
    "node",
    "started",
    "ended",
    "waited_s",
    "laps",
    "load_before",
    "load_after",
    "busy_cores",
    "steal_share",
    "throttled_share",
    "frequency_mhz",
    "governor",
    "swap_mib",
    "flags",
]

WRONG = "wrong answer"
"""The state of a block whose answers, or tasks, cannot be compared."""


@dataclass(frozen=True)
class Collected:
    """Everything that a run has measured and observed, tidy."""

    timings: pd.DataFrame
    traces: pd.DataFrame
    rounds: pd.DataFrame
    observations: pd.DataFrame
    gaps: list[Any]
    runtimes: dict[str, Any]


def collect_run(
    facts: Sequence[str],
    traces: Sequence[str],
    labs: Sequence[str],
    runtimes: Sequence[str],
    *,
    machine: Mapping[str, Any],
    limits: Limits,
    absent: Sequence[Mapping[str, str]] = (),
) -> Collected:
    """All tables of a run, from its files. facts: of its rounds, whose raw files lie beside them."""
    rounds = collect_rounds(facts, traces, labs, limits, machine["usable_cores"])
    label, told = machine["label"], collect_runtimes(runtimes)
    raws = [file.replace(".facts.json", ".json") for file in facts]
    gaps = collect_gaps(facts)
    return Collected(
        timings=without_wrong(collect_timings(raws, facts, label, told, rounds["flags"].head(len(facts))), gaps),
        traces=without_wrong(collect_traces(traces, label), gaps),
        rounds=rounds,
        observations=collect_observations(labs, label),
        gaps=[*absent, *gaps, *collect_lab_gaps(labs)],
        runtimes=told,
    )


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
    raws: Iterable[str], facts: Iterable[str], machine: str, runtimes: Mapping[str, Any], flags: Iterable[str]
) -> pd.DataFrame:
    """A row per timed value. raws, facts and flags: those of the same rounds in the same order."""
    rows = []
    for raw, fact, disturbed in zip(raws, facts, flags, strict=True):
        values = read_values(raw)
        with making_sense_of(fact):
            about = read_json(fact)
            check_values(raw, about, values)
            runtime = runtimes[about["block"]["runtime"]]
            common = {
                **block_columns(about, machine),
                "implementation": runtime["implementation"],
                "version": runtime["version"],
                "gil": about["gil"],
                "round": about["round"],
            }
        for value in values:
            timed = {"lap": value.lap, "position": value.position, "loops": value.loops, "seconds": value.seconds}
            rows.append({**common, **cell_columns(value.cell), **timed, "flags": disturbed})
    return pd.DataFrame(rows, columns=TIMINGS)


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


def collect_observations(labs: Iterable[str], machine: str) -> pd.DataFrame:
    """A row per observation of a lab."""

    def rows(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        check_lab(path, about)
        common = {"machine": machine, **{key: about[key] for key in ("runtime", "gil", "lab")}}
        return [{**common, **observation} for observation in about["observations"]]

    table = pd.DataFrame(of_each(labs, rows), columns=OBSERVATIONS)
    return table.astype({"value": float, "trial": "int64"})


def lab_rows(labs: Iterable[str]) -> list[dict[str, Any]]:
    """A row per lab for the table of measuring jobs, with whether it was timed; ``workload`` holds the lab's name."""

    def row(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        when = {key: about[key] for key in ("runtime", "started", "ended", "waited_s", "timed")}
        when["node"] = about.get("node")
        known = readings(about["environment"]["before"], about["environment"]["after"])
        return [{"job": "observe", "workload": about["lab"], "size": "", "round": 0, **when, **known}]

    return of_each(labs, row)


def collect_rounds(
    facts: Iterable[str], traces: Iterable[str], labs: Iterable[str], limits: Limits, cores: int
) -> pd.DataFrame:
    """A row per measuring job: when it ran and, where it timed something, what the machine did and what disturbed it.

    The timed rounds come first, in the order of ``facts``. cores: the usable ones. Labs that time nothing cannot be
    disturbed: their trials run side by side, and some leave orphans.
    """
    calibrated = {}

    def timed(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        environment = about["environment"]
        when = {key: about[key] for key in ("round", "started", "ended", "waited_s", "laps")}
        when["node"] = about.get("node")
        when["stage"] = about["stage"]
        calibrated[about["block"]["runtime"], about["block"]["workload"], about["block"]["size"]] = {
            **place(about),
            "job": "calibrate",
            "round": 0,
            **about["calibrated"],
            "flags": "",
        }
        return [{**place(about), "job": "measure", **when, **readings(environment["before"], environment["after"])}]

    def traced(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        when = {key: about[key] for key in ("round", "started", "ended", "waited_s")}
        when["node"] = about.get("node")
        return [{**place(about), "job": "record", **when, "flags": ""}]

    watched = pd.DataFrame([*of_each(facts, timed), *lab_rows(labs)], columns=[*ROUNDS, "timed"])
    flags = flag_rounds(watched, limits, cores)
    watched["flags"] = ["" if timed is False else text for text, timed in zip(flags, watched.pop("timed"), strict=True)]
    others = pd.DataFrame([*of_each(traces, traced), *calibrated.values()], columns=ROUNDS)
    return pd.concat([watched, others], ignore_index=True) if len(others) else watched


def place(about: Mapping[str, Any]) -> dict[str, Any]:
    """A job's block, and what its size stands for."""
    block = about["block"]
    named = {key: block[key] for key in ("runtime", "workload", "size")}
    return {**named, "parameter": float(block["parameter"]), "unit": workload_of(block).unit}


def collect_gaps(facts: Iterable[str]) -> list[dict[str, Any]]:
    """What could not be measured and why, each once; ``cell`` is None where it is the whole block."""

    def rows(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        place = {key: about["block"][key] for key in ("runtime", "workload", "size")}
        found = [(cell, "skipped", reason) for cell, reason in about["skipped"].items()]
        found += [(cell, "failed", reason) for cell, reason in about["failed"].items()]
        if about.get("wrong"):
            found.append((None, WRONG, about["wrong"]))
        elif about["not_applicable"]:
            found.append((None, "not applicable", about["not_applicable"]))
        return [{**place, "cell": cell, "state": state, "reason": reason} for cell, state, reason in found]

    gaps: dict[tuple[Any, ...], dict[str, Any]] = {}
    for gap in of_each(facts, rows):
        gaps.setdefault(tuple(gap.values())[:-1], gap)
    return list(gaps.values())


def without_wrong(table: pd.DataFrame, gaps: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows of the blocks whose answers were right in every round: others' values may be those of other work."""
    wrong = [(gap["runtime"], gap["workload"], gap["size"]) for gap in gaps if gap["state"] == WRONG]
    if not wrong:
        return table
    place = pd.MultiIndex.from_frame(table[["runtime", "workload", "size"]])
    return table[~place.isin(wrong)].reset_index(drop=True)


def collect_lab_gaps(labs: Iterable[str]) -> list[dict[str, Any]]:
    """Cases and trials of labs that gave nothing; ``case`` is None for a whole lab, ``trial`` for a whole case."""

    def rows(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"runtime": about["runtime"], "lab": about["lab"], **gap} for gap in about["gaps"]]

    return of_each(labs, rows)


def collect_own_folders(facts: Iterable[str]) -> list[str]:
    """Where the user's own workloads lie, each once."""
    found = [read_json(path)["block"]["folder"] for path in facts]
    return list(dict.fromkeys(filter(None, found)))


def collect_workers(facts: Iterable[str]) -> list[dict[str, Any]]:
    """A row per cell: what its workers said when the block was calibrated."""
    cells: dict[tuple[str, ...], dict[str, Any]] = {}
    for path in facts:
        about = read_json(path)
        where = {key: about["block"][key] for key in ("runtime", "workload", "size")}
        for cell, said in about["workers"].items():
            cells[*where.values(), cell] = {**where, "cell": cell, **said}
    return list(cells.values())


def collect_runtimes(files: Iterable[str]) -> dict[str, Any]:
    """Runtime → what it said about itself."""
    found = {}
    for file in files:
        with making_sense_of(file):
            facts = read_json(file)
            found[Path(file).stem] = facts | {key: facts[key] for key in ("implementation", "version", "gil")}
    return found


def read_machine(path: str) -> dict[str, Any]:
    """What a machine.json says. Raises Damaged where it does not tell of whose cores the results are."""
    with making_sense_of(path):
        machine: dict[str, Any] = read_json(path)
        return machine | {"label": str(machine["label"]), "usable_cores": int(machine["usable_cores"])}


def of_each(
    files: Iterable[str], rows: Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The rows that a function makes of each file's path and content. Raises Damaged for what it can make none of."""
    found = []
    for path in files:
        with making_sense_of(path):
            found += rows(path, read_json(path))
    return found
