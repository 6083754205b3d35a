"""Many connections open at once: what do coroutines cost, and what a thread for each?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures import Results
from gilscope.figures._axes import amounts, even, rows
from gilscope.figures._grammar import finish, inner, nothing, panels, sample, samples
from gilscope.figures._look import INK, MUTED, STRATEGIES
from gilscope.figures._runtimes import spoken
from gilscope.figures._trials import BOUNDS, MOST_RUNTIMES, arranged, needed, notes, observed, plotted, summed_up
from gilscope.labs import connections

TITLE = "Many connections at once"
SECTION = "labs"
SHOWS = ("lab:connections",)
LAB = "connections"
CLIENTS = {"asyncio": STRATEGIES["asyncio"], "threads": STRATEGIES["threading"]}
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
    return f"Requests without an answer, which are in none of the times: {', '.join(parts)}." if parts else ""


def draw(results: Results) -> Figure:
    every, seen = points(results), trials(results)
    if every.empty:
        return nothing(f"No trials of the lab {LAB}.")
    runtimes = results.telling(every["runtime"], MOST_RUNTIMES)
    found, seen = (arranged(t, row=("runtime", runtimes), col=("metric", list(METRICS))) for t in (every, seen))
    settings = list(dict.fromkeys(found.sort_values(["delay_s", "connections"])["setting"]))
    found, seen = (arranged(table, line=("setting", settings)) for table in (found, seen))
    plot = plotted(found, seen, "line", "client", CLIENTS, spread=0.09, apart=13, width=2.2)
    figure, grid = panels(plot, [1.05 + 0.5 * len(settings)] * len(runtimes), len(METRICS), spare=0.85)
    for line, runtime in zip(grid, runtimes, strict=True):
        for axes, (metric, (title, unit, _)) in zip(line, METRICS.items(), strict=True):
            alike = ANSWERS if metric in ANSWERS else [metric]
            own, dots = (table[table["metric"].isin(alike)] for table in (found, seen))
            axis = amounts(pd.concat([own["low"], own["high"], dots["value"]]), unit)
            ticks = axis.ticks if axis.base else even(axis.low, axis.high, 4)
            replace(axis, ticks=ticks, words="{:,g}".format).lay(axes, "x")
            rows([setting.replace(", ", ",\nserver takes ") for setting in settings]).lay(axes, "y")
            if metric in ANSWERS:
                alone = own.drop_duplicates("line")
                style: dict[str, Any] = {"color": INK, "linewidth": 1.2, "zorder": 1.5}
                axes.vlines(1e3 * alone["delay_s"], alone["line"] - 0.4, alone["line"] + 0.4, **style)
            axes.set_title(title[0].upper() + title[1:])
            if axes is not line[0]:
                inner(axes)
        if len(runtimes) > 1:
            name = spoken(runtime, results.runtimes.get(runtime, {}))
            line[0].annotate(name, (0, 1), (0, 24), xycoords="axes fraction", textcoords="offset points", color=MUTED)
    key = samples(dict(zip(("asyncio", "a thread for each connection"), CLIENTS.values(), strict=True)))
    key.append(sample("what the server alone takes", color=INK, linestyle="none", marker="|", markersize=9))
    how = "Pale dot: a trial. Marker: geometric mean of the trials; bar: its 95 % interval."
    server = f"The server takes {1e3 * USUAL_DELAY_S:.0f} ms for an answer, where no other time is named."
    said = (how, server, unanswered_requests(results, runtimes))
    return finish(figure, key, notes(results, LAB, every, runtimes, *said, of=list(connections.LAB.cases)))


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
