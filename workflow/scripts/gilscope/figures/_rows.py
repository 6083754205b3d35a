"""Several runtimes side by side: a row of panels for each workload, a column for each runtime."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from gilscope.figures._grammar import MOST_COLUMNS, inner
from gilscope.figures._look import MUTED

MOST_ROWS = 8
FEW = 6
"""So many panels of one runtime stand in two columns, more in three."""
ANY_HEIGHTS: Mapping[str, float] = {}
Key = tuple[str, str]
Blocks = Mapping[Key, pd.DataFrame]


@dataclass(frozen=True)
class Grid:
    """Which panels each block, by runtime and workload, is drawn in, and the workloads for which there was no room.

    places: row and column of each panel of a block. heights: inches of each row.
    """

    runtimes: Sequence[str]
    places: dict[Key, list[tuple[int, int]]]
    heights: list[float]
    columns: int
    left_out: list[str]

    @property
    def lines(self) -> int:
        """How many lines the panels of one workload take, each part of them by itself."""
        return math.ceil(len(self.runtimes) / self.columns) if len(self.runtimes) > 1 else 1

    def placed(self, blocks: Blocks) -> pd.DataFrame:
        """The points of all blocks that have a place, with ``row`` and ``col`` of their first panel."""
        first = {key: dict(zip(("row", "col"), own[0], strict=True)) for key, own in self.places.items()}
        return pd.concat([blocks[key].assign(**place) for key, place in first.items()], ignore_index=True)

    def name(self, panels: Sequence[Sequence[Axes]], blocks: Blocks, about: Callable[[pd.DataFrame], str]) -> None:
        """Write workloads and runtimes above the panels. about: what is said of a workload in brackets."""
        if len(self.runtimes) == 1:
            for (runtime, workload), ((row, column), *_) in self.places.items():
                panels[row][column].set_title(heading(workload, about(blocks[runtime, workload])))
            return
        for workload in dict.fromkeys(workload for _, workload in self.places):
            own = {runtime: places for (runtime, name), places in self.places.items() if name == workload}
            block = blocks[next(iter(own)), workload]
            deep = len(next(iter(own.values())))
            first = min(row for places in own.values() for row, _ in places)
            first -= first % (deep * self.lines)
            panels[first][0].set_title(heading(workload, about(block)), pad=20)
            for number, runtime in enumerate(self.runtimes):
                line, column = divmod(number, self.columns)
                caption(panels[first + line * deep][column], runtime, runtime in own)
                for row, _ in own.get(runtime, []) if column else []:
                    inner(panels[row][column])


def room(runtimes: int, parts: int = 1) -> int:
    """How many workloads there is room for beside each other's runtimes."""
    return max(1, MOST_ROWS // (math.ceil(runtimes / MOST_COLUMNS) * parts))


def lay_out(
    blocks: Blocks, runtimes: Sequence[str], parts: int = 1, heights: Mapping[str, float] = ANY_HEIGHTS
) -> Grid:
    """Room for these blocks. With one runtime, a panel for each; with several, a row for each workload.

    parts: how many panels each block has: beside each other, or below where runtimes stand beside each other.
    heights: inches of the panels of those workloads that need more or less than usual. With several runtimes workloads
    with most points come before others for room.
    """
    if len(runtimes) == 1:
        columns = parts if parts > 1 else 2 if len(blocks) <= FEW else 3
        numbers = itertools.count()
        found = {key: [divmod(next(numbers), columns) for _ in range(parts)] for key in blocks}
        rows = {own[0][0]: heights.get(key[1], 2.55) for key, own in found.items()}
        return Grid(runtimes, found, list(rows.values()), columns, [])
    lines = math.ceil(len(runtimes) / MOST_COLUMNS)
    columns = math.ceil(len(runtimes) / lines)
    workloads = list(dict.fromkeys(workload for _, workload in blocks))
    points = {name: max(len(block) for (_, own), block in blocks.items() if own == name) for name in workloads}
    chosen = sorted(workloads, key=lambda name: -points[name])[: room(len(runtimes), parts)]
    shown = [name for name in workloads if name in chosen]
    places = {}
    for key in blocks:
        if key[1] in chosen:
            line, column = divmod(runtimes.index(key[0]), columns)
            first = (shown.index(key[1]) * lines + line) * parts
            places[key] = [(first + part, column) for part in range(parts)]
    usual = 2.35 if parts == 1 else 2.1
    inches = [heights.get(name, usual) for name in shown for _ in range(lines * parts)]
    return Grid(runtimes, places, inches, columns, [name for name in workloads if name not in chosen])


def beside(blocks: Blocks, workload: str) -> pd.DataFrame:
    """All blocks of a workload, which lie on the same axes."""
    return pd.concat([block for (_, name), block in blocks.items() if name == workload])


def heading(workload: str, about: str) -> str:
    return f"{workload}  ({about})" if about else workload


def caption(axes: Axes, runtime: str, measured: bool) -> None:
    """The runtime's name above its panel, or that there is nothing of it."""
    words = runtime if measured or not runtime else f"{runtime}: not measured"
    axes.annotate(words, (0, 1), (0, 5), xycoords="axes fraction", textcoords="offset points", color=MUTED)
