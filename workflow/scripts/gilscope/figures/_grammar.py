"""How a figure is declared: a table of estimates, mapped in seaborn's grammar, in panels on the shared theme.

``estimates(...)`` maps a table, ``.add(Interval(...))`` says how it is drawn, ``panels(...)`` draws it into panels, an
``Axis`` of ``_axes`` is laid on each, and ``finish`` adds the key and the note. ``speed.py`` is the shortest example.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import seaborn.objects as so
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from gilscope.figures._look import MUTED, Look, look, order
from gilscope.figures._runtimes import named
from gilscope.figures._svg import SETTINGS

WIDTH = 9.6
"""Inches of a figure."""
MOST_COLUMNS = 4
"""How many panels there is room for beside each other."""
MOST_LINES = 7
"""How many lines a panel has room for."""
LINE_INCHES = 0.17
"""What each more line of the key and of the note adds to a figure."""
LEGEND_CHARACTERS, HANDLE_CHARACTERS = 122, 6
"""How many characters a figure is wide in its key, and how many of them the sample of a line takes."""
IDEAL: dict[str, Any] = {"color": MUTED, "linestyle": (0, (4, 3)), "linewidth": 1.1}
PANEL = {"row": "row", "col": "col"}
LIMIT: dict[str, Any] = {"color": look("ceiling").colour, "linewidth": 5, "alpha": 0.45}


def nothing(reason: str) -> Figure:
    """A figure that says what is missing instead of showing it."""
    figure = plt.figure(figsize=(WIDTH, 1.4))
    figure.text(0.5, 0.5, reason, ha="center", va="center", color=MUTED, fontsize=10)
    return figure


def bounded(points: pd.DataFrame) -> pd.DataFrame:
    """The points that have an estimate, numbered anew; ``known`` says whether there is an interval.

    Where there is none both bounds are the estimate, since seaborn leaves out a row with a gap. ``row`` and ``col``
    of its panel are 0 where they are not told.
    """
    points = points[points["estimate"].notna()].reset_index(drop=True)
    known = points["low"].notna() & points["high"].notna()
    bounds = {name: points[name].astype(float).where(known, points["estimate"]) for name in ("low", "high")}
    places = {name: 0 for name in ("row", "col") if name not in points}
    return points.assign(known=known, **bounds, **places)


def mapped(along: str, by: str, lying: bool = False) -> dict[str, str]:
    """Which columns of ``bounded`` points are seaborn's x, y, colour and so on. lying: intervals run along x."""
    across, value = ("y", "x") if lying else ("x", "y")
    bounds = {across: along, value: "estimate", f"{value}min": "low", f"{value}max": "high"}
    return {**bounds, **PANEL, "color": by, "marker": by, "fill": "known"}


def only(lying: bool = False, **variables: str) -> dict[str, str | None]:
    """What a layer with a table of its own maps in a plot of ``estimates``: its panel and these."""
    return {**dict.fromkeys(mapped("", "", lying)), **PANEL, **variables}


def layer(points: pd.DataFrame, along: str, by: str, lying: bool = False) -> dict[str, Any]:
    """More estimates in a plot whose intervals stand, from a table of their own. lying: those of these lie."""
    others = dict.fromkeys(("ymin", "ymax")) if lying else {}
    return {"data": bounded(points), **others, **mapped(along, by, lying)}


def estimates(
    points: pd.DataFrame, along: str, by: str, looks: Mapping[str, Look] | None = None, *, lying: bool = False
) -> so.Plot:
    """Estimates with their intervals along a column, in the colours and markers of another, with no mark yet.

    points: ``estimate``, ``low``, ``high``; where there are several panels, ``row`` and ``col``, numbers from 0.
    looks: of each value of ``by``, in the order in which they lie beside each other; else strategies'. lying: intervals
    run along x, and ``along`` runs downwards.
    """
    drawn = {**(looks or looks_of(points[by])), "ceiling": look("ceiling")}
    scales = [{name: getattr(one, kind) for name, one in drawn.items()} for kind in ("colour", "marker")]
    variables = {name: column for name, column in mapped(along, by, lying).items() if name not in PANEL}
    return so.Plot(bounded(points), **variables).scale(
        color=so.Nominal(scales[0], order=list(drawn)),
        marker=so.Nominal(scales[1], order=list(drawn)),
        # Else it is what comes first that is filled, as soon as another layer has more rows.
        fill=so.Nominal({True: True, False: False}),
    )


def looks_of(strategies: Iterable[str]) -> dict[str, Look]:
    """The looks of these strategies, each once, in the order of all figures; the machine's limit is none of them."""
    return {name: look(name) for name in sorted(set(strategies) - {"ceiling"}, key=order)}


def panels(
    plot: so.Plot, heights: Sequence[float], columns: int = 1, *, width: float = WIDTH, spare: float = 0.75
) -> tuple[Figure, list[list[Axes]]]:
    """Draw a plot into a figure of rows and columns of panels; one that no point is in is left empty.

    heights: inches of each row. spare: inches for the key and the note.
    """
    layout = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09, hspace=0.06)
    figure = plt.figure(figsize=(width, sum(heights) + spare), layout=layout)
    order = {"row": list(range(len(heights))), "col": list(range(columns))}
    plot = plot.facet(col="col", row="row", order=order).share(x=False, y=False)
    plot.theme({**sns.axes_style("whitegrid"), **SETTINGS}).on(figure).plot()
    figure.legends.clear()  # seaborn's own key, whose place cannot be chosen
    if grid := figure.axes[0].get_gridspec():
        grid.set_height_ratios(heights)
    for axes in figure.axes:
        axes.set(title="", xlabel="", ylabel="", axisbelow=True)
        sns.despine(ax=axes, left=True)
        if not axes.has_data():
            axes.set(xticks=[], yticks=[])
            axes.set_axis_off()
    return figure, [figure.axes[start : start + columns] for start in range(0, len(figure.axes), columns)]


def placed(number: int, columns: int) -> dict[str, int]:
    """The panel of this number, counted line by line from 0, as ``row`` and ``col``."""
    return {"row": number // columns, "col": number % columns}


def ideal(axes: Axes) -> None:
    """The line on which something grows as its x axis does."""
    ends = np.geomspace(*axes.get_xlim(), 40)
    axes.plot(ends, ends, zorder=1, **IDEAL)


def inner(axes: Axes) -> None:
    """To the left of this panel is one with the same rows or the same y axis."""
    axes.tick_params(labelleft=False)
    axes.set_ylabel("")


def beside(axes: Axes, y: float, words: str, **style: Any) -> None:
    """Words to the right of a panel, at a row of it."""
    common = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "annotation_clip": False}
    axes.annotate(words, (1, y), (8, 0), va="center", **{"fontsize": 7, "color": MUTED, **common, **style})


def sample(label: str, drawn: Look | None = None, **style: Any) -> Line2D:
    """What stands for something in the key: a strategy's look, or any other line."""
    look = {"color": drawn.colour, "marker": drawn.marker} if drawn else {}
    return Line2D([], [], label=label, **{**look, **style})


def samples(looks: Mapping[str, Look], **style: Any) -> list[Line2D]:
    return [sample(name, one, **style) for name, one in looks.items()]


def finish(figure: Figure, key: Sequence[Line2D] = (), note: str = "", *, handle: float = 2.4, most: int = 6) -> Figure:
    """Add one key for all panels above them, and the note below: how to read it, and what it leaves out."""
    more = note.strip().count("\n")
    if key:
        room = round(LEGEND_CHARACTERS * figure.get_figwidth() / WIDTH)
        columns = key_columns([str(one.get_label()) for one in key], room, most)
        figure.legend(handles=list(key), loc="outside upper left", ncols=columns, handlelength=handle)
        more += math.ceil(len(key) / columns) - 1
    if note:
        figure.supxlabel(note.strip(), x=0.01, ha="left", fontsize=8, color=MUTED)
    figure.set_figheight(figure.get_figheight() + LINE_INCHES * more)
    return figure


def key_columns(labels: Sequence[str], room: int = LEGEND_CHARACTERS, most: int = 6) -> int:
    """The most columns in which labels of these lengths fit beside each other, filled column by column.

    room: how many characters wide the figure is.
    """
    for columns in range(most, 1, -1):
        filled = [list(part) for part in np.array_split(np.asarray(labels, dtype=object), columns)]
        if sum(max(map(len, column)) + HANDLE_CHARACTERS for column in filled if column) <= room:
            return columns
    return 1


def hollow(points: pd.DataFrame, things: str = "rounds") -> str:
    """What a hollow marker means, where there is one."""
    missing = points[["low", "high"]].isna().any(axis=None)
    return f"Hollow: fewer than 3 {things}, so no interval." if missing else ""


def without(names: Sequence[str], see: str = "the data behind the verdicts") -> str:
    """A line, on a line of its own, that says for what there was no room; nothing where there was room for all."""
    return f"\nFor want of room without {named(names)}: see {see}." if names else ""
