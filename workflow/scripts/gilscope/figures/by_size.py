"""How much work must one task hold before spreading it pays?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from gilscope.figures import Results
from gilscope.figures._axes import sensible_unit
from gilscope.figures._look import BELOW, INK, MUTED, PAPER, Look, look, order
from gilscope.figures._panels import (
    MOST_LINES,
    finish,
    hollow_note,
    intervals,
    legend,
    nothing,
    speedup_axis,
)
from gilscope.figures._rows import Key, lay_out, no_inner_labels
from gilscope.figures._tables import numbers
from gilscope.figures.scaling import yardsticks

TITLE = "Speedup against task size"
SECTION = "approach"
SHOWS = ("size:small",)
YARDSTICKS = ("sequential", "ceiling")
BLOCK = ["runtime", "workload", "size"]
CURVE = ["runtime", "workload", "strategy", "workers"]
STEP_POINTS = 6.5
"""How far below the line at 1, and below each other, the marks of break-evens lie."""


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return "" if curves(results) else "a workload at two sizes in ``sweep.workloads``"


def curves(results: Results) -> dict[Key, pd.DataFrame]:
    """Speedups with the time of one sequential task beside them, by runtime and workload, at one worker count each.

    That count is the one measured for most strategies and sizes, of several the one nearest the usable cores. What
    was measured at one size makes no curve, nor do controls alone. Those with most sizes come first in their kind.
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
        curve = curve[curve["size"].groupby(curve["strategy"]).transform("nunique") > 1]
        if len(curve) and not set(curve["strategy"]) <= yardsticks(curve):
            chosen[str(key[0]), str(key[1])] = curve

    def place(item: tuple[Key, pd.DataFrame]) -> tuple[str, int, Key]:
        return item[1]["kind"].iloc[0], -item[1]["size"].nunique(), item[0]

    return dict(sorted(chosen.items(), key=place))


def turning_points(results: Results, points: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Strategy → its break-even in a block, of the strategies that have one among the sizes measured there."""
    here = points.iloc[0]
    return {
        row["strategy"]: row
        for row in results.break_even
        if row["pays"] == "somewhere"
        and row["pool"] == "cold"
        and all(row[name] == here[name] for name in ("runtime", "workload", "workers"))
    }


def draw(results: Results) -> Figure:
    chosen = curves(results)
    if not chosen:
        return nothing("No workload has been measured at two sizes.")
    runtimes = results.ordered(runtime for runtime, _ in chosen)
    rows = lay_out(
        chosen, runtimes, lambda points: f"{points['kind'].iloc[0]}, {points['workers'].iloc[0]:.0f} workers"
    )
    shown: set[str] = set()
    marked: dict[str, dict[str, Any]] = {}
    for key, axes in rows.places.items():
        points, row = chosen[key], rows.row_of(key, chosen)
        names = sorted(points["strategy"].unique(), key=order)[:MOST_LINES]
        panel(axes, points[points["strategy"].isin(names)], names, row)
        turning = {name: found for name, found in turning_points(results, points).items() if name in names}
        marks(axes, turning)
        shown |= set(names)
        marked |= {f"{key} {name}": found for name, found in turning.items()}
    no_inner_labels(rows)
    handle = Line2D([], [], color=MUTED, linewidth=3.5, marker="|", markersize=9, markeredgewidth=2, label="break-even")
    hollow = hollow_note(pd.concat(chosen.values()))
    legend(rows.figure, shown, [handle] if marked else [], f"{note(marked)} {hollow}{rows.note}")
    return rows.figure


def note(marked: Mapping[str, Mapping[str, Any]]) -> str:
    """How to read it; about break-evens only what is drawn. marked: those that are."""
    said = "Cold pools, both axes logarithmic. Shaded: slower than one after the other. Band and bar: 95 % interval."
    said += " Strategies measured at one size: see the times by strategy."
    if marked:
        said += "\nBreak-even, below the line: where a curve rises above 1 for good, with its interval"
        opened = any(found["low"] is None or found["high"] is None for found in marked.values())
        said += "; an arrow: it goes on beyond the sizes measured." if opened else "."
    return said


def panel(axes: Axes, points: pd.DataFrame, names: list[str], row: pd.DataFrame) -> None:
    """One block's curves on axes that all blocks of its row fit."""
    axes.set_xscale("log")
    shortest, longest = row["task"].min() / 1.8, row["task"].max() * 1.8
    axes.set_xlim(shortest, longest)
    few = longest / shortest < 100
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5) if few else (1,), numticks=7 if few else 5))
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


def marks(axes: Axes, turning: Mapping[str, Mapping[str, Any]]) -> None:
    """The break-even of each strategy close below the line at 1, where no curve's marker hides it."""
    closed_first = sorted(
        turning, key=lambda name: (None in (turning[name]["low"], turning[name]["high"]), order(name))
    )
    for place, name in enumerate(closed_first):
        mark(axes, turning[name], look(name), down=STEP_POINTS * (place + 1))


def mark(axes: Axes, found: Mapping[str, Any], drawn: Look, down: float) -> None:
    """A short bar between the bounds, with an arrow at an end that lies beyond the sizes measured."""
    ends = [found["smallest"] if found["low"] is None else found["low"]]
    ends += [found["largest"] if found["high"] is None else found["high"]]
    place = axes.transData + ScaledTranslation(0, -down / 72, axes.figure.dpi_scale_trans)
    axes.hlines(1, *ends, color=PAPER, linewidth=5.5, zorder=5, transform=place)
    axes.hlines(1, *ends, color=drawn.colour, linewidth=3.5, zorder=5, transform=place)
    common: dict[str, Any] = {"color": drawn.colour, "linestyle": "none", "zorder": 6, "transform": place}
    axes.plot(found["estimate"], 1, marker="|", markersize=9, markeredgewidth=2, **common)
    for bound, end, arrow in zip((found["low"], found["high"]), ends, "<>", strict=True):
        if bound is None:
            axes.plot(end, 1, marker=arrow, markersize=7, **common)


def duration(seconds: float) -> str:
    factor, unit = sensible_unit(seconds)
    return f"{seconds * factor:.3g} {unit}"


def data(results: Results) -> pd.DataFrame:
    chosen = list(curves(results).values())
    turning = [row for points in chosen for row in turning_points(results, points).values()]
    names = {"estimate": "break_even_s", "low": "break_even_low_s", "high": "break_even_high_s"}
    ours = pd.DataFrame(turning, columns=[*CURVE, *names]).rename(columns=names)
    joined = [points.merge(ours, on=CURVE, how="left") for points in chosen] if turning else chosen
    about = ("runtime", "workload", "size", "task", "strategy", "workers", *(names.values() if turning else ()))
    return numbers(joined, *about).rename(columns={"task": "seconds_of_a_task"})


def alt(results: Results) -> str:
    chosen = curves(results)
    if not chosen:
        return "No workload has been measured at two sizes."
    parts = []
    for (runtime, workload), points in chosen.items():
        paying = points[points["low"] > 1]
        told = [f"{name} from {duration(rows['task'].min())}" for name, rows in paying.groupby("strategy")]
        turning = turning_points(results, points)
        told += [f"{name} breaks even at {duration(row['estimate'])}" for name, row in turning.items()]
        parts.append(f"{workload} on {runtime}: {', '.join(told) or 'nothing pays at the sizes measured'}")
    return "Speedup against the time of one task, a panel per workload. It pays with " + "; ".join(parts) + "."
