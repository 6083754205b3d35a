"""Small multiples: the parts that several figures draw alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from gilscope.figures._look import INK, MUTED, PAPER, Look, look, order

WIDTH = 9.6
MOST_LINES = 7
WIDE = 15
"""Times further apart than this factor are drawn on a logarithmic axis."""
LEGEND_CHARACTERS = 122
HANDLE_CHARACTERS = 6
"""What the sample of a line takes in a legend, in characters, and how many of them a figure is wide."""
ROOM = 1.3
"""How far an axis of workers goes on beyond its first and last count."""


def panels(
    count: int, columns: int = 3, height: float | Sequence[float] = 2.55, width: float = WIDTH
) -> tuple[Figure, list[Axes]]:
    """A figure with room for this many panels. height: inches of every row of them, or of each."""
    columns = min(columns, max(count, 2))
    rows = math.ceil(count / columns)
    heights = [height] * rows if isinstance(height, (int, float)) else list(height)
    layout = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09, hspace=0.06)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(width, sum(heights) + 0.75),
        squeeze=False,
        layout=layout,
        gridspec_kw={"height_ratios": heights},
    )
    flat = list(axes.flat)
    for spare in flat[count:]:
        spare.set_axis_off()
    return figure, flat[:count]


def nothing(reason: str) -> Figure:
    """A figure that says what is missing instead of showing it."""
    figure = plt.figure(figsize=(WIDTH, 1.4))
    figure.text(0.5, 0.5, reason, ha="center", va="center", color=MUTED, fontsize=10)
    return figure


def intervals(axes: Axes, points: pd.DataFrame, x: Iterable[float], drawn: Look, *, line: bool = True) -> None:
    """Estimates with their intervals; hollow where there are too few rounds for one."""
    across, estimate = np.asarray(list(x), float), points["estimate"].to_numpy(float)
    low, high = points["low"].to_numpy(float), points["high"].to_numpy(float)
    known = np.isfinite(low) & np.isfinite(high)
    if line and len(across) > 1:
        axes.plot(across, estimate, color=drawn.colour, zorder=3)
        axes.fill_between(across, low, high, where=known, color=drawn.colour, alpha=0.16, linewidth=0, zorder=2)
    axes.vlines(across[known], low[known], high[known], color=drawn.colour, linewidth=1.3, zorder=3)
    for which, face in ((known, drawn.colour), (~known, PAPER)):
        axes.plot(
            across[which],
            estimate[which],
            linestyle="none",
            marker=drawn.marker,
            markerfacecolor=face,
            markeredgecolor=drawn.colour,
            zorder=4,
        )


def limits(axes: Axes, points: pd.DataFrame, x: Iterable[float]) -> None:
    """The machine's limit with its intervals, grey and behind everything that is measured against it."""
    across, grey = np.asarray(list(x), float), look("ceiling").colour
    if len(across) > 1:
        axes.plot(across, points["estimate"], color=grey, linewidth=5, alpha=0.45, zorder=1.5)
    axes.errorbar(
        across,
        points["estimate"],
        [points["estimate"] - points["low"], points["high"] - points["estimate"]],
        color=grey,
        linestyle="none",
        marker="_",
        markersize=16,
        markeredgewidth=4,
        alpha=0.6,
        zorder=1.5,
    )


def lying(axes: Axes, points: pd.DataFrame, y: Iterable[float], drawn: Look) -> None:
    """Estimates beneath each other with their intervals along the x axis; hollow where there are too few rounds."""
    for place, row in zip(y, points.to_dict("records"), strict=True):
        known = pd.notna(row["low"]) and pd.notna(row["high"])
        if known:
            axes.hlines(place, row["low"], row["high"], color=drawn.colour, linewidth=2, zorder=3)
        # A dash would vanish in an interval that lies, and cannot be hollow.
        marker = drawn.marker if drawn.marker != "_" else "|" if known else "o"
        axes.plot(
            row["estimate"],
            place,
            linestyle="none",
            marker=marker,
            markerfacecolor=drawn.colour if known else PAPER,
            markeredgecolor=drawn.colour,
            zorder=4,
        )


def rows_axis(axes: Axes, labels: Sequence[str]) -> None:
    """A row for each label, the first on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(False, axis="y")
    finish(axes)


def ratio_axis(axes: Axes, points: pd.DataFrame, label: str) -> None:
    """An x axis for ratios with 1 as a line; logarithmic where they lie further apart than a factor of four.

    It says which it is, since a reader takes an axis for one that begins at 0.
    """
    values = points[["estimate", "low", "high"]].to_numpy(float)
    values = values[np.isfinite(values) & (values > 0)]
    lowest, highest = min(0.9, values.min(initial=1) / 1.06), max(1.1, values.max(initial=1) * 1.06)
    axes.axvline(1, color=INK, linewidth=1, zorder=1)
    if highest / lowest > 4:
        octaves = math.log2(highest / lowest)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(LogLocator(base=2 ** max(1, round(octaves / 4))))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: factor(value)))
        label += " (logarithmic)"
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}×"))
        label += " (axis not from 0)"
    axes.set_xlim(lowest, highest)
    axes.set_xlabel(label)


def speedup_axis(axes: Axes, points: pd.DataFrame, at_least: tuple[float, float] = (0.75, 2.4)) -> None:
    """A logarithmic axis for speedups, so that twice as fast and half as fast lie equally far from 1."""
    values = points[["estimate", "low", "high"]].to_numpy(float)
    values = values[np.isfinite(values) & (values > 0)]
    lowest, highest = (values.min(), values.max()) if len(values) else at_least
    axes.set_yscale("log", base=2)
    axes.set_ylim(min(at_least[0], lowest / 1.2), max(at_least[1], highest * 1.25))
    octaves = math.log2(axes.get_ylim()[1] / axes.get_ylim()[0])
    axes.yaxis.set_major_locator(LogLocator(base=2 ** max(1, round(octaves / 5))))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: factor(value)))
    axes.set_ylabel("speedup")
    axes.axhline(1, color=INK, linewidth=1, zorder=1)


def workers_axis(axes: Axes, counts: Sequence[int], label: str = "workers") -> None:
    """A logarithmic x axis with a tick at each of these counts."""
    axes.set_xscale("log", base=2)
    axes.set_xlim(counts[0] / ROOM, counts[-1] * ROOM)
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(label)


def most_cores(points: pd.DataFrame) -> float:
    """Where an axis of effective cores from 0 ends: above all of these, and at 2 at least."""
    return max(2.0, 1.05 * float(np.nanmax(points[["estimate", "high"]].to_numpy(float), initial=0)))


def factor(value: float) -> str:
    """``2×``, and ``1/4×`` below 1."""
    return f"{value:.3g}×" if value >= 1 else f"1/{1 / value:.3g}×"


def legend(figure: Figure, names: Iterable[str], extra: Iterable[Line2D] = (), note: str = "") -> None:
    """One key for all panels, above them."""
    handles = [
        Line2D([], [], color=look(name).colour, marker=look(name).marker, label=name)
        for name in sorted(names, key=order)
    ]
    handles += extra
    room = round(LEGEND_CHARACTERS * figure.get_figwidth() / WIDTH)
    ncols = legend_columns([str(handle.get_label()) for handle in handles], room)
    figure.legend(handles=handles, loc="outside upper left", ncols=ncols, handlelength=2.4)
    if note:
        figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=MUTED)


def legend_columns(labels: Sequence[str], room: int = LEGEND_CHARACTERS) -> int:
    """The most columns, up to six, in which labels of these lengths fit beside each other, filled column by column.

    room: how many characters wide the figure is.
    """
    for columns in range(6, 1, -1):
        filled = [list(part) for part in np.array_split(np.asarray(labels, dtype=object), columns)]
        if sum(max(map(len, column)) + HANDLE_CHARACTERS for column in filled if column) <= room:
            return columns
    return 1


def hollow_note(points: pd.DataFrame) -> str:
    """What a hollow marker means, where there is one."""
    missing = points[["low", "high"]].isna().any(axis=None)
    return "Hollow: fewer than 3 rounds, so no interval." if missing else ""


def finish(axes: Axes) -> None:
    sns.despine(ax=axes, left=True)
    axes.set_axisbelow(True)
