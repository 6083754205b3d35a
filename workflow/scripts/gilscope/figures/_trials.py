"""What labs observed, drawn trial by trial: the parts that figures of labs draw alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from gilscope.analysis.intervals import Interval, interval, plain_interval, share_interval
from gilscope.figures import Results
from gilscope.figures._look import GRID, INK, MUTED, PAPER, STRATEGIES, Look, look
from gilscope.figures._panels import WIDE, rows_axis
from gilscope.figures._runtimes import named

MOST_RUNTIMES = 3
"""Of a run of more, the most telling are drawn in figures that have a panel for each."""
SPREAD = 0.28
"""How far dots of trials lie from the middle of their row, as a share of its height."""
BOUNDS = ["estimate", "low", "high", "trials"]
KINDS = {
    "thread": STRATEGIES["threading"],
    "fork": STRATEGIES["multiprocessing-fork"],
    "forkserver": STRATEGIES["multiprocessing-forkserver"],
    "spawn": STRATEGIES["multiprocessing-spawn"],
    "subinterpreter": STRATEGIES["interpreters"],
}
"""The kinds of workers that labs start, in the order in which they are drawn; each looks like its strategy."""


def observed(results: Results, lab: str, metrics: Iterable[str] = (), cases: Iterable[str] = ()) -> pd.DataFrame:
    """A lab's observations: ``runtime``, ``case``, ``trial``, ``metric``, ``value``; all where none are named."""
    table = results.observations
    table = table[(table["lab"] == lab) & table["value"].notna()]
    for column, names in (("metric", list(metrics)), ("case", list(cases))):
        if names:
            table = table[table[column].isin(names)]
    return table[["runtime", "case", "trial", "metric", "value"]].reset_index(drop=True)


def unanswered(results: Results, lab: str) -> Counter[tuple[str, str]]:
    """How many trials of a lab gave no answer, by runtime and case."""
    gaps = [gap for gap in results.gaps if gap.get("lab") == lab and gap.get("trial") is not None]
    return Counter((str(gap["runtime"]), str(gap["case"])) for gap in gaps)


def needed(lab: str) -> str:
    """What a run without a lab would have to hold."""
    return f"the lab ``{lab}``: ``labs.names`` in the configuration"


def look_of(kind: str) -> Look:
    """The look of a kind of worker; one that nobody foresaw gets a spare one."""
    return KINDS.get(kind) or look(kind)


def in_kinds(kinds: Iterable[str]) -> list[str]:
    """These kinds of workers, each once, in the order in which they are drawn; those that nobody foresaw come last."""
    found = list(dict.fromkeys(kinds))
    return [kind for kind in KINDS if kind in found] + sorted(set(found) - set(KINDS))


def bounds(found: Interval) -> dict[str, float]:
    return dict(zip(BOUNDS, (found.estimate, found.low, found.high, found.rounds), strict=True))


def typical(values: Sequence[float] | np.ndarray | pd.Series) -> dict[str, float]:
    """The geometric mean of positive quantities over trials with its t interval, which takes three trials."""
    return bounds(interval(np.log(np.asarray(values, dtype=float))))


def average(values: Sequence[float] | np.ndarray | pd.Series) -> dict[str, float]:
    """The mean over trials with its t interval, for quantities that may be 0 or less; it takes three trials."""
    return bounds(plain_interval(np.asarray(values, dtype=float)))


def share(values: Sequence[float] | np.ndarray | pd.Series, lost: int = 0) -> dict[str, float]:
    """The share of trials in which something was true, with its exact interval.

    lost: how many more gave no answer; each may have been either, and the interval spans both, as a verdict's does.
    """
    true, trials = round(float(np.sum(values))), len(values)
    low, high = share_interval(true, trials + lost)[1], share_interval(true + lost, trials + lost)[2]
    return dict(zip(BOUNDS, (true / trials, low, high, trials), strict=True))


def summed_up(seen: pd.DataFrame, by: Sequence[str], shares: bool = False) -> pd.DataFrame:
    """A row for each group of observations, in the order in which they come: its keys, then ``BOUNDS``."""
    rows = [
        {**dict(zip(by, key, strict=True)), **(share(own["value"]) if shares else typical(own["value"]))}
        for key, own in seen.groupby(list(by), sort=False)
    ]
    return pd.DataFrame(rows, columns=[*by, *BOUNDS])


def hollow(points: pd.DataFrame) -> str:
    """What a hollow marker means, where there is one."""
    missing = points[["low", "high"]].isna().any(axis=None)
    return "Hollow: fewer than 3 trials, so no interval." if missing else ""


def dots(axes: Axes, values: Sequence[float] | pd.Series, y: float, drawn: Look, spread: float = 0.0) -> None:
    """A row of trials along the x axis, each a pale dot.

    spread: how far above and below the row they are laid, in their order, so that equal ones do not hide each other.
    """
    aside = np.linspace(-spread, spread, len(values)) if len(values) > 1 else 0.0
    places = np.full(len(values), y) + aside
    axes.plot(values, places, linestyle="none", marker=".", markersize=5, color=drawn.colour, alpha=0.35, zorder=2)


def lie(
    axes: Axes,
    values: Sequence[float] | pd.Series,
    y: float,
    drawn: Look,
    *,
    shares: bool = False,
    found: Mapping[Any, Any] | None = None,
    spread: float = 0.0,
) -> None:
    """A row of trials along the x axis: each a pale dot, over them what they sum up to with its interval.

    Hollow where there are too few trials for one. Shares have no dots: their trials are all at 0 or 1.
    found: what they sum up to, where that is neither their geometric mean nor their share. spread: that of the dots.
    """
    if found is None:
        found = share(values) if shares else typical(values)
    known = np.isfinite(found["low"])
    if not shares:
        dots(axes, values, y, drawn, spread)
    if known:
        axes.hlines(y, found["low"], found["high"], color=drawn.colour, linewidth=2.2, zorder=3)
    axes.plot(
        found["estimate"],
        y,
        linestyle="none",
        marker=drawn.marker,
        markerfacecolor=drawn.colour if known else PAPER,
        markeredgecolor=drawn.colour,
        zorder=4,
    )


@dataclass(frozen=True)
class Ladder:
    """Rows beneath each other: one for each group; with several runtimes its heading, and a row for each of them.

    labels: what stands beside each row. headings: the rows that are a group's name. places: group, runtime → row.
    """

    labels: list[str]
    headings: dict[str, int]
    places: dict[tuple[str, str], int]

    @classmethod
    def of(cls, found: Collection[tuple[str, str]], groups: Iterable[str], runtimes: Sequence[str]) -> Ladder:
        """found: the groups and runtimes of which there is something to show; the orders are those of the others."""
        ladder = cls([], {}, {})
        for group in groups:
            ladder.headings[group] = len(ladder.labels)
            own = [runtime for runtime in runtimes if (group, runtime) in found]
            first = len(ladder.labels) + (len(runtimes) > 1)
            ladder.labels.extend([group, *own] if len(runtimes) > 1 else [group])
            ladder.places.update({(group, runtime): first + place for place, runtime in enumerate(own)})
        return ladder

    def draw(self, axes: Axes, bold: Collection[str] = (), named: bool = True) -> None:
        """Lay out the rows of an axes. bold: the groups whose names stand out. named: whether it names its rows."""
        rows_axis(axes, self.labels)
        axes.tick_params(axis="y", labelleft=named)
        several = len(self.labels) > len(self.headings)
        for group, row in self.headings.items():
            label = axes.yaxis.get_major_ticks()[row].label1
            label.set_color(INK if group in bold or several else MUTED)
            label.set_fontweight("bold" if group in bold else "normal")
            if row and several:
                axes.axhline(row - 0.5, color=GRID, linewidth=0.8, zorder=0)

    def write(self, axes: Axes, words: Mapping[tuple[str, str], str], heading: str, aside: float) -> None:
        """A column of words beside the rows. aside: how far to the right of the axes it ends, in points."""
        column: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "fontsize": 8, "annotation_clip": False}
        axes.annotate(heading, (1, 1), (aside, 6), xycoords="axes fraction", color=MUTED, **column)
        for key, row in self.places.items():
            axes.annotate(
                words.get(key, ""), (1, row), (aside, 0), xycoords=("axes fraction", "data"), va="center", **column
            )


def left_out_note(results: Results, measured: pd.Series, shown: Sequence[str]) -> str:
    """Which runtimes there was no room for, as a line of its own."""
    left = results.ordered(set(measured) - set(shown))
    return f"\nFor want of room without {named(left)}: see the numbers of this figure." if left else ""


def no_answer_note(results: Results, lab: str, cases: Collection[str]) -> str:
    """How many trials of these cases gave no answer, as a line of its own."""
    lost = sum(count for (_, case), count in unanswered(results, lab).items() if case in cases)
    return f"\n{lost} more trials gave no answer." if lost else ""


def time_axis(axes: Axes, lowest: float, highest: float, label: str) -> None:
    """An x axis from 0, or a logarithmic one that says so where the ends are far apart."""
    wide = highest / lowest > WIDE
    if wide:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1,) if highest > 100 * lowest else (1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(lowest / 1.6 if wide else 0, highest * (1.6 if wide else 1.06))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(label + (", logarithmic" if wide else ""))
