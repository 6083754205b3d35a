"""Several runtimes side by side: a row of panels for each workload, a column for each runtime."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilscope.figures._look import MUTED
from gilscope.figures._panels import panels
from gilscope.figures._runtimes import named

MOST_COLUMNS, MOST_ROWS = 4, 8
FEW = 6
"""So many panels of one runtime stand in two columns, more in three."""
Key = tuple[str, str]


@dataclass(frozen=True)
class Rows:
    """Where each block, by runtime and workload, is drawn, and the workloads for which there was no room.

    beside: each block's second panel, where it has one: to the right of the first, or below it where runtimes stand
    beside each other.
    """

    figure: Figure
    places: dict[Key, Axes]
    beside: dict[Key, Axes]
    left_out: list[str]

    def row_of(self, key: Key, blocks: Mapping[Key, pd.DataFrame]) -> pd.DataFrame:
        """Every block that stands beside this one, on the same axes."""
        return pd.concat([block for (_, workload), block in blocks.items() if workload == key[1]])

    @property
    def note(self) -> str:
        """What was left out, as a line of its own."""
        return without(self.left_out)


def without(names: Sequence[str]) -> str:
    """A line, on a line of its own, that says for what there was no room; nothing where there was room for all."""
    return f"\nFor want of room without {named(names)}: see the data behind the verdicts." if names else ""


def room(runtimes: int, pairs: bool = False) -> int:
    """How many workloads there is room for beside each other's runtimes."""
    return max(1, MOST_ROWS // (math.ceil(runtimes / MOST_COLUMNS) * (2 if pairs else 1)))


def lay_out(
    blocks: Mapping[Key, pd.DataFrame],
    runtimes: Sequence[str],
    about: Callable[[pd.DataFrame], str],
    *,
    pairs: bool = False,
    heights: Mapping[str, float] | None = None,
) -> Rows:
    """Room for these blocks, titled. With one runtime, a panel for each; with several, a row for each workload.

    about: what the heading of a workload says in brackets; nothing where it is empty. pairs: whether each block has a
    second panel. heights: inches of the panels of those workloads that need more or less than usual.
    With several runtimes workloads with most points come before others for room.
    """
    heights = heights or {}
    if len(runtimes) == 1:
        return lay_out_one(blocks, about, pairs, heights)
    lines = math.ceil(len(runtimes) / MOST_COLUMNS)
    columns = math.ceil(len(runtimes) / lines)
    workloads = list(dict.fromkeys(workload for _, workload in blocks))
    points = {name: max(len(block) for (_, own), block in blocks.items() if own == name) for name in workloads}
    chosen = sorted(workloads, key=lambda name: -points[name])[: room(len(runtimes), pairs)]
    shown = [name for name in workloads if name in chosen]
    deep = 2 if pairs else 1
    inches = [heights.get(workload, 2.35 if not pairs else 2.1) for workload in shown for _ in range(lines * deep)]
    figure, axes = panels(len(inches) * columns, columns, inches)
    grid = [axes[start : start + columns] for start in range(0, len(axes), columns)]
    places: dict[Key, Axes] = {}
    beside: dict[Key, Axes] = {}
    for row, workload in enumerate(shown):
        own = grid[row * lines * deep : (row + 1) * lines * deep]
        first = next(block for (_, name), block in blocks.items() if name == workload)
        own[0][0].set_title(heading(workload, about(first)), pad=20)
        for number in range(lines * columns):
            line, column = divmod(number, columns)
            key = (runtimes[number] if number < len(runtimes) else "", workload)
            caption(own[line * deep][column], key[0], key in blocks)
            for part, found in enumerate((places, beside)[:deep]):
                axes_here = own[line * deep + part][column]
                if key not in blocks:
                    axes_here.set_axis_off()
                    continue
                found[key] = axes_here
                if column:
                    axes_here.tick_params(labelleft=False)
    return Rows(figure, places, beside, [name for name in workloads if name not in chosen])


def lay_out_one(
    blocks: Mapping[Key, pd.DataFrame],
    about: Callable[[pd.DataFrame], str],
    pairs: bool,
    heights: Mapping[str, float],
) -> Rows:
    """Of one runtime: panels in columns, or a pair of them on each line."""
    if pairs:
        figure, axes = panels(2 * len(blocks), 2, [heights.get(workload, 2.55) for _, workload in blocks])
    else:
        figure, axes = panels(len(blocks), 2 if len(blocks) <= FEW else 3)
    places = dict(zip(blocks, axes[:: 2 if pairs else 1], strict=True))
    for key, block in blocks.items():
        places[key].set_title(heading(key[1], about(block)))
    return Rows(figure, places, dict(zip(blocks, axes[1::2], strict=True)) if pairs else {}, [])


def heading(workload: str, about: str) -> str:
    return f"{workload}  ({about})" if about else workload


def caption(axes: Axes, runtime: str, measured: bool) -> None:
    """The runtime's name above its panel, or that there is nothing of it."""
    words = runtime if measured or not runtime else f"{runtime}: not measured"
    axes.annotate(words, (0, 1), xytext=(0, 5), xycoords="axes fraction", textcoords="offset points", color=MUTED)


def no_inner_labels(rows: Rows) -> None:
    """Only the first panel of a row names the axis that all of it share."""
    for axes in (*rows.places.values(), *rows.beside.values()):
        if not axes.yaxis.get_tick_params().get("labelleft", True):
            axes.set_ylabel("")
