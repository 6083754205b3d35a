"""Raw files into tidy tables: timings, traces, rounds, and the gaps where nothing could be measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gilscope.analysis.columns import block_columns, cell_columns
from gilscope.analysis.completeness import check_values
from gilscope.analysis.gaps import collect_gaps, collect_lab_gaps, without_wrong
from gilscope.analysis.observed import collect_observations
from gilscope.analysis.rounds import collect_rounds
from gilscope.analysis.tables import TIMINGS
from gilscope.analysis.traced import collect_traces
from gilscope.configuring.models import Limits
from gilscope.measuring.raw import read_values
from gilscope.running.files import making_sense_of, read_json


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
