"""How long does the same work take with each strategy?"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine

from gilscope.figures import Results
from gilscope.figures._look import INK, MUTED, look
from gilscope.figures._panels import WIDTH, finish, hollow_note, nothing, panel_title

TITLE = "Time by strategy at the largest size"
MOST_ROWS = 16
WIDE = 15
"""Times further apart than this factor are drawn on a logarithmic axis."""


def blocks(results: Results) -> dict[tuple[str, str], pd.DataFrame]:
    """The times of each panel, by runtime and workload: computing first, long lists beside long lists."""
    times = results.at_largest_size("seconds")
    found = {(str(key[0]), str(key[1])): block for key, block in times.groupby(["runtime", "workload"], sort=True)}
    found = {key: block for key, block in found.items() if (block["strategy"] != "sequential").any()}
    return dict(sorted(found.items(), key=lambda item: (item[1]["kind"].iloc[0], -len(rows(item[1])), item[0])))


def rows(block: pd.DataFrame) -> pd.DataFrame:
    """The cells of a panel, fastest first; of a long sweep only each strategy's fastest worker count."""
    cells = block[block["strategy"] != "sequential"].sort_values(["estimate", "strategy"])
    if len(cells) > MOST_ROWS:
        cells = cells.drop_duplicates(["strategy", "pool"])
    return cells.head(MOST_ROWS)


def draw(results: Results) -> Figure:
    found = blocks(results)
    if not found:
        return nothing("No times: no block has been measured.")
    items = list(found.items())
    pairs = [items[first : first + 2] for first in range(0, len(items), 2)]
    heights = [max(len(rows(block)) for _, block in pair) + 4.2 for pair in pairs]
    figure = plt.figure(
        figsize=(WIDTH, 0.2 * sum(heights) + 0.4), layout=ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.07)
    )
    grid = GridSpec(len(pairs), 2, figure, height_ratios=heights)
    several = len({runtime for runtime, _ in found}) > 1
    for line, pair in enumerate(pairs):
        for column, ((runtime, workload), block) in enumerate(pair):
            axes = figure.add_subplot(grid[line, column])
            panel(axes, block)
            kind, size = block[["kind", "size"]].iloc[0]
            axes.set_title(panel_title(runtime, workload, kind, size, several), loc="left", pad=16)
    shown = pd.concat(found.values())
    long = any(len(rows(block)) < len(block) - 1 for block in found.values())
    note = "Bar: 95 % interval. Vertical line: one task after the other."
    note += " Long lists: each strategy at its fastest worker count." if long else ""
    figure.supxlabel(f"{note} {hollow_note(shown)}", x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure


def panel(axes: Axes, block: pd.DataFrame) -> None:
    cells = rows(block)
    reference = block[block["strategy"] == "sequential"].head(1)
    every = pd.concat([cells, reference])
    factor, unit = sensible_unit(float(every["estimate"].median()))
    highest = float(np.nanmax(every[["estimate", "high"]].to_numpy(float))) * factor
    lowest = float(np.nanmin(every[["estimate", "low"]].to_numpy(float))) * factor
    for place, cell in enumerate(cells.to_dict("records")):
        row(axes, cell, place, factor)
    for cell in reference.to_dict("records"):
        axes.axvspan(cell["low"] * factor, cell["high"] * factor, color=INK, alpha=0.13, linewidth=0)
        axes.axvline(cell["estimate"] * factor, color=INK, linewidth=1.1)
        right = cell["estimate"] * factor > highest / 2
        axes.annotate(
            f"sequential {three_digits(cell['estimate'] * factor)} {unit}",
            (cell["estimate"] * factor, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=7.5,
        )
    scale = ""
    if lowest > 0 and highest / lowest > WIDE:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        scale = ", logarithmic"
    else:
        axes.set_xlim(0, highest * 1.06)
    axes.set_xlabel(f"{unit} for {tasks(block)} tasks{scale}")
    axes.set_yticks(range(len(cells)), [cell_label(cell) for cell in cells.to_dict("records")])
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.grid(False, axis="y")
    finish(axes)


def row(axes: Axes, cell: dict[Hashable, Any], place: int, factor: float) -> None:
    """One cell's time, lying: the interval along the x axis."""
    drawn = look(cell["strategy"])
    known = pd.notna(cell["low"]) and pd.notna(cell["high"])
    if known:
        axes.hlines(place, cell["low"] * factor, cell["high"] * factor, color=drawn.colour, linewidth=2)
    axes.plot(
        cell["estimate"] * factor,
        place,
        marker=drawn.marker,
        color=drawn.colour,
        markerfacecolor=drawn.colour if known else "none",
        linestyle="none",
    )


def cell_label(cell: dict[Hashable, Any]) -> str:
    name = {"ceiling": "processes by hand"}.get(cell["strategy"], cell["strategy"])
    if cell["strategy"] == "ceiling" and cell["pool"] == "warm":
        name = "machine's limit"
    return f"{name} × {cell['workers']:.0f}" + (", warm" if cell["pool"] == "warm" and name == cell["strategy"] else "")


def tasks(block: pd.DataFrame) -> str:
    return f"{block['tasks'].iloc[0]:.0f}" if pd.notna(block["tasks"].iloc[0]) else "all"


def sensible_unit(seconds: float) -> tuple[float, str]:
    """What to multiply seconds by, and the unit that this gives, for times of this order."""
    if seconds >= 1:
        return 1.0, "s"
    return (1e3, "ms") if seconds >= 1e-3 else (1e6, "µs")


def three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def alt(results: Results) -> str:
    found = blocks(results)
    if not found:
        return "Nothing has been measured yet."
    parts = []
    for (runtime, workload), block in found.items():
        fastest = rows(block).to_dict("records")[0]
        factor, unit = sensible_unit(fastest["estimate"])
        parts.append(
            f"{workload} on {runtime}: fastest {cell_label(fastest)}, {fastest['estimate'] * factor:.3g} {unit}"
        )
    return "Time of each strategy, a panel per workload. " + "; ".join(parts) + "."
