"""Does it go faster with more workers, and how near does it come to what the machine could give?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gilscope.analysis.scaling import usl
from gilscope.figures import Results
from gilscope.figures._look import INK, MUTED, look, order
from gilscope.figures._panels import (
    MOST_LINES,
    finish,
    hollow_note,
    intervals,
    legend,
    nothing,
    speedup_axis,
)
from gilscope.figures._rows import lay_out, no_inner_labels

TITLE = "Speedup against workers"
YARDSTICKS = ("sequential", "ceiling")


def curves(results: Results) -> dict[tuple[str, str], pd.DataFrame]:
    """The speedups of each panel, by runtime and workload; those swept over most worker counts first in their kind."""
    speedups = results.at_largest_size("speedup")
    speedups = speedups[(speedups["pool"] == "cold") | (speedups["strategy"] == "ceiling")]
    blocks = {(str(key[0]), str(key[1])): block for key, block in speedups.groupby(["runtime", "workload"], sort=True)}
    chosen = {key: block for key, block in blocks.items() if not set(block["strategy"]) <= yardsticks(block)}

    def place(item: tuple[tuple[str, str], pd.DataFrame]) -> tuple[str, int, tuple[str, str]]:
        key, block = item
        return block["kind"].iloc[0], -block.loc[choices(block), "workers"].nunique(), key

    return dict(sorted(chosen.items(), key=place))


def yardsticks(block: pd.DataFrame) -> set[str]:
    """What alone says nothing: the controls, to which asyncio belongs where there is nothing to wait for."""
    return {*YARDSTICKS, *(["asyncio"] if block["kind"].iloc[0] == "cpu" else [])}


def choices(block: pd.DataFrame) -> pd.Series:
    return ~block["strategy"].isin(YARDSTICKS)


def draw(results: Results) -> Figure:
    chosen = curves(results)
    if not chosen:
        return nothing("No speedups: no block has been measured.")
    runtimes = results.ordered(runtime for runtime, _ in chosen)
    rows = lay_out(chosen, runtimes, lambda block: ", ".join(block[["kind", "size"]].iloc[0]))
    shown: set[str] = set()
    fitted = False
    for key, axes in rows.places.items():
        shown |= panel(axes, chosen[key], rows.row_of(key, chosen))
        fitted |= laws(axes, results, chosen[key])
    no_inner_labels(rows)
    extra = [
        Line2D([], [], color=look("ceiling").colour, linewidth=5, alpha=0.45, label="machine's limit"),
        Line2D([], [], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.1, label="ideal"),
    ]
    if fitted:
        extra.append(Line2D([], [], color=MUTED, linestyle=":", linewidth=1.4, label="USL, fitted"))
    note = "Speedup over sequential, both axes logarithmic. Band and bar: 95 % interval."
    left_out = (
        "" if all(lines(block)[1] == 0 for block in chosen.values()) else f" At most {MOST_LINES} strategies a panel."
    )
    legend(rows.figure, shown, extra, f"{note}{left_out} {hollow_note(pd.concat(chosen.values()))}{rows.note}")
    return rows.figure


def lines(block: pd.DataFrame) -> tuple[list[str], int]:
    """The strategies that get a line, and how many others there are."""
    names = sorted(block.loc[choices(block), "strategy"].unique(), key=order)
    return names[:MOST_LINES], max(0, len(names) - MOST_LINES)


def visible(block: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The points of the lines, and those of the machine's limit."""
    own = block[block["strategy"].isin(lines(block)[0])]
    limit = block[(block["strategy"] == "ceiling") & (block["pool"] == "warm")]
    return own, limit[limit["workers"].isin(own["workers"])].sort_values("workers")


def panel(axes: Axes, block: pd.DataFrame, row: pd.DataFrame) -> set[str]:
    """One block's curves on axes that all blocks of its row fit; returns the strategies drawn."""
    names, _ = lines(block)
    own, limit = visible(block)
    counts = sorted(row.loc[choices(row), "workers"].astype(int).unique())
    axes.set_xscale("log", base=2)
    axes.set_xlim(counts[0] / 1.3, counts[-1] * 1.3)
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("workers")
    speedup_axis(axes, pd.concat(visible(row)))
    ends = [counts[0] / 1.3, counts[-1] * 1.3]
    axes.plot(ends, ends, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.1, zorder=1)
    grey = look("ceiling").colour
    if len(limit) > 1:
        axes.plot(limit["workers"], limit["estimate"], color=grey, linewidth=5, alpha=0.45, zorder=1.5)
    axes.errorbar(
        limit["workers"],
        limit["estimate"],
        [limit["estimate"] - limit["low"], limit["high"] - limit["estimate"]],
        color=grey,
        linestyle="none",
        marker="_",
        markersize=16,
        markeredgewidth=4,
        alpha=0.6,
        zorder=1.5,
    )
    for place, name in enumerate(names):
        points = own[own["strategy"] == name].sort_values("workers")
        # Side by side, so that no marker hides another where two strategies do equally well.
        aside = 2 ** (0.035 * (place - (len(names) - 1) / 2))
        intervals(axes, points, points["workers"] * aside, look(name))
    axes.axhline(1, color=INK, linewidth=1, zorder=1)
    finish(axes)
    return set(names)


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


def alt(results: Results) -> str:
    chosen = curves(results)
    if not chosen:
        return "Nothing has been measured yet."
    parts = []
    for (runtime, workload), block in chosen.items():
        best = block[choices(block)].sort_values("estimate").iloc[-1]
        parts.append(
            f"{workload} on {runtime}: at best {best['estimate']:.2f} times as fast as sequential, "
            f"with {best['strategy']} at {best['workers']:.0f} workers"
        )
    return "Curves of speedup against the number of workers, a panel per workload. " + "; ".join(parts) + "."
