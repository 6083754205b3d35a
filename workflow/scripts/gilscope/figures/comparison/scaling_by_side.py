"""Does it go faster with more workers on each side, and how near does it come to what that machine could give?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilscope.figures import size_rank
from gilscope.figures._axes import speedups, workers
from gilscope.figures._grammar import (
    IDEAL,
    LIMIT,
    MOST_COLUMNS,
    estimates,
    finish,
    hollow,
    ideal,
    inner,
    looks_of,
    nothing,
    panels,
    sample,
    samples,
)
from gilscope.figures._look import MUTED
from gilscope.figures._marks import Interval
from gilscope.figures._tables import numbers
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._sides import chosen, left_out, short

TITLE = "Speedup against workers, on each side"
SECTION = "scaling"
STRATEGIES = {"cpu": ("threading", "multiprocessing"), "io": ("threading", "multiprocessing", "asyncio")}
"""What is drawn beside the machine's limit; of mixed work as of waiting."""
LETTERS = 30
INCHES = 2.1


def needs(comparison: Comparison) -> str:
    """What the runs would have to hold."""
    return "" if len(points(comparison)) else "a workload at several worker counts: ``sweep.workers``"


def points(comparison: Comparison) -> pd.DataFrame:
    """Speedups of the workload that was swept over most worker counts, one that computes and one that does not.

    Each at its largest size, that most sides have.
    """
    cells = comparison.cells
    cells = cells[(cells["metric"] == "speedup") & cells["estimate"].notna()]
    cells = cells[~cells["workload"].astype(str).str.startswith("dial_")]
    ceiling = cells["strategy"] == "ceiling"
    every = {name for names in STRATEGIES.values() for name in names}
    cells = cells[((cells["pool"] == "cold") & cells["strategy"].isin(every)) | (ceiling & (cells["pool"] == "warm"))]
    found = [one for kind in STRATEGIES if len(one := swept_most(cells[cells["kind"] == kind]))]
    table = pd.concat(found, ignore_index=True) if found else cells.iloc[:0]
    drawn = [
        strategy == "ceiling" or strategy in STRATEGIES[kind]
        for strategy, kind in zip(table["strategy"], table["kind"], strict=True)
    ]
    return table[np.asarray(drawn, dtype=bool)].reset_index(drop=True)


def swept_most(cells: pd.DataFrame) -> pd.DataFrame:
    """The block that has most worker counts, over all sides together; nothing where none has two."""
    own = cells[cells["strategy"] != "ceiling"]
    counts = own.groupby(["workload", "size", "side", "strategy"])["workers"].nunique()
    counts = counts[counts > 1].groupby(["workload", "size"]).sum()
    if counts.empty:
        return cells.iloc[:0]
    workload, size = max(counts.index, key=lambda block: (counts[block], size_rank(block[1])))
    return cells[(cells["workload"] == workload) & (cells["size"] == size)]


def draw(comparison: Comparison) -> Figure:
    table = points(comparison)
    if table.empty:
        return nothing("No workload has been measured at several worker counts.")
    shown: dict[tuple[int, int], pd.DataFrame] = {}
    tall = 0
    for _, block in table.groupby("workload", sort=False):
        sides = chosen(comparison, block["side"])
        for number, side in enumerate(sides):
            shown[tall + number // MOST_COLUMNS, number % MOST_COLUMNS] = block[block["side"] == side]
        tall += math.ceil(len(sides) / MOST_COLUMNS)
    drawn = pd.concat([own.assign(row=row, col=col) for (row, col), own in shown.items()])
    plot = estimates(drawn, "workers", "strategy").add(Interval(line=True, apart=1.7, limit=True))
    columns = max(2, *(column + 1 for _, column in shown))
    figure, places = panels(plot, [INCHES] * tall, columns)
    named: set[str] = set()
    for (row, column), here in shown.items():
        workload = here["workload"].iloc[0]
        lay_out(comparison, places[row][column], here, drawn[drawn["workload"] == workload])
        if column:
            inner(places[row][column])
        if workload not in named:
            name_block(places[row][column], here)
        named.add(workload)
    key = [*samples(looks_of(drawn["strategy"])), sample("machine's limit", **LIMIT), sample("ideal", **IDEAL)]
    note = "Speedup over one after the other on the same side; both axes logarithmic. Cold pools. Bar: 95 % interval. "
    return finish(figure, key, note + hollow(table) + left_out(comparison, set(table["side"]), set(drawn["side"])))


def lay_out(comparison: Comparison, axes: Axes, here: pd.DataFrame, block: pd.DataFrame) -> None:
    """One side's panel, on axes that those of every side fit."""
    workers(thinned(sorted(block["workers"].astype(int).unique()))).lay(axes, "x")
    speedups(block).lay(axes, "y")
    ideal(axes)
    axes.set_title(caption(comparison, here["side"].iloc[0]), fontsize=8, fontweight="normal", color=MUTED, pad=5)


def name_block(axes: Axes, block: pd.DataFrame) -> None:
    """The workload's name above the first of its panels."""
    workload, kind, size = block[["workload", "kind", "size"]].iloc[0]
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(short(f"{workload}  ({kind}, {size})", 60), (0, 1), (0, 33), weight="bold", size=9.5, **above)


def caption(comparison: Comparison, side: str) -> str:
    """The bundle and below it the runtime; the whole name of a side that has not told them."""
    known = next((one for one in comparison.sides if one["side"] == side), {})
    parts = [known.get("bundle") or side, known.get("runtime") or ""]
    return "\n".join(short(str(part), LETTERS) for part in parts)


def thinned(counts: Sequence[int]) -> list[int]:
    """At most eight of the counts, with the first and the last."""
    step = math.ceil(len(counts) / 8)
    kept = list(counts)[::step]
    return kept if kept[-1] == counts[-1] else [*kept, counts[-1]]


def data(comparison: Comparison) -> pd.DataFrame:
    return numbers(points(comparison), "workload", "size", "tasks", "side", "strategy", "workers", "pool")


def alt(comparison: Comparison) -> str:
    table = points(comparison)
    if table.empty:
        return "No workload has been measured at several worker counts."
    sides = chosen(comparison, table["side"])
    parts = []
    for (workload, side), own in table[table["side"].isin(sides)].groupby(["workload", "side"], sort=False):
        best = own[own["strategy"] != "ceiling"].sort_values("estimate").tail(1).to_dict("records")
        parts += [
            f"{workload} on {side}: at best {one['estimate']:.2f} times as fast, with {one['strategy']} at "
            f"{one['workers']:.0f} workers"
            for one in best
        ]
    return f"Curves of speedup against workers, a panel for each side. {'; '.join(parts)}."
