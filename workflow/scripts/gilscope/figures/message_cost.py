"""What does a message cost, from channel to channel and from size to size?"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from gilscope.figures import Results
from gilscope.figures._axes import duration
from gilscope.figures._look import MUTED, STRATEGIES
from gilscope.figures._panels import WIDTH, finish, intervals, nothing, rows_axis
from gilscope.figures._runtimes import spoken
from gilscope.figures._trials import (
    BOUNDS,
    MOST_RUNTIMES,
    hollow,
    left_out_note,
    lie,
    needed,
    no_answer_note,
    observed,
    summed_up,
    time_axis,
)
from gilscope.labs import messages

TITLE = "What a message costs"
SECTION = "labs"
SHOWS = ("lab:messages",)
LAB = "messages"
ROUND_TRIP, ONE_WAY = "round_trip_s", "transfer_s"
SENT = {ROUND_TRIP: "bytes there and back", ONE_WAY: "array one way"}
ARRAY = "32 MiB"
YARDSTICK = "queue.Queue"
CHANNELS = {
    YARDSTICK: STRATEGIES["threading"],
    "multiprocessing.Queue": STRATEGIES["multiprocessing"],
    "Pipe": STRATEGIES["multiprocessing-pool"],
    "shared_memory": STRATEGIES["multiprocessing-forkserver"],
    "Manager": STRATEGIES["multiprocessing-spawn"],
}
MESSAGE = ["runtime", "metric", "size", "message"]
TIMES = ["times", "times_low", "times_high"]
LINE, BESIDE = 0.068, 1.03
"""A line of text in heights of its panel, and where the text beside a panel begins, in its widths."""
COLUMNS = (150, 194)
"""Where the columns of ratios end, in points from there."""


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return needed(LAB) if trials(results).empty else ""


def trials(results: Results) -> pd.DataFrame:
    """Every trial: ``runtime``, ``metric``, ``size`` in bytes, ``message``, ``channel``, ``trial``, ``value`` in s."""
    names = {size: name for name, size in messages.SIZES.items()}
    cases = pd.DataFrame([{"case": name, **case.arguments} for name, case in messages.LAB.cases.items()])
    cases = cases.assign(message=cases["size"].map(names), place=cases["channel"].map(list(CHANNELS).index))
    seen = observed(results, LAB, SENT).merge(cases, on="case")
    seen["run"] = seen["runtime"].map({name: place for place, name in enumerate(results.ordered(seen["runtime"]))})
    return seen.sort_values(["run", "metric", "size", "place", "trial"], ignore_index=True)


def points(results: Results) -> pd.DataFrame:
    """Geometric means over trials in seconds, and ``times``: the ratio to the thread queue's, of the same message.

    The ratio is taken within each trial, as a verdict's is, so that only trials that have both count.
    """
    seen = trials(results)
    yardstick = seen.loc[seen["channel"] == YARDSTICK, [*MESSAGE, "trial", "value"]]
    both = seen[seen["channel"] != YARDSTICK].merge(yardstick, on=[*MESSAGE, "trial"], suffixes=("", "_yardstick"))
    ratios = summed_up(both.assign(value=both["value"] / both["value_yardstick"]), [*MESSAGE, "channel"])
    ratios = ratios.rename(columns=dict(zip(BOUNDS, TIMES, strict=False))).drop(columns="trials")
    return summed_up(seen, [*MESSAGE, "channel"]).merge(ratios, on=[*MESSAGE, "channel"], how="left")


def draw(results: Results) -> Figure:
    found = points(results)
    if found.empty:
        return nothing(f"No trials of the lab {LAB}.")
    seen = trials(results)
    runtimes = results.telling(found["runtime"], MOST_RUNTIMES)
    every, tried = found[found["runtime"].isin(runtimes)], seen[seen["runtime"].isin(runtimes)]
    layout = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09, wspace=0.04)
    height = 3.4 if len(runtimes) == 1 else 2.9
    figure = plt.figure(figsize=(WIDTH, height * len(runtimes) + 0.45), layout=layout)
    grid = GridSpec(len(runtimes), 2, figure, width_ratios=(1.5, 1))
    for line, runtime in enumerate(runtimes):
        left, right = (figure.add_subplot(grid[line, column]) for column in range(2))
        round_trips(left, every[every["metric"] == ROUND_TRIP], tried[tried["metric"] == ROUND_TRIP], runtime)
        arrays(right, tried[(tried["metric"] == ONE_WAY) & (tried["message"] == ARRAY)], runtime)
        name = f" · {spoken(runtime, results.runtimes.get(runtime, {}))}" if len(runtimes) > 1 else ""
        left.set_title(f"Bytes, there and back{name}")
        right.set_title(f"Array of {ARRAY}, one way")
    note = f"Dot: a trial. Marker: geometric mean of the trials; bar and band: its 95 % interval. {hollow(every)}"
    note += "\nThe ratios have their intervals among the numbers of this figure."
    note += no_answer_note(results, LAB, messages.LAB.cases) + left_out_note(results, found["runtime"], runtimes)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure


def round_trips(axes: Axes, every: pd.DataFrame, tried: pd.DataFrame, runtime: str) -> None:
    """One runtime's times against the size of the message, on axes that those of every runtime fit."""
    found, tried = every[every["runtime"] == runtime], tried[tried["runtime"] == runtime]
    if found.empty:
        return not_measured(axes)
    sizes = sorted(every["size"].unique())
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0] / 2, sizes[-1] * 2)
    axes.set_xticks(sizes, size_labels(sizes))
    axes.set_xlabel("size of the message, logarithmic")
    values = every[["estimate", "low", "high"]].to_numpy(float)
    axes.set_yscale("log")
    axes.set_ylim(np.nanmin(values) / 1.8, np.nanmax(values) * 2.5)
    axes.yaxis.set_major_locator(LogLocator(base=10))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.set_ylabel("time of a round trip, logarithmic")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    for place, (channel, drawn) in enumerate(CHANNELS.items()):
        # Side by side, so that no marker hides another where two channels cost the same.
        aside = 2 ** (0.22 * (place - (len(CHANNELS) - 1) / 2))
        own, dots = found[found["channel"] == channel], tried[tried["channel"] == channel]
        axes.plot(dots["size"] * aside, dots["value"], ".", markersize=4, color=drawn.colour, alpha=0.35, zorder=2)
        intervals(axes, own, own["size"] * aside, drawn)
    name_lines(axes, found)
    finish(axes)
    return None


def size_labels(sizes: Sequence[int]) -> list[str]:
    """The sizes' names; of two that are close together the larger one's."""
    names = {size: name for name, size in messages.SIZES.items()}
    close = {size for size, larger in itertools.pairwise(sizes) if larger < 4 * size}
    return ["" if size in close else names[size] for size in sizes]


def name_lines(axes: Axes, found: pd.DataFrame) -> None:
    """Beside each line its channel, and how many times as long as the thread queue it takes at both ends."""
    write = functools.partial(axes.annotate, xycoords="axes fraction", textcoords="offset points", va="center")
    bottom, top = np.log(axes.get_ylim())
    ends = [found[found["size"] == size].set_index("channel") for size in (found["size"].min(), found["size"].max())]
    write(f"times as long as {YARDSTICK}", (BESIDE, 1), xytext=(COLUMNS[-1], 0), ha="right", color=MUTED)
    for end, column in zip(ends, COLUMNS, strict=True):
        write(end["message"].iloc[0], (BESIDE, 1 - LINE), xytext=(column, 0), ha="right", color=MUTED)
    last = found.drop_duplicates("channel", keep="last").sort_values("estimate", ascending=False)
    heights = apart((np.log(last["estimate"]) - bottom) / (top - bottom))
    for row, height in zip(last.to_dict("records"), heights, strict=True):
        channel, beside = row["channel"], (BESIDE, height)
        line = {"arrowstyle": "-", "color": CHANNELS[channel].colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 7}
        point = (row["size"], row["estimate"])
        axes.annotate("", point, xytext=beside, textcoords="axes fraction", arrowprops=line)
        write(channel, beside, xytext=(3, 0))
        for end, column in zip(ends, COLUMNS, strict=True):
            if channel in end.index and pd.notna(times := end.loc[channel, "times"]):
                write(factor(times), beside, xytext=(column, 0), ha="right")


def apart(heights: pd.Series) -> list[float]:
    """Falling heights in a panel, moved down until there is room for a line of text at each and for two above them."""
    moved = [1 - LINE]
    for height in heights:
        moved.append(min(height, moved[-1] - LINE))
    return moved[1:]


def factor(value: float) -> str:
    return f"{value:,.0f}×" if value >= 10 else f"{value:.1f}×"


def arrays(axes: Axes, every: pd.DataFrame, runtime: str) -> None:
    """One runtime's rows, a channel each, the fastest on top, along an axis that those of every runtime fit."""
    tried = every[every["runtime"] == runtime].assign(value=1e3 * every["value"])
    if tried.empty:
        return not_measured(axes)
    rows = summed_up(tried, ["channel"]).sort_values("estimate")["channel"]
    for place, channel in enumerate(rows):
        lie(axes, tried.loc[tried["channel"] == channel, "value"], place, CHANNELS[channel], spread=0.08)
    bounds = summed_up(every, ["runtime", "channel"])[["low", "high"]].to_numpy(float).ravel()
    values = 1e3 * np.concatenate([every["value"].to_numpy(float), bounds])
    time_axis(axes, np.nanmin(values), np.nanmax(values), "ms until it is read")
    rows_axis(axes, [""] * len(rows))
    axes.set_ylim(len(rows) - 0.4, -1)
    write = functools.partial(axes.annotate, xycoords=("axes fraction", "data"), textcoords="offset points")
    for place, channel in enumerate(rows):
        write(channel, (0, place), xytext=(3, 8))
    return None


def not_measured(axes: Axes) -> None:
    axes.set_axis_off()
    axes.text(0, 0.95, "not measured", color=MUTED, va="top", transform=axes.transAxes)


def data(results: Results) -> pd.DataFrame:
    """In milliseconds; the ratio to the thread queue with its interval."""
    found = points(results)
    found[BOUNDS[:3]] *= 1e3
    found = found.assign(sent=found["metric"].map(SENT), unit="ms")
    columns = ["runtime", "sent", "message", "channel", "unit", *BOUNDS, *TIMES]
    return found[columns].rename(columns={name: name.replace("times", f"times_{YARDSTICK}") for name in TIMES})


def alt(results: Results) -> str:
    found = points(results)
    if found.empty:
        return "Nothing to draw: the lab that sends messages between threads and between processes has not been run."
    runtimes = results.telling(found["runtime"], MOST_RUNTIMES)
    parts = []
    for runtime in runtimes:
        own = found[found["runtime"] == runtime]
        back, there = own[own["metric"] == ROUND_TRIP], own[own["metric"] == ONE_WAY]
        ends = [back[back["size"] == size] for size in sorted({back["size"].min(), back["size"].max()})]
        for rows in (*ends, there[there["message"] == ARRAY]):
            if len(rows):
                first = rows.iloc[0]
                where = f"{runtime}, " if len(runtimes) > 1 else ""
                said = ", ".join(map(in_words, rows.to_dict("records")))
                parts.append(f"{where}{first['message']}, {SENT[first['metric']]}: {said}")
    return "Time of a message against its size, a line for each channel. " + "; ".join(parts) + "."


def in_words(row: Mapping[Hashable, Any]) -> str:
    times = f" ({factor(row['times'])} {YARDSTICK})" if pd.notna(row["times"]) else ""
    return f"{row['channel']} {duration(row['estimate'])}{times}"
