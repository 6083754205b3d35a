"""Distributions of durations as curves: the share of events that last longer than each limit, over all trials."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gilscope.analysis.intervals import FEWEST_ROUNDS, plain_interval, share_interval
from gilscope.figures import Results
from gilscope.figures._axes import Axis
from gilscope.figures._grammar import estimates, inner, panels
from gilscope.figures._look import Look
from gilscope.figures._marks import Interval
from gilscope.figures._trials import BOUNDS, observed
from gilscope.labs._distributions import LIMITS_MS

LINEAR_BELOW = 0.01
HOW = "All trials together, counted at the marks. Band and bar: 95 % interval."

# A figure's curves are needed for its drawing, its words and its table.
exact_share = functools.cache(share_interval)


def shares_beyond(results: Results, lab: str, per: str, limits: Mapping[str, float]) -> pd.DataFrame:
    """The share of events longer than each limit, pooled over trials, with the interval that a verdict would have.

    per: the metric that counts all events; limits: each metric that counts the longer ones → its limit in milliseconds.
    Returns ``runtime``, ``case``, ``limit_ms``, ``BOUNDS`` and ``counted``, what was counted in words.
    """
    seen = observed(results, lab, [per, *limits])
    counts = seen.pivot_table(index=["runtime", "case", "trial"], columns="metric", values="value", sort=False)
    counts = counts.reindex(columns=[per, *sorted(limits, key=limits.__getitem__)])
    rows = []
    for (runtime, case), own in counts.groupby(level=["runtime", "case"], sort=False):
        every = own[per].to_numpy()
        for metric in counts.columns[1:]:
            longer = own[metric].to_numpy()
            told = (every > 0) & np.isfinite(longer)
            if told.any():
                found = share_beyond(longer[told], every[told], per)
                rows.append({"runtime": runtime, "case": case, "limit_ms": limits[metric], **found})
    return pd.DataFrame(rows, columns=["runtime", "case", "limit_ms", *BOUNDS, "counted"])


def share_beyond(longer: np.ndarray, every: np.ndarray, per: str) -> dict[str, Any]:
    """One point of a curve, without an interval below three trials. longer, every: shape (trials,), counts.

    The interval is the wider of two, as in ``behaviour.share_of_events``: over trials, and the exact one over events.
    """
    events, whole, trials = int(longer.sum()), int(every.sum()), len(every)
    over_trials, exact = plain_interval(longer / every), exact_share(events, whole)
    low, high = max(0.0, min(over_trials.low, exact[1])), min(1.0, max(over_trials.high, exact[2]))
    bounds = (low, high) if trials >= FEWEST_ROUNDS else (math.nan, math.nan)
    words = f"{events:,} of {whole:,} {per} in {trials} trial{'s' if trials > 1 else ''}"
    return dict(zip([*BOUNDS, "counted"], (exact[0], *bounds, trials, words), strict=True))


def between(curve: pd.DataFrame, share: float) -> str:
    """Between which limits the time lies that this share of events exceed: ``5 to 10 ms``. curve: of one case."""
    longer, rest = (curve.loc[which, "limit_ms"] for which in (curve["estimate"] > share, curve["estimate"] <= share))
    if longer.empty or rest.empty:
        return f"at most {rest.min():g} ms" if longer.empty else f"more than {longer.max():g} ms"
    return f"{longer.max():g} to {rest.min():g} ms"


def per_cent(row: Mapping[Any, Any]) -> str:
    """``0.53 % [0, 1.5]``; without the brackets where there is no interval."""
    estimate, low, high = (digits(100 * row[name]) for name in BOUNDS[:3])
    return f"{estimate} %" if math.isnan(row["low"]) else f"{estimate} % [{low}, {high}]"


def digits(value: float) -> str:
    """Two digits, and more near 100, where what is left counts."""
    return f"{value:.2g}" if value < 99 else f"{value:.3g}"


def curves(
    points: pd.DataFrame,
    looks: Mapping[str, Look],
    columns: int,
    inches: float,
    labels: Sequence[tuple[str, str]],
) -> tuple[Figure, list[Axes]]:
    """Each case's share beyond each limit, a panel for each ``number``; lines between limits only guide the eye.

    inches: height of a panel. labels: what the axes of each panel are of.
    """
    shown = points[points["case"].isin(looks)]
    shown = shown.assign(row=shown["number"] // columns, col=shown["number"] % columns)
    # From the last limit that everything exceeds to the first that nothing does, so that no curve hides others.
    begun, over = (shown.groupby(["number", "case"])["estimate"].shift(*step) for step in ((-1,), (1,)))
    plot = estimates(shown[(begun.fillna(0) < 1) & (over.fillna(1) > 0)], "limit_ms", "case", looks)
    figure, lines = panels(plot.add(Interval(line=True)), [inches] * math.ceil(len(labels) / columns), columns)
    places = list(itertools.chain(*lines))
    for number, (axes, (what, share)) in enumerate(zip(places, labels, strict=False)):
        if axes.has_data():
            label = f"{what} (ms, logarithmic)"
            Axis(label, LIMITS_MS[0] / 1.3, LIMITS_MS[-1] * 1.3, [0.1, 1, 10, 100], 10).lay(axes, "x")
            share_axis(axes, share)
            if number % columns and share == labels[number - 1][1]:
                inner(axes)
    return figure, places


def share_axis(axes: Axes, label: str) -> None:
    """Shares from none to all, rare ones spread out: half of the events lie beyond the median, 1 % beyond the p99."""
    axes.set_yscale("symlog", linthresh=LINEAR_BELOW, linscale=0.7)
    axes.set_ylim(-0.0006, 1.2)
    ticks = {0.0: "0", 0.01: "p99: 1 %", 0.1: "10 %", 0.5: "p50: 50 %", 1.0: "100 %"}
    axes.yaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: ticks.get(value, "")))
    axes.set_ylabel(f"{label}\n(logarithmic above 1 %)", visible=True)


def in_per_cent(results: Results, points: pd.DataFrame, cases: Sequence[str]) -> pd.DataFrame:
    """The points of curves as a table for readers, by runtime and case in the order in which they are drawn."""
    place = {name: number for number, name in enumerate([*results.ordered(points["runtime"]), *cases])}
    table = points.sort_values(
        ["runtime", "case"], key=lambda names: names.map(place).fillna(len(place)), kind="stable"
    )
    table = table.assign(**{name: 100 * table[name].astype(float) for name in BOUNDS[:3]})
    table = table.rename(columns={"limit_ms": "longer_than_ms"}).reset_index(drop=True)
    return table[["runtime", "case", "longer_than_ms", "per_cent_of", *BOUNDS, "counted"]]
