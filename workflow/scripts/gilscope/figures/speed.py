"""How fast is the work one task after the other on each runtime, before anything is concurrent?"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures import Results
from gilscope.figures._axes import ratios
from gilscope.figures._grammar import finish, hollow, nothing
from gilscope.figures._look import look
from gilscope.figures._ratios import across, by_runtime
from gilscope.figures._tables import numbers

TITLE = "One after the other, on each runtime"
SECTION = "runtimes"
SHOWS = ("metric:runtime_ratio",)


def needs(results: Results) -> str:
    """What the run would have to hold."""
    several = len(results.runtimes) > 1
    return "" if several else "several runtimes: ``--configfile config/presets/versions.yaml``"


def draw(results: Results) -> Figure:
    table = across(results, "speeds")
    if table.empty:
        return nothing("No times of a second runtime: use --configfile config/presets/versions.yaml.")
    figure, axes = by_runtime(results, table, "against", dict.fromkeys(table["against"], look("multiprocessing")))
    for panel in axes.values():
        ratios(table, "times as fast, logarithmic").lay(panel, "x")
    against = ", ".join(dict.fromkeys(table["against"]))
    note = f"Time of one task after the other on {against} ÷ on this runtime. To the right of 1: faster."
    return finish(figure, note=f"{note} Bar: 95 % interval. {hollow(table)}")


def data(results: Results) -> pd.DataFrame:
    return numbers(across(results, "speeds"), "workload", "size", "runtime", "against")


def alt(results: Results) -> str:
    table = across(results, "speeds")
    if table.empty:
        return "Only one runtime has been measured, so there is none to compare it with."
    parts = [
        f"{row['workload']} on {row['runtime']}: {row['estimate']:.2f} times as fast as on {row['against']}"
        for row in table.to_dict("records")
    ]
    return "Sequential speed of each runtime, a row per workload. " + "; ".join(parts) + "."
