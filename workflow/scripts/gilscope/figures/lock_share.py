"""What does it cost to hold a lock for long? Throughput against the share of its work that a thread does under it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilscope.figures import Results
from gilscope.figures._axes import Axis, even
from gilscope.figures._grammar import finish, inner, nothing, panels, sample, samples
from gilscope.figures._look import MUTED, STRATEGIES, Look, look
from gilscope.figures._runtimes import spoken
from gilscope.figures._trials import BOUNDS, MOST_RUNTIMES, needed, notes, observed, plotted, summed_up
from gilscope.labs import locking

TITLE = "Throughput against the share of work under a lock"
SECTION = "labs"
SHOWS = ("lab:locking",)
LAB = "locking"
CASES = {name: case for name, case in locking.LAB.cases.items() if "held" in case.arguments}
THREADS = {
    1: STRATEGIES["sequential-blas-threads"],
    2: STRATEGIES["threading-raw"],
    4: STRATEGIES["threading"],
    8: STRATEGIES["threading-blas-threads"],
}
DASHED: dict[str, Any] = {"linestyle": (0, (4, 3)), "linewidth": 1.3}
ASIDE, CLOSE = 1.1, 0.05
"""How far apart markers stand on an axis of the figure's whole width, in per cent of work, that are closer than this
share of the axis."""


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return needed(LAB) if trials(results).empty else ""


def bound(held: float, threads: int) -> float:
    """Tasks a second that cannot be surpassed: each takes a thread its whole time, and the lock its share of it.

    held: from 0 to 1. Denning & Buzen, The Operational Analysis of Queueing Network Models, ACM Computing Surveys 10
    (1978), 225-261.
    """
    free = threads / locking.TASK_S
    return min(free, 1 / (held * locking.TASK_S)) if held > 0 else free


def look_of(threads: int) -> Look:
    return THREADS.get(threads) or look(f"{threads} threads")


def counted(threads: int) -> str:
    return f"{threads} thread" + ("" if threads == 1 else "s")


def trials(results: Results) -> pd.DataFrame:
    """Every trial: ``runtime``, ``threads``, ``held`` from 0 to 1, ``value`` in tasks a second."""
    cases = pd.DataFrame([{"case": name, **case.arguments} for name, case in CASES.items()])
    seen = observed(results, LAB, ["tasks_per_s"]).merge(cases, on="case")
    seen = seen.astype({"held": float, "threads": int}).assign(held=seen["held"].astype(float) / 100)
    seen["run"] = seen["runtime"].map({name: place for place, name in enumerate(results.ordered(seen["runtime"]))})
    return seen.sort_values(["run", "threads", "held", "trial"], ignore_index=True)


def points(results: Results) -> pd.DataFrame:
    """The geometric mean over trials of each runtime, number of threads and share, with ``theory``."""
    found = summed_up(trials(results), ["runtime", "threads", "held"])
    theory = [bound(held, threads) for held, threads in zip(found["held"], found["threads"], strict=True)]
    return found.assign(theory=np.array(theory, float))


def draw(results: Results) -> Figure:
    every, seen = points(results), trials(results)
    if every.empty:
        return nothing(f"No trials of the lab {LAB}.")
    runtimes = results.telling(every["runtime"], MOST_RUNTIMES)
    found, seen = (table[table["runtime"].isin(runtimes)] for table in (every, seen))
    highest = np.nanmax([*found[["theory", "high"]].to_numpy(float).ravel(), *seen["value"]])
    # Side by side where they are close, so that no marker hides another; elsewhere each lies at its share.
    aside = ASIDE * (1 + len(runtimes)) / 2 * places_beside(found, CLOSE * highest)
    found = found.assign(col=found["runtime"].map(runtimes.index), row=0, across=100 * found["held"] + aside)
    seen = seen.merge(found[["runtime", "threads", "held", "row", "col", "across"]])
    counts = sorted(map(int, found["threads"].unique()))
    # No line joins the points: a straight one would lie above the bound, which is curved, between two shares.
    plot = plotted(found, seen, "across", "threads", {count: look_of(count) for count in counts}, lying=False)
    figure, (line,) = panels(plot, [3.25 if len(runtimes) == 1 else 2.95], len(runtimes))
    for place, (axes, runtime) in enumerate(zip(line, runtimes, strict=True)):
        own = found[found["runtime"] == runtime]
        shares = sorted(100 * own["held"].unique())
        Axis("share of the work under the lock, %", -6, 106, shares).lay(axes, "x")
        Axis("tasks a second", 0, 1.06 * highest, even(0, 1.06 * highest), words="{:,.0f}".format).lay(axes, "y")
        draw_bounds(axes, sorted(map(int, own["threads"].unique())))
        if len(runtimes) > 1:
            name = spoken(runtime, results.runtimes.get(runtime, {}))
            axes.set_title(name.replace(" free-threaded", "\nfree-threaded"))
        if place:
            inner(axes)
    key = samples({counted(count): look_of(count) for count in counts}, linestyle="none")
    key.append(sample("theory: no more than that", color=MUTED, **DASHED))
    task = f"{1e3 * locking.TASK_S:g} ms"
    how = "Pale dot: a trial. Marker: geometric mean of the trials; bar: its 95 % interval."
    why = f"Theory: threads ÷ {task}, and where the lock is the bottleneck 1 ÷ (share × {task}), whichever is less."
    return finish(figure, key, notes(results, LAB, every, runtimes, how, why, of=list(CASES)))


def draw_bounds(axes: Axes, counts: list[int]) -> None:
    """The lines that bound what so many threads can do."""
    shares = np.linspace(1 / counts[-1], 1, 101)
    axes.plot(100 * shares, [bound(share, counts[-1]) for share in shares], color=MUTED, zorder=2, **DASHED)
    for threads in counts:
        axes.hlines(bound(0, threads), 0, 100 / threads, color=look_of(threads).colour, zorder=2, **DASHED)


def places_beside(found: pd.DataFrame, room: float) -> np.ndarray:
    """How many places each point moves aside: those of its panel and share closer than ``room`` share the middle."""
    places = []
    for row in found.to_dict("records"):
        beside = (found["held"] == row["held"]) & (found["runtime"] == row["runtime"])
        near = found[beside & ((found["estimate"] - row["estimate"]).abs() < room)]
        places.append((near["threads"] < row["threads"]).sum() - (len(near) - 1) / 2)
    return np.array(places, float)


def data(results: Results) -> pd.DataFrame:
    found = points(results).rename(columns={"held": "share_under_the_lock"}).assign(unit="tasks a second")
    return found[["runtime", "threads", "share_under_the_lock", "unit", "theory", *BOUNDS]]


def alt(results: Results) -> str:
    found = points(results)
    if found.empty:
        return "Nothing to draw: the lab of threads that share a lock has not been run."
    runtimes = results.telling(found["runtime"], MOST_RUNTIMES)
    parts = []
    for (runtime, _), own in found[found["runtime"].isin(runtimes)].groupby(["runtime", "threads"], sort=False):
        where = f"{runtime}, " if len(runtimes) > 1 else ""
        said = ", ".join(
            f"{row['estimate']:,.0f} at {100 * row['held']:g} % (theory {row['theory']:,.0f})"
            for row in own.to_dict("records")
        )
        parts.append(f"{where}{counted(own['threads'].iloc[0])}: {said}")
    return "Tasks a second against the share of work under a lock, with a bound from theory. " + "; ".join(parts) + "."
