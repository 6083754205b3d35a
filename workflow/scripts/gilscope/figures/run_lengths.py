"""For how long does one of two busy threads run before the other one does?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilscope.analysis.intervals import plain_interval
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
from gilscope.figures._runtimes import identified, named, spoken
from gilscope.figures._trials import BOUNDS, observed
from gilscope.labs._distributions import LIMITS_MS, beyond_metrics
from gilscope.labs.switching import INTERVALS_MS, LONG_S, TRIAL_S

TITLE = "For how long one of two busy threads runs"
SECTION = "labs"
SHOWS = ("lab:switching",)
USUAL, USUAL_MS = "two busy threads", 5
SET = {f"interval {ms:g} ms": ms for ms in INTERVALS_MS}
# Every fifth spare look differs from the others in both colour and marker.
LOOKS = {USUAL: STRATEGIES["threading"], **dict(zip(SET, SPARE[::5], strict=True))}
CASES = sorted(LOOKS, key=lambda case: SET.get(case, USUAL_MS))
"""The cases of the lab in the order of their switch interval."""
MOST_PANELS = 2 * MOST_COLUMNS


def needs(results: Results) -> str:
    """What the run would have to hold."""
    there = len(observed(results, "switching", beyond_metrics("runs")))
    return "" if there else "the lab ``switching``: ``labs.names`` in the configuration"


def measured(results: Results) -> pd.DataFrame:
    """The points of all curves of all runtimes, those without the lock among them."""
    return shares_beyond(results, "switching", "runs", dict(zip(beyond_metrics("runs"), LIMITS_MS, strict=True)))


def lock_off(results: Results) -> set[str]:
    """The runtimes in which threads take no turns."""
    return {one.runtime for one in identified(results.runtimes) if one.lock_off}


def at_once(results: Results, runtime: str) -> dict[str, float]:
    """The share of a trial's time in which both threads got on, with its interval over trials."""
    seen = observed(results, "switching", ["both_s"], [USUAL])
    found = plain_interval(seen.loc[seen["runtime"] == runtime, "value"].to_numpy(float) / TRIAL_S)
    shares = np.clip([found.estimate, found.low, found.high], 0, 1).tolist()
    return dict(zip(BOUNDS, [*shares, found.rounds], strict=True))


def draw(results: Results) -> Figure:
    points = measured(results)
    if points.empty:
        return nothing("No times of turns: the lab switching is not in labs.names.")
    every = results.ordered(points["runtime"])
    runtimes = results.telling(every, MOST_PANELS)
    columns = min(len(runtimes), MOST_COLUMNS)
    figure, places = panels(len(runtimes), columns, height=3.3 if columns < 3 else 2.8)
    free = lock_off(results)
    for number, (axes, runtime) in enumerate(zip(places, runtimes, strict=True)):
        facts = results.runtimes.get(runtime, {})
        axes.set_title(spoken(runtime, facts) if columns < 3 else runtime)
        if runtime in free:
            no_turns(axes, at_once(results, runtime))
            continue
        panel(axes, points[points["runtime"] == runtime])
        if number % columns:
            axes.tick_params(labelleft=False)
            axes.set_ylabel("")
    key(figure, points[points["runtime"].isin(set(runtimes) - free)], [name for name in every if name not in runtimes])
    return figure


def panel(axes: Axes, points: pd.DataFrame) -> None:
    """One runtime: a curve for each switch interval."""
    time_axis(axes, "length of a run")
    share_axis(axes, "share of runs that are longer")
    axes.axvline(USUAL_MS, color=MUTED, linewidth=1, zorder=1)
    axes.axvline(1000 * LONG_S, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    curves(axes, points, LOOKS, CASES)
    finish(axes)


def no_turns(axes: Axes, found: Mapping[Any, Any]) -> None:
    """What there is to say of a runtime whose threads do not wait for each other."""
    words = f"No turns without the lock:\nboth threads ran at once\nfor {per_cent(found)} of the time."
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=MUTED)
    axes.set_axis_off()


def key(figure: Figure, points: pd.DataFrame, left_out: Sequence[str]) -> None:
    handles = [
        Line2D([], [], color=LOOKS[case].colour, marker=LOOKS[case].marker, label=switch_interval(case))
        for case in CASES
        if case in set(points["case"])
    ]
    handles += [
        Line2D([], [], color=MUTED, linewidth=1, label=f"CPython's usual interval, {USUAL_MS:g} ms"),
        Line2D([], [], color=INK, linewidth=1, linestyle=(0, (4, 3)), label=f"the claim's limit, {1000 * LONG_S:g} ms"),
    ]
    figure.legend(
        handles=handles, loc="outside upper left", ncols=legend_columns([str(h.get_label()) for h in handles])
    )
    figure.supxlabel(note(points, left_out), x=0.01, ha="left", fontsize=8, color=MUTED)


def switch_interval(case: str) -> str:
    return f"switch interval {SET[case]:g} ms" if case in SET else "switch interval as it is"


def note(points: pd.DataFrame, left_out: Sequence[str]) -> str:
    """How to read it, and what it does not show."""
    said = f"{HOW} {HOLLOW if points['low'].isna().any() else ''}"
    return said + (f"\nFor want of room without {named(left_out)}: see the numbers below." if left_out else "")


def data(results: Results) -> pd.DataFrame:
    """In per cent: of runs, and of the time where there are no turns."""
    points, free = measured(results), lock_off(results)
    turns = points[~points["runtime"].isin(free)].assign(per_cent_of="runs")
    rows = [
        {"runtime": runtime, "case": USUAL, "per_cent_of": "time, both at once", **at_once(results, runtime)}
        for runtime in results.ordered(points["runtime"])
        if runtime in free
    ]
    table = pd.concat([turns, pd.DataFrame(rows, columns=turns.columns)], ignore_index=True) if rows else turns
    return in_per_cent(results, table, CASES)


def alt(results: Results) -> str:
    points, free = measured(results), lock_off(results)
    if points.empty:
        return "Nothing to draw: it has not been observed how two busy threads take turns."
    parts = []
    for runtime in results.ordered(points["runtime"]):
        if runtime in free:
            parts.append(
                f"{runtime} without the lock: no turns, both at once for {per_cent(at_once(results, runtime))}"
            )
            continue
        for case in CASES:
            own = points[(points["runtime"] == runtime) & (points["case"] == case)]
            long = own[own["limit_ms"] == 1000 * LONG_S]
            for row in long.to_dict("records"):
                parts.append(
                    f"{runtime}, {switch_interval(case)}: median {between(own, 0.5)}, "
                    f"{per_cent(row)} longer than {1000 * LONG_S:g} ms"
                )
    return "Share of runs longer than a time against that time, a curve per switch interval. " + "; ".join(parts) + "."
