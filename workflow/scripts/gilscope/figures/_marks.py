"""Marks that seaborn has none for: estimates with intervals, hollow without, and the machine's limit behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.transforms import ScaledTranslation, Transform
from seaborn._marks.base import Mappable, Mark

from gilscope.figures._look import PAPER, look

REACH = 0.36
"""How far the mark of a limit goes to both sides of a row, in rows."""
Split = Callable[[], Iterator[tuple[Any, pd.DataFrame, Axes]]]


def moved(axes: Axes, right: float = 0.0, up: float = 0.0) -> Transform:
    """Where data lie in a panel, and from there so many points to the right and up, whatever its scales are."""
    if not right and not up:
        return axes.transData
    return axes.transData + ScaledTranslation(right / 72, up / 72, axes.figure.dpi_scale_trans)


def laid_out(data: pd.DataFrame) -> tuple[bool, list[np.ndarray]]:
    """Whether intervals lie along x, and where points are across them, the estimates, and the bounds."""
    lying = "xmin" in data
    names = ["y", "x", "xmin", "xmax"] if lying else ["x", "y", "ymin", "ymax"]
    return lying, [data[name].to_numpy(float) for name in names]


@dataclass
class Interval(Mark):
    """Estimates, each a marker on its interval; where ``fill`` is false the marker is hollow and there is no interval.

    line: join those of one colour, with a band. apart: how many points those of different colours, as far as they are
    in a panel, are laid beside each other, so that none hides another. each: as far as they are in a row, where they
    lie. limit: the machine's limit is among them, and is drawn as that.
    """

    color: Any = field(default=Mappable("C0", grouping=False))
    marker: Any = field(default=Mappable("o", grouping=False))
    fill: Any = field(default=Mappable(True, grouping=False))
    line: bool = False
    apart: float = 0.0
    each: bool = False
    limit: bool = False
    width: float = 1.3
    size: float = 5.5

    def _plot(self, split_gen: Split, scales: Mapping[str, Any], orient: str) -> None:
        del orient  # the bounds tell it
        for _, data, axes in split_gen():
            seen = data.assign(
                **{name: list(self._resolve(data, name, scales)) for name in ("marker", "fill")},
                rgba=list(self._resolve(data, "color", scales)),
            )
            if self.limit:
                draw_limit(axes, data[data["color"] == "ceiling"])
                seen = seen[seen["color"] != "ceiling"]
            for _, own in seen.groupby("y") if self.each else [("", seen)]:
                names = [name for name in scales["color"].order if (own["color"] == name).any()]
                for place, name in enumerate(names):
                    self._draw(axes, own[own["color"] == name], self.apart * (place - (len(names) - 1) / 2))

    def _draw(self, axes: Axes, own: pd.DataFrame, aside: float) -> None:
        own = own.sort_values("x", kind="stable") if self.line else own
        lying, (along, estimate, low, high) = laid_out(own)
        known, colour = own["fill"].to_numpy(bool), to_hex(own["rgba"].iloc[0])
        common: dict[str, Any] = {"color": colour, "transform": moved(axes, *((0, -aside) if lying else (aside, 0)))}
        if self.line and len(along) > 1:
            axes.plot(along, estimate, zorder=3, **common)
            if known.any():
                axes.fill_between(along, low, high, where=known, alpha=0.16, linewidth=0, zorder=2, **common)
        if known.any():
            bars = axes.hlines if lying else axes.vlines
            bars(along[known], low[known], high[known], linewidth=self.width, zorder=3, **common)
        signs = [style.get_marker() for style in own["marker"]]
        for sign, full in dict.fromkeys(zip(signs, known, strict=True)):
            which = [each == (sign, full) for each in zip(signs, known, strict=True)]
            # A dash would vanish in an interval that lies, and cannot be hollow.
            marker = sign if sign != "_" or not lying else "|" if full else "o"
            x, y = (estimate[which], along[which]) if lying else (along[which], estimate[which])
            look: dict[str, Any] = {"marker": marker, "markersize": self.size, "linestyle": "none", "zorder": 4}
            axes.plot(x, y, markerfacecolor=colour if full else PAPER, **look, **common)


@dataclass
class Limit(Mark):
    """What the machine could give, with its intervals: wide, grey and behind everything that is measured against it."""

    color: Any = field(default=Mappable(look("ceiling").colour, grouping=False))

    def _plot(self, split_gen: Split, scales: Mapping[str, Any], orient: str) -> None:
        del scales, orient
        for _, data, axes in split_gen():
            draw_limit(axes, data)


def draw_limit(axes: Axes, data: pd.DataFrame) -> None:
    common: dict[str, Any] = {"color": look("ceiling").colour, "zorder": 1.5}
    wide: dict[str, Any] = {"linewidth": 5, "alpha": 0.45, **common}
    lying, (along, estimate, low, high) = laid_out(data)
    (axes.hlines if lying else axes.vlines)(along, low, high, linewidth=1.6, alpha=0.6, **common)
    if lying:
        axes.vlines(estimate, along - REACH, along + REACH, **wide)
        return
    place = np.argsort(along, kind="stable")
    axes.plot(along[place], estimate[place], **wide)
    dash: dict[str, Any] = {"marker": "_", "markersize": 16, "markeredgewidth": 4, "linestyle": "none", "alpha": 0.6}
    axes.plot(along, estimate, **dash, **common)
