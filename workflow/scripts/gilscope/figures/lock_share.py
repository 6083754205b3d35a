"""What does it cost to hold a lock for long? Throughput against the share of its work that a thread does under it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter

from gilscope.figures import Results
from gilscope.figures._look import MUTED, STRATEGIES, Look, look
from gilscope.figures._panels import WIDTH, finish, intervals, nothing
from gilscope.figures._runtimes import spoken
from gilscope.figures._trials import (
    BOUNDS,
    MOST_RUNTIMES,
    hollow,
    left_out_note,
    needed,
    no_answer_note,
    observed,
    summed_up,
)
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
DASHED = (0, (4, 3))
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
    found = points(results)
    if found.empty:
        return nothing(f"No trials of the lab {LAB}.")
    seen = trials(results)
    runtimes = results.telling(found["runtime"], MOST_RUNTIMES)
    every, tried = found[found["runtime"].isin(runtimes)], seen[seen["runtime"].isin(runtimes)]
    layout = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09)
    size = (WIDTH, 4.0 if len(runtimes) == 1 else 3.7)
    figure, places = plt.subplots(1, len(runtimes), figsize=size, squeeze=False, sharey=True, layout=layout)
    highest = np.nanmax([*every[["theory", "high"]].to_numpy(float).ravel(), *tried["value"]])
    aside = ASIDE * (1 + len(runtimes)) / 2
    for axes, runtime in zip(places[0], runtimes, strict=True):
        own = every[every["runtime"] == runtime]
        panel(axes, own, tried[tried["runtime"] == runtime], aside, highest)
        if len(runtimes) > 1:
            axes.set_title(
                spoken(runtime, results.runtimes.get(runtime, {})).replace(" free-threaded", "\nfree-threaded")
            )
    places[0][0].set_ylim(0, 1.06 * highest)
    places[0][0].set_ylabel("tasks a second")
    key(figure, sorted(map(int, every["threads"].unique())))
    task = f"{1e3 * locking.TASK_S:g} ms"
    note = f"Pale dot: a trial. Marker: geometric mean of the trials; bar: its 95 % interval. {hollow(every)}"
    note += f"\nTheory: threads ÷ {task}, and where the lock is the bottleneck 1 ÷ (share × {task}), whichever is less."
    note += no_answer_note(results, LAB, CASES) + left_out_note(results, found["runtime"], runtimes)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure


def panel(axes: Axes, found: pd.DataFrame, tried: pd.DataFrame, apart: float, highest: float) -> None:
    """One runtime: what each number of threads reached, beneath the lines that bound it.

    No line joins the points: a straight one would lie above the bound, which is curved, between two shares.
    """
    axes.set_xlim(-6, 106)
    axes.xaxis.set_major_locator(FixedLocator(sorted(100 * found["held"].unique())))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("share of the work under the lock, %")
    counts = sorted(map(int, found["threads"].unique()))
    shares = np.linspace(1 / counts[-1], 1, 101)
    lock_bound = [bound(share, counts[-1]) for share in shares]
    axes.plot(100 * shares, lock_bound, color=MUTED, linestyle=DASHED, linewidth=1.3, zorder=2)
    # Side by side where they are close, so that no marker hides another; elsewhere each lies at its share.
    found = found.assign(across=100 * found["held"] + apart * places_beside(found, CLOSE * highest))
    for threads in counts:
        drawn = look_of(threads)
        axes.hlines(bound(0, threads), 0, 100 / threads, color=drawn.colour, linestyle=DASHED, linewidth=1.3, zorder=2)
        own = found[found["threads"] == threads]
        dots = tried.merge(own[["threads", "held", "across"]], on=["threads", "held"])
        axes.plot(dots["across"], dots["value"], ".", markersize=4.5, color=drawn.colour, alpha=0.35, zorder=2)
        intervals(axes, own, own["across"], drawn, line=False)
    finish(axes)


def places_beside(found: pd.DataFrame, room: float) -> np.ndarray:
    """How many places each point moves aside: those of its share that are less than ``room`` apart share the middle."""
    places = []
    for row in found.to_dict("records"):
        near = found[(found["held"] == row["held"]) & ((found["estimate"] - row["estimate"]).abs() < room)]
        places.append((near["threads"] < row["threads"]).sum() - (len(near) - 1) / 2)
    return np.array(places, float)


def key(figure: Figure, counts: list[int]) -> None:
    handles = []
    for threads in counts:
        drawn, label = look_of(threads), counted(threads)
        handles.append(Line2D([], [], color=drawn.colour, marker=drawn.marker, linestyle="none", label=label))
    theory = Line2D([], [], color=MUTED, linestyle=DASHED, linewidth=1.3, label="theory: no more than that")
    figure.legend(handles=[*handles, theory], loc="outside upper left", ncols=len(handles) + 1, handlelength=2.4)


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
