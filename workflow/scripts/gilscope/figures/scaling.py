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
    panel_title,
    panels,
    speedup_axis,
)

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
    figure, places = panels(len(chosen))
    shown: set[str] = set()
    fitted = False
    several = len({runtime for runtime, _ in chosen}) > 1
    for axes, ((runtime, workload), block) in zip(places, chosen.items(), strict=True):
        shown |= panel(axes, block)
        fitted |= laws(axes, results, block)
        kind, size = block[["kind", "size"]].iloc[0]
        axes.set_title(panel_title(runtime, workload, kind, size, several))
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
    legend(figure, shown, extra, f"{note}{left_out} {hollow_note(pd.concat(chosen.values()))}")
    return figure


def lines(block: pd.DataFrame) -> tuple[list[str], int]:
    """The strategies that get a line, and how many others there are."""
    names = sorted(block.loc[choices(block), "strategy"].unique(), key=order)
    return names[:MOST_LINES], max(0, len(names) - MOST_LINES)


def panel(axes: Axes, block: pd.DataFrame) -> set[str]:
    """One workload's curves; returns the strategies drawn."""
    names, _ = lines(block)
    counts = sorted(block.loc[choices(block), "workers"].astype(int).unique())
    limit = block[(block["strategy"] == "ceiling") & (block["pool"] == "warm") & block["workers"].isin(counts)]
    limit = limit.sort_values("workers")
    visible = block[block["strategy"].isin(names)]
    axes.set_xscale("log", base=2)
    axes.set_xlim(counts[0] / 1.3, counts[-1] * 1.3)
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("workers")
    speedup_axis(axes, pd.concat([visible, limit]))
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
        points = visible[visible["strategy"] == name].sort_values("workers")
        # Side by side, so that no marker hides another where two strategies do equally well.
        aside = 2 ** (0.035 * (place - (len(names) - 1) / 2))
        intervals(axes, points, points["workers"] * aside, name)
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
