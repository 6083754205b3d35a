"""How late does a 60 Hz tick come, and how long does an echo take, while others compute?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilscope.figures import Results
from gilscope.figures._curves import (
    HOLLOW,
    HOW,
    between,
    curves,
    in_per_cent,
    per_cent,
    share_axis,
    shares_beyond,
    time_axis,
)
from gilscope.figures._grammar import MOST_COLUMNS
from gilscope.figures._look import INK, MUTED, SPARE, STRATEGIES
from gilscope.figures._panels import finish, legend_columns, nothing, panels
from gilscope.figures._rows import caption
from gilscope.figures._runtimes import named
from gilscope.figures._trials import observed
from gilscope.labs._distributions import LIMITS_MS, beyond_metrics
from gilscope.labs.responsiveness import LATE_S

TITLE = "How late a tick comes while others compute"
SECTION = "labs"
SHOWS = ("lab:responsiveness",)
FRAME_MS = 1000 * LATE_S
EVENTS = {"ticks": "a tick's delay", "echoes": "time of an echo"}
"""What the lab counts → what a distribution of that is of."""
TITLES = {"ticks": "A 60 Hz tick of the main thread", "echoes": "An echo over loopback"}
LOOKS = {
    "nothing computes": replace(STRATEGIES["sequential"], marker="D"),
    "1 process": STRATEGIES["multiprocessing"],
    "4 processes": replace(STRATEGIES["multiprocessing-forkserver"], marker="*"),
    "1 thread": STRATEGIES["threading"],
    # Every fifth spare look differs from the others in both colour and marker.
    "1 thread, one long C call": SPARE[0],
    "1 thread, interval 0.5 ms": SPARE[5],
    "4 threads": SPARE[10],
}
"""What is drawn; the full form of the lab also has 2 and 3 threads and processes, and another switch interval."""


def needs(results: Results) -> str:
    """What the run would have to hold."""
    there = len(observed(results, "responsiveness", [metric for event in EVENTS for metric in beyond_metrics(event)]))
    return "" if there else "the lab ``responsiveness``: ``labs.names`` in the configuration"


def measured(results: Results) -> pd.DataFrame:
    """The points of all curves; ``event`` is ``ticks`` or ``echoes``, and ``case`` only what computes meanwhile."""
    found = []
    for event in EVENTS:
        limits = dict(zip(beyond_metrics(event), map(float, LIMITS_MS), strict=True))
        limits |= {"late_ticks": FRAME_MS} if event == "ticks" else {}
        found.append(shares_beyond(results, "responsiveness", event, limits).assign(event=event))
    points = pd.concat(found, ignore_index=True)
    names = points["case"].astype(str).str.removeprefix("echo, ").str.removesuffix(", bytecode")
    return points.assign(case=names)


def draw(results: Results) -> Figure:
    points = measured(results)
    if points.empty:
        return nothing("No times of ticks: the lab responsiveness is not in labs.names.")
    every = results.ordered(points["runtime"])
    runtimes = results.telling(every, MOST_COLUMNS)
    columns = max(2, len(runtimes))
    figure, places = panels(len(EVENTS) * len(runtimes), columns, height=3.4 if columns < 3 else 2.7)
    for number, axes in enumerate(places):
        event, runtime = list(EVENTS)[number // len(runtimes)], runtimes[number % len(runtimes)]
        own = points[(points["event"] == event) & (points["runtime"] == runtime)]
        several = len(runtimes) > 1
        if number % len(runtimes) == 0:
            axes.set_title(TITLES[event], pad=20 if several else 8)
        if several or own.empty:
            caption(axes, runtime, len(own) > 0)
        if len(own):
            panel(axes, own, event)
        if number % columns:
            axes.tick_params(labelleft=False)
            axes.set_ylabel("")
    key(figure, points[points["runtime"].isin(runtimes)], [name for name in every if name not in runtimes])
    return figure


def panel(axes: Axes, points: pd.DataFrame, event: str) -> None:
    """One runtime's ticks or echoes: a curve for each thing that computes meanwhile."""
    time_axis(axes, EVENTS[event])
    share_axis(axes, f"share of {event} that {'come later' if event == 'ticks' else 'take longer'}")
    if event == "ticks":
        axes.axvline(FRAME_MS, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    curves(axes, points, LOOKS, list(LOOKS))
    finish(axes)


def key(figure: Figure, points: pd.DataFrame, left_out: Sequence[str]) -> None:
    handles = [
        Line2D([], [], color=drawn.colour, marker=drawn.marker, label=case)
        for case, drawn in LOOKS.items()
        if case in set(points["case"])
    ]
    handles.append(Line2D([], [], color=INK, linewidth=1, linestyle=(0, (4, 3)), label=f"one frame, {FRAME_MS:g} ms"))
    figure.legend(
        handles=handles, loc="outside upper left", ncols=legend_columns([str(h.get_label()) for h in handles])
    )
    figure.supxlabel(note(points, left_out), x=0.01, ha="left", fontsize=8, color=MUTED)


def note(points: pd.DataFrame, left_out: Sequence[str]) -> str:
    """How to read it, and what it does not show."""
    said = f"{HOW} {HOLLOW if points['low'].isna().any() else ''}"
    more = [case for case in dict.fromkeys(points["case"]) if case not in LOOKS]
    missing = [
        f"For want of room without {named(names, 5)}: see the numbers below." for names in (left_out, more) if names
    ]
    return "\n".join([said, *missing])


def data(results: Results) -> pd.DataFrame:
    """In per cent of ticks and of echoes."""
    return in_per_cent(results, measured(results).rename(columns={"event": "per_cent_of"}), list(LOOKS))


def alt(results: Results) -> str:
    points = measured(results)
    if points.empty:
        return "Nothing to draw: no ticks have been timed while others compute."
    parts = []
    for runtime in results.ordered(points["runtime"]):
        for case in LOOKS:
            own = points[(points["runtime"] == runtime) & (points["case"] == case)]
            ticks, echoes = (own[own["event"] == event] for event in EVENTS)
            late = ticks[ticks["limit_ms"] == FRAME_MS]
            said = [f"{per_cent(row)} of ticks more than a frame late" for row in late.to_dict("records")]
            said += [
                f"{word} p50 {between(curve, 0.5)}, p99 {between(curve, 0.01)}"
                for word, curve in (("delay", ticks), ("echo", echoes))
                if len(curve)
            ]
            parts += [f"{runtime}, {case}: {', '.join(said)}"] if said else []
    return (
        "Share of ticks later than a time, and of echoes longer than it, against that time. " + "; ".join(parts) + "."
    )
