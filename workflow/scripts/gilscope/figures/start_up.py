"""What does it cost to start a worker? The first one of a program and later ones, every trial."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from gilscope.figures import Results
from gilscope.figures._axes import duration
from gilscope.figures._look import MUTED
from gilscope.figures._panels import WIDTH, nothing
from gilscope.figures._trials import (
    BOUNDS,
    SPREAD,
    Ladder,
    hollow,
    in_kinds,
    lie,
    look_of,
    needed,
    observed,
    summed_up,
    unanswered,
)

TITLE = "Time from starting a worker to its answer"
SECTION = "labs"
SHOWS = ("lab:startup",)
LAB = "startup"
WORKERS = {"first_s": "first worker of a program", "later_s": "later workers"}
AT_LEAST = 10
"""The axis spans a factor of ten at the least, so that it has more than one number."""


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return needed(LAB) if trials(results).empty else ""


def trials(results: Results) -> pd.DataFrame:
    """Seconds to the answer, a row for each trial; of later workers the median of a trial's."""
    seen = observed(results, LAB, WORKERS)
    kinds, runtimes = in_kinds(seen["case"]), results.ordered(seen["runtime"])
    order = seen["case"].map(kinds.index) * len(runtimes) + seen["runtime"].map(runtimes.index)
    return seen.assign(order=order).sort_values(["order", "metric", "trial"], ignore_index=True)


def draw(results: Results) -> Figure:
    seen = trials(results)
    if seen.empty:
        return nothing(f"No trials of the lab {LAB}.")
    runtimes, kinds = results.ordered(seen["runtime"]), in_kinds(seen["case"])
    ladder = Ladder.of(set(zip(seen["case"], seen["runtime"], strict=True)), kinds, runtimes)
    metrics = [metric for metric in WORKERS if (seen["metric"] == metric).any()]
    height = 1.35 + (0.3 if len(runtimes) == 1 else 0.2) * len(ladder.labels)
    layout = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09, wspace=0.04)
    figure, places = plt.subplots(1, len(metrics), figsize=(WIDTH, height), squeeze=False, layout=layout)
    for number, (axes, metric) in enumerate(zip(places.flat, metrics, strict=True)):
        panel(axes, seen[seen["metric"] == metric], ladder)
        time_axis(axes, seen)
        ladder.draw(axes, kinds if len(runtimes) > 1 else (), named=number == 0)
        axes.set_title(WORKERS[metric].capitalize())
    note = "Dot: a trial, a program of its own, spread within the row. Marker: geometric mean. Bar: 95 % interval. "
    note += hollow(summed_up(seen, ["runtime", "case", "metric"]))
    if lost := sum(unanswered(results, LAB).values()):
        note += f"\n{lost} more trials gave no answer."
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure


def panel(axes: Axes, seen: pd.DataFrame, ladder: Ladder) -> None:
    """All kinds and runtimes beneath each other, with the estimates in figures."""
    words = {}
    for row in summed_up(seen, ["runtime", "case"]).to_dict("records"):
        own = seen[(seen["runtime"] == row["runtime"]) & (seen["case"] == row["case"])]
        key = row["case"], row["runtime"]
        lie(axes, own["value"], ladder.places[key], look_of(row["case"]), found=row, spread=SPREAD)
        words[key] = duration(row["estimate"])
    ladder.write(axes, words, "mean", 48)


def time_axis(axes: Axes, seen: pd.DataFrame) -> None:
    """A logarithmic axis that fits all of these trials and their intervals."""
    points = summed_up(seen, ["runtime", "case", "metric"])
    lowest = min(seen["value"].min(), points["low"].min()) / 1.3
    highest = max(seen["value"].max(), points["high"].max()) * 1.3
    wider = max(1.0, math.sqrt(AT_LEAST * lowest / highest))
    axes.set_xscale("log")
    axes.set_xlim(lowest / wider, highest * wider)
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0,) if highest / lowest > 100 else (1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.set_xlabel("time to the answer, logarithmic")


def data(results: Results) -> pd.DataFrame:
    table = summed_up(trials(results), ["runtime", "case", "metric"])
    table[BOUNDS[:3]] *= 1e3
    table = table.assign(worker=table["metric"].map(WORKERS), unit="ms").rename(columns={"case": "kind"})
    return table[["runtime", "kind", "worker", "unit", *BOUNDS]]


def alt(results: Results) -> str:
    table = summed_up(trials(results), ["runtime", "case", "metric"])
    if table.empty:
        return f"Nothing to draw: no trial of the lab {LAB} has started workers."
    several = table["runtime"].nunique() > 1
    parts = []
    for (runtime, kind), rows in table.groupby(["runtime", "case"], sort=False):
        times = {row["metric"]: row for row in rows.to_dict("records")}
        said = [f"{words} {spoken(times[metric])}" for metric, words in WORKERS.items() if metric in times]
        parts.append(f"{kind}{f' on {runtime}' if several else ''}: {', '.join(said)}")
    return "Time from starting a worker to its answer, on a logarithmic axis. " + "; ".join(parts) + "."


def spoken(row: dict[Any, Any]) -> str:
    """An estimate with its interval: ``252 µs (240 µs to 266 µs)``."""
    interval = f" ({duration(row['low'])} to {duration(row['high'])})" if pd.notna(row["low"]) else ""
    return f"{duration(row['estimate'])}{interval}"
