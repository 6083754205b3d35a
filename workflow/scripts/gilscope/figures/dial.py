"""Does waiting or computing decide? Speedup against the share of its time that a task waits, with theory behind it."""

from __future__ import annotations

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
from gilscope.figures._rows import MOST_COLUMNS
from gilscope.workloads.dial import SLICES

TITLE = "Speedup against the share of waiting"


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
    runtimes = results.ordered(points["runtime"])
    columns = len(runtimes) if len(runtimes) < MOST_COLUMNS else MOST_COLUMNS
    figure, places = panels(len(runtimes), columns, height=3.4 if columns < 3 else 2.7)
    for number, (axes, runtime) in enumerate(zip(places, runtimes, strict=True)):
        panel(axes, points[points["runtime"] == runtime], points)
        axes.set_title(f"{points['workers'].iloc[0]} workers · {runtime}" if columns < 3 else runtime)
        if number % columns:
            axes.tick_params(labelleft=False)
            axes.set_ylabel("")
    extra = [Line2D([], [], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.1, label="theory")]
    note = f"{points['workers'].iloc[0]} workers. Bar: 95 % interval. {hollow_note(points)}"
    legend(figure, points["strategy"].unique(), extra, note)
    return figure


def panel(axes: Axes, points: pd.DataFrame, every: pd.DataFrame) -> None:
    """One runtime's points, each strategy with the closed queue's curve in its colour, on axes that all points fit."""
    speedup_axis(axes, every)
    axes.set_xlim(-4, 104)
    axes.xaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
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
