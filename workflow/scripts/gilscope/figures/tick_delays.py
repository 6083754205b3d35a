"""How late does a 60 Hz tick come, and how long does an echo take, while others compute?"""

from __future__ import annotations

import itertools
from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures import Results
from gilscope.figures._curves import HOW, between, curves, in_per_cent, per_cent, shares_beyond
from gilscope.figures._grammar import IDEAL, MOST_COLUMNS, finish, hollow, nothing, sample, samples
from gilscope.figures._look import INK, SPARE, STRATEGIES
from gilscope.figures._rows import caption
from gilscope.figures._runtimes import named
from gilscope.figures._trials import arranged, needed, observed
from gilscope.labs._distributions import LIMITS_MS, beyond_metrics
from gilscope.labs.responsiveness import LATE_S

TITLE = "How late a tick comes while others compute"
SECTION = "labs"
SHOWS = ("lab:responsiveness",)
FRAME_MS = 1000 * LATE_S
EVENTS = {"ticks": "A 60 Hz tick of the main thread", "echoes": "An echo over loopback"}
LABELS = {
    "ticks": ("a tick's delay", "share of ticks that come later"),
    "echoes": ("time of an echo", "share of echoes that take longer"),
}
"""What the lab counts → what the axes of a distribution of that are of."""
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
    metrics = [metric for event in EVENTS for metric in beyond_metrics(event)]
    return "" if len(observed(results, "responsiveness", metrics)) else needed("responsiveness")


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
    points = arranged(points, place=("runtime", runtimes))
    cases = {case: drawn for case, drawn in LOOKS.items() if case in set(points["case"])}
    points = points.assign(number=points["event"].map(list(EVENTS).index) * len(runtimes) + points["place"])
    columns = max(2, len(runtimes))
    labels = [label for label in LABELS.values() for _ in runtimes]
    figure, places = curves(points, cases, columns, 3.4 if columns < 3 else 2.7, labels)
    frame = {"color": INK, "linewidth": 1, "linestyle": IDEAL["linestyle"]}
    for (event, runtime), axes in zip(itertools.product(EVENTS, runtimes), places, strict=False):
        if runtime == runtimes[0]:
            axes.set_title(EVENTS[event], pad=20 if len(runtimes) > 1 else 8)
        if len(runtimes) > 1 or not axes.axison:
            caption(axes, runtime, axes.axison)
        if axes.axison and event == "ticks":
            axes.axvline(FRAME_MS, zorder=1, **frame)
    key = [*samples(cases), sample(f"one frame, {FRAME_MS:g} ms", **frame)]
    more = [case for case in dict.fromkeys(points["case"]) if case not in LOOKS]
    left = [names for names in ([name for name in every if name not in runtimes], more) if names]
    missing = [f"For want of room without {named(names, 5)}: see the numbers below." for names in left]
    return finish(figure, key, "\n".join([f"{HOW} {hollow(points, 'trials')}", *missing]))


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
