"""Does it go faster with more workers on each side, and how near does it come to what that machine could give?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilscope.figures import SIZES
from gilscope.figures._grammar import MOST_COLUMNS
from gilscope.figures._look import INK, MUTED, look, order
from gilscope.figures._panels import (
    finish,
    hollow_note,
    intervals,
    legend,
    limits,
    nothing,
    panels,
    speedup_axis,
    workers_axis,
)
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
    rank = {size: place for place, size in enumerate(("deck", *SIZES))}
    workload, size = max(counts.index, key=lambda block: (counts[block], rank.get(block[1], 0)))
    return cells[(cells["workload"] == workload) & (cells["size"] == size)]


def draw(comparison: Comparison) -> Figure:
    table = points(comparison)
    if table.empty:
        return nothing("No workload has been measured at several worker counts.")
    blocks = [own for _, own in table.groupby("workload", sort=False)]
    shown = [chosen(comparison, own["side"]) for own in blocks]
    lines = [math.ceil(len(sides) / MOST_COLUMNS) for sides in shown]
    columns = max(2, *(math.ceil(len(sides) / count) for sides, count in zip(shown, lines, strict=True)))
    figure, axes = panels(sum(lines) * columns, columns, INCHES)
    grid = iter(axes)
    for block, sides, count in zip(blocks, shown, lines, strict=True):
        own = [next(grid) for _ in range(count * columns)]
        draw_block(comparison, own, columns, block, sides)
    extra = [
        Line2D([], [], color=look("ceiling").colour, linewidth=5, alpha=0.45, label="machine's limit"),
        Line2D([], [], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.1, label="ideal"),
    ]
    note = "Speedup over one after the other on the same side; both axes logarithmic. Cold pools. Bar: 95 % interval. "
    drawn = {side for sides in shown for side in sides}
    note += hollow_note(table) + left_out(comparison, set(table["side"]), drawn)
    legend(figure, [name for name in table["strategy"].unique() if name != "ceiling"], extra, note)
    return figure


def draw_block(
    comparison: Comparison, axes: Sequence[Axes], columns: int, block: pd.DataFrame, sides: Sequence[str]
) -> None:
    """One workload: a panel for each of these sides under a common heading. axes: whole lines of so many columns."""
    for spare in axes[len(sides) :]:
        spare.set_axis_off()
    drawn = block[block["side"].isin(sides)]
    for place, (own, side) in enumerate(zip(axes, sides, strict=False)):
        panel(own, drawn[drawn["side"] == side], drawn)
        own.set_title(caption(comparison, side), fontsize=8, fontweight="normal", color=MUTED, pad=5)
        if place % columns:
            own.tick_params(labelleft=False)
            own.set_ylabel("")
    workload, kind, size = block[["workload", "kind", "size"]].iloc[0]
    axes[0].annotate(
        short(f"{workload}  ({kind}, {size})", 60),
        (0, 1),
        (0, 33),
        xycoords="axes fraction",
        textcoords="offset points",
        weight="bold",
        size=9.5,
    )


def caption(comparison: Comparison, side: str) -> str:
    """The bundle and below it the runtime; the whole name of a side that has not told them."""
    known = next((one for one in comparison.sides if one["side"] == side), {})
    parts = [known.get("bundle") or side, known.get("runtime") or ""]
    return "\n".join(short(str(part), LETTERS) for part in parts)


def panel(axes: Axes, own: pd.DataFrame, block: pd.DataFrame) -> None:
    """One side's curves, on axes that those of every side fit."""
    counts = sorted(block["workers"].astype(int).unique())
    workers_axis(axes, thinned(counts))
    speedup_axis(axes, block)
    ideal = np.geomspace(*axes.get_xlim(), 40)
    axes.plot(ideal, ideal, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.1, zorder=1)
    limit = own[own["strategy"] == "ceiling"].sort_values("workers")
    limits(axes, limit, limit["workers"])
    names = sorted((name for name in own["strategy"].unique() if name != "ceiling"), key=order)
    for place, name in enumerate(names):
        line = own[own["strategy"] == name].sort_values("workers")
        aside = 2 ** (0.035 * (place - (len(names) - 1) / 2))
        intervals(axes, line, line["workers"] * aside, look(name))
    axes.axhline(1, color=INK, linewidth=1, zorder=1)
    finish(axes)


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
