"""What does the lock do? One free-threaded binary measured twice, with its lock on and with it off."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gilscope.figures import SIZES, Results
from gilscope.figures._look import INK, LOCK, MUTED, look
from gilscope.figures._panels import (
    WIDTH,
    finish,
    hollow_note,
    intervals,
    lying,
    nothing,
    ratio_axis,
    rows_axis,
    speedup_axis,
)
from gilscope.figures._runtimes import binaries, spoken
from gilscope.figures._tables import numbers

TITLE = "The same binary with the lock on and off"
SECTION = "runtimes"
SHOWS = ("metric:lock_ratio",)
METRICS = {"speedup": "speedup", "effective_cores": "effective cores"}
SAME = ["workload", "size", "tasks", "parameter", "workers"]
MOST_SWEPT = 3
"""Curves of at most so many workloads; the others are rows at one worker count."""
Pair = tuple[str, str]


def needs(results: Results) -> str:
    """What the run would have to hold."""
    there = bool(binaries(results.runtimes))
    return (
        "" if there else "one free-threaded binary with the lock on and off: ``--configfile config/presets/gil.yaml``"
    )


def compared(results: Results, pair: Pair) -> pd.DataFrame:
    """Threads with the lock on and off, and the machine's limit: the same tasks and workers, at the largest size.

    Adds ``lock``: ``lock on``, ``lock off`` or ``limit``. The limit is that of the lock-off block.
    """
    table = results.estimates
    table = table[table["metric"].isin(list(METRICS)) & table["estimate"].notna() & table["runtime"].isin(pair)]
    table = table[~table["workload"].astype(str).str.startswith("dial_")]
    threads = table[(table["strategy"] == "threading") & (table["pool"] == "cold")]
    threads = threads.assign(lock=threads["runtime"].map(dict(zip(pair, LOCK, strict=True))))
    both = threads.groupby([*SAME, "metric"], dropna=False)["lock"].transform("nunique") == 2
    threads = threads[both]
    rank = threads["size"].map({size: place for place, size in enumerate(("deck", *SIZES))}).fillna(0)
    threads = threads[rank == rank.groupby(threads["workload"]).transform("max")]
    limit = table[(table["strategy"] == "ceiling") & (table["pool"] == "warm") & (table["runtime"] == pair[1])]
    limit = limit.merge(threads[[*SAME, "metric"]].drop_duplicates(), on=[*SAME, "metric"]).assign(lock="limit")
    return pd.concat([threads, limit], ignore_index=True).sort_values(["kind", "workload", "workers"])


def swept(points: pd.DataFrame, most: int) -> list[str]:
    """The workloads that get curves: computing first, those with most worker counts first in their kind."""
    counts = points.groupby(["kind", "workload"])["workers"].nunique().rename("count").reset_index()
    found = counts[counts["count"] > 1].sort_values(["kind", "count", "workload"], ascending=[True, False, True])
    return [str(name) for name in found["workload"].head(most)]


def at_one_count(points: pd.DataFrame, cores: int) -> pd.DataFrame:
    """Each workload at one worker count, of several the one nearest the usable cores."""
    far = (points["workers"] - cores).abs()
    nearest = points[far == far.groupby(points["workload"]).transform("min")]
    return nearest.drop_duplicates(["workload", "metric", "lock"])


def draw(results: Results) -> Figure:
    pairs = binaries(results.runtimes)
    if not pairs:
        return nothing("No free-threaded binary with the lock on and off: use --configfile config/presets/gil.yaml.")
    found = {pair: points for pair in pairs if len(points := compared(results, pair))}
    if not found:
        return nothing("No speedups of threads with the lock on and off: both blocks of a workload must be measured.")
    lines: list[tuple[Pair, str | None, pd.DataFrame]] = []
    for pair, points in found.items():
        curves = swept(points, max(1, MOST_SWEPT // len(found)))
        lines += [(pair, name, points[points["workload"] == name]) for name in curves]
        rest = at_one_count(points[~points["workload"].isin(curves)], results.machine.get("usable_cores") or 2)
        lines += [(pair, None, rest)] if len(rest) else []
    heights = [2.75 if name else 1.0 + 0.3 * rest["workload"].nunique() for _, name, rest in lines]
    layout = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09, hspace=0.06)
    figure = plt.figure(figsize=(WIDTH, sum(heights) + 0.7), layout=layout)
    grid = GridSpec(len(lines), 2, figure, height_ratios=heights)
    for line, (pair, name, points) in enumerate(lines):
        places = [figure.add_subplot(grid[line, column]) for column in range(2)]
        binary = spoken(pair[1], results.runtimes[pair[1]], lock=False)
        places[0].set_title(f"{name or 'At one worker count'} · {binary}")
        draw_line = curve_panels if name else row_panels
        draw_line(places, points)
    key(figure, pd.concat(found.values()))
    return figure


def curve_panels(places: Sequence[Axes], points: pd.DataFrame) -> None:
    """One workload: speedup, and effective cores, against workers."""
    counts = sorted(points["workers"].astype(int).unique())
    for axes, metric in zip(places, METRICS, strict=True):
        shown = points[points["metric"] == metric]
        axes.set_xscale("log", base=2)
        axes.set_xlim(counts[0] / 1.2, counts[-1] * 1.2)
        axes.xaxis.set_major_locator(FixedLocator(counts))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("threads")
        if metric == "speedup":
            speedup_axis(axes, shown)
        else:
            axes.axhline(1, color=INK, linewidth=1, zorder=1)
            axes.set_ylim(0, max(2.0, 1.1 * float(shown["estimate"].max()), 1.05 * float(shown["high"].max())))
        axes.set_ylabel(METRICS[metric])
        limit = shown[shown["lock"] == "limit"]
        grey = look("ceiling").colour
        axes.plot(limit["workers"], limit["estimate"], color=grey, linewidth=5, alpha=0.45, zorder=1.5)
        axes.vlines(limit["workers"], limit["low"], limit["high"], color=grey, linewidth=2, zorder=1.5)
        # Side by side, so that no marker hides the other where the lock makes no difference.
        for (name, drawn), aside in zip(LOCK.items(), (0.985, 1.015), strict=True):
            own = shown[shown["lock"] == name]
            intervals(axes, own, own["workers"] * aside, drawn)
        finish(axes)


def row_panels(places: Sequence[Axes], points: pd.DataFrame) -> None:
    """A row for each workload: how far the lock's going moves it."""
    named = points.drop_duplicates("workload")[["workload", "workers"]].itertuples(index=False)
    rows = {row.workload: (place, f"{row.workload} × {row.workers:.0f}") for place, row in enumerate(named)}
    for number, (axes, metric) in enumerate(zip(places, METRICS, strict=True)):
        shown = points[points["metric"] == metric]
        for name, aside in (("lock on", -0.16), ("lock off", 0.16)):
            own = shown[shown["lock"] == name]
            lying(axes, own, [rows[workload][0] + aside for workload in own["workload"]], LOCK[name])
        limit = shown[shown["lock"] == "limit"]
        at = [rows[workload][0] for workload in limit["workload"]]
        axes.vlines(
            limit["estimate"],
            [y - 0.36 for y in at],
            [y + 0.36 for y in at],
            color=look("ceiling").colour,
            linewidth=5,
            alpha=0.45,
        )
        ratio_axis(axes, shown, METRICS[metric])
        if metric != "speedup":
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
        rows_axis(axes, [label for _, label in rows.values()])
        axes.tick_params(labelleft=number == 0)


def key(figure: Figure, points: pd.DataFrame) -> None:
    handles = [
        Line2D([], [], color=drawn.colour, marker=drawn.marker, label=f"threads, {name}")
        for name, drawn in LOCK.items()
    ]
    limit = Line2D([], [], color=look("ceiling").colour, linewidth=5, alpha=0.45, label="machine's limit")
    figure.legend(handles=[*handles, limit], loc="outside upper left", ncols=3, handlelength=2.4)
    note = "Speedup over sequential in the same runtime, cold pools. Band and bar: 95 % interval."
    figure.supxlabel(f"{note} {hollow_note(points)}", x=0.01, ha="left", fontsize=8, color=MUTED)


def data(results: Results) -> pd.DataFrame:
    found = [compared(results, pair) for pair in binaries(results.runtimes)]
    return numbers(found, "runtime", "lock", "workload", "size", "workers", "metric")


def alt(results: Results) -> str:
    parts = []
    for pair in binaries(results.runtimes):
        points = at_one_count(compared(results, pair), results.machine.get("usable_cores") or 2)
        for workload, rows in points[points["metric"] == "speedup"].groupby("workload", sort=False):
            threads = rows[rows["lock"] != "limit"].sort_values("lock", ascending=False).to_dict("records")
            said = [f"{row['estimate']:.2f} with the {row['lock']}" for row in threads]
            binary = spoken(pair[1], results.runtimes[pair[1]], lock=False)
            parts.append(f"{workload}, {rows['workers'].iloc[0]:.0f} threads, {binary}: {' and '.join(said)}")
    if not parts:
        return "No free-threaded binary has been measured with the lock on and off."
    return "Speedup of threads with the lock on and off, beside the machine's limit. " + "; ".join(parts) + "."
