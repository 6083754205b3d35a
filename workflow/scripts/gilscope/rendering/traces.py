"""What the traces tell: how many cores were at work, who waited, what workers hold, and which scaling law fits."""

from __future__ import annotations

import math

import pandas as pd

from gilscope.figures import Results
from gilscope.rendering.markup import Html, counted, folded, interval, joined, missing, note, number, table

METRICS = ("effective_cores", "overlap", "idle_share", "memory_per_worker")
CELL = ["runtime", "workload", "size", "kind", "strategy", "workers", "pool"]
HEADINGS = (
    "Workload",
    "Size, strategy, workers",
    "Effective cores",
    "Tasks under way",
    "Idle share",
    "Context switches a task",
    "MiB a worker",
)
LAWS = {
    ("amdahl", "serial_share"): "Amdahl: serial share",
    ("usl", "contention"): "USL: contention",
    ("usl", "coherence"): "USL: coherence",
}


def short(row: pd.Series, metric: str, scale: float = 1.0) -> Html:
    """One metric of a cell, ``–`` where it was not to be had."""
    scaled = [scale * float(row.get((bound, metric), math.nan)) for bound in ("estimate", "low", "high")]
    return interval(scaled[0], scaled[1], scaled[2])


def traces(results: Results) -> Html:
    """A folded table for each runtime."""
    measured = results.estimates[results.estimates["metric"].isin(METRICS)]
    if measured.empty:
        return note("warn", "No traces.", "No cell has been traced.")
    names = results.ordered(measured["runtime"])
    parts = []
    for name in names:
        rows = traced_cells(measured[measured["runtime"] == name], results.traces)
        where = f" on {name}" if len(names) > 1 else ""
        parts.append(folded(f"Traces of {counted(len(rows), 'cell')}{where}", table(HEADINGS, rows)))
    return joined(parts)


def traced_cells(measured: pd.DataFrame, told: pd.DataFrame) -> list[tuple[object, ...]]:
    """A row per cell at its workload's largest size: effective cores, overlap, idle share, switches, memory."""
    wide = measured.pivot_table(index=CELL, columns="metric", values=["estimate", "low", "high"], sort=False)
    per_task = (told["voluntary_switches"] + told["involuntary_switches"]) / told["tasks"]
    switches = told.assign(switches=per_task).groupby(CELL)["switches"].median()
    rows: list[tuple[object, ...]] = []
    for key, row in wide.iterrows():
        cell = dict(zip(CELL, key, strict=True))  # type: ignore[call-overload]
        count = switches.get(key)
        rows.append(
            (
                cell["workload"],
                f"{cell['size']}, {cell['strategy']}, {cell['workers']}" + (", warm" if cell["pool"] == "warm" else ""),
                short(row, "effective_cores"),
                short(row, "overlap"),
                short(row, "idle_share"),
                "–" if missing(count) else number(count),
                short(row, "memory_per_worker", 2**-20),
            )
        )
    return rows


def scaling_laws(results: Results) -> Html:
    """The fitted laws; where no curve has enough worker counts, why there are none."""
    fitted = [row for row in results.scaling if row.get("law")]
    if not fitted:
        most = max((len(row["counts"]) for row in results.scaling), default=0)
        text = "Amdahl's law and the Universal Scalability Law need 3 rounds and five worker counts up to the cores; "
        return note("warn", "No scaling law.", text + f"the longest curve here has {most or 'not even two'}.")
    several = len(results.runtimes) > 1
    rows = [
        (
            f"{row['workload']}, {row['runtime']}" if several else row["workload"],
            f"{row['size']}, {row['strategy']}" + (", warm" if row["pool"] == "warm" else ""),
            LAWS[row["law"], row["parameter"]],
            interval(row["estimate"], row["low"], row["high"]),
            number(row["traced"]) if row["law"] == "amdahl" else "",
        )
        for row in fitted
    ]
    return table(("Workload", "Size, strategy", "Parameter", "Fitted", "Serial share in the traces"), rows)
