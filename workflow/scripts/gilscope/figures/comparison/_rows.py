"""Rows that have a number from every side: each side a marker, or of many sides the distribution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from gilscope.figures._axes import duration
from gilscope.figures._look import GRID, INK, MUTED, Look
from gilscope.figures._panels import factor, legend_columns, lying, panels
from gilscope.figures._panels import rows_axis as labelled
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._sides import LOOKS, MOST, NO_WORDS, key, looks, short

ROW_INCHES, SIDE_INCHES, MANY_INCHES, LINE_INCHES = 0.17, 0.075, 0.34, 0.18
"""What a row takes, each side in it, a row that shows a distribution, and a line of text."""
MOST_LOOSE = 40
"""Where more sides than this are drawn as a distribution, only those beyond its quarters are dots."""
Axis = Callable[[Axes, pd.DataFrame], None]
DISTRIBUTION = "Line: lowest to highest side. Thick: the middle half of the sides, with the median. Dots: sides."
BASELINE = " Dark dot: the baseline."


@dataclass(frozen=True)
class Drawn:
    """The figure, and the panel of each group of rows. sides: those that have a look of their own."""

    figure: Figure
    axes: dict[str, Axes]
    sides: dict[str, Look]

    def finish(self, note: str, words: Mapping[str, str] = NO_WORDS, extra: Sequence[Line2D] = ()) -> Figure:
        """Add the legend and the note. words: what to add to a side's name."""
        handles = [*key(self.sides, words), *extra]
        lines = 0
        if handles:
            columns = legend_columns([str(handle.get_label()) for handle in handles])
            self.figure.legend(handles=handles, loc="outside upper left", ncols=columns, handlelength=1.4)
            lines = math.ceil(len(handles) / columns)
        self.figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=MUTED)
        self.figure.set_figheight(self.figure.get_figheight() + LINE_INCHES * (lines + note.count("\n")))
        return self.figure


def draw_rows(
    comparison: Comparison,
    points: pd.DataFrame,
    groups: Mapping[str, Sequence[str]],
    axis: Axis,
    *,
    columns: int = 1,
    alike: bool = True,
) -> Drawn:
    """Draw rows of sides in panels.

    points: ``group``, ``row``, ``side``, ``estimate``, ``low``, ``high``. groups: title of a panel → its rows, the
    first on top. axis: sets the x axis up for the points that it is given. alike: whether the panels share it.
    """
    found = set(points["side"])
    sides = [name for name in comparison.names if name in found]
    few = len(sides) <= MOST
    drawn = looks(comparison, sides) if few else {}
    inches = ROW_INCHES + SIDE_INCHES * len(sides) if few else MANY_INCHES
    titles = list(groups)
    columns = min(columns, len(titles))
    lines = [titles[start : start + columns] for start in range(0, len(titles), columns)]
    heights = [0.75 + inches * max(len(groups[title]) for title in line) for line in lines]
    figure, flat = panels(len(titles), columns, heights)
    placed = dict(zip(titles, flat, strict=True))
    for number, (title, axes) in enumerate(placed.items()):
        own = points[points["group"] == title]
        rows = list(groups[title])
        axis(axes, points if alike else own)
        if few:
            markers(axes, own, rows, drawn)
        else:
            distributions(axes, own, rows, comparison.names[0])
        labelled(axes, [short(row) for row in rows])
        separate(axes, len(rows))
        axes.set_title(short(title, 60))
        same = number % columns and groups[titles[number - 1]] == groups[title]
        axes.tick_params(labelleft=not same)
    return Drawn(figure, placed, drawn)


def aside(place: int, count: int) -> float:
    """How far from the middle of its row a side lies, in rows."""
    room = SIDE_INCHES * count / (ROW_INCHES + SIDE_INCHES * count)
    return room * (place - (count - 1) / 2) / max(count, 1)


def markers(axes: Axes, points: pd.DataFrame, rows: Sequence[str], sides: Mapping[str, Look]) -> None:
    for place, (side, drawn) in enumerate(sides.items()):
        own = points[(points["side"] == side) & points["row"].isin(rows) & points["estimate"].notna()]
        lying(axes, own, [rows.index(row) + aside(place, len(sides)) for row in own["row"]], drawn)


def distributions(axes: Axes, points: pd.DataFrame, rows: Sequence[str], baseline: str) -> None:
    for y, row in enumerate(rows):
        own = points[points["row"] == row]
        values = own["estimate"].to_numpy(float)
        values = np.sort(values[np.isfinite(values)])
        if not len(values):
            continue
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        loose = values if len(values) <= MOST_LOOSE else values[(values < low) | (values > high)]
        axes.hlines(y, values[0], values[-1], color=MUTED, linewidth=1, zorder=2)
        axes.hlines(y, low, high, color=LOOKS[2].colour, linewidth=6, alpha=0.55, zorder=2)
        axes.plot(loose, np.full(len(loose), y), **dot(LOOKS[2].colour, 3.2, 0.55))
        axes.plot(middle, y, marker="|", markersize=12, markeredgewidth=2.2, color=LOOKS[2].colour, zorder=5)
        ours = own.loc[own["side"] == baseline, "estimate"]
        axes.plot(ours, np.full(len(ours), y), **dot(INK, 4.5, 1))


def dot(colour: str, size: float, alpha: float) -> dict[str, Any]:
    return {
        "linestyle": "none",
        "marker": "o",
        "color": colour,
        "markersize": size,
        "markeredgewidth": 0,
        "alpha": alpha,
        "zorder": 4,
    }


def extremes(axes: Axes, points: pd.DataFrame, rows: Sequence[str], said: Callable[[float], str]) -> None:
    """Beside each row who is lowest and who is highest, where sides have no markers of their own."""
    for y, row in enumerate(rows):
        own = points[(points["row"] == row) & points["estimate"].notna()].sort_values("estimate")
        if len(own):
            ends = [own.iloc[0], own.iloc[-1]]
            words = "\n".join(f"{said(end['estimate'])} {short(str(end['side']), 30)}" for end in ends)
            axes.annotate(
                words,
                (1, y),
                (8, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                va="center",
                fontsize=7,
                color=MUTED,
                annotation_clip=False,
                linespacing=1.15,
            )


def separate(axes: Axes, rows: int) -> None:
    for row in range(1, rows):
        axes.axhline(row - 0.5, color=GRID, linewidth=0.8, zorder=0)


def ends(points: pd.DataFrame) -> tuple[float, float]:
    """The lowest and the highest number that has to be drawn; 1 and 1 where there is none."""
    values = points[["estimate", "low", "high"]].to_numpy(float)
    values = values[np.isfinite(values) & (values > 0)]
    return (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)


def ratio_axis(axes: Axes, points: pd.DataFrame, label: str) -> None:
    """A logarithmic axis of ratios with 1 on it, with round numbers where it spans little."""
    lowest, highest = ends(points)
    lowest, highest = min(0.9, lowest / 1.08), max(1.1, highest * 1.08)
    axes.axvline(1, color=INK, linewidth=1, zorder=1)
    axes.set_xscale("log", base=2)
    axes.set_xlim(lowest, highest)
    octaves = math.log2(highest / lowest)
    if octaves > 2.5:
        axes.xaxis.set_major_locator(LogLocator(base=2 ** max(1, round(octaves / 6))))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: factor(value)))
    else:
        found = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(lowest, highest)
        axes.xaxis.set_major_locator(FixedLocator([tick for tick in found if lowest <= tick <= highest]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}×"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(f"{label} (logarithmic)")


def time_axis(axes: Axes, points: pd.DataFrame, label: str) -> None:
    """A logarithmic axis of times, a decade wide at least."""
    lowest, highest = ends(points)
    wider = max(1.3, math.sqrt(10 * lowest / highest))
    lowest, highest = lowest / wider, highest * wider
    axes.set_xscale("log")
    axes.set_xlim(lowest, highest)
    decades = math.log10(highest / lowest)
    subs = (1.0, 2.0, 5.0) if decades < 1.4 else (1.0, 3.0) if decades < 2.6 else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=subs, numticks=5 if decades > 4 else 12))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.set_xlabel(f"{label}, logarithmic")


def hollow(points: pd.DataFrame, few: bool, things: str = "rounds") -> str:
    """What a hollow marker means, where there is one."""
    missing = few and points[["low", "high"]].isna().any(axis=None)
    return f" Hollow: fewer than 3 {things}, so no interval." if missing else ""


def middle_words(points: pd.DataFrame, said: Callable[[float], str]) -> list[str]:
    """For those who do not see it: a row in words, the sides' lowest, median and highest with their names."""
    told = []
    for (group, row), own in points.groupby(["group", "row"], sort=False):
        name = f"{row}, {group}" if group else str(row)
        ranked = own.sort_values("estimate")
        least, most = ranked.iloc[0], ranked.iloc[-1]
        if len(own) == 1:
            told.append(f"{name}: {said(least['estimate'])} on {least['side']}")
            continue
        middle = f", median {said(own['estimate'].median())}" if len(own) > 2 else ""
        told.append(
            f"{name}: from {said(least['estimate'])} on {least['side']} to {said(most['estimate'])} on "
            f"{most['side']}{middle}"
        )
    return told
