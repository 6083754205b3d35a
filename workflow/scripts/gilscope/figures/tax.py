"""What does a single thread pay for a Python that could do without the lock?"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilscope.figures import Results
from gilscope.figures._look import LOCK, MUTED, STANDARD
from gilscope.figures._panels import hollow_note, lying, nothing, panels, ratio_axis, rows_axis
from gilscope.figures._ratios import across, places, workloads
from gilscope.figures._rows import MOST_COLUMNS
from gilscope.figures._runtimes import identified, spoken
from gilscope.figures._tables import numbers

TITLE = "What one thread pays for having no lock"
SECTION = "runtimes"
SHOWS = ("metric:tax",)
COMPARED = {"lock-on": LOCK["lock on"], "standard": STANDARD}


def needs(results: Results) -> str:
    """What the run would have to hold."""
    there = len(results.runtimes) > 1 and any(one.lock_off for one in identified(results.runtimes))
    return (
        "" if there else "one free-threaded binary with the lock on and off: ``--configfile config/presets/gil.yaml``"
    )


def draw(results: Results) -> Figure:
    table = across(results, "taxes")
    if table.empty:
        return nothing("No times of one thread without the lock and with it: use --configfile config/presets/gil.yaml.")
    runtimes, rows = results.ordered(table["runtime"]), workloads(table)
    columns = min(MOST_COLUMNS, len(runtimes))
    figure, axes = panels(len(runtimes), columns, height=1.1 + 0.26 * len(rows))
    for number, (place, runtime) in enumerate(zip(axes, runtimes, strict=True)):
        panel(place, table[table["runtime"] == runtime], rows, table)
        place.set_title(spoken(runtime, results.runtimes.get(runtime, {})) if columns < 3 else runtime)
        place.tick_params(labelleft=number % columns == 0)
    key(figure, table)
    return figure


def panel(axes: Axes, own: pd.DataFrame, rows: list[str], every: pd.DataFrame) -> None:
    """One runtime, against itself with the lock on and against the standard build."""
    kinds = [kind for kind in COMPARED if kind in set(every["kind_of"])]
    for kind, aside in zip(kinds, (-0.16, 0.16) if len(kinds) > 1 else (0.0,), strict=True):
        points = own[own["kind_of"] == kind]
        lying(axes, points, places(rows, points, aside), COMPARED[kind])
    ratio_axis(axes, every, "time without the lock ÷ time with it")
    rows_axis(axes, rows)


def key(figure: Figure, table: pd.DataFrame) -> None:
    """Each comparison with the runtimes that it was made with."""
    handles = []
    for kind, rows in table.groupby("kind_of", sort=True):
        with_whom = ", ".join(dict.fromkeys(rows["against"]))
        words = {"lock-on": "the same binary, lock on", "standard": "standard build"}[str(kind)]
        look = COMPARED[str(kind)]
        label = f"against {words} ({with_whom})"
        handles.append(Line2D([], [], color=look.colour, marker=look.marker, label=label))
    figure.legend(handles=handles, loc="outside upper left", ncols=2 if table["against"].nunique() < 5 else 1)
    note = "Sequential, no threads. To the right of 1: slower without the lock. Bar: 95 % interval."
    figure.supxlabel(f"{note} {hollow_note(table)}", x=0.01, ha="left", fontsize=8, color=MUTED)


def data(results: Results) -> pd.DataFrame:
    return numbers(across(results, "taxes"), "workload", "size", "runtime", "against")


def alt(results: Results) -> str:
    table = across(results, "taxes")
    if table.empty:
        return "No single thread has been measured both without the lock and with it."
    parts = [
        f"{row['workload']}, {row['runtime']} against {row['against']}: {row['estimate']:.2f}"
        for row in table.to_dict("records")
    ]
    return "Time of a single thread without the lock over that with it, a row per workload. " + "; ".join(parts) + "."
