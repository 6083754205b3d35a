"""From which task on does spreading the work pay, on each side?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gilscope.figures._axes import Axis, duration, times
from gilscope.figures._grammar import nothing, sample
from gilscope.figures._look import MUTED, PAPER
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._rows import BASELINE, DISTRIBUTION, draw_rows, write_beside
from gilscope.figures.comparison._sides import MOST, looks

TITLE = "The task from which spreading it pays, on each side"
SECTION = "break-even"
BOUNDS = ("estimate", "low", "high")
PAYS = ("everywhere", "somewhere", "nowhere", "undecided")
SIGNS = {"everywhere": "<", "nowhere": ">", "undecided": "o"}
"""How it is drawn that a side has no break-even."""
COLUMNS = ["side", "workload", "strategy", "workers", "pool", "pays", *BOUNDS, "smallest", "largest"]


def needs(comparison: Comparison) -> str:
    """What the runs would have to hold."""
    return "" if len(told(points(comparison))) else "a workload at two sizes, in ``sweep.workloads``"


def points(comparison: Comparison) -> pd.DataFrame:
    """Break-evens of cold pools, of each side at the worker count nearest to the cores that it could use.

    ``row`` is workload and strategy. A bound that lies beyond the sizes measured is NaN, and all of a break-even that
    is not known.
    """
    table = pd.DataFrame(comparison.break_even, columns=COLUMNS)
    table = table[(table["pool"] == "cold") & table["pays"].isin(PAYS)]
    cores = {side["side"]: (side.get("machine") or {}).get("usable_cores") or 2 for side in comparison.sides}
    table = table.assign(off=(table["workers"] - table["side"].map(cores)).abs())
    table = table.sort_values(["workload", "strategy", "off"], kind="stable")
    table = table.drop_duplicates(["side", "workload", "strategy"], ignore_index=True)
    named = [
        f"{workload} · {strategy}" for workload, strategy in zip(table["workload"], table["strategy"], strict=True)
    ]
    bounds = {name: pd.to_numeric(table[name]).where(table["pays"] == "somewhere") for name in BOUNDS}
    return table.assign(**bounds, row=named, group="")


def told(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that have something to draw: those where not all sides say the same, or some say from which task on."""
    differ = table.groupby("row")["pays"].transform("nunique") > 1
    found = (table["pays"] == "somewhere").groupby(table["row"]).transform("any")
    return table[(differ | found).astype(bool)].reset_index(drop=True)


def draw(comparison: Comparison) -> Figure:
    every = points(comparison)
    table = told(every)
    if table.empty:
        return nothing(f"No strategy has a break-even to compare.{alike_note(every)}")
    rows = list(dict.fromkeys(table["row"]))
    drawn = draw_rows(comparison, signed(comparison, table), {"": rows}, axis)
    note = "The time that a task takes alone on that side; cold pools, workers nearest to its usable cores."
    if drawn.sides:
        note += " Bar: 95 % interval, to the last size measured where it has no end."
        return drawn.finish(note + alike_note(every), extra=signs_of(table))
    write_beside(drawn.axes[""], table, rows, lambda own: in_words(Counter(own["pays"])))
    return drawn.finish(f"{note}\n{DISTRIBUTION}{BASELINE}{alike_note(every)}")


def signed(comparison: Comparison, table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn of few sides: bounds to the last size measured where they have no end, and ``sign``.

    Where there is no break-even it stands at the end that it lies beyond; what is not decided has no interval. Of many
    sides only the break-evens are drawn.
    """
    if table["side"].nunique() > MOST:
        return table
    sides = looks(comparison, [name for name in comparison.names if name in set(table["side"])])
    found, pays = table["pays"] == "somewhere", table["pays"]
    end = table["smallest"].where(pays == "everywhere", table["largest"])
    bounds = {
        "estimate": table["estimate"].where(found, end),
        "low": table["low"].fillna(table["smallest"]).where(found, end).where(pays != "undecided"),
        "high": table["high"].fillna(table["largest"]).where(found, end),
    }
    sign = table["side"].map({name: one.marker for name, one in sides.items()}).where(found, pays.map(SIGNS))
    return table.assign(**bounds, sign=sign)


def axis(table: pd.DataFrame) -> Axis:
    """Fits the ends of what was measured too, since arrows stand there."""
    return times(table[[*BOUNDS, "smallest", "largest"]].to_numpy(float).ravel(), "one task alone, logarithmic")


def alike_note(every: pd.DataFrame) -> str:
    """What all sides say alike, a line for each answer."""
    rest = every[~every["row"].isin(told(every)["row"])].drop_duplicates("row")
    said = {
        "everywhere": "Pays at every size on every side",
        "nowhere": "Pays at no size on any side",
        "undecided": "Not decided on any side",
    }
    return "".join(
        f"\n{words}: {'; '.join(rows[:4])}" + (f" and {len(rows) - 4} more." if len(rows) > 4 else ".")
        for pays, words in said.items()
        if (rows := list(rest.loc[rest["pays"] == pays, "row"]))
    )


def signs_of(table: pd.DataFrame) -> list[Line2D]:
    """The signs of what has no break-even, as far as they are in the drawing."""
    said = {"everywhere": "pays at every size", "nowhere": "pays at no size", "undecided": "not decided"}
    common: dict[str, Any] = {"linestyle": "none", "color": MUTED}
    return [
        sample(said[pays], marker=sign, markerfacecolor=PAPER if pays == "undecided" else MUTED, **common)
        for pays, sign in SIGNS.items()
        if (table["pays"] == pays).any()
    ]


def in_words(counts: Mapping[str, int]) -> str:
    said = [f"{counts['somewhere']} from a size"] if counts.get("somewhere") else []
    said += [f"{counts[pays]} {pays}" for pays in ("everywhere", "nowhere", "undecided") if counts.get(pays)]
    return "\n".join(", ".join(said[start : start + 2]) for start in range(0, len(said), 2))


def data(comparison: Comparison) -> pd.DataFrame:
    names = {"estimate": "break_even_s", "low": "low_s", "high": "high_s"}
    table = points(comparison).rename(columns=names)
    columns = ["workload", "strategy", "workers", "side", "pays", *names.values(), "smallest", "largest"]
    return table[columns].rename(columns={"smallest": "smallest_s", "largest": "largest_s"})


def alt(comparison: Comparison) -> str:
    table = told(points(comparison))
    if table.empty:
        return "No strategy pays from some task on, or none has been measured at two sizes."
    parts = []
    for row, own in table.groupby("row", sort=False):
        found = own[own["pays"] == "somewhere"].sort_values("estimate")
        said = [f"{count} {pays}" for pays, count in Counter(own["pays"]).items() if pays != "somewhere"]
        if len(found):
            first, last = found.iloc[0], found.iloc[-1]
            ends = f"from {duration(first['estimate'])} on {first['side']}"
            if len(found) > 1:
                ends += f" to {duration(last['estimate'])} on {last['side']}"
            said.insert(0, ends)
        parts.append(f"{row}: {', '.join(said)}")
    return f"The time of a task from which a strategy pays, a row for each, logarithmic. {'; '.join(parts)}."
