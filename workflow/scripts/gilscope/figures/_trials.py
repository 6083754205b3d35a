"""What labs observed, drawn trial by trial: the parts that figures of labs draw alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import seaborn.objects as so
from matplotlib.axes import Axes

from gilscope.analysis.intervals import Interval as Summary
from gilscope.analysis.intervals import interval, plain_interval, share_interval
from gilscope.figures import Results
from gilscope.figures._axes import rows
from gilscope.figures._grammar import bounded, estimates, hollow, mapped, without
from gilscope.figures._look import GRID, INK, MUTED, STRATEGIES, Look, look
from gilscope.figures._marks import Interval, laid_out, moved

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


def bounds(found: Summary) -> dict[str, float]:
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


@dataclass
class Trials(Interval):
    """Trials as pale dots, aside like the estimates that they sum up to.

    spread: how far to both sides of their place they are laid, in their order, so that equal ones do not hide each
    other.
    """

    spread: float = 0.0

    def _draw(self, axes: Axes, own: pd.DataFrame, aside: float) -> None:
        lying, (along, value, *_) = laid_out(own)
        if self.spread:
            at = pd.Series(along).groupby(along)
            last = at.transform("size").to_numpy() - 1
            along = along + np.where(last > 0, self.spread * (2 * at.cumcount() / np.maximum(last, 1) - 1), 0)
        shift = moved(axes, *((0, -aside) if lying else (aside, 0)))
        style: dict[str, Any] = {"linestyle": "none", "marker": ".", "markersize": 5, "alpha": 0.35, "zorder": 2}
        x, y = (value, along) if lying else (along, value)
        axes.plot(x, y, color=own["rgba"].iloc[0], transform=shift, **style)


def as_points(trials: pd.DataFrame) -> pd.DataFrame:
    """Trials as ``Trials`` draws them: each is an estimate for itself."""
    return trials.assign(**dict.fromkeys(BOUNDS[:3], trials["value"]))


def plotted(
    found: pd.DataFrame,
    trials: pd.DataFrame,
    along: str,
    by: str,
    looks: Mapping[Any, Look],
    *,
    lying: bool = True,
    spread: float = 0.0,
    apart: float = 0.0,
    **mark: Any,
) -> so.Plot:
    """``estimates`` over the dots of the trials that they sum up. trials: ``value``, and the same columns as found."""
    dots = Trials(apart=apart, spread=spread)
    seen = bounded(as_points(trials))
    drawn = estimates(found, along, by, looks, lying=lying).add(dots, data=seen, **mapped(along, by, lying))
    return drawn.add(Interval(apart=apart, **mark))


def arranged(table: pd.DataFrame, **places: tuple[str, Sequence[str]]) -> pd.DataFrame:
    """The part of a table that is in these orders, with its place in each: ``row=("runtime", runtimes)``."""
    for column, order in places.values():
        table = table[table[column].isin(order)]
    return table.assign(**{name: table[column].map(list(order).index) for name, (column, order) in places.items()})


def beside(axes: Axes, heading: str, words: Mapping[float, str], aside: float) -> None:
    """A column of words beside rows. words: by row. aside: how far to the right of the axes it ends, in points."""
    column: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "fontsize": 8, "annotation_clip": False}
    axes.annotate(heading, (1, 1), (aside, 6), xycoords="axes fraction", color=MUTED, **column)
    for row, said in words.items():
        axes.annotate(said, (1, row), (aside, 0), xycoords=("axes fraction", "data"), va="center", **column)


@dataclass(frozen=True)
class Ladder:
    """Rows beneath each other: one for each group; with several runtimes its heading, and a row for each of them.

    labels: what stands beside each row. headings: the rows that are a group's name. places: group, runtime → row.
    """

    labels: list[str]
    headings: dict[str, int]
    places: dict[tuple[str, str], int]

    @classmethod
    def of(cls, found: pd.DataFrame, group: str, groups: Iterable[str], runtimes: Sequence[str]) -> Ladder:
        """found: what there is to show, with a column ``group`` and ``runtime``; the orders are those of the others."""
        ladder, there = cls([], {}, {}), set(zip(found[group], found["runtime"], strict=True))
        for name in groups:
            ladder.headings[name] = len(ladder.labels)
            own = [runtime for runtime in runtimes if (name, runtime) in there]
            first = len(ladder.labels) + (len(runtimes) > 1)
            ladder.labels.extend([name, *own] if len(runtimes) > 1 else [name])
            ladder.places.update({(name, runtime): first + place for place, runtime in enumerate(own)})
        return ladder

    def rows(self, table: pd.DataFrame, group: str) -> list[int]:
        """The row of each line of a table."""
        return [self.places[key] for key in zip(table[group], table["runtime"], strict=True)]

    def lay(self, axes: Axes, bold: Collection[str] = ()) -> None:
        """Lay out the rows of a panel. bold: the groups whose names stand out."""
        rows(self.labels).lay(axes, "y")
        several = len(self.labels) > len(self.headings)
        for group, row in self.headings.items():
            label = axes.yaxis.get_major_ticks()[row].label1
            label.set_color(INK if group in bold or several else MUTED)
            label.set_fontweight("bold" if group in bold else "normal")
            if row and several:
                axes.axhline(row - 0.5, color=GRID, linewidth=0.8, zorder=0)


def notes(
    results: Results, lab: str, found: pd.DataFrame, shown: Sequence[str], how: str, *more: str, of: Sequence[str] = ()
) -> str:
    """How to read a figure, line by line, and what it cannot show: intervals of few trials, lost trials, runtimes.

    found: the estimates of all runtimes. shown: those that there was room for. of: the cases whose lost trials are
    counted; all of the lab where none are named.
    """
    lost = sum(count for (_, case), count in unanswered(results, lab).items() if case in of or not of)
    lines = [f"{how} {hollow(found[found['runtime'].isin(shown)], 'trials')}", *more]
    lines += [f"{lost} more trials gave no answer."] if lost else []
    left = results.ordered(set(found["runtime"]) - set(shown))
    return "\n".join(filter(None, lines)) + without(left, "the numbers of this figure")
