"""What does a message cost on each side, from channel to channel and from size to size?"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures._axes import Axis, duration, times
from gilscope.figures._grammar import nothing
from gilscope.figures._trials import needed
from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison._rows import draw_rows, middle_words
from gilscope.figures.message_cost import CHANNELS, SENT
from gilscope.labs import messages

TITLE = "What a message costs, on each side"
SECTION = "labs"
LAB = "messages"
MOST_SIZES = 6


def needs(comparison: Comparison) -> str:
    """What the runs would have to hold."""
    return "" if len(points(comparison)) else needed(LAB)


def points(comparison: Comparison) -> pd.DataFrame:
    """Seconds that a message takes; ``group`` says of which size and how it was sent, ``row`` through which channel.

    What this version of the lab does not know is left out.
    """
    names = {size: name for name, size in messages.SIZES.items()}
    cases = pd.DataFrame([{"case": name, **case.arguments} for name, case in messages.LAB.cases.items()])
    table = comparison.labs
    table = table[(table["lab"] == LAB) & table["metric"].isin(SENT) & table["estimate"].notna()]
    table = table.merge(cases[["case", "channel", "size"]], on="case")
    sent = table["metric"].map(SENT)
    table = table.assign(row=table["channel"], group=table["size"].map(names) + ", " + sent)
    order = table["channel"].map(list(CHANNELS).index)
    return table.assign(place=order).sort_values(["metric", "size", "place"], kind="stable", ignore_index=True)


def panels_of(table: pd.DataFrame) -> dict[str, list[str]]:
    """The sizes that most sides have, each with all channels."""
    counts = table.groupby("group", sort=False)["side"].nunique()
    most = counts.sort_values(ascending=False, kind="stable").index[:MOST_SIZES]
    channels = [name for name in CHANNELS if name in set(table["row"])]
    return {group: channels for group in counts.index if group in set(most)}


def draw(comparison: Comparison) -> Figure:
    table = points(comparison)
    if table.empty:
        return nothing(f"No trials of the lab {LAB}.")
    groups = panels_of(table)
    shown = table[table["group"].isin(groups)]
    drawn = draw_rows(comparison, shown, groups, axis, columns=3, alike=False)
    note = "Geometric mean over the trials of a lab; each panel has an axis of its own."
    return drawn.explained(note, shown, "trials")


def axis(table: pd.DataFrame) -> Axis:
    return times(table, "time, logarithmic", 5)


def data(comparison: Comparison) -> pd.DataFrame:
    table = points(comparison)
    table = table.assign(**{name: 1e6 * table[name].astype(float) for name in ("estimate", "low", "high")}, unit="µs")
    table = table.rename(columns={"group": "message"})
    return table[["channel", "message", "side", "unit", "estimate", "low", "high", "trials"]]


def alt(comparison: Comparison) -> str:
    table = points(comparison)
    if table.empty:
        return f"Nothing to draw: no trial of the lab {LAB} has sent messages."
    said = "; ".join(middle_words(table[table["group"].isin(panels_of(table))], duration))
    return f"Time that a message takes, a panel for each size and a row for each channel, logarithmic. {said}."
