"""Does it go faster with more workers, on how many cores, and how near does it come to what the machine could give?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gilscope.analysis.scaling import usl
from gilscope.figures import Results
from gilscope.figures._look import INK, MUTED, look, order
from gilscope.figures._panels import (
    MOST_LINES,
    finish,
    hollow_note,
    intervals,
    legend,
    limits,
    lying,
    most_cores,
    nothing,
    ratio_axis,
    rows_axis,
    speedup_axis,
    workers_axis,
)
from gilscope.figures._rows import MOST_COLUMNS, Key, lay_out, no_inner_labels, room, without
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
    return found[: MOST_SWEPT if runtimes == 1 else max(1, room(runtimes, pairs=True) - others)]


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
    runtimes = results.ordered(runtime for runtime, _ in blocks)
    others = [block for (_, name), block in blocks.items() if name == AT_ONE]
    tall = 0.9 + ROW_INCHES * len(row_labels(pd.concat(others))) if others else 0
    rows = lay_out(blocks, runtimes, about, pairs=True, heights={AT_ONE: tall})
    fitted = False
    for key, place in rows.places.items():
        row = rows.row_of(key, blocks)
        draw_panel = row_panel if key[1] == AT_ONE else panel
        for metric, axes in zip(METRICS, (place, rows.beside[key]), strict=True):
            draw_panel(axes, blocks[key], row, metric)
        fitted |= key[1] != AT_ONE and laws(place, results, blocks[key])
    if len(runtimes) == 1 and others:
        rows.beside[runtimes[0], AT_ONE].tick_params(labelleft=False)
    no_inner_labels(rows)
    extra = [
        Line2D([], [], color=look("ceiling").colour, linewidth=5, alpha=0.45, label="machine's limit"),
        Line2D([], [], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.1, label="ideal"),
    ]
    if fitted:
        extra.append(Line2D([], [], color=MUTED, linestyle=":", linewidth=1.4, label="USL, fitted"))
    legend(rows.figure, {name for block in blocks.values() for name in lines(block)[0]}, extra, note(results, blocks))
    return rows.figure


def about(block: pd.DataFrame) -> str:
    """What the heading says in brackets: kind and size, of several workloads the size that most of them have."""
    several = block["workload"].nunique() > 1
    return str(block["size"].mode()[0]) if several else ", ".join(block[["kind", "size"]].iloc[0])


def note(results: Results, blocks: Mapping[Key, pd.DataFrame]) -> str:
    """How to read it, and what it does not show."""
    said = "Speedup over sequential; it and workers on logarithmic axes. Cold pools. Band and bar: 95 % interval."
    if any(lines(block)[1] for block in blocks.values()):
        said += f" At most {MOST_LINES} strategies a panel."
    said += f" {hollow_note(pd.concat(blocks.values()))}"
    if any(name == AT_ONE for _, name in blocks):
        said += "\nIn rows: workloads without a curve. All worker counts and warm pools: see the times by strategy."
    shown = {name for block in blocks.values() for name in block["workload"]}
    return said + without([name for name in dict.fromkeys(name for _, name in curves(results)) if name not in shown])


def lines(block: pd.DataFrame) -> tuple[list[str], int]:
    """The strategies that get a line, and how many others there are."""
    names = sorted(block.loc[choices(block), "strategy"].unique(), key=order)
    return names[:MOST_LINES], max(0, len(names) - MOST_LINES)


def visible(block: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The points of the lines, and those of the machine's limit."""
    own = block[block["strategy"].isin(lines(block)[0])]
    limit = block[(block["strategy"] == "ceiling") & (block["pool"] == "warm")]
    return own, limit[limit["workers"].isin(own["workers"])].sort_values("workers")


def panel(axes: Axes, block: pd.DataFrame, row: pd.DataFrame, metric: str) -> None:
    """One block's curves on axes that all blocks of its row fit."""
    names, _ = lines(block)
    own, limit = (points[points["metric"] == metric] for points in visible(block))
    counts = sorted(row.loc[choices(row), "workers"].astype(int).unique())
    workers_axis(axes, counts)
    every = pd.concat(visible(row))
    every = every[every["metric"] == metric]
    if metric == "speedup":
        speedup_axis(axes, every)
    else:
        axes.set_ylim(0, most_cores(every))
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axes.set_ylabel(METRICS[metric])
    axes.axhline(1, color=INK, linewidth=1, zorder=1)
    if metric == "speedup" or block["kind"].iloc[0] == "cpu":
        ideal = np.geomspace(*axes.get_xlim(), 40)
        axes.plot(ideal, ideal, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.1, zorder=1)
    limits(axes, limit, limit["workers"])
    for place, name in enumerate(names):
        points = own[own["strategy"] == name].sort_values("workers")
        # Side by side, so that no marker hides another where two strategies do equally well.
        aside = 2 ** (0.035 * (place - (len(names) - 1) / 2))
        intervals(axes, points, points["workers"] * aside, look(name))
    finish(axes)


def row_labels(points: pd.DataFrame) -> dict[str, str]:
    """Workload → how its row is called: with its worker count, and with its size where most have another."""
    usual = points["size"].mode()[0]
    rows = points[choices(points)].sort_values(["kind", "workload"]).drop_duplicates("workload").to_dict("records")
    return {
        row["workload"]: f"{row['workload']} × {row['workers']:.0f}" + (f", {row['size']}" * (row["size"] != usual))
        for row in rows
    }


def row_panel(axes: Axes, block: pd.DataFrame, row: pd.DataFrame, metric: str) -> None:
    """A row for each workload, its strategies close below each other, on axes that all runtimes beside it fit."""
    labels = row_labels(row)
    own, limit = (points[points["metric"] == metric] for points in visible(block))
    every = pd.concat(visible(row))
    every = every[every["metric"] == metric]
    for y, workload in enumerate(labels):
        here = own[own["workload"] == workload]
        names = sorted(here["strategy"].unique(), key=order)
        for place, name in enumerate(names):
            aside = min(0.2, 0.66 / len(names)) * (place - (len(names) - 1) / 2)
            lying(axes, points := here[here["strategy"] == name], [y + aside] * len(points), look(name))
        for bound in limit[limit["workload"] == workload].to_dict("records"):
            grey = look("ceiling").colour
            axes.vlines(bound["estimate"], y - 0.36, y + 0.36, color=grey, linewidth=5, alpha=0.45, zorder=1.5)
            axes.hlines(y, bound["low"], bound["high"], color=grey, linewidth=1.6, alpha=0.6, zorder=1.5)
    if metric == "speedup":
        ratio_axis(axes, every, METRICS[metric])
    else:
        axes.set_xlim(0, most_cores(every))
        axes.set_xlabel(METRICS[metric])
        axes.axvline(1, color=INK, linewidth=1, zorder=1)
    rows_axis(axes, list(labels.values()))


def laws(axes: Axes, results: Results, block: pd.DataFrame) -> bool:
    """Draw the fitted Universal Scalability Law of each curve that has one; whether any has."""
    names, _ = lines(block)
    where = block.iloc[0]
    fits: dict[str, dict[str, float]] = {}
    counts: dict[str, list[int]] = {}
    for row in results.scaling:
        here = all(row[key] == where[key] for key in ("runtime", "workload", "size"))
        if here and row.get("law") == "usl" and row["pool"] == "cold" and row["strategy"] in names:
            fits.setdefault(row["strategy"], {})[row["parameter"]] = row["estimate"]
            counts[row["strategy"]] = row["counts"]
    for name, parameters in fits.items():
        workers = np.geomspace(min(counts[name]), max(counts[name]), 40)
        axes.plot(workers, usl(workers, **parameters), color=look(name).colour, linestyle=":", linewidth=1.4, zorder=2)
    return bool(fits)


def data(results: Results) -> pd.DataFrame:
    shown = drawn(results).values()
    return numbers(shown, "runtime", "workload", "size", "metric", "strategy", "workers", "pool")


def alt(results: Results) -> str:
    blocks = curves(results)
    if not blocks:
        return "Nothing has been measured yet."
    parts = []
    for (runtime, workload), block in blocks.items():
        told = block[choices(block)].set_index([*CELL, "metric"])["estimate"].unstack("metric").reset_index()
        best = told.sort_values("speedup").to_dict("records")[-1]
        cores = best.get("effective_cores")
        parts.append(
            f"{workload} on {runtime}: at best {best['speedup']:.2f} times as fast as sequential, "
            f"with {best['strategy']} at {best['workers']:.0f} workers"
            + (f" on {cores:.2f} effective cores" if pd.notna(cores) else "")
        )
    start = "Curves of speedup and of effective cores against the number of workers, a pair of panels per workload. "
    return start + "; ".join(parts) + "."
