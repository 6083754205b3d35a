"""Does waiting or computing decide? Speedup against the share of its time that a task waits, with theory behind it."""

from __future__ import annotations

import itertools
import math
from textwrap import fill

import numpy as np
import pandas as pd
import seaborn.objects as so
from matplotlib.figure import Figure

from gilscope.analysis.prediction import predict_dial, predicted_speedup
from gilscope.figures import Results
from gilscope.figures._axes import Axis, speedups
from gilscope.figures._grammar import (
    IDEAL,
    estimates,
    finish,
    hollow,
    inner,
    looks_of,
    nothing,
    only,
    panels,
    sample,
    samples,
    without,
)
from gilscope.figures._look import order
from gilscope.figures._marks import Interval
from gilscope.figures._tables import numbers
from gilscope.workloads.dial import SLICES

TITLE = "Speedup against the share of waiting"
SECTION = "summary"
SHOWS = ("workload:dial",)
INCHES = 4.8
"""How wide it is: narrower than other figures, since it stands beside text, where it must still be readable."""
NOTE_CHARACTERS = 66
MOST_RUNTIMES = 4
DASHED = so.Line(linestyle=IDEAL["linestyle"], linewidth=1.1, artist_kws={"zorder": 2})


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
    columns = 1 if len(runtimes) == 1 else 2
    place = shown["runtime"].map(runtimes.index)
    shown = shown.assign(across=100 * shown["waiting"], row=place // columns, col=place % columns)
    plot = (
        estimates(shown, "across", "strategy")
        .add(DASHED, data=theory(shown), **only(x="across", y="predicted", color="strategy"))
        .add(Interval(apart=4.5))
    )
    heights = [3.5 if columns == 1 else 2.2] * math.ceil(len(runtimes) / columns)
    figure, lines = panels(plot, heights, columns, width=INCHES)
    ticks = [0, 25, 50, 75, 100] if columns == 1 else [0, 50, 100]
    for number, (axes, runtime) in enumerate(zip(itertools.chain(*lines), runtimes, strict=False)):
        Axis("share of time that a task waits", -4, 104, ticks, words="{:g} %".format).lay(axes, "x")
        speedups(shown).lay(axes, "y")
        axes.set_title(f"{shown['workers'].iloc[0]} workers · {runtime}" if columns == 1 else runtime)
        if number % 2:
            inner(axes)
    key = [*samples(looks_of(shown["strategy"])), sample("theory", **IDEAL)]
    return finish(figure, key, note(shown, [name for name in every if name not in runtimes]))


def theory(points: pd.DataFrame) -> pd.DataFrame:
    """The closed queue's curve in each panel: for strategies with the same capacity one, in the first one's colour."""
    ranked = points.sort_values("strategy", key=lambda names: names.map(order))
    shares = np.linspace(0, 1, 81)
    curves = []
    for one in ranked.drop_duplicates(["row", "col", "capacity"]).to_dict("records"):
        queue = int(one["tasks"]), int(one["workers"]), one["capacity"], SLICES
        curve = pd.DataFrame(
            {"across": 100 * shares, "predicted": [predicted_speedup(share, *queue) for share in shares]}
        )
        curves.append(curve.assign(**{name: one[name] for name in ("row", "col", "strategy")}))
    return pd.concat(curves, ignore_index=True)


def note(points: pd.DataFrame, left_out: list[str]) -> str:
    """How to read it, and what it does not show."""
    workers = f"{points['workers'].iloc[0]} workers. " if points["runtime"].nunique() > 1 else ""
    said = f"{workers}Speedup on a logarithmic axis. Bar: 95 % interval."
    return "\n".join(fill(line, NOTE_CHARACTERS) for line in (said, hollow(points), without(left_out).strip()) if line)


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
