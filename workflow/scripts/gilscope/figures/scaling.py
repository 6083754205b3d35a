"""Does it go faster with more workers, on how many cores, and how near does it come to what the machine could give?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn.objects as so
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilscope.analysis.scaling import usl
from gilscope.figures import Results
from gilscope.figures._axes import cores, ratios, rows, speedups, workers
from gilscope.figures._grammar import (
    IDEAL,
    LIMIT,
    MOST_COLUMNS,
    MOST_LINES,
    estimates,
    finish,
    hollow,
    ideal,
    inner,
    layer,
    looks_of,
    nothing,
    only,
    panels,
    sample,
    samples,
    without,
)
from gilscope.figures._look import MUTED
from gilscope.figures._marks import Interval
from gilscope.figures._rows import Grid, Key, beside, lay_out, room
from gilscope.figures._tables import numbers

TITLE = "Speedup and effective cores against workers"
SECTION = "scaling"
SHOWS = ("metric:effective_cores",)
YARDSTICKS = ("sequential", "ceiling")
METRICS = {"speedup": "speedup", "effective_cores": "effective cores"}
CELL = ["runtime", "workload", "size", "strategy", "workers", "pool"]
MOST_SWEPT = 6
"""Curves of at most so many workloads; each of the others is a row, at one worker count."""
AT_ONE = "At one worker count"
"""What the panels of those rows are called where workloads have their names."""
ROW_INCHES = 0.26


def curves(results: Results) -> dict[Key, pd.DataFrame]:
    """What there is to draw, by runtime and workload; those swept over most worker counts first in their kind.

    Speedups, and the effective cores of the same cells, told apart by ``metric``.
    """
    speedups = results.at_largest_size("speedup")
    speedups = speedups[(speedups["pool"] == "cold") | (speedups["strategy"] == "ceiling")]
    cores = results.measured("effective_cores").merge(speedups[CELL].drop_duplicates(), on=CELL)
    both = pd.concat([speedups, cores], ignore_index=True) if len(cores) else speedups
    blocks = {(str(key[0]), str(key[1])): block for key, block in both.groupby(["runtime", "workload"], sort=True)}
    chosen = {key: block for key, block in blocks.items() if not set(block["strategy"]) <= yardsticks(block)}

    def place(item: tuple[Key, pd.DataFrame]) -> tuple[str, int, Key]:
        key, block = item
        return block["kind"].iloc[0], -block.loc[choices(block), "workers"].nunique(), key

    return dict(sorted(chosen.items(), key=place))


def yardsticks(block: pd.DataFrame) -> set[str]:
    """What alone says nothing: the controls, to which asyncio belongs where there is nothing to wait for."""
    return {*YARDSTICKS, *(["asyncio"] if block["kind"].iloc[0] == "cpu" else [])}


def choices(block: pd.DataFrame) -> pd.Series:
    return ~block["strategy"].isin(YARDSTICKS)


def swept(blocks: Mapping[Key, pd.DataFrame], runtimes: int) -> list[str]:
    """The workloads that get curves, as many as there is room for: those with a strategy at several worker counts."""

    def counts(block: pd.DataFrame) -> int:
        return int(block[~block["strategy"].isin(yardsticks(block))].groupby("strategy")["workers"].nunique().max())

    most: dict[str, int] = {}
    for (_, workload), block in blocks.items():
        most[workload] = max(counts(block), most.get(workload, 0))
    found = sorted((name for name in most if most[name] > 1), key=lambda name: -most[name])
    others = len(found) < len(most) and runtimes <= MOST_COLUMNS
    return found[: MOST_SWEPT if runtimes == 1 else max(1, room(runtimes, len(METRICS)) - others)]


def at_one_count(block: pd.DataFrame, cores: int) -> pd.DataFrame:
    """A workload at the worker count that most of its strategies have, of several the one nearest the usable cores."""
    counts = block[choices(block)].groupby("workers")["strategy"].nunique()
    workers = min(counts.index, key=lambda count: (-counts[count], abs(count - cores)))
    return block[block["workers"] == workers]


def drawn(results: Results) -> dict[Key, pd.DataFrame]:
    """The blocks with curves, then for each runtime all others below each other, under the name ``AT_ONE``.

    More runtimes than stand on one line leave room for curves alone.
    """
    blocks = curves(results)
    runtimes = results.ordered(runtime for runtime, _ in blocks)
    chosen = swept(blocks, len(runtimes)) if blocks else []
    found = {key: block for key, block in blocks.items() if key[1] in chosen}
    cores = results.machine.get("usable_cores") or 2
    for runtime in runtimes if len(runtimes) <= MOST_COLUMNS or not found else []:
        rest = [block for key, block in blocks.items() if key[0] == runtime and key not in found]
        if rest:
            found[runtime, AT_ONE] = pd.concat([at_one_count(block, cores) for block in rest], ignore_index=True)
    return found


def draw(results: Results) -> Figure:
    blocks = drawn(results)
    if not blocks:
        return nothing("No speedups: no block has been measured.")
    labels = row_labels([block for (_, name), block in blocks.items() if name == AT_ONE])
    tall = {AT_ONE: 0.9 + ROW_INCHES * len(labels)}
    runtimes = results.ordered(runtime for runtime, _ in blocks)
    grid = lay_out(blocks, runtimes, len(METRICS), tall)
    fits = laws(results, grid, blocks)
    figure, places = panels(declared(grid, blocks, list(labels), fits), grid.heights, grid.columns)
    shared = {name: pd.concat(visible(beside(blocks, name))) for name in {name for _, name in grid.places}}
    for key, own in grid.places.items():
        curve = key[1] != AT_ONE
        for (row, column), metric in zip(own, METRICS, strict=True):
            axes, every = places[row][column], shared[key[1]]
            lay_axes(axes, every, metric, {} if curve else labels)
            if curve and (metric == "speedup" or blocks[key]["kind"].iloc[0] == "cpu"):
                ideal(axes)
            if column and not curve and len(runtimes) == 1:
                inner(axes)
    grid.name(places, blocks, about)
    names = {name for block in blocks.values() for name in lines(block)[0]}
    extra = [sample("machine's limit", **LIMIT), sample("ideal", **IDEAL)]
    extra += [sample("USL, fitted", color=MUTED, linestyle=":", linewidth=1.4)] if len(fits) else []
    return finish(figure, [*samples(looks_of(names)), *extra], note(results, blocks))


def declared(grid: Grid, blocks: Mapping[Key, pd.DataFrame], workloads: Sequence[str], fits: pd.DataFrame) -> so.Plot:
    """Curves where a workload has a panel of its own, rows where several share one."""
    found = []
    for key, own in grid.places.items():
        seen = pd.concat(visible(blocks[key])).assign(lying=key[1] == AT_ONE)
        found += [
            seen[seen["metric"] == metric].assign(row=at[0], col=at[1]) for at, metric in zip(own, METRICS, strict=True)
        ]
    points = pd.concat(found, ignore_index=True)
    points = points.assign(y=points["workload"].map({name: place for place, name in enumerate(workloads)}))
    curved, lying = points[~points["lying"]], points[points["lying"]]
    plot = estimates(points, "workers", "strategy")
    if len(curved):
        plot = plot.add(Interval(line=True, apart=1.7, limit=True), **layer(curved, "workers", "strategy"))
    if len(lying):
        rows_of = Interval(apart=3.6, each=True, width=2, limit=True)
        plot = plot.add(rows_of, **layer(lying, "y", "strategy", lying=True))
    dotted = so.Line(linestyle=":", linewidth=1.4, artist_kws={"zorder": 2})
    return plot.add(dotted, data=fits, **only(x="workers", y="speedup", color="strategy")) if len(fits) else plot


def lay_axes(axes: Axes, every: pd.DataFrame, metric: str, labels: Mapping[str, str]) -> None:
    """The axes of a panel that all of these points fit. labels: of the rows, where it has rows."""
    points = every[every["metric"] == metric]
    if labels:
        (ratios(points, "speedup, logarithmic") if metric == "speedup" else cores(points)).lay(axes, "x")
        rows(list(labels.values())).lay(axes, "y")
        return
    workers(sorted(every.loc[choices(every), "workers"].astype(int).unique())).lay(axes, "x")
    (speedups(points) if metric == "speedup" else cores(points)).lay(axes, "y")


def about(block: pd.DataFrame) -> str:
    """What the heading says in brackets: kind and size, of several workloads the size that most of them have."""
    several = block["workload"].nunique() > 1
    return str(block["size"].mode()[0]) if several else ", ".join(block[["kind", "size"]].iloc[0])


def note(results: Results, blocks: Mapping[Key, pd.DataFrame]) -> str:
    """How to read it, and what it does not show."""
    said = "Speedup over sequential; it and workers on logarithmic axes. Cold pools. Band and bar: 95 % interval."
    if any(lines(block)[1] for block in blocks.values()):
        said += f" At most {MOST_LINES} strategies a panel."
    said += f" {hollow(pd.concat(blocks.values()))}"
    if any(name == AT_ONE for _, name in blocks):
        said += "\nIn rows: workloads without a curve. All worker counts and warm pools: see the times by strategy."
    shown = {name for block in blocks.values() for name in block["workload"]}
    return said + without([name for name in dict.fromkeys(name for _, name in curves(results)) if name not in shown])


def lines(block: pd.DataFrame) -> tuple[list[str], int]:
    """The strategies that get a line, and how many others there are."""
    names = list(looks_of(block.loc[choices(block), "strategy"]))
    return names[:MOST_LINES], max(0, len(names) - MOST_LINES)


def visible(block: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The points of the lines, and those of the machine's limit."""
    own = block[block["strategy"].isin(lines(block)[0])]
    limit = block[(block["strategy"] == "ceiling") & (block["pool"] == "warm")]
    return own, limit[limit["workers"].isin(own["workers"])].sort_values("workers")


def row_labels(blocks: Sequence[pd.DataFrame]) -> dict[str, str]:
    """Workload → how its row is called: with its worker count, and with its size where most have another."""
    if not blocks:
        return {}
    points = pd.concat(blocks)
    usual = points["size"].mode()[0]
    found = points[choices(points)].sort_values(["kind", "workload"]).drop_duplicates("workload").to_dict("records")
    return {
        row["workload"]: f"{row['workload']} × {row['workers']:.0f}" + (f", {row['size']}" * (row["size"] != usual))
        for row in found
    }


def laws(results: Results, grid: Grid, blocks: Mapping[Key, pd.DataFrame]) -> pd.DataFrame:
    """The fitted Universal Scalability Law of each curve that has one: ``speedup`` over ``workers`` in its panel."""
    table = pd.DataFrame([row for row in results.scaling if row.get("law") == "usl" and row["pool"] == "cold"])
    curves = []
    for key, block in blocks.items():
        if key not in grid.places or key[1] == AT_ONE or table.empty:
            continue
        here = (table[["runtime", "workload", "size"]] == block[["runtime", "workload", "size"]].iloc[0]).all(axis=1)
        (row, column), _ = grid.places[key]
        for name, own in table[here & table["strategy"].isin(lines(block)[0])].groupby("strategy"):
            counts = own["counts"].iloc[-1]
            over = np.geomspace(min(counts), max(counts), 40)
            fitted = usl(over, **dict(zip(own["parameter"], own["estimate"], strict=True)))
            curves.append(
                pd.DataFrame({"workers": over, "speedup": fitted, "strategy": name, "row": row, "col": column})
            )
    return pd.concat(curves, ignore_index=True) if curves else pd.DataFrame()


def data(results: Results) -> pd.DataFrame:
    shown = drawn(results).values()
    return numbers(shown, "runtime", "workload", "size", "metric", "strategy", "workers", "pool")


def alt(results: Results) -> str:
    blocks = curves(results)
    if not blocks:
        return "Nothing has been measured yet."
    parts = []
    for (runtime, workload), block in blocks.items():
        own = block[choices(block)].sort_values(CELL, kind="stable")
        speedups, cores = (own[own["metric"] == metric] for metric in METRICS)
        best = (
            speedups.sort_values("estimate", kind="stable").merge(cores, "left", CELL, suffixes=("", "_cores")).iloc[-1]
        )
        parts.append(
            f"{workload} on {runtime}: at best {best['estimate']:.2f} times as fast as sequential, "
            f"with {best['strategy']} at {best['workers']:.0f} workers"
            + (f" on {best['estimate_cores']:.2f} effective cores" if pd.notna(best["estimate_cores"]) else "")
        )
    start = "Curves of speedup and of effective cores against the number of workers, a pair of panels per workload. "
    return start + "; ".join(parts) + "."
