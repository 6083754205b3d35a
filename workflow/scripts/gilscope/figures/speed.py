"""How fast is the work one task after the other on each runtime, before anything is concurrent?"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures import Results
from gilscope.figures._look import MUTED, look
from gilscope.figures._panels import hollow_note, lying, nothing, panels, ratio_axis, rows_axis
from gilscope.figures._ratios import across, places, workloads
from gilscope.figures._rows import MOST_COLUMNS
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
    runtimes, rows = results.ordered(table["runtime"]), workloads(table)
    columns = min(MOST_COLUMNS, len(runtimes))
    figure, axes = panels(len(runtimes), columns, height=1.0 + 0.24 * len(rows))
    for number, (place, runtime) in enumerate(zip(axes, runtimes, strict=True)):
        own = table[table["runtime"] == runtime]
        lying(place, own, places(rows, own), look("multiprocessing"))
        ratio_axis(place, table, "times as fast")
        rows_axis(place, rows)
        place.set_title(runtime)
        place.tick_params(labelleft=number % columns == 0)
    against = ", ".join(dict.fromkeys(table["against"]))
    note = f"Time of one task after the other on {against} ÷ on this runtime. To the right of 1: faster. "
    figure.supxlabel(f"{note}Bar: 95 % interval. {hollow_note(table)}", x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure


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
