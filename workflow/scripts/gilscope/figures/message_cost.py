"""What does a message cost, from channel to channel and from size to size?"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilscope.figures import Results
from gilscope.figures._axes import Axis, amounts, duration, rows, times
from gilscope.figures._grammar import finish, layer, nothing, panels
from gilscope.figures._look import MUTED, STRATEGIES
from gilscope.figures._marks import Interval
from gilscope.figures._runtimes import spoken
from gilscope.figures._trials import (
    BOUNDS,
    MOST_RUNTIMES,
    Trials,
    arranged,
    as_points,
    needed,
    notes,
    observed,
    plotted,
    summed_up,
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
    every, seen = points(results), trials(results)
    if every.empty:
        return nothing(f"No trials of the lab {LAB}.")
    runtimes = results.telling(every["runtime"], MOST_RUNTIMES)
    found, seen = (arranged(table, row=("runtime", runtimes), col=("metric", list(SENT))) for table in (every, seen))
    back, back_seen = found[found["col"] == 0], seen[seen["col"] == 0]
    there = in_rows(found[(found["col"] == 1) & (found["message"] == ARRAY)])
    dots = seen.assign(value=1e3 * seen["value"]).merge(there[["row", "col", "message", "channel", "line"]])
    plot = (
        plotted(back, back_seen, "size", "channel", CHANNELS, lying=False, apart=4, line=True)
        .add(Trials(spread=0.08), **layer(as_points(dots), "line", "channel", lying=True))
        .add(Interval(width=2.2), **layer(there, "line", "channel", lying=True))
    )
    figure, lines = panels(plot, [3.4 if len(runtimes) == 1 else 2.9] * len(runtimes), 2, spare=0.45)
    if grid := figure.axes[0].get_gridspec():
        grid.set_width_ratios((1.5, 1))
    sizes = sorted(back["size"].unique())
    names = dict(zip(sizes, size_labels(sizes), strict=True))
    across = Axis("size of the message, logarithmic", sizes[0] / 2, sizes[-1] * 2, sizes, 2, names.__getitem__)
    # The highest line leaves room for the head of the table beside it.
    up = times([*back["low"], *back["estimate"], *2 * back["estimate"]], "time of a round trip, logarithmic")
    along = amounts(pd.concat([dots["value"], there["low"], there["high"]]), "ms until it is read")
    for place, ((left, right), runtime) in enumerate(zip(lines, runtimes, strict=True)):
        name = f" · {spoken(runtime, results.runtimes.get(runtime, {}))}" if len(runtimes) > 1 else ""
        left.set_title(f"Bytes, there and back{name}")
        right.set_title(f"Array of {ARRAY}, one way")
        for axes in (left, right):
            if not axes.axison:
                axes.text(0, 0.95, "not measured", color=MUTED, va="top", transform=axes.transAxes)
        if left.axison:
            across.lay(left, "x")
            up.lay(left, "y")
            name_lines(left, back[back["row"] == place])
        if right.axison:
            own = there[there["row"] == place]
            along.lay(right, "x")
            replace(rows([""] * len(own)), high=-1).lay(right, "y")
            write = functools.partial(right.annotate, xycoords=("axes fraction", "data"), textcoords="offset points")
            for row, channel in zip(own["line"], own["channel"], strict=True):
                write(channel, (0, row), (3, 8))
    how = "Dot: a trial. Marker: geometric mean of the trials; bar and band: its 95 % interval."
    more = "The ratios have their intervals among the numbers of this figure."
    return finish(figure, note=notes(results, LAB, every, runtimes, how, more, of=list(messages.LAB.cases)))


def in_rows(found: pd.DataFrame) -> pd.DataFrame:
    """The estimates of one way in milliseconds, each in its ``line``: the fastest of a runtime on top."""
    found = found.sort_values(["row", "estimate"]).assign(**{name: 1e3 * found[name] for name in BOUNDS[:3]})
    return found.assign(line=found.groupby("row").cumcount())


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
        for sent in (*ends, there[there["message"] == ARRAY]):
            if len(sent):
                first = sent.iloc[0]
                where = f"{runtime}, " if len(runtimes) > 1 else ""
                said = ", ".join(map(in_words, sent.to_dict("records")))
                parts.append(f"{where}{first['message']}, {SENT[first['metric']]}: {said}")
    return "Time of a message against its size, a line for each channel. " + "; ".join(parts) + "."


def in_words(row: Mapping[Hashable, Any]) -> str:
    times = f" ({factor(row['times'])} {YARDSTICK})" if pd.notna(row["times"]) else ""
    return f"{row['channel']} {duration(row['estimate'])}{times}"
