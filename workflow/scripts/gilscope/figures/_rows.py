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
Key = tuple[str, str]


@dataclass(frozen=True)
class Rows:
    """Where each block, by runtime and workload, is drawn, and the workloads for which there was no room."""

    figure: Figure
    places: dict[Key, Axes]
    left_out: list[str]

    def row_of(self, key: Key, blocks: Mapping[Key, pd.DataFrame]) -> pd.DataFrame:
        """Every block that stands beside this one, on the same axes."""
        return pd.concat([block for (_, workload), block in blocks.items() if workload == key[1]])

    @property
    def note(self) -> str:
        """What was left out, as a line of its own."""
        left = f"For want of room without {named(self.left_out)}: see the data behind the verdicts."
        return f"\n{left}" if self.left_out else ""


def lay_out(blocks: Mapping[Key, pd.DataFrame], runtimes: Sequence[str], about: Callable[[pd.DataFrame], str]) -> Rows:
    """Room for these blocks, titled. With one runtime, a panel for each; with several, a row for each workload.

    about: what the heading of a workload says in brackets. Workloads with most points come before others for room.
    """
    if len(runtimes) == 1:
        figure, axes = panels(len(blocks))
        for place, ((_, workload), block) in zip(axes, blocks.items(), strict=True):
            place.set_title(f"{workload}  ({about(block)})")
        return Rows(figure, dict(zip(blocks, axes, strict=True)), [])
    lines = math.ceil(len(runtimes) / MOST_COLUMNS)
    columns = math.ceil(len(runtimes) / lines)
    workloads = list(dict.fromkeys(workload for _, workload in blocks))
    points = {name: max(len(block) for (_, own), block in blocks.items() if own == name) for name in workloads}
    chosen = sorted(workloads, key=lambda name: -points[name])[: max(1, MOST_ROWS // lines)]
    shown = [name for name in workloads if name in chosen]
    figure, axes = panels(len(shown) * lines * columns, columns, height=2.35)
    places: dict[Key, Axes] = {}
    for row, workload in enumerate(shown):
        own = axes[row * lines * columns : (row + 1) * lines * columns]
        first = next(block for (_, name), block in blocks.items() if name == workload)
        own[0].set_title(f"{workload}  ({about(first)})", pad=20)
        for number, place in enumerate(own):
            name = runtimes[number] if number < len(runtimes) else ""
            caption(place, name, measured := (name, workload) in blocks)
            if measured:
                places[name, workload] = place
            if measured and number % columns:
                place.tick_params(labelleft=False)
    return Rows(figure, places, [name for name in workloads if name not in chosen])


def caption(axes: Axes, runtime: str, measured: bool) -> None:
    """The runtime's name above its panel, which stays empty where there is nothing of it."""
    words = runtime if measured or not runtime else f"{runtime}: not measured"
    axes.annotate(words, (0, 1), xytext=(0, 5), xycoords="axes fraction", textcoords="offset points", color=MUTED)
    if not measured:
        axes.set_axis_off()


def no_inner_labels(rows: Rows) -> None:
    """Only the first panel of a row names the axis that all of it share."""
    for axes in rows.places.values():
        if not axes.yaxis.get_tick_params().get("labelleft", True):
            axes.set_ylabel("")
