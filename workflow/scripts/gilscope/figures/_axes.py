"""Axes as values: where one begins and ends, its ticks in words, and what it is called; ``lay`` puts it on a panel."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from gilscope.figures._look import INK

WIDE = 15
"""Amounts further apart than this factor are drawn on a logarithmic axis."""
ROUND = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Axis:
    """One axis of a panel.

    base: of its logarithm; 0 where it is linear. words: of each tick. line: a value that all others are compared with.
    """

    label: str
    low: float
    high: float
    ticks: Sequence[float]
    base: float = 0
    words: Callable[[float], str] = "{:g}".format
    line: float | None = None

    def lay(self, axes: Axes, which: str) -> None:
        """Make it the axis of this panel. which: ``x`` or ``y``."""
        axis = axes.xaxis if which == "x" else axes.yaxis
        scale: dict[str, Any] = {"value": "log", "base": self.base} if self.base else {"value": "linear"}
        (axes.set_xscale if which == "x" else axes.set_yscale)(**scale)
        axis.set_ticks(list(self.ticks), list(map(self.words, self.ticks)))
        axis.set_minor_locator(NullLocator())
        axes.set(**{f"{which}lim": (self.low, self.high)})
        axis.set_label_text(self.label)
        axis.label.set_visible(True)
        if self.line is not None:
            (axes.axvline if which == "x" else axes.axhline)(self.line, color=INK, linewidth=1, zorder=1)


@dataclass(frozen=True)
class Rows(Axis):
    """A row for each label, the first on top."""

    def lay(self, axes: Axes, which: str) -> None:
        super().lay(axes, which)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)


def ends(points: pd.DataFrame | Iterable[float], positive: bool = True) -> tuple[float, float]:
    """The lowest and the highest number that has to be drawn; 1 and 1 where there is none.

    points: a table's estimates with their bounds, or just numbers.
    """
    columns = [name for name in ("estimate", "low", "high") if isinstance(points, pd.DataFrame) and name in points]
    values = np.asarray(points[columns] if isinstance(points, pd.DataFrame) else list(points), dtype=float).ravel()
    values = values[np.isfinite(values) & ((values > 0) | (not positive))]
    return (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)


def inside(found: Iterable[float], low: float, high: float) -> list[float]:
    return [float(tick) for tick in found if low <= tick <= high]


def even(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers at even distances."""
    return inside(MaxNLocator(most, steps=ROUND).tick_values(low, high), low, high)


def ratios(
    points: pd.DataFrame | Iterable[float],
    label: str,
    at_least: tuple[float, float] = (0.9, 1.1),
    room: tuple[float, float] = (1.08, 1.08),
    most: int = 5,
) -> Axis:
    """Logarithmic, so that twice as much and half as much lie equally far from the line at 1.

    most: about how many ticks there is room for. Where it spans little they are at round numbers.
    """
    lowest, highest = ends(points)
    low, high = min(at_least[0], lowest / room[0]), max(at_least[1], highest * room[1])
    octaves = math.log2(high / low)
    if octaves > 2.5:
        step = max(1, round(octaves / most))
        powers = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
        ticks = [2.0**power for power in powers if power % step == 0]
        return Axis(label, low, high, ticks, 2, factor, 1)
    return Axis(label, low, high, even(low, high, most), 2, "{:.3g}×".format, 1)


def speedups(points: pd.DataFrame) -> Axis:
    """Speedups upwards; the figure's note or label says that they are on a logarithmic axis."""
    return ratios(points, "speedup", (0.75, 2.4), (1.2, 1.25))


def times(points: pd.DataFrame | Iterable[float], label: str, most: int = 7, room: float = 1.3) -> Axis:
    """Seconds on a logarithmic axis, a decade wide at least. most: how many ticks there is room for."""
    low, high = ends(points)
    wider = max(room, math.sqrt(10 * low / high))
    low, high = low / wider, high * wider
    for steps in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        ticks = inside(LogLocator(base=10, subs=steps, numticks=most).tick_values(low, high), low, high)
        if len(ticks) <= most:
            break
    return Axis(label, low, high, ticks, 10, duration)


def amounts(points: pd.DataFrame | Iterable[float], label: str, wide: float = WIDE) -> Axis:
    """From 0, or logarithmic, which it says, where all are above 0 and lie further apart than the factor ``wide``."""
    low, high = ends(points, positive=False)
    if low > 0 and high / low > wide:
        steps = (1.0,) if high > 100 * low else (1.0, 2.0, 5.0)
        low, high = low / 1.6, high * 1.6
        ticks = inside(LogLocator(base=10, subs=steps, numticks=12).tick_values(low, high), low, high)
        return Axis(f"{label}, logarithmic", low, high, ticks, 10)
    low, high = min(0.0, low * 1.06), max(0.0, high * 1.06)
    return Axis(label, low, high, even(low, high, 6), line=0 if low < 0 else None)


def workers(counts: Sequence[int], label: str = "workers", room: float = 1.3) -> Axis:
    """Logarithmic, with a tick at each of these counts. room: how far it goes on beyond the first and the last."""
    return Axis(label, counts[0] / room, counts[-1] * room, list(counts), 2)


def cores(points: pd.DataFrame) -> Axis:
    """Effective cores from 0, at least to 2, with a line at one."""
    high = max(2.0, 1.05 * ends(points)[1])
    return Axis("effective cores", 0, high, even(0, high, 4), line=1)


def rows(labels: Sequence[str]) -> Rows:
    """A row for each label at 0, 1, 2 and so on, the first on top."""
    names = dict(enumerate(labels))
    return Rows("", len(labels) - 0.4, -0.6, list(names), words=lambda place: names.get(round(place), ""))


def factor(value: float) -> str:
    """``2×``, and ``1/4×`` below 1."""
    return f"{value:.3g}×" if value >= 1 else f"1/{1 / value:.3g}×"


def sensible_unit(seconds: float) -> tuple[float, str]:
    """What to multiply seconds by, and the unit that this gives, for times of this order."""
    if seconds >= 1:
        return 1.0, "s"
    return (1e3, "ms") if seconds >= 1e-3 else (1e6, "µs")


def duration(seconds: float) -> str:
    times_by, unit = sensible_unit(seconds)
    return f"{seconds * times_by:.3g} {unit}"


def three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"
