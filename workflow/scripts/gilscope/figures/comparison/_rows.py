"""Rows that have a number from every side: each side a marker, or of many sides the distribution."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import seaborn.objects as so
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilscope.figures._axes import Axis
from gilscope.figures._axes import rows as row_axis
from gilscope.figures._grammar import beside, bounded, estimates, finish, hollow, inner, panels, sample
from gilscope.figures._look import GRID, INK, MUTED, Look
from gilscope.figures._marks import Interval
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._sides import LOOKS, MOST, NO_WORDS, looks, short

ROW_INCHES, SIDE_INCHES, MANY_INCHES = 0.17, 0.075, 0.34
"""What a row takes, each side in it, and a row that shows a distribution."""
MOST_LOOSE = 40
"""Where more sides than this are drawn as a distribution, only those beyond its quarters are dots."""
DISTRIBUTION = "Line: lowest to highest side. Thick: the middle half of the sides, with the median. Dots: sides."
BASELINE = " Dark dot: the baseline."
CROWD = LOOKS[2].colour


@dataclass(frozen=True)
class Drawn:
    """The figure, and the panel of each group of rows. sides: those that have a look of their own."""

    figure: Figure
    axes: dict[str, Axes]
    sides: dict[str, Look]

    def finish(self, note: str, words: Mapping[str, str] = NO_WORDS, extra: Sequence[Line2D] = ()) -> Figure:
        """Add the key and the note. words: what to add to a side's name."""
        key = [sample(short(name) + words.get(name, ""), one, linestyle="none") for name, one in self.sides.items()]
        return finish(self.figure, [*key, *extra], note, handle=1.4)

    def explained(self, note: str, points: pd.DataFrame, things: str, words: Mapping[str, str] = NO_WORDS) -> Figure:
        """Finish with what the marks are: sides with their intervals, or how many sides are spread."""
        marks = f" Bar: 95 % interval. {hollow(points, things)}" if self.sides else f"\n{DISTRIBUTION}{BASELINE}"
        return self.finish(note + marks, words)


def draw_rows(
    comparison: Comparison,
    points: pd.DataFrame,
    groups: Mapping[str, Sequence[str]],
    axis: Callable[[pd.DataFrame], Axis],
    *,
    columns: int = 1,
    alike: bool = True,
) -> Drawn:
    """Draw rows of sides in panels.

    points: ``group``, ``row``, ``side``, ``estimate``, ``low``, ``high``; ``sign``, a marker, where not all of a side
    have the same. groups: title of a panel → its rows, the first on top. axis: the x axis that these points fit.
    alike: whether the panels share it.
    """
    sides = [name for name in comparison.names if name in set(points["side"])]
    drawn = looks(comparison, sides) if len(sides) <= MOST else {}
    titles, columns = list(groups), min(columns, len(groups))
    shown = points[points["group"].isin(titles)]
    at = shown["group"].map(titles.index)
    y = [list(groups[group]).index(row) for group, row in zip(shown["group"], shown["row"], strict=True)]
    shown = shown.assign(name=shown["row"], row=at // columns, col=at % columns, y=y)
    inches = ROW_INCHES + SIDE_INCHES * len(sides) if drawn else MANY_INCHES
    lines = [titles[start : start + columns] for start in range(0, len(titles), columns)]
    heights = [0.78 + inches * max(len(groups[title]) for title in line) for line in lines]
    plot = markers(shown, drawn) if drawn else distributions(shown, comparison.names[0])
    figure, places = panels(plot, heights, columns)
    placed = dict(zip(titles, itertools.chain(*places), strict=False))
    for number, (title, axes) in enumerate(placed.items()):
        axis(points if alike else points[points["group"] == title]).lay(axes, "x")
        row_axis([short(row) for row in groups[title]]).lay(axes, "y")
        for row in range(1, len(groups[title])):
            axes.axhline(row - 0.5, color=GRID, linewidth=0.8, zorder=0)
        axes.set_title(short(title, 60))
        if number % columns and groups[titles[number - 1]] == groups[title]:
            inner(axes)
    return Drawn(figure, placed, drawn)


def markers(points: pd.DataFrame, sides: Mapping[str, Look]) -> so.Plot:
    interval = Interval(apart=72 * SIDE_INCHES, width=2)
    plot = estimates(points, "y", "side", sides, lying=True)
    if "sign" not in points:
        return plot.add(interval)
    signs = list(dict.fromkeys(points["sign"]))
    return plot.add(interval, marker="sign").scale(marker=so.Nominal(signs, order=signs))


def distributions(points: pd.DataFrame, baseline: str) -> so.Plot:
    """Of the sides of each row the ends, the quarters and the median, and those beyond the quarters as dots."""
    points = bounded(points)
    values = points.groupby(["row", "col", "y"])["estimate"]
    low, high = (values.transform("quantile", share) for share in (0.25, 0.75))
    loose = ~points["estimate"].between(low, high) | (values.transform("size") <= MOST_LOOSE)
    dot: dict[str, Any] = {"edgewidth": 0, "artist_kws": {"zorder": 4}}
    return (
        so.Plot(points, x="estimate", y="y")
        .add(so.Range(color=MUTED, linewidth=1), orient="y")
        .add(so.Range(color=CROWD, linewidth=6, alpha=0.55), so.Perc([25, 75]), orient="y")
        .add(so.Dot(color=CROWD, pointsize=3.2, alpha=0.55, **dot), data=points[loose])
        .add(so.Dot(color=CROWD, marker="|", pointsize=12, stroke=2.2), so.Agg("median"), orient="y")
        .add(so.Dot(color=INK, pointsize=4.5, **dot), data=points[points["side"] == baseline])
    )


def write_beside(axes: Axes, points: pd.DataFrame, rows: Iterable[str], said: Callable[[pd.DataFrame], str]) -> None:
    """Beside each row some words about its points."""
    for y, row in enumerate(rows):
        own = points[points["row"] == row]
        if len(own):
            beside(axes, y, said(own), linespacing=1.15)


def extremes(points: pd.DataFrame, said: Callable[[float], str]) -> str:
    """Who is lowest and who is highest, a line each."""
    ranked = points[points["estimate"].notna()].sort_values("estimate")
    ends = ranked.iloc[[0, -1]].to_dict("records") if len(ranked) else []
    return "\n".join(f"{said(end['estimate'])} {short(str(end['side']), 30)}" for end in ends)


def middle_words(points: pd.DataFrame, said: Callable[[float], str]) -> list[str]:
    """For those who do not see it: a row in words, the sides' lowest, median and highest with their names."""
    told = []
    for (group, row), own in points.groupby(["group", "row"], sort=False):
        name = f"{row}, {group}" if group else str(row)
        ranked = own.sort_values("estimate")
        least, most = (f"{said(end['estimate'])} on {end['side']}" for end in ranked.iloc[[0, -1]].to_dict("records"))
        middle = f", median {said(own['estimate'].median())}" if len(own) > 2 else ""
        told.append(f"{name}: from {least} to {most}{middle}" if len(own) > 1 else f"{name}: {least}")
    return told
