"""How much work must one task hold before spreading it pays?"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from gilscope.figures import Results
from gilscope.figures._look import BELOW, INK, look, order
from gilscope.figures._panels import (
    MOST_LINES,
    finish,
    hollow_note,
    intervals,
    legend,
    nothing,
    speedup_axis,
)
from gilscope.figures._rows import lay_out, no_inner_labels
from gilscope.figures.by_strategy import sensible_unit

TITLE = "Speedup against task size"
YARDSTICKS = ("sequential", "ceiling")
BLOCK = ["runtime", "workload", "size"]


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return "" if curves(results) else "a workload at two sizes in ``sweep.workloads``"


def curves(results: Results) -> dict[tuple[str, str], pd.DataFrame]:
    """Speedups with the time of one sequential task beside them, by runtime and workload, at one worker count each.

    That count is the one measured for most strategies and sizes, of several the one nearest the usable cores.
    """
    times = results.measured("seconds")
    task = (
        times[times["strategy"] == "sequential"]
        .drop_duplicates(BLOCK)
        .assign(task=lambda rows: rows["estimate"] / rows["tasks"])
    )
    speedups = results.measured("speedup")
    speedups = speedups[(speedups["pool"] == "cold") & ~speedups["strategy"].isin(YARDSTICKS)]
    joined = speedups.merge(task[[*BLOCK, "task"]], on=BLOCK)
    cores = results.machine.get("usable_cores") or results.machine.get("physical_cores") or 2
    chosen = {}
    for key, points in joined.groupby(["runtime", "workload"], sort=True):
        counts = points.groupby("workers").size()
        workers = min(counts.index, key=lambda count: (-counts[count], abs(count - cores)))
        curve = points[points["workers"] == workers].sort_values("task")
        if curve["size"].nunique() > 1:
            chosen[str(key[0]), str(key[1])] = curve
    return dict(sorted(chosen.items(), key=lambda item: (item[1]["kind"].iloc[0], item[0])))


def draw(results: Results) -> Figure:
    chosen = curves(results)
    if not chosen:
        return nothing("No workload has been measured at two sizes.")
    runtimes = results.ordered(runtime for runtime, _ in chosen)
    rows = lay_out(
        chosen, runtimes, lambda points: f"{points['kind'].iloc[0]}, {points['workers'].iloc[0]:.0f} workers"
    )
    shown: set[str] = set()
    for key, axes in rows.places.items():
        points, row = chosen[key], rows.row_of(key, chosen)
        names = sorted(points["strategy"].unique(), key=order)[:MOST_LINES]
        panel(axes, points[points["strategy"].isin(names)], names, row)
        shown |= set(names)
    no_inner_labels(rows)
    note = "Speedup over sequential, cold pools, both axes logarithmic. Shaded: slower than one after the other."
    hollow = hollow_note(pd.concat(chosen.values()))
    legend(rows.figure, shown, (), f"{note} Band and bar: 95 % interval. {hollow}{rows.note}")
    return rows.figure


def panel(axes: Axes, points: pd.DataFrame, names: list[str], row: pd.DataFrame) -> None:
    """One block's curves on axes that all blocks of its row fit."""
    axes.set_xscale("log")
    axes.set_xlim(row["task"].min() / 1.8, row["task"].max() * 1.8)
    axes.xaxis.set_major_locator(LogLocator(base=10, numticks=5))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.set_xlabel("time of one task alone")
    speedup_axis(axes, row)
    axes.axhspan(axes.get_ylim()[0], 1, color=BELOW, linewidth=0, zorder=0)
    for place, name in enumerate(names):
        line = points[points["strategy"] == name].sort_values("task")
        aside = 10 ** (0.03 * (place - (len(names) - 1) / 2))
        intervals(axes, line, line["task"] * aside, look(name))
    axes.axhline(1, color=INK, linewidth=1, zorder=1)
    finish(axes)


def duration(seconds: float) -> str:
    factor, unit = sensible_unit(seconds)
    return f"{seconds * factor:.3g} {unit}"


def alt(results: Results) -> str:
    chosen = curves(results)
    if not chosen:
        return "No workload has been measured at two sizes."
    parts = []
    for (runtime, workload), points in chosen.items():
        paying = points[points["low"] > 1]
        names = [f"{name} from {duration(rows['task'].min())}" for name, rows in paying.groupby("strategy")]
        parts.append(
            f"{workload} on {runtime}: " + (", ".join(names) if names else "nothing pays at the sizes measured")
        )
    return "Speedup against the time of one task, a panel per workload. It pays with " + "; ".join(parts) + "."
