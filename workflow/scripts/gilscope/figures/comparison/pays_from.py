"""From which task on does spreading the work pay, on each side?"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilscope.figures._axes import duration
from gilscope.figures._look import MUTED, PAPER, Look
from gilscope.figures._panels import nothing
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._rows import (
    BASELINE,
    DISTRIBUTION,
    Drawn,
    aside,
    draw_rows,
    time_axis,
)

TITLE = "The task from which spreading it pays, on each side"
SECTION = "break-even"
BOUNDS = ("estimate", "low", "high")
PAYS = ("everywhere", "somewhere", "nowhere", "undecided")
COLUMNS = ["side", "workload", "strategy", "workers", "pool", "pays", *BOUNDS, "smallest", "largest"]


def needs(comparison: Comparison) -> str:
    """What the runs would have to hold."""
    return "" if len(told(points(comparison))) else "a workload at two sizes, in ``sweep.workloads``"


def points(comparison: Comparison) -> pd.DataFrame:
    """Break-evens of cold pools, of each side at the worker count nearest to the cores that it could use.

    ``row`` is workload and strategy. A bound that lies beyond the sizes measured is NaN, and all of a break-even that
    is not known.
    """
    table = pd.DataFrame(comparison.break_even, columns=COLUMNS)
    table = table[(table["pool"] == "cold") & table["pays"].isin(PAYS)]
    cores = {side["side"]: (side.get("machine") or {}).get("usable_cores") or 2 for side in comparison.sides}
    table = table.assign(off=(table["workers"] - table["side"].map(cores)).abs())
    table = table.sort_values(["workload", "strategy", "off"], kind="stable")
    table = table.drop_duplicates(["side", "workload", "strategy"], ignore_index=True)
    named = [
        f"{workload} · {strategy}" for workload, strategy in zip(table["workload"], table["strategy"], strict=True)
    ]
    bounds = {name: pd.to_numeric(table[name]).where(table["pays"] == "somewhere") for name in BOUNDS}
    return table.assign(**bounds, row=named, group="")


def told(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that have something to draw: those where not all sides say the same, or some say from which task on."""
    differ = table.groupby("row")["pays"].transform("nunique") > 1
    found = (table["pays"] == "somewhere").groupby(table["row"]).transform("any")
    return table[(differ | found).astype(bool)].reset_index(drop=True)


def draw(comparison: Comparison) -> Figure:
    every = points(comparison)
    table = told(every)
    if table.empty:
        return nothing(f"No strategy has a break-even to compare.{alike_note(every)}")
    rows = list(dict.fromkeys(table["row"]))
    # The ends of what was measured belong on the axis too, since arrows stand there.
    spans = pd.DataFrame(dict.fromkeys(BOUNDS, pd.concat([table["smallest"], table["largest"]])))
    axis = functools.partial(within, spans=spans)
    drawn = draw_rows(comparison, table, {"": rows}, axis)
    axes = drawn.axes[""]
    note = "The time that a task takes alone on that side; cold pools, workers nearest to its usable cores."
    if drawn.sides:
        arrows(axes, table, rows, drawn)
        note += " Bar: 95 % interval, to the last size measured where it has no end."
        return drawn.finish(note + alike_note(every), extra=samples(table))
    words(axes, table, rows)
    return drawn.finish(f"{note}\n{DISTRIBUTION}{BASELINE}{alike_note(every)}")


def alike_note(every: pd.DataFrame) -> str:
    """What all sides say alike, a line for each answer."""
    rest = every[~every["row"].isin(told(every)["row"])].drop_duplicates("row")
    said = {
        "everywhere": "Pays at every size on every side",
        "nowhere": "Pays at no size on any side",
        "undecided": "Not decided on any side",
    }
    return "".join(
        f"\n{words}: {'; '.join(rows[:4])}" + (f" and {len(rows) - 4} more." if len(rows) > 4 else ".")
        for pays, words in said.items()
        if (rows := list(rest.loc[rest["pays"] == pays, "row"]))
    )


def within(axes: Axes, points: pd.DataFrame, spans: pd.DataFrame) -> None:
    time_axis(axes, pd.concat([points, spans]), "one task alone")


def arrows(axes: Axes, table: pd.DataFrame, rows: Sequence[str], drawn: Drawn) -> None:
    """What lies beyond the sizes measured: an arrow at the end that it lies beyond, and bounds that have no end."""
    for place, (side, drawn_as) in enumerate(drawn.sides.items()):
        for one in table[table["side"] == side].to_dict("records"):
            y = rows.index(one["row"]) + aside(place, len(drawn.sides))
            low, high = (
                one[end] if np.isnan(one[name]) else one[name]
                for name, end in (("low", "smallest"), ("high", "largest"))
            )
            if one["pays"] == "somewhere":
                axes.hlines(y, low, high, color=drawn_as.colour, linewidth=2, zorder=3)
                axes.plot(one["estimate"], y, linestyle="none", marker=drawn_as.marker, color=drawn_as.colour, zorder=5)
                continue
            at = one["smallest"] if one["pays"] == "everywhere" else one["largest"]
            beyond(axes, at, y, one["pays"], drawn_as)


def beyond(axes: Axes, at: float, y: float, pays: str, drawn: Look) -> None:
    marker = {"everywhere": "<", "nowhere": ">"}.get(pays, "o")
    face = PAPER if pays == "undecided" else drawn.colour
    axes.plot(
        at, y, linestyle="none", marker=marker, color=drawn.colour, markerfacecolor=face, markersize=6.5, zorder=4
    )


def samples(table: pd.DataFrame) -> list[Line2D]:
    """The signs of what has no break-even, as far as they are in the drawing."""
    said = {
        "everywhere": ("<", MUTED, "pays at every size"),
        "nowhere": (">", MUTED, "pays at no size"),
        "undecided": ("o", PAPER, "not decided"),
    }
    found = set(table["pays"])
    return [
        Line2D([], [], linestyle="none", marker=marker, color=MUTED, markerfacecolor=face, label=label)
        for pays, (marker, face, label) in said.items()
        if pays in found
    ]


def words(axes: Axes, table: pd.DataFrame, rows: Sequence[str]) -> None:
    """Beside each row on how many sides it pays where."""
    for y, row in enumerate(rows):
        counts = Counter(table.loc[table["row"] == row, "pays"])
        axes.annotate(
            in_words(counts),
            (1, y),
            (8, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=MUTED,
            annotation_clip=False,
        )


def in_words(counts: Mapping[str, int]) -> str:
    said = [f"{counts['somewhere']} from a size"] if counts.get("somewhere") else []
    said += [f"{counts[pays]} {pays}" for pays in ("everywhere", "nowhere", "undecided") if counts.get(pays)]
    return "\n".join(", ".join(said[start : start + 2]) for start in range(0, len(said), 2))


def data(comparison: Comparison) -> pd.DataFrame:
    names = {"estimate": "break_even_s", "low": "low_s", "high": "high_s"}
    table = points(comparison).rename(columns=names)
    columns = ["workload", "strategy", "workers", "side", "pays", *names.values(), "smallest", "largest"]
    return table[columns].rename(columns={"smallest": "smallest_s", "largest": "largest_s"})


def alt(comparison: Comparison) -> str:
    table = told(points(comparison))
    if table.empty:
        return "No strategy pays from some task on, or none has been measured at two sizes."
    parts = []
    for row, own in table.groupby("row", sort=False):
        found = own[own["pays"] == "somewhere"].sort_values("estimate")
        said = [f"{count} {pays}" for pays, count in Counter(own["pays"]).items() if pays != "somewhere"]
        if len(found):
            first, last = found.iloc[0], found.iloc[-1]
            ends = f"from {duration(first['estimate'])} on {first['side']}"
            if len(found) > 1:
                ends += f" to {duration(last['estimate'])} on {last['side']}"
            said.insert(0, ends)
        parts.append(f"{row}: {', '.join(said)}")
    return f"The time of a task from which a strategy pays, a row for each, logarithmic. {'; '.join(parts)}."
