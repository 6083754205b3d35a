"""What do threads and processes do? The share of trials in which each case of a claim came out as it asks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping
from textwrap import shorten
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gilscope.figures import Results
from gilscope.figures._grammar import WIDTH, nothing
from gilscope.figures._look import GRID, INK, MUTED, VERDICTS
from gilscope.figures._runtimes import most_telling, named, spoken
from gilscope.figures.verdicts import handle, style
from gilscope.labs import lab_summary

TITLE = "What threads and processes do, in shares of trials"
SECTION = "labs"
LABS = (
    "crash",
    "cleanup",
    "deadlock",
    "joining",
    "memory_isolation",
    "producer_consumer",
    "setup_rules",
    "turtle",
)
SHOWS = tuple(f"lab:{lab}" for lab in LABS)
COLUMNS = ["lab", "claim", "case", "runtime", "verdict", "estimate", "low", "high", "counted"]
LEFT, RIGHT = 0.57, 0.865
"""Where the axis begins and ends, in shares of the figure's width; words stand on both sides of it."""
CASE, COUNT = 0.305, RIGHT + 0.02
ROW, HEAD, FOOT = 0.21, 0.75, 0.62
"""Inches: of a row, and above and below all of them."""
QUARTERS = [0, 0.25, 0.5, 0.75, 1]
MOST_CHARACTERS = 62
SHADE: dict[str, Any] = {"color": MUTED, "alpha": 0.2, "linewidth": 0}


def needs(results: Results) -> str:
    """What the run would have to hold."""
    labs = ", ".join(f"``{lab}``" for lab in LABS)
    return "" if runtime_of(cases(results), results) else f"one of the labs {labs}: ``labs.names`` in the configuration"


def cases(results: Results) -> pd.DataFrame:
    """The claims' cases that are shares of trials in these labs, of all runtimes, lab by lab.

    Adds ``holds``, the interval of shares in which the claim holds, ``reason`` and ``demonstration`` to ``COLUMNS``.
    """
    rows = [
        {**row, **case, "lab": lab, "holds": holding(case["threshold"])}
        for row in results.verdicts
        for case in row["cases"]
        if case["unit"] == "share" and (lab := lab_of(case)) in LABS
    ]
    table = pd.DataFrame(rows, columns=[*COLUMNS, "holds", "reason", "demonstration"])
    return table.sort_values("lab", key=lambda labs: labs.map(LABS.index), kind="stable", ignore_index=True)


def lab_of(case: Mapping[str, Any]) -> str:
    """The lab that a case is about; empty where it is about none."""
    parts = str((case.get("cells") or [""])[0]).split("/")
    return parts[2] if parts[1:2] == ["labs"] else ""


def holding(threshold: Mapping[str, Any]) -> tuple[float, float]:
    """From where to where the share must lie for the claim to hold."""
    within = threshold.get("within") or (threshold.get("above", 0.0), threshold.get("below", 1.0))
    return within[0], within[1]


def runtime_of(table: pd.DataFrame, results: Results) -> str:
    """The runtime that is drawn: the current one, or the most telling of those that ran one of the labs."""
    tested = set(table.loc[table["estimate"].notna(), "runtime"])
    return next((name for name in [*most_telling(results.runtimes), *sorted(tested)] if name in tested), "")


def draw(results: Results) -> Figure:
    every = cases(results)
    runtime = runtime_of(every, results)
    if not runtime:
        return nothing("No verdicts on what threads and processes do: their labs are not in labs.names.")
    table = every[every["runtime"] == runtime].reset_index(drop=True)
    # Above the first case of a lab is a line that names it.
    table = table.assign(line=table.index + (table["lab"] != table["lab"].shift()).cumsum())
    lines = len(table) + table["lab"].nunique()
    height = ROW * lines + HEAD + FOOT
    figure = plt.figure(figsize=(WIDTH, height))
    axes = figure.add_axes((LEFT, FOOT / height, RIGHT - LEFT, ROW * lines / height))
    axes.set(xlim=(-0.04, 1.04), ylim=(lines - 0.5, -0.5), yticks=[], xlabel="share of trials", axisbelow=True)
    axes.set_xticks(QUARTERS, ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.tick_params(top=True, labeltop=True, bottom=True, length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    for lab, own in table.groupby("lab", sort=False):
        heading(axes, own["line"].min() - 1, str(lab))
        for row in own.to_dict("records"):
            name_case(axes, row)
        for row in own.drop_duplicates("claim").to_dict("records"):
            words(axes, 0.005, row["line"], named_claim(row), INK)
            across(axes, row["line"] - 0.5, GRID)
    draw_shares(axes, table[table["estimate"].notna()])
    key(figure, table, spoken(runtime, results.runtimes.get(runtime, {})))
    others = results.ordered(set(every["runtime"]) - {runtime})
    note = "Numbers at the right: trials in which the claim's subject was seen. Bar: 95 % interval, exact."
    note += f" Without {named(others)}: see the numbers below." if others else ""
    figure.text(0.005, 0.1 / height, note, fontsize=8, color=MUTED)
    return figure


def draw_shares(axes: Axes, tested: pd.DataFrame) -> None:
    """Where each claim would hold, and over that the share with its interval, in the look of its verdict."""
    for (low, high), line in zip(tested["holds"], tested["line"], strict=True):
        axes.vlines(QUARTERS, line - 0.5, line + 0.5, color=GRID, linewidth=0.8, zorder=0)
        axes.fill_between([low, high], line - 0.42, line + 0.42, zorder=1, **SHADE)
        edges = [edge for edge in (low, high) if 0 < edge < 1]
        axes.vlines(edges, line - 0.42, line + 0.42, color=INK, linewidth=0.9, zorder=2)
    for verdict in dict.fromkeys(map(str, tested["verdict"])):
        own = tested[tested["verdict"] == verdict]
        axes.hlines(own["line"], own["low"], own["high"], color=VERDICTS[verdict].colour, linewidth=2.2, zorder=3)
        axes.plot(own["estimate"], own["line"], zorder=4, clip_on=False, **style(verdict))


def words(axes: Axes, x: float, y: float, text: str, colour: str = MUTED, **more: Any) -> None:
    """Text in a row. x: in shares of the figure's width."""
    across = axes.get_yaxis_transform()
    axes.text((x - LEFT) / (RIGHT - LEFT), y, text, transform=across, color=colour, fontsize=8, va="center", **more)


def across(axes: Axes, y: float, colour: str) -> None:
    """A line through all columns."""
    ends = [(x - LEFT) / (RIGHT - LEFT) for x in (0.005, 0.995)]
    axes.plot(ends, [y, y], transform=axes.get_yaxis_transform(), color=colour, linewidth=0.7, clip_on=False, zorder=1)


def heading(axes: Axes, y: float, lab: str) -> None:
    """A lab's name and what it is about."""
    words(axes, 0.005, y, lab.replace("_", " ").capitalize(), INK, fontweight="bold")
    words(axes, 0.175, y, lab_summary(lab).partition(":")[0].rstrip("."))
    across(axes, y + 0.5, MUTED)


def name_case(axes: Axes, row: Mapping[Hashable, Any]) -> None:
    """The case, and how often it was seen, or why there is no share."""
    words(axes, CASE, row["line"], row["case"])
    if pd.isna(row["estimate"]):
        words(axes, LEFT + 0.01, row["line"], untested(row))
    else:
        words(axes, COUNT, row["line"], in_short(row["counted"]))


def named_claim(row: Mapping[Hashable, Any]) -> str:
    return str(row["claim"]).replace("-", " ") + (" (demonstration)" if row["demonstration"] else "")


def untested(row: Mapping[Hashable, Any]) -> str:
    """Why there is no share, in what room there is, without the lab and the case that the row already names."""
    reason = re.sub(rf"^the lab {row['lab']}(, .*?)?: ", "", row["reason"])
    return shorten(f"{row['verdict']}: {reason}", MOST_CHARACTERS, placeholder=" …")


def in_short(counted: str) -> str:
    """``109 of 110``, and how many trials gave no answer where there are such."""
    lost = re.search(r"(\d+) more gave no answer", counted)
    return counted.partition(" trials")[0] + (f", {lost[1]} lost" if lost else "")


def key(figure: Figure, table: pd.DataFrame, runtime: str) -> None:
    height, counts = figure.get_figheight(), Counter(table["verdict"])
    figure.text(0.005, 1 - 0.06 / height, runtime, fontsize=9.5, fontweight="bold", va="top")
    handles = [handle(name, f"{name} ({counts[name]})") for name in VERDICTS if counts[name]]
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, 1 - 0.2 / height), "borderpad": 0.2}
    figure.legend(handles=[*handles, Patch(label="where the claim holds", **SHADE)], ncols=6, handlelength=1.4, **place)


def data(results: Results) -> pd.DataFrame:
    """In per cent, of all runtimes."""
    table = cases(results)
    bounds = {name: 100 * table[name].astype(float) for name in ("estimate", "low", "high")}
    untested = table["estimate"].isna()
    table = table.assign(
        **bounds,
        holds=[f"{100 * low:g} to {100 * high:g} %" for low, high in table["holds"]],
        counted=table["counted"].where(~untested, table["reason"]),
        per_cent_of="trials",
    )
    return table[
        ["lab", "claim", "case", "runtime", "verdict", "per_cent_of", "estimate", "low", "high", "holds", "counted"]
    ]


def alt(results: Results) -> str:
    every = cases(results)
    runtime = runtime_of(every, results)
    if not runtime:
        return "Nothing to draw: no lab has shown what threads and processes do."
    parts = [
        f"{named_claim(row)}, {row['case']}: "
        + (row["verdict"] if pd.isna(row["estimate"]) else f"{row['counted']}, {row['verdict']}")
        for row in every[every["runtime"] == runtime].to_dict("records")
    ]
    return f"Shares of trials on {runtime}, a row per case of a claim. " + "; ".join(parts) + "."
