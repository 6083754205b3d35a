"""How long does the same work take with each strategy?"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilscope.figures import SIZES, Results
from gilscope.figures._axes import amounts, sensible_unit, three_digits
from gilscope.figures._axes import rows as labels
from gilscope.figures._grammar import estimates, finish, hollow, nothing, panels, without
from gilscope.figures._look import INK
from gilscope.figures._marks import Interval
from gilscope.figures._rows import Key
from gilscope.figures._runtimes import most_telling
from gilscope.figures._tables import numbers

TITLE = "Time by strategy at the largest size"
SECTION = "scaling"
SHOWS = ("metric:speedup", "metric:speedup_ratio", "metric:time_ratio")
MOST_ROWS = 16


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
    shown = {(row, col): item for row, line in enumerate(lines) for col, item in enumerate(line)}
    units = {place: unit_of(block) for place, (_, block) in shown.items()}
    cells = {place: in_unit(rows(block), units[place]) for place, (_, block) in shown.items()}
    points = pd.concat([own.assign(row=row, col=col, y=range(len(own))) for (row, col), own in cells.items()])
    plot = estimates(points, "y", "strategy", lying=True).add(Interval(width=2))
    heights = [0.2 * (max(len(own) for (at, _), own in cells.items() if at == row) + 4.2) for row in range(len(lines))]
    figure, places = panels(plot, heights, 2, spare=0.4)
    every = {runtime for runtime, _ in blocks(results)}
    for (row, col), ((runtime, workload), block) in shown.items():
        lay_out(places[row][col], cells[row, col], block, units[row, col])
        kind, size = block[["kind", "size"]].iloc[0]
        named_runtime = f" · {runtime}" if len(every) > 1 else ""
        places[row][col].set_title(f"{workload}  ({kind}, {size}){named_runtime}", pad=16)
    left_out = results.ordered(every - {runtime for (runtime, _), _ in shown.values()})
    items = list(shown.values())
    return finish(figure, note=note(items, left_out, smaller(results, items)))


def unit_of(block: pd.DataFrame) -> tuple[float, str]:
    """What to multiply seconds by so that they suit most times of a panel, and the unit that this gives."""
    return sensible_unit(float(pd.concat([rows(block), reference(block)])["estimate"].median()))


def in_unit(cells: pd.DataFrame, unit: tuple[float, str]) -> pd.DataFrame:
    return cells.assign(**{name: cells[name] * unit[0] for name in ("estimate", "low", "high")})


def reference(block: pd.DataFrame) -> pd.DataFrame:
    """One task after the other."""
    return block[block["strategy"] == "sequential"].head(1)


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
    said += f" {hollow(pd.concat([block for _, block in shown]))}"
    if sizes:
        said += f"\nAlso measured at size {', '.join(sizes)}: see the data behind the verdicts."
    return said + without(left_out)


def lay_out(axes: Axes, cells: pd.DataFrame, block: pd.DataFrame, unit: tuple[float, str]) -> None:
    """The axes of a panel with these cells, and the time of one task after the other as a line in its interval."""
    sequential = in_unit(reference(block), unit)
    axis = amounts(pd.concat([cells, sequential]), f"{unit[1]} for {tasks(block)} tasks")
    axis.lay(axes, "x")
    labels([cell_label(cell) for cell in cells.to_dict("records")]).lay(axes, "y")
    above: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "fontsize": 7.5}
    for cell in sequential.to_dict("records"):
        axes.axvspan(cell["low"], cell["high"], color=INK, alpha=0.13, linewidth=0)
        axes.axvline(cell["estimate"], color=INK, linewidth=1.1)
        side = "right" if cell["estimate"] > axis.high / 2 else "left"
        words = f"sequential {three_digits(cell['estimate'])} {unit[1]}"
        axes.annotate(words, (cell["estimate"], 1), (0, 3), ha=side, **above)


def cell_label(cell: dict[Hashable, Any]) -> str:
    name = {"ceiling": "processes by hand"}.get(cell["strategy"], cell["strategy"])
    if cell["strategy"] == "ceiling" and cell["pool"] == "warm":
        name = "machine's limit"
    return f"{name} × {cell['workers']:.0f}" + (", warm" if cell["pool"] == "warm" and name == cell["strategy"] else "")


def tasks(block: pd.DataFrame) -> str:
    return f"{block['tasks'].iloc[0]:.0f}" if pd.notna(block["tasks"].iloc[0]) else "all"


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
