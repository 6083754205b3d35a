"""What does it cost to start a worker on each side?"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures._axes import Axis, duration, times
from gilscope.figures._grammar import nothing
from gilscope.figures._trials import in_kinds, needed
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._rows import draw_rows, middle_words
from gilscope.figures.start_up import WORKERS

TITLE = "Time from starting a worker to its answer, on each side"
SECTION = "labs"
LAB = "startup"


def needs(comparison: Comparison) -> str:
    """What the runs would have to hold."""
    return "" if len(points(comparison)) else needed(LAB)


def points(comparison: Comparison) -> pd.DataFrame:
    """Seconds to the answer; ``group`` says of which worker, ``row`` how it was started."""
    table = comparison.labs
    table = table[(table["lab"] == LAB) & table["metric"].isin(WORKERS) & table["estimate"].notna()]
    kinds, metrics = in_kinds(table["case"]), list(WORKERS)
    order = table["metric"].map(metrics.index) * len(kinds) + table["case"].map(kinds.index)
    table = table.assign(order=order, row=table["case"], group=table["metric"].map(WORKERS))
    return table.sort_values("order", kind="stable", ignore_index=True)


def draw(comparison: Comparison) -> Figure:
    table = points(comparison)
    if table.empty:
        return nothing(f"No trials of the lab {LAB}.")
    groups = dict.fromkeys(table["group"], in_kinds(table["row"]))
    drawn = draw_rows(comparison, table, groups, axis, columns=2)
    return drawn.explained("Geometric mean over the trials of a lab, each a program of its own.", table, "trials")


def axis(table: pd.DataFrame) -> Axis:
    return times(table, "time to the answer, logarithmic")


def data(comparison: Comparison) -> pd.DataFrame:
    table = points(comparison)
    table = table.assign(**{name: 1e3 * table[name].astype(float) for name in ("estimate", "low", "high")}, unit="ms")
    table = table.rename(columns={"group": "worker", "row": "kind"})
    return table[["kind", "worker", "side", "unit", "estimate", "low", "high", "trials"]]


def alt(comparison: Comparison) -> str:
    table = points(comparison)
    if table.empty:
        return f"Nothing to draw: no trial of the lab {LAB} has started workers."
    said = "; ".join(middle_words(table, duration))
    return f"Time from starting a worker to its answer, a row for each way to start one, logarithmic. {said}."
