"""Ratios between runtimes, a row for each workload: the parts that two figures draw alike."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gilscope.figures import Results, size_rank
from gilscope.figures._axes import rows
from gilscope.figures._grammar import MOST_COLUMNS, estimates, inner, panels
from gilscope.figures._look import Look
from gilscope.figures._marks import Interval

INCHES = 0.26
"""What a row takes."""
COLUMNS = ["workload", "size", "runtime", "against", "kind_of", "estimate", "low", "high", "rounds"]


def across(results: Results, name: str) -> pd.DataFrame:
    """``taxes`` or ``speeds`` of the largest size that a workload was measured at, computing first; without the dial.

    Adds ``kind``, what the workload is.
    """
    table = pd.DataFrame(results.across.get(name) or [], columns=COLUMNS)
    table = table[table["estimate"].notna() & ~table["workload"].astype(str).str.startswith("dial_")]
    rank = table["size"].map(size_rank)
    pair = [table["workload"], table["runtime"], table["against"]]
    table = table[rank == rank.groupby(pair).transform("max")]
    kinds = results.estimates.drop_duplicates("workload").set_index("workload")["kind"]
    table = table.assign(kind=table["workload"].map(kinds).fillna(""))
    return table.sort_values(["kind", "workload"], ignore_index=True)


def by_runtime(
    results: Results, table: pd.DataFrame, by: str, looks: Mapping[str, Look]
) -> tuple[Figure, dict[str, Axes]]:
    """A panel for each runtime, titled, a row in it for each workload. looks: of the values of the column ``by``."""
    runtimes, workloads = results.ordered(table["runtime"]), list(dict.fromkeys(table["workload"]))
    columns = min(MOST_COLUMNS, len(runtimes))
    place = table["runtime"].map(runtimes.index)
    points = table.assign(row=place // columns, col=place % columns, y=table["workload"].map(workloads.index))
    plot = estimates(points, "y", by, looks, lying=True).add(Interval(apart=24 * INCHES, width=2))
    figure, lines = panels(plot, [1.0 + INCHES * len(workloads)] * math.ceil(len(runtimes) / columns), columns)
    found = dict(zip(runtimes, itertools.chain(*lines), strict=False))
    for number, (runtime, axes) in enumerate(found.items()):
        rows(workloads).lay(axes, "y")
        axes.set_title(runtime)
        if number % columns:
            inner(axes)
    return figure, found
