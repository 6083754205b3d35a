"""How long does the same work take with each strategy?"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine

from gilscope.figures import SIZES, Results
from gilscope.figures._look import INK, MUTED, look
from gilscope.figures._panels import WIDE, WIDTH, finish, hollow_note, lying, nothing
from gilscope.figures._rows import Key
from gilscope.figures._runtimes import most_telling, named
from gilscope.figures._tables import numbers

TITLE = "Time by strategy at the largest size"
SECTION = "scaling"
SHOWS = ("metric:speedup", "metric:speedup_ratio", "metric:time_ratio")
MOST_ROWS = 16
BOUNDS = ("estimate", "low", "high")


def blocks(results: Results) -> dict[Key, pd.DataFrame]:
    """The times of each panel, by runtime and workload: computing first, long lists beside long lists."""
    times = results.at_largest_size("seconds")
    found = {(str(key[0]), str(key[1])): block for key, block in times.groupby(["runtime", "workload"], sort=True)}
    found = {key: block for key, block in found.items() if (block["strategy"] != "sequential").any()}
    return dict(sorted(found.items(), key=lambda item: (item[1]["kind"].iloc[0], -len(rows(item[1])), item[0])))


def rows(block: pd.DataFrame) -> pd.DataFrame:
    """The cells of a panel, fastest first; of a long sweep only each strategy's fastest worker count."""
    cells = block[block["strategy"] != "sequential"].sort_values(["estimate", "strategy"])
    if len(cells) > MOST_ROWS:
        cells = cells.drop_duplicates(["strategy", "pool"])
    return cells.head(MOST_ROWS)


def lines_of(results: Results) -> list[list[tuple[Key, pd.DataFrame]]]:
    """The panels that share a line: with one runtime two workloads, with several one on the two most telling."""
    found = blocks(results)
    items = list(found.items())
    ranked = most_telling({name: results.runtimes.get(name, {}) for name, _ in found})[:2]
    if len(ranked) < 2:
        return [items[first : first + 2] for first in range(0, len(items), 2)]
    workloads = dict.fromkeys(workload for _, workload in found)
    lines = [[((name, workload), found.get((name, workload))) for name in ranked] for workload in workloads]
    measured = [[(key, block) for key, block in line if block is not None] for line in lines]
    return [line for line in measured if line]


def draw(results: Results) -> Figure:
    lines = lines_of(results)
    if not lines:
        return nothing("No times: no block has been measured.")
    heights = [max(len(rows(block)) for _, block in line) + 4.2 for line in lines]
    figure = plt.figure(
        figsize=(WIDTH, 0.2 * sum(heights) + 0.4), layout=ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.07)
    )
    grid = GridSpec(len(lines), 2, figure, height_ratios=heights)
    every = {runtime for runtime, _ in blocks(results)}
    for place, line in enumerate(lines):
        for column, ((runtime, workload), block) in enumerate(line):
            axes = figure.add_subplot(grid[place, column])
            panel(axes, block)
            kind, size = block[["kind", "size"]].iloc[0]
            named_runtime = f" · {runtime}" if len(every) > 1 else ""
            axes.set_title(f"{workload}  ({kind}, {size}){named_runtime}", loc="left", pad=16)
    shown = [item for line in lines for item in line]
    left_out = results.ordered(every - {runtime for (runtime, _), _ in shown})
    figure.supxlabel(note(shown, left_out, smaller(results, shown)), x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure


def smaller(results: Results, shown: list[tuple[Key, pd.DataFrame]]) -> list[str]:
    """The other sizes at which what is shown has been measured."""
    times = results.measured("seconds")
    sizes = {(workload, size) for (_, workload), block in shown for size in block["size"]}
    here = times[times["workload"].isin({workload for workload, _ in sizes})]
    found = {
        size for workload, size in zip(here["workload"], here["size"], strict=True) if (workload, size) not in sizes
    }
    return [size for size in (*SIZES, "deck") if size in found]


def note(shown: list[tuple[Key, pd.DataFrame]], left_out: list[str], sizes: list[str]) -> str:
    """How to read it, and what it does not show: these runtimes and sizes."""
    said = "Bar: 95 % interval. Vertical line: one task after the other."
    if any(len(rows(block)) < len(block) - 1 for _, block in shown):
        said += " Long lists: each strategy at its fastest worker count."
    said += f" {hollow_note(pd.concat([block for _, block in shown]))}"
    if sizes:
        said += f"\nAlso measured at size {', '.join(sizes)}: see the data behind the verdicts."
    if left_out:
        said += f"\nFor want of room without {named(left_out)}: see the data behind the verdicts."
    return said


def panel(axes: Axes, block: pd.DataFrame) -> None:
    cells = rows(block)
    reference = block[block["strategy"] == "sequential"].head(1)
    every = pd.concat([cells, reference])
    factor, unit = sensible_unit(float(every["estimate"].median()))
    highest = float(np.nanmax(every[["estimate", "high"]].to_numpy(float))) * factor
    lowest = float(np.nanmin(every[["estimate", "low"]].to_numpy(float))) * factor
    for place, strategy in enumerate(cells["strategy"]):
        point = cells.iloc[[place]]
        lying(axes, point.assign(**{name: point[name] * factor for name in BOUNDS}), [place], look(strategy))
    for cell in reference.to_dict("records"):
        axes.axvspan(cell["low"] * factor, cell["high"] * factor, color=INK, alpha=0.13, linewidth=0)
        axes.axvline(cell["estimate"] * factor, color=INK, linewidth=1.1)
        right = cell["estimate"] * factor > highest / 2
        axes.annotate(
            f"sequential {three_digits(cell['estimate'] * factor)} {unit}",
            (cell["estimate"] * factor, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=7.5,
        )
    scale = ""
    if lowest > 0 and highest / lowest > WIDE:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        scale = ", logarithmic"
    else:
        axes.set_xlim(0, highest * 1.06)
    axes.set_xlabel(f"{unit} for {tasks(block)} tasks{scale}")
    axes.set_yticks(range(len(cells)), [cell_label(cell) for cell in cells.to_dict("records")])
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.grid(False, axis="y")
    finish(axes)


def cell_label(cell: dict[Hashable, Any]) -> str:
    name = {"ceiling": "processes by hand"}.get(cell["strategy"], cell["strategy"])
    if cell["strategy"] == "ceiling" and cell["pool"] == "warm":
        name = "machine's limit"
    return f"{name} × {cell['workers']:.0f}" + (", warm" if cell["pool"] == "warm" and name == cell["strategy"] else "")


def tasks(block: pd.DataFrame) -> str:
    return f"{block['tasks'].iloc[0]:.0f}" if pd.notna(block["tasks"].iloc[0]) else "all"


def sensible_unit(seconds: float) -> tuple[float, str]:
    """What to multiply seconds by, and the unit that this gives, for times of this order."""
    if seconds >= 1:
        return 1.0, "s"
    return (1e3, "ms") if seconds >= 1e-3 else (1e6, "µs")


def three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def data(results: Results) -> pd.DataFrame:
    shown = [block for line in lines_of(results) for _, block in line]
    return numbers(shown, "runtime", "workload", "size", "tasks", "strategy", "workers", "pool", "metric")


def alt(results: Results) -> str:
    shown = [item for line in lines_of(results) for item in line]
    if not shown:
        return "Nothing has been measured yet."
    parts = []
    for (runtime, workload), block in shown:
        fastest = rows(block).to_dict("records")[0]
        factor, unit = sensible_unit(fastest["estimate"])
        parts.append(
            f"{workload} on {runtime}: fastest {cell_label(fastest)}, {fastest['estimate'] * factor:.3g} {unit}"
        )
    return "Time of each strategy, a panel per workload. " + "; ".join(parts) + "."
