"""What does the lock do? One free-threaded binary measured twice, with its lock on and with it off."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures import SIZES, Results
from gilscope.figures._axes import cores, ratios, rows, speedups, workers
from gilscope.figures._grammar import LIMIT, estimates, finish, hollow, inner, layer, nothing, panels, sample, samples
from gilscope.figures._look import LOCK
from gilscope.figures._marks import Interval
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
    lines: list[tuple[str, bool, pd.DataFrame]] = []
    for pair, points in found.items():
        binary = spoken(pair[1], results.runtimes[pair[1]], lock=False)
        curves = swept(points, max(1, MOST_SWEPT // len(found)))
        lines += [(f"{name} · {binary}", True, points[points["workload"] == name]) for name in curves]
        rest = at_one_count(points[~points["workload"].isin(curves)], results.machine.get("usable_cores") or 2)
        lines += [(f"At one worker count · {binary}", False, rest)] if len(rest) else []
    every = pd.concat([placed(own, row, curved) for row, (_, curved, own) in enumerate(lines)], ignore_index=True)
    upright, lying = (every[every["curved"] == curved] for curved in (True, False))
    plot = (
        estimates(upright, "workers", "drawn_as", LOCK)
        .add(Interval(line=True, apart=3, limit=True))
        .add(Interval(apart=7, width=2, limit=True), **layer(lying, "line", "drawn_as", lying=True))
    )
    heights = [2.75 if curved else 1.0 + 0.3 * own["workload"].nunique() for _, curved, own in lines]
    figure, places = panels(plot, heights, 2, spare=0.7)
    for (left, right), (title, curved, own) in zip(places, lines, strict=True):
        left.set_title(title)
        speedup, busy = (own[own["metric"] == metric] for metric in METRICS)
        if curved:
            speedups(speedup).lay(left, "y")
            cores(busy).lay(right, "y")
            for axes in (left, right):
                workers(sorted(own["workers"].astype(int).unique()), "threads", room=1.2).lay(axes, "x")
            continue
        ratios(speedup, "speedup, logarithmic").lay(left, "x")
        cores(busy).lay(right, "x")
        for axes in (left, right):
            rows([f"{name} × {count:.0f}" for name, count in counts(own).items()]).lay(axes, "y")
        inner(right)
    key = samples({f"threads, {name}": drawn for name, drawn in LOCK.items()})
    note = "Speedup over sequential in the same runtime, cold pools. Band and bar: 95 % interval."
    return finish(figure, [*key, sample("machine's limit", **LIMIT)], f"{note} {hollow(every)}")


def counts(points: pd.DataFrame) -> dict[str, float]:
    """The workloads of rows, from top to bottom, with the worker count of each."""
    return dict(points.drop_duplicates("workload").set_index("workload")["workers"])


def placed(points: pd.DataFrame, row: int, curved: bool) -> pd.DataFrame:
    """Where the points of a line of panels lie: ``row``, ``col``, and ``line``, their row in a panel of rows."""
    line, col = points["workload"].map(list(counts(points)).index), points["metric"].map(list(METRICS).index)
    drawn_as = points["lock"].replace("limit", "ceiling")
    return points.assign(row=row, col=col, line=line, curved=curved, drawn_as=drawn_as)


def data(results: Results) -> pd.DataFrame:
    found = [compared(results, pair) for pair in binaries(results.runtimes)]
    return numbers(found, "runtime", "lock", "workload", "size", "workers", "metric")


def alt(results: Results) -> str:
    parts = []
    for pair in binaries(results.runtimes):
        points = at_one_count(compared(results, pair), results.machine.get("usable_cores") or 2)
        for workload, own in points[points["metric"] == "speedup"].groupby("workload", sort=False):
            threads = own[own["lock"] != "limit"].sort_values("lock", ascending=False).to_dict("records")
            said = [f"{row['estimate']:.2f} with the {row['lock']}" for row in threads]
            binary = spoken(pair[1], results.runtimes[pair[1]], lock=False)
            parts.append(f"{workload}, {own['workers'].iloc[0]:.0f} threads, {binary}: {' and '.join(said)}")
    if not parts:
        return "No free-threaded binary has been measured with the lock on and off."
    return "Speedup of threads with the lock on and off, beside the machine's limit. " + "; ".join(parts) + "."
