"""Many connections open at once: what do coroutines cost, and what a thread for each?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gilscope.figures import Results
from gilscope.figures._look import INK, MUTED, STRATEGIES
from gilscope.figures._panels import WIDTH, nothing, rows_axis
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
from gilscope.labs import connections

TITLE = "Many connections at once"
SECTION = "labs"
SHOWS = ("lab:connections",)
LAB = "connections"
CLIENTS = {"asyncio": STRATEGIES["asyncio"], "threads": STRATEGIES["threading"]}
ASIDE = {"asyncio": -0.19, "threads": 0.19}
METRICS = {
    "requests_per_cpu_s": ("requests per CPU second", "1/s", 1.0),
    "p50_s": ("answer, median", "ms", 1e3),
    "p99_s": ("answer, 99th percentile", "ms", 1e3),
    "peak_bytes": ("memory of the client", "MiB", 2.0**-20),
}
"""What a metric is called, the unit that it is shown in, and what to multiply it by to be in that."""
ANSWERS = ("p50_s", "p99_s")
"""These lie on axes of one scale, so that they can be compared."""
USUAL_DELAY_S = 0.02
SETTING = ["runtime", "connections", "delay_s", "setting"]


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return needed(LAB) if trials(results).empty else ""


def lab_cases() -> pd.DataFrame:
    """The lab's cases: ``case``, ``client``, ``setting``, ``connections``, ``requests`` of each, ``delay_s``."""
    cases = []
    for name, case in connections.LAB.cases.items():
        client, _, setting = name.partition(", ")
        cases.append({"case": name, "client": client, "setting": setting, **case.arguments})
    return pd.DataFrame(cases)


def trials(results: Results) -> pd.DataFrame:
    """Every trial in the units of ``METRICS``: ``runtime``, ``metric``, ``value`` and what ``lab_cases`` tells.

    Memory that did not grow cannot be told from memory that was there before, and is left out.
    """
    seen = observed(results, LAB, METRICS).merge(lab_cases(), on="case")
    factors = seen["metric"].map({name: factor for name, (_, _, factor) in METRICS.items()}).astype(float)
    seen = seen.assign(value=seen["value"] * factors)[seen["value"] > 0]
    for column, order in (("runtime", results.ordered(seen["runtime"])), ("metric", METRICS), ("client", CLIENTS)):
        seen[f"{column}_place"] = seen[column].map({name: place for place, name in enumerate(order)})
    by = ["runtime_place", "metric_place", "delay_s", "connections", "client_place", "trial"]
    return seen.sort_values(by, ignore_index=True)


def points(results: Results) -> pd.DataFrame:
    """The geometric mean over trials of each runtime, setting, client and metric."""
    return summed_up(trials(results), [*SETTING, "metric", "client"])


def unanswered_requests(results: Results, runtimes: Sequence[str]) -> str:
    """In which cases requests were left without an answer, as a line of its own: the times are of the others."""
    lost = observed(results, LAB, ["failures"]).merge(lab_cases(), on="case")
    lost = lost[lost["runtime"].isin(runtimes)].assign(asked=lost["connections"] * lost["requests"])
    parts = [
        f"{case} ({own['value'].sum():,.0f} of {own['asked'].sum():,.0f})"
        for case, own in lost.groupby("case", sort=False)
        if own["value"].sum()
    ]
    return f"\nRequests without an answer, which are in none of the times: {', '.join(parts)}." if parts else ""


def draw(results: Results) -> Figure:
    every = trials(results)
    if every.empty:
        return nothing(f"No trials of the lab {LAB}.")
    runtimes = results.telling(every["runtime"], MOST_RUNTIMES)
    shown = every[every["runtime"].isin(runtimes)]
    rows = list(dict.fromkeys(shown.sort_values(["delay_s", "connections"])["setting"]))
    height = len(runtimes) * (1.05 + 0.5 * len(rows)) + 0.85
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.09, wspace=0.02)
    figure, places = plt.subplots(len(runtimes), len(METRICS), figsize=(WIDTH, height), squeeze=False, layout=layout)
    for line, runtime in zip(places, runtimes, strict=True):
        for axes, metric in zip(line, METRICS, strict=True):
            panel(axes, shown[shown["metric"].isin(ANSWERS if metric in ANSWERS else [metric])], runtime, metric, rows)
        if len(runtimes) > 1:
            name = spoken(runtime, results.runtimes.get(runtime, {}))
            line[0].annotate(name, (0, 1), (0, 24), xycoords="axes fraction", textcoords="offset points", color=MUTED)
    key(figure)
    found = summed_up(shown, [*SETTING, "metric", "client"])
    note = f"Pale dot: a trial. Marker: geometric mean of the trials; bar: its 95 % interval. {hollow(found)}"
    note += f"\nThe server takes {1e3 * USUAL_DELAY_S:.0f} ms for an answer, where no other time is named."
    note += unanswered_requests(results, runtimes) + no_answer_note(results, LAB, connections.LAB.cases)
    note += left_out_note(results, every["runtime"], runtimes)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure


def panel(axes: Axes, shown: pd.DataFrame, runtime: str, metric: str, rows: Sequence[str]) -> None:
    """One metric of one runtime: the settings beneath each other, on an axis that all that is shown fits."""
    own = shown[(shown["runtime"] == runtime) & (shown["metric"] == metric)]
    title, unit, _ = METRICS[metric]
    for place, setting in enumerate(rows):
        here = own[own["setting"] == setting]
        for client, drawn in CLIENTS.items():
            if len(own_values := here.loc[here["client"] == client, "value"]):
                lie(axes, own_values, place + ASIDE[client], drawn, spread=0.09)
        if metric in ANSWERS and len(here):
            axes.vlines(1e3 * here["delay_s"].iloc[0], place - 0.4, place + 0.4, color=INK, linewidth=1.2, zorder=1.5)
    bounds = summed_up(shown, [*SETTING, "metric", "client"])[["low", "high"]].to_numpy(float).ravel()
    values = np.concatenate([shown["value"].to_numpy(float), bounds])
    time_axis(axes, np.nanmin(values), np.nanmax(values), unit)
    if axes.get_xscale() == "linear":
        axes.xaxis.set_major_locator(MaxNLocator(4))
    if metric == "requests_per_cpu_s":
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    rows_axis(axes, [setting.replace(", ", ",\nserver takes ") for setting in rows])
    axes.tick_params(labelleft=metric == next(iter(METRICS)))
    axes.set_title(title[0].upper() + title[1:])


def key(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=drawn.colour, marker=drawn.marker, label=label)
        for drawn, label in zip(CLIENTS.values(), ("asyncio", "a thread for each connection"), strict=True)
    ]
    server = Line2D([], [], color=INK, linestyle="none", marker="|", markersize=9, label="what the server alone takes")
    figure.legend(handles=[*handles, server], loc="outside upper left", ncols=3, handlelength=2.4)


def data(results: Results) -> pd.DataFrame:
    found = points(results)
    found = found.assign(
        measured=found["metric"].map({name: title for name, (title, _, _) in METRICS.items()}),
        unit=found["metric"].map({name: unit for name, (_, unit, _) in METRICS.items()}),
        server_takes_ms=1e3 * found["delay_s"],
    ).rename(columns={"connections": "open_connections"})
    return found[["runtime", "measured", "unit", "open_connections", "server_takes_ms", "client", *BOUNDS]]


def alt(results: Results) -> str:
    found = points(results)
    if found.empty:
        return "Nothing to draw: the lab of many open connections has not been run."
    runtimes = results.telling(found["runtime"], MOST_RUNTIMES)
    shown = found[found["runtime"].isin(runtimes)]
    parts = []
    for (runtime, metric, setting), own in shown.groupby(["runtime", "metric", "setting"], sort=False):
        title, unit, _ = METRICS[str(metric)]
        where = f"{runtime}, " if len(runtimes) > 1 else ""
        said = " and ".join(
            f"{row['estimate']:,.3g} {unit} with {row['client']}"
            if row["estimate"] < 1000
            else f"{row['estimate']:,.0f} with {row['client']}"
            for row in own.to_dict("records")
        )
        parts.append(f"{where}{title}, {setting}: {said}")
    return "Coroutines against a thread for each connection. " + "; ".join(parts) + "."
