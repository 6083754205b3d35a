"""For how long does one of two busy threads run before the other one does?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gilscope.analysis.intervals import plain_interval
from gilscope.figures import Results
from gilscope.figures._curves import HOW, between, curves, in_per_cent, per_cent, shares_beyond
from gilscope.figures._grammar import MOST_COLUMNS, finish, hollow, nothing, sample, samples, without
from gilscope.figures._look import INK, MUTED, SPARE, STRATEGIES
from gilscope.figures._runtimes import identified, spoken
from gilscope.figures._trials import BOUNDS, arranged, needed, observed
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
MARKS: dict[float, tuple[str, dict[str, Any]]] = {
    USUAL_MS: (f"CPython's usual interval, {USUAL_MS:g} ms", {"color": MUTED, "linewidth": 1}),
    1000 * LONG_S: (
        f"the claim's limit, {1000 * LONG_S:g} ms",
        {"color": INK, "linewidth": 1, "linestyle": (0, (4, 3))},
    ),
}
"""Times that are marked in each panel: what they are, and how they are drawn."""


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return "" if len(observed(results, "switching", beyond_metrics("runs"))) else needed("switching")


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
    points, free = measured(results), lock_off(results)
    if points.empty:
        return nothing("No times of turns: the lab switching is not in labs.names.")
    every = results.ordered(points["runtime"])
    runtimes = results.telling(every, MOST_PANELS)
    columns = min(len(runtimes), MOST_COLUMNS)
    points = arranged(points[~points["runtime"].isin(free)], number=("runtime", runtimes))
    cases = {case: LOOKS[case] for case in CASES if case in set(points["case"])}
    labels = [("length of a run", "share of runs that are longer")] * len(runtimes)
    figure, places = curves(points, cases, columns, 3.3 if columns < 3 else 2.8, labels)
    for axes, runtime in zip(places, runtimes, strict=False):
        axes.set_title(spoken(runtime, results.runtimes.get(runtime, {})) if columns < 3 else runtime)
        if runtime in free:
            said = f"both threads ran at once\nfor {per_cent(at_once(results, runtime))} of the time."
            words: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center", "color": MUTED}
            axes.text(0.5, 0.5, f"No turns without the lock:\n{said}", **words)
            continue
        for place, (_, style) in MARKS.items():
            axes.axvline(place, zorder=1, **style)
    key = samples({switch_interval(case): drawn for case, drawn in cases.items()})
    key += [sample(label, **style) for label, style in MARKS.values()]
    left = [name for name in every if name not in runtimes]
    return finish(figure, key, f"{HOW} {hollow(points, 'trials')}{without(left, 'the numbers below')}")


def switch_interval(case: str) -> str:
    return f"switch interval {SET[case]:g} ms" if case in SET else "switch interval as it is"


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
