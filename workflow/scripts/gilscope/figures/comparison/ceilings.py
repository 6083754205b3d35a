"""What could each machine give? Independent processes, one for each core that could be used."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gilscope.figures import SIZES
from gilscope.figures._look import INK, MUTED, Look, look
from gilscope.figures._panels import finish, hollow_note, lying, nothing, panels, rows_axis
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._sides import LOOKS, short

TITLE = "What each machine could give: its ceiling"
SECTION = "scaling"
MOST_ROWS = 24
"""More sides than this are points over the workers instead of rows."""
GREY = Look(INK, "", "o")
OURS = ["side", "workload", "size", "workers", "cores", "share", "estimate", "low", "high", "rounds"]


def needs(comparison: Comparison) -> str:
    """What the runs would have to hold."""
    return "" if len(points(comparison)) else "the strategy ``ceiling`` at as many workers as there are usable cores"


def points(comparison: Comparison) -> pd.DataFrame:
    """The ceiling of each side at the worker count nearest to its usable cores, of more than one worker.

    All of the workload that computes and that most sides have, at its largest size. ``share`` is ceiling ÷ workers.
    """
    cells = comparison.cells
    cells = cells[(cells["strategy"] == "ceiling") & (cells["metric"] == "speedup") & cells["estimate"].notna()]
    cells = cells[(cells["kind"] == "cpu") & (cells["workers"] > 1)]
    cells = cells[~cells["workload"].astype(str).str.startswith("dial_")]
    if cells.empty:
        return pd.DataFrame(columns=OURS)
    rank = {size: place for place, size in enumerate(("deck", *SIZES))}
    counts = cells.groupby(["workload", "size"])["side"].nunique()
    widest = cells.groupby(["workload", "size"])["workers"].nunique()
    workload, size = max(counts.index, key=lambda key: (counts[key], widest[key], rank.get(key[1], 0)))
    cells = cells[(cells["workload"] == workload) & (cells["size"] == size)]
    cores = {side["side"]: (side.get("machine") or {}).get("usable_cores") for side in comparison.sides}
    cells = cells.assign(cores=pd.to_numeric(cells["side"].map(cores)))
    # A warm pool where there is one: starting it is no limit of the machine.
    off = (np.log2(cells["workers"].astype(float)) - np.log2(cells["cores"].fillna(2).clip(lower=1))).abs()
    cells = cells.assign(off=off, cold=cells["pool"] != "warm").sort_values(["off", "cold", "workers"], kind="stable")
    table = cells.drop_duplicates("side").assign(share=lambda rows: rows["estimate"] / rows["workers"])
    place = {name: number for number, name in enumerate(comparison.names)}
    return table.sort_values("side", key=lambda names: names.map(place), ignore_index=True)[OURS]


def draw(comparison: Comparison) -> Figure:
    table = points(comparison)
    if table.empty:
        return nothing("No side has a ceiling of several workers.")
    few = len(table) <= MOST_ROWS
    figure, (axes,) = panels(1, 1, 0.6 + 0.27 * len(table) if few else 4.2)
    (rows if few else scatter)(axes, table)
    where = ", ".join(map(short, table[["workload", "size"]].iloc[0]))
    note = f"Independent processes on {where}: speedup over one after the other on the same side, logarithmic.\n"
    note += "Grey: the ideal, a core for each worker. Bar: 95 % interval. " + hollow_note(table)
    if not few:
        note += "\nSides of one worker count lie beside each other. Named: the nearest to the ideal, and the furthest."
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure


def rows(axes: Axes, table: pd.DataFrame) -> None:
    """A row for each side: its ceiling, the ideal as a grey mark, and the share in figures."""
    places = range(len(table))
    grey = look("ceiling").colour
    counts_axis(axes, table, "x")
    axes.vlines(table["workers"], [y - 0.32 for y in places], [y + 0.32 for y in places], color=grey, linewidth=4)
    lying(axes, table, places, GREY)
    rows_axis(axes, [short(name) for name in table["side"]])
    axes.set_xlabel("speedup at the ceiling")
    for y, row in zip(places, table.to_dict("records"), strict=True):
        axes.annotate(
            f"{row['estimate']:.2f} of {row['workers']:.0f}: {row['share']:.0%}",
            (1, y),
            (8, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=MUTED,
            annotation_clip=False,
        )


def scatter(axes: Axes, table: pd.DataFrame) -> None:
    """Every side as a point over its workers, those of one count beside each other."""
    seen: Counter[int] = Counter()
    counts = Counter(table["workers"])
    across = []
    for workers in table["workers"]:
        place, count = seen[workers], counts[workers]
        across.append(workers * 2 ** (0.5 * ((place + 0.5) / count - 0.5)))
        seen[workers] += 1
    axes.set_xscale("log", base=2)
    counts_axis(axes, table, "x")
    counts_axis(axes, table, "y")
    ideal = np.geomspace(*axes.get_xlim(), 20)
    axes.plot(ideal, ideal, color=look("ceiling").colour, linewidth=5, alpha=0.45, zorder=1.5)
    axes.vlines(across, table["low"], table["high"], color=LOOKS[2].colour, linewidth=1, alpha=0.6, zorder=2)
    axes.plot(across, table["estimate"], linestyle="none", marker="o", markersize=3.6, color=LOOKS[2].colour, zorder=3)
    axes.set_xlabel("workers")
    axes.set_ylabel("speedup at the ceiling")
    shares = table["share"].to_numpy(float)
    for place, up in ((int(shares.argmax()), 14), (int(shares.argmin()), -18)):
        row = table.iloc[place]
        axes.annotate(
            f"{short(row['side'], 30)}: {row['share']:.0%}",
            (across[place], row["estimate"]),
            (-8 if up > 0 else 8, up),
            textcoords="offset points",
            ha="right" if up > 0 else "left",
            fontsize=8,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.8},
        )
    finish(axes)


def counts_axis(axes: Axes, table: pd.DataFrame, which: str) -> None:
    """A logarithmic axis with a tick at each doubling, from below the lowest ceiling to above the most workers."""
    lowest = min(float(np.nanmin(table[["estimate", "low"]].to_numpy(float))), 1.6)
    highest = float(np.nanmax(table[["estimate", "high", "workers"]].to_numpy(float)))
    ticks = [2.0**power for power in range(math.floor(math.log2(lowest)), math.ceil(math.log2(highest)) + 1)]
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log", base=2)
    (axes.set_xlim if which == "x" else axes.set_ylim)(lowest / 1.15, highest * 1.25)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def data(comparison: Comparison) -> pd.DataFrame:
    return points(comparison)


def alt(comparison: Comparison) -> str:
    table = points(comparison)
    if table.empty:
        return "No side has a ceiling of several workers."
    said = [
        f"{row['side']}: {row['estimate']:.2f} with {row['workers']:.0f} workers, {row['share']:.0%} of the ideal"
        for row in table.head(MOST_ROWS).to_dict("records")
    ]
    rest = f"; and {len(table) - MOST_ROWS} more sides" if len(table) > MOST_ROWS else ""
    return f"The speedup of independent processes on {table['workload'].iloc[0]}: {'; '.join(said)}{rest}."
