"""How much work must one task hold before spreading it pays?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilscope.figures import Results
from gilscope.figures._axes import duration, speedups, times
from gilscope.figures._grammar import (
    MOST_LINES,
    estimates,
    finish,
    hollow,
    looks_of,
    nothing,
    panels,
    sample,
    samples,
    without,
)
from gilscope.figures._look import BELOW, MUTED, PAPER, look, order
from gilscope.figures._marks import Interval, moved
from gilscope.figures._rows import Key, beside, lay_out
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
    seconds = results.measured("seconds")
    task = (
        seconds[seconds["strategy"] == "sequential"]
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
    grid = lay_out(chosen, results.ordered(runtime for runtime, _ in chosen))
    names = {key: list(looks_of(block["strategy"]))[:MOST_LINES] for key, block in chosen.items()}
    points = grid.placed({key: block[block["strategy"].isin(names[key])] for key, block in chosen.items()})
    plot = estimates(points, "task", "strategy").add(Interval(line=True, apart=2.5 if grid.columns < 3 else 1.3))
    figure, places = panels(plot, grid.heights, grid.columns)
    marked: list[Mapping[str, Any]] = []
    for key, ((row, column),) in grid.places.items():
        axes, shared = places[row][column], beside(chosen, key[1])
        times(shared["task"], "time of one task alone", 7 if grid.columns < 3 else 4, 1.8).lay(axes, "x")
        speedups(shared).lay(axes, "y")
        axes.axhspan(axes.get_ylim()[0], 1, color=BELOW, linewidth=0, zorder=0)
        turning = turning_points(results, chosen[key])
        marked += marks(axes, {name: found for name, found in turning.items() if name in names[key]})
    grid.name(places, chosen, lambda block: f"{block['kind'].iloc[0]}, {block['workers'].iloc[0]:.0f} workers")
    handles = samples(looks_of(points["strategy"]))
    if marked:
        handles.append(sample("break-even", color=MUTED, linewidth=3.5, marker="|", markersize=9, markeredgewidth=2))
    return finish(figure, handles, f"{note(marked)} {hollow(pd.concat(chosen.values()))}{without(grid.left_out)}")


def note(marked: Sequence[Mapping[str, Any]]) -> str:
    """How to read it; about break-evens only what is drawn. marked: those that are."""
    said = "Cold pools, both axes logarithmic. Shaded: slower than one after the other. Band and bar: 95 % interval."
    said += " Strategies measured at one size: see the times by strategy."
    if marked:
        said += "\nBreak-even, below the line: where a curve rises above 1 for good, with its interval"
        opened = any(found["low"] is None or found["high"] is None for found in marked)
        said += "; an arrow: it goes on beyond the sizes measured." if opened else "."
    return said


def marks(axes: Axes, turning: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Break-evens close below the line at 1, where no curve's marker hides them: bars between their bounds.

    At an end that lies beyond the sizes measured there is an arrow. Returns what is drawn.
    """
    opened = {name: None in (found["low"], found["high"]) for name, found in turning.items()}
    ranked = sorted(turning, key=lambda name: (opened[name], order(name)))
    for place, name in enumerate(ranked):
        found, colour = turning[name], look(name).colour
        bounds = [(found["low"], found["smallest"], "<"), (found["high"], found["largest"], ">")]
        low, high = (end if bound is None else bound for bound, end, _ in bounds)
        where = moved(axes, up=-STEP_POINTS * (place + 1))
        for drawn, width in ((PAPER, 5.5), (colour, 3.5)):
            axes.hlines(1, low, high, color=drawn, linewidth=width, zorder=5, transform=where)
        signs = [(found["estimate"], "|", 9)] + [(end, arrow, 7) for bound, end, arrow in bounds if bound is None]
        for at, marker, size in signs:
            axes.plot(at, 1, color=colour, marker=marker, markersize=size, markeredgewidth=2, zorder=6, transform=where)
    return [turning[name] for name in ranked]


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
