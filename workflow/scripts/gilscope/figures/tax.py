"""What does a single thread pay for a Python that could do without the lock?"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilscope.figures import Results
from gilscope.figures._axes import ratios
from gilscope.figures._grammar import finish, hollow, nothing, sample
from gilscope.figures._look import LOCK, STANDARD
from gilscope.figures._ratios import across, by_runtime
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
    figure, axes = by_runtime(results, table, "kind_of", COMPARED)
    for runtime, panel in axes.items():
        ratios(table, "time without the lock ÷ time with it, logarithmic").lay(panel, "x")
        if len(axes) < 3:
            panel.set_title(spoken(runtime, results.runtimes.get(runtime, {})))
    note = f"Sequential, no threads. To the right of 1: slower without the lock. Bar: 95 % interval. {hollow(table)}"
    return finish(figure, key(table), note, most=2 if table["against"].nunique() < 5 else 1)


def key(table: pd.DataFrame) -> list[Line2D]:
    """Each comparison with the runtimes that it was made with."""
    words = {"lock-on": "the same binary, lock on", "standard": "standard build"}
    return [
        sample(f"against {words[str(kind)]} ({', '.join(dict.fromkeys(rows['against']))})", COMPARED[str(kind)])
        for kind, rows in table.groupby("kind_of", sort=True)
    ]


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
