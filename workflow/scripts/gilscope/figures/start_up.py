"""What does it cost to start a worker? The first one of a program and later ones, every trial."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures import Results
from gilscope.figures._axes import duration, times
from gilscope.figures._grammar import finish, inner, nothing, panels
from gilscope.figures._trials import (
    BOUNDS,
    SPREAD,
    Ladder,
    arranged,
    beside,
    in_kinds,
    look_of,
    needed,
    notes,
    observed,
    plotted,
    summed_up,
)

TITLE = "Time from starting a worker to its answer"
SECTION = "labs"
SHOWS = ("lab:startup",)
LAB = "startup"
WORKERS = {"first_s": "first worker of a program", "later_s": "later workers"}


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return needed(LAB) if trials(results).empty else ""


def trials(results: Results) -> pd.DataFrame:
    """Seconds to the answer, a row for each trial; of later workers the median of a trial's."""
    seen = observed(results, LAB, WORKERS)
    kinds, runtimes = in_kinds(seen["case"]), results.ordered(seen["runtime"])
    order = seen["case"].map(kinds.index) * len(runtimes) + seen["runtime"].map(runtimes.index)
    return seen.assign(order=order).sort_values(["order", "metric", "trial"], ignore_index=True)


def points(results: Results) -> pd.DataFrame:
    """The geometric mean over trials of each runtime, kind (``case``) and metric, in seconds."""
    return summed_up(trials(results), ["runtime", "case", "metric"])


def draw(results: Results) -> Figure:
    seen, found = trials(results), points(results)
    if found.empty:
        return nothing(f"No trials of the lab {LAB}.")
    runtimes, kinds = results.ordered(found["runtime"]), in_kinds(found["case"])
    ladder = Ladder.of(found, "case", kinds, runtimes)
    metrics = [metric for metric in WORKERS if metric in set(found["metric"])]
    found, seen = (arranged(table, col=("metric", metrics)) for table in (found, seen))
    found, seen = (table.assign(line=ladder.rows(table, "case")) for table in (found, seen))
    looks = {kind: look_of(kind) for kind in kinds}
    plot = plotted(found, seen, "line", "case", looks, spread=SPREAD, width=2.2)
    height = 0.6 + (0.3 if len(runtimes) == 1 else 0.2) * len(ladder.labels)
    figure, (line,) = panels(plot, [height], len(metrics))
    for place, axes in enumerate(line):
        own = found[found["col"] == place]
        times([*seen["value"], *found["low"], *found["high"]], "time to the answer, logarithmic").lay(axes, "x")
        ladder.lay(axes, kinds if len(runtimes) > 1 else ())
        beside(axes, "mean", dict(zip(own["line"], map(duration, own["estimate"]), strict=True)), 48)
        axes.set_title(WORKERS[metrics[place]].capitalize())
        if place:
            inner(axes)
    note = "Dot: a trial, a program of its own, spread within the row. Marker: geometric mean. Bar: 95 % interval."
    return finish(figure, note=notes(results, LAB, found, runtimes, note))


def data(results: Results) -> pd.DataFrame:
    table = points(results)
    table[BOUNDS[:3]] *= 1e3
    table = table.assign(worker=table["metric"].map(WORKERS), unit="ms").rename(columns={"case": "kind"})
    return table[["runtime", "kind", "worker", "unit", *BOUNDS]]


def alt(results: Results) -> str:
    table = points(results)
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
