"""What could each machine give? Independent processes, one for each core that could be used."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import seaborn.objects as so
from matplotlib.figure import Figure

from gilscope.figures import size_rank
from gilscope.figures._axes import Axis, ends
from gilscope.figures._axes import rows as row_axis
from gilscope.figures._grammar import LIMIT, beside, estimates, finish, hollow, nothing, panels
from gilscope.figures._look import INK, MUTED, Look, look
from gilscope.figures._marks import Interval
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._sides import LOOKS, short

TITLE = "What each machine could give: its ceiling"
SECTION = "scaling"
MOST_ROWS = 24
"""More sides than this are points over the workers instead of rows."""
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
    counts = cells.groupby(["workload", "size"])["side"].nunique()
    widest = cells.groupby(["workload", "size"])["workers"].nunique()
    workload, size = max(counts.index, key=lambda key: (counts[key], widest[key], size_rank(key[1])))
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
    figure = (rows if few else scatter)(table)
    where = ", ".join(map(short, table[["workload", "size"]].iloc[0]))
    note = f"Independent processes on {where}: speedup over one after the other on the same side, logarithmic.\n"
    note += f"Grey: the ideal, a core for each worker. Bar: 95 % interval. {hollow(table)}"
    if not few:
        note += "\nSides of one worker count lie beside each other. Named: the nearest to the ideal, and the furthest."
    return finish(figure, note=note)


def rows(table: pd.DataFrame) -> Figure:
    """A row for each side: its ceiling, the ideal as a grey mark, and the share in figures."""
    table = table.assign(y=range(len(table)), one="side")
    plot = (
        estimates(table, "y", "one", {"side": Look(INK, "", "o")}, lying=True)
        .add(so.Dash(color=look("ceiling").colour, linewidth=4, width=0.64), x="workers", orient="y")
        .add(Interval(width=2))
    )
    figure, ((axes,),) = panels(plot, [0.6 + 0.27 * len(table)])
    axis(table, "speedup at the ceiling").lay(axes, "x")
    row_axis([short(name) for name in table["side"]]).lay(axes, "y")
    for row in table.to_dict("records"):
        beside(axes, row["y"], f"{row['estimate']:.2f} of {row['workers']:.0f}: {row['share']:.0%}", fontsize=8)
    return figure


def scatter(table: pd.DataFrame) -> Figure:
    """Every side as a point over its workers, those of one count beside each other."""
    count, place = table.groupby("workers")["side"].transform("size"), table.groupby("workers").cumcount()
    table = table.assign(across=table["workers"] * 2 ** (0.5 * ((place + 0.5) / count - 0.5)), one="side")
    crowd = {"side": Look(LOOKS[2].colour, "", "o")}
    figure, ((axes,),) = panels(estimates(table, "across", "one", crowd).add(Interval(size=3.6, width=1)), [4.2])
    axis(table, "workers").lay(axes, "x")
    axis(table, "speedup at the ceiling").lay(axes, "y")
    axes.plot(axes.get_xlim(), axes.get_xlim(), zorder=1.5, **LIMIT)
    ranked = table.sort_values("share", kind="stable").to_dict("records")
    for row, right, up in ((ranked[-1], -8, 14), (ranked[0], 8, -18)):
        axes.annotate(
            f"{short(row['side'], 30)}: {row['share']:.0%}",
            (row["across"], row["estimate"]),
            (right, up),
            textcoords="offset points",
            ha="right" if right < 0 else "left",
            fontsize=8,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.8},
        )
    return figure


def axis(table: pd.DataFrame, label: str) -> Axis:
    """A tick at each doubling, from below the lowest ceiling to above the most workers."""
    lowest, highest = ends([1.6, *table[["estimate", "low", "high", "workers"]].to_numpy(float).ravel()])
    ticks = [2.0**power for power in range(math.floor(math.log2(lowest)), math.ceil(math.log2(highest)) + 1)]
    return Axis(label, lowest / 1.15, highest * 1.25, ticks, 2)


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
