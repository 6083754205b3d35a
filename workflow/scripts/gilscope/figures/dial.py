"""Does waiting or computing decide? Speedup against the share of its time that a task waits, with theory behind it."""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter

from gilscope.analysis.prediction import predict_dial, predicted_speedup
from gilscope.figures import Results
from gilscope.figures._look import MUTED, look, order
from gilscope.figures._panels import finish, hollow_note, intervals, legend, nothing, panels, speedup_axis
from gilscope.figures._rows import without
from gilscope.figures._tables import numbers
from gilscope.workloads.dial import SLICES

TITLE = "Speedup against the share of waiting"
SECTION = "summary"
SHOWS = ("workload:dial",)
INCHES = 4.8
"""How wide it is: narrower than other figures, since it stands beside text, where it must still be readable."""
NOTE_CHARACTERS = 66
MOST_RUNTIMES = 4


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return "the dial: ``- name: dial`` in ``sweep.workloads``" if measured(results).empty else ""


def measured(results: Results) -> pd.DataFrame:
    """The dial's points at the worker count that most of them have, warm where both pools are there."""
    gil = {name: bool(facts.get("gil", True)) for name, facts in results.runtimes.items()}
    points = predict_dial(results.estimates, results.traces, gil)
    points = points[points["workers"] == points["workers"].mode().max()] if len(points) else points
    return points[points["pool"] == "warm"] if (points["pool"] == "warm").any() else points


def draw(results: Results) -> Figure:
    points = measured(results)
    if points.empty:
        return nothing("No speedups of the dial: no block of it has been measured.")
    every = results.ordered(points["runtime"])
    runtimes = results.telling(every, MOST_RUNTIMES)
    shown = points[points["runtime"].isin(runtimes)]
    one = len(runtimes) == 1
    figure, places = panels(len(runtimes), 1 if one else 2, 3.5 if one else 2.2, INCHES)
    for number, (axes, runtime) in enumerate(zip(places, runtimes, strict=True)):
        panel(axes, shown[shown["runtime"] == runtime], shown)
        axes.set_title(f"{shown['workers'].iloc[0]} workers · {runtime}" if one else runtime)
        axes.xaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100] if one else [0, 50, 100]))
        if number % 2:
            axes.tick_params(labelleft=False)
            axes.set_ylabel("")
    extra = [Line2D([], [], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.1, label="theory")]
    legend(figure, shown["strategy"].unique(), extra, note(shown, [name for name in every if name not in runtimes]))
    return figure


def note(points: pd.DataFrame, left_out: list[str]) -> str:
    """How to read it, and what it does not show."""
    workers = f"{points['workers'].iloc[0]} workers. " if points["runtime"].nunique() > 1 else ""
    said = f"{workers}Speedup on a logarithmic axis. Bar: 95 % interval."
    return "\n".join(
        fill(line, NOTE_CHARACTERS) for line in (said, hollow_note(points), without(left_out).strip()) if line
    )


def panel(axes: Axes, points: pd.DataFrame, every: pd.DataFrame) -> None:
    """One runtime's points, each strategy with the closed queue's curve in its colour, on axes that all points fit."""
    speedup_axis(axes, every)
    axes.set_xlim(-4, 104)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axes.set_xlabel("share of time that a task waits")
    shares = np.linspace(0, 1, 81)
    names = sorted(points["strategy"].unique(), key=order)
    drawn: set[float] = set()
    for name in names:
        capacity, tasks, workers = points.loc[points["strategy"] == name, ["capacity", "tasks", "workers"]].iloc[0]
        if capacity not in drawn:
            curve = [predicted_speedup(share, int(tasks), int(workers), capacity, SLICES) for share in shares]
            axes.plot(100 * shares, curve, color=look(name).colour, linestyle=(0, (4, 3)), linewidth=1.1, zorder=2)
        drawn.add(capacity)
    for place, name in enumerate(names):
        own = points[points["strategy"] == name].sort_values("waiting")
        # Side by side, so that no marker hides another where two strategies do equally well.
        aside = 1.6 * (place - (len(names) - 1) / 2)
        intervals(axes, own, 100 * own["waiting"] + aside, look(name), line=False)
    finish(axes)


def data(results: Results) -> pd.DataFrame:
    table = numbers(measured(results), "runtime", "workload", "waiting", "strategy", "workers", "pool", "predicted")
    return table.rename(columns={"waiting": "share_waiting", "predicted": "theory"})


def alt(results: Results) -> str:
    points = measured(results)
    if points.empty:
        return "Nothing to draw: the dial, whose tasks wait for a set share of their time, has not been measured."
    several = points["runtime"].nunique() > 1
    parts = [
        (f"{row['runtime']}, " if several else "")
        + f"{row['strategy']} where tasks wait {100 * row['waiting']:.0f} % of their time: "
        f"{row['estimate']:.2f}, theory {row['predicted']:.2f}"
        for row in points.sort_values(["runtime", "strategy", "waiting"]).to_dict("records")
    ]
    return "Points of speedup against the share of waiting, with predicted curves. " + "; ".join(parts) + "."
