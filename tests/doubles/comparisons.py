"""Comparisons for tests: the bundles of several machines, each made of one run by scaling what it measured."""

from __future__ import annotations

import functools
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from gilscope.analysis.break_even import break_even
from gilscope.bundles.reading import Bundle
from gilscope.comparison.tables import lay_side_by_side

OTHER = {"confirmed": "refuted", "refuted": "confirmed"}
MIRRORS = {"estimate": "estimate", "low": "high", "high": "low"}


@dataclass(frozen=True)
class Machine:
    """Another machine. pace: how many times as fast it computes as the one that measured; changed: every n-th verdict."""

    label: str
    cpu: str = "Example CPU @ 2.80GHz"
    cores: int = 2
    pace: float = 1.0
    runtimes: tuple[str, ...] = ()
    os: str = "Linux"
    changed: int = 0
    version: str = "1.0.0"


MACHINES = (
    Machine("example-2c"),
    Machine("big-iron-16c", "Big Iron 9000", 16, 1.7, changed=6),
    Machine("laptop-8c", "Pear P3", 8, 2.4, os="Darwin", changed=9),
)


def many(count: int) -> list[Machine]:
    """So many machines of 2 to 64 cores."""
    noise = np.random.default_rng(1)
    return [
        Machine(
            f"node-{number:03d}",
            f"Example CPU {number % 7}",
            2 ** (1 + number % 6),
            math.exp(noise.normal(0.2, 0.35)),
            changed=(0, 5, 11)[number % 3],
        )
        for number in range(count)
    ]


def bundle(folder: Path, machine: Machine) -> Bundle:
    """What reading that machine's bundle would give, from the results of the one that measured."""
    read = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("machine", "config", "verdicts")}
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (folder / "runtimes").glob("*.json")}
    runtimes = {name: facts for name, facts in found.items() if not machine.runtimes or name in machine.runtimes}
    estimates, seen = (pd.read_parquet(folder / f"{name}.parquet") for name in ("estimates", "observations"))
    noise = np.random.default_rng(zlib.crc32(machine.label.encode()))
    seen = seen[seen["lab"].isin(["startup", "messages"]) & seen["runtime"].isin(runtimes)]
    slower = np.exp(noise.normal(0, 0.1, len(seen))) / machine.pace
    cells = on_machine(estimates[estimates["runtime"].isin(runtimes)], machine, noise)
    facts = {**read["machine"], "label": machine.label, "cpu": machine.cpu, "os": machine.os}
    return Bundle(
        file=f"results/{machine.label}.zip",
        digest="0" * 64,
        label=machine.label,
        version=machine.version,
        measured_from=1_763_800_000.0,
        measured_to=1_763_800_900.0,
        nodes=1,
        machine={**facts, "usable_cores": machine.cores, "logical_cores": machine.cores},
        runtimes=runtimes,
        config=read["config"],
        estimates=cells,
        verdicts=[turned(row, machine, place) for place, row in enumerate(read["verdicts"])
                  if row["runtime"] in runtimes],
        break_even=[moved(row, machine) for row in measured_break_even(folder) if row["runtime"] in runtimes],
        scaling=[],
        observations=seen.assign(value=seen["value"] * slower),
    )  # fmt: skip


def on_machine(estimates: pd.DataFrame, machine: Machine, noise: np.random.Generator) -> pd.DataFrame:
    """Computing at another pace, and processes on more cores, with the worker counts and tasks that belong to those."""
    parts = [estimates]
    swept = estimates[estimates.groupby("workload")["workers"].transform("nunique") > 2]
    for workers in [count for count in (4, 8, 16, 32, 64) if 2 < count <= machine.cores]:
        more = swept[(swept["workers"] == 2) & (swept["strategy"] != "sequential")]
        faster = more["strategy"].str.startswith(("multiprocessing", "ceiling", "hybrid")) | (more["kind"] == "io")
        gain = np.where(faster & (more["metric"] != "seconds"), (workers / 2) ** 0.88, 1.0)
        gain = np.where(faster & (more["metric"] == "seconds"), (2 / workers) ** 0.88, gain)
        scaled = {name: more[name] * gain for name in ("estimate", "low", "high")}
        parts.append(more.assign(workers=workers, **scaled))
    table = pd.concat(parts, ignore_index=True)
    table = table.drop_duplicates(["runtime", "workload", "size", "strategy", "workers", "pool", "metric"], keep="last")
    pace = np.where((table["metric"] == "seconds") & (table["kind"] == "cpu"), machine.pace, 1.0)
    pace = pace * np.exp(noise.normal(0, 0.02, len(table)))
    for name in ("estimate", "low", "high"):
        table[name] = table[name] / pace
    if machine.cores > 2:
        many = table["workload"].isin(swept["workload"])
        longer = np.where(many & (table["metric"] == "seconds"), 4 * machine.cores / table["tasks"], 1.0)
        for name in ("estimate", "low", "high"):
            table[name] = table[name] * longer
        table["tasks"] = table["tasks"].where(~many, 4 * machine.cores)
    return table.assign(machine=machine.label)


def turned(row: Mapping[str, Any], machine: Machine, place: int) -> dict[str, Any]:
    """The verdict as the machine's own; every n-th of those that decided turned round."""
    if not machine.changed or place % machine.changed or row["verdict"] not in OTHER:
        return dict(row)
    return {**row, "verdict": OTHER[row["verdict"]], "cases": [across(case) for case in row["cases"]]}


def across(case: Mapping[str, Any]) -> dict[str, Any]:
    """The case on the other side of its threshold."""
    limits = case.get("threshold") or {}
    bound = max(limits.get("within") or [*limits.values(), 0])
    known = case.get("low") is not None and bound > 0 and case["low"] > 0
    moved = {name: bound**2 / case[mirror] for name, mirror in MIRRORS.items()} if known else {}
    return {**case, **moved, "verdict": OTHER.get(case["verdict"], case["verdict"])}


@functools.cache
def measured_break_even(folder: Path) -> list[dict[str, Any]]:
    return break_even(pd.read_parquet(folder / "estimates.parquet"))


def moved(row: Mapping[str, Any], machine: Machine) -> dict[str, Any]:
    """A break-even of the machine that measured, at this one's pace."""
    times = ("estimate", "low", "high", "smallest", "largest")
    return {**row, **{name: row[name] and row[name] / machine.pace for name in times}}


def write_comparison(
    folder: Path,
    results: Path,
    machines: Sequence[Machine] = MACHINES,
    *,
    left_out: Sequence[Mapping[str, str]] = (),
    baseline: str | None = None,
) -> Path:
    """Write what the analysis writes of these machines, all made of one run's results; returns the folder."""
    bundles = [bundle(results, machine) for machine in machines]
    gate = {"metric": "seconds", "tolerance": 0.05}
    lay_side_by_side(bundles, left_out, [], baseline, gate).write(folder)
    return folder


EVIL = "=1+1</script><!--<script>alert(1)</script>\"'&$\\frac{"
"""In front of every name: a formula, an end of a script, markup, quotes, and what matplotlib takes for mathematics."""
NAMES = {
    "side",
    "against",
    "bundle",
    "runtime",
    "workload",
    "case",
    "what",
    "reason",
    "says",
    "claim",
    "hardware",
    "file",
}
NAMES |= {"cpu", "os", "virtualisation", "preset", "version", "flags", "unit", "row", "notes", "counted"}


def make_hostile(folder: Path) -> Path:
    """Put what would do harm in front of every name and text of a written comparison; returns the folder."""
    for path in folder.glob("*.json"):
        path.write_text(json.dumps(spoilt(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    for path in folder.glob("*.parquet"):
        table = pd.read_parquet(path)
        told = {name: EVIL + table[name].astype(str) for name in table.columns if name in NAMES and len(table)}
        table.assign(**told).to_parquet(path, index=False)
    return folder


def spoilt(content: Any, key: str = "") -> Any:
    if isinstance(content, dict):
        bad = key in {"sides", "core_kinds"}
        return {EVIL + name if bad else name: spoilt(value, name) for name, value in content.items()}
    if isinstance(content, list):
        return [spoilt(value, "notes" if key == "notes" else "") for value in content]
    return EVIL + content if isinstance(content, str) and key in NAMES else content
