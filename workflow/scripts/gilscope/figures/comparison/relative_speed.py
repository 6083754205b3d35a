"""How fast is one task after the other on each side, workload by workload? A fact about hardware and interpreters."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures import size_rank
from gilscope.figures._axes import Axis, ratios
from gilscope.figures._grammar import nothing
from gilscope.figures._tables import numbers
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._rows import DISTRIBUTION, draw_rows, extremes, middle_words, write_beside

TITLE = "How fast each side does the same task alone"
SECTION = "speed"
BESIDE = 8
"""More workloads than this are drawn in two columns."""


def needs(comparison: Comparison) -> str:
    """What there would have to be."""
    return "" if len(points(comparison)) else "a second run that has a workload in common with the first"


def points(comparison: Comparison) -> pd.DataFrame:
    """The speeds at one size of each workload: that which most sides have, the largest of those; without the dial.

    Adds ``kind``, what the workload is, ``row``, how it is called, and ``group``, which is the same for all.
    """
    table = comparison.speeds
    table = table[table["estimate"].notna() & ~table["workload"].astype(str).str.startswith("dial_")]
    kinds = comparison.cells.drop_duplicates("workload").set_index("workload")["kind"]
    table = table.assign(kind=table["workload"].map(kinds).fillna(""), group="")
    sides = table.groupby(["workload", "size"])["side"].transform("nunique")
    order = sides * 10 + table["size"].map(size_rank)
    table = table[order == order.groupby(table["workload"]).transform("max")]
    table = table.sort_values(["kind", "workload"], kind="stable", ignore_index=True)
    usual = set(table["size"].mode()[:1])
    named = [
        workload if size in usual else f"{workload}, {size}"
        for workload, size in zip(table["workload"], table["size"], strict=True)
    ]
    return table.assign(row=named)


def draw(comparison: Comparison) -> Figure:
    table = points(comparison)
    if table.empty:
        return nothing("No times of a second side to compare with.")
    rows = list(dict.fromkeys(table["row"]))
    few = len(comparison.names) <= 9 and len(rows) > BESIDE
    half = (len(rows) + 1) // 2
    parts = [rows[:half], rows[half:]] if few else [rows]
    titles = {row: " " * place for place, part in enumerate(parts) for row in part}
    placed = table.assign(group=table["row"].map(titles))
    groups = {" " * place: part for place, part in enumerate(parts)}
    drawn = draw_rows(comparison, placed, groups, axis, columns=2)
    note = f"Time of one task there ÷ here, {table['size'].mode()[0]} tasks unless said. To the right of 1: faster."
    if drawn.sides:
        return drawn.explained(note, table, "rounds", against(table, comparison))
    write_beside(drawn.axes[""], placed, rows, lambda own: extremes(own, "{:.2f}×".format))
    return drawn.finish(f"{note}\n{DISTRIBUTION}")


def axis(table: pd.DataFrame) -> Axis:
    return ratios(table, "times as fast as the baseline (logarithmic)")


def against(table: pd.DataFrame, comparison: Comparison) -> dict[str, str]:
    """What to add to the names of sides that are not compared with the first one."""
    pairs = table.drop_duplicates("side").set_index("side")["against"]
    others = {side: there for side, there in pairs.items() if there != comparison.names[0]}
    runtimes = {side["side"]: str(side["runtime"]) for side in comparison.sides}
    return {str(side): f" (÷ {runtimes.get(there, there)} of the baseline)" for side, there in others.items()}


def data(comparison: Comparison) -> pd.DataFrame:
    return numbers(points(comparison), "workload", "size", "parameter", "unit", "side", "against")


def alt(comparison: Comparison) -> str:
    table = points(comparison)
    if table.empty:
        return "Only one side has been measured, so there is none to compare it with."
    said = "; ".join(middle_words(table, "{:.2f} times as fast".format))
    return f"Sequential speed of each side against the baseline, a row for each workload. {said}."
