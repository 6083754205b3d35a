"""From which task on does a strategy pay, in words for each side."""

from __future__ import annotations

from collections import Counter
from typing import Any

from gilscope.figures.comparison import Comparison
from gilscope.figures.comparison.pays_from import points
from gilscope.rendering.comparison.tables import MOST_SIDES, by_side
from gilscope.rendering.data import quantity
from gilscope.rendering.markup import EMPTY, Html, counted, folded, table


def break_even(comparison: Comparison) -> Html:
    """A row for each workload and strategy; folded under the figure that shows the same."""
    found = points(comparison).to_dict("records")
    if not found:
        return EMPTY
    rows: dict[str, dict[str, dict[Any, Any]]] = {}
    for row in found:
        rows.setdefault(str(row["row"]), {})[row["side"]] = row
    if len({row["side"] for row in found}) > MOST_SIDES:
        told = [(name, *over_sides(list(own.values()))) for name, own in rows.items()]
        headings = ("Workload · strategy", "Sides", "Answers", "Median", "Earliest", "Latest")
        return folded("As a table", table(headings, told, "cards by-side"))
    words = {name: {side: pays(row) for side, row in own.items()} for name, own in rows.items()}
    return folded("As a table", by_side("Workload · strategy", words, comparison.names))


def pays(row: dict[Any, Any]) -> Html:
    """Where a strategy pays on one side, and with how many workers."""
    workers = Html("<small>{}</small>").format(counted(int(row["workers"]), "worker"))
    smallest, largest = (quantity(row[name], "s") for name in ("smallest", "largest"))
    if row["pays"] == "everywhere":
        return Html("at every size, from {}{}").format(smallest, workers)
    if row["pays"] == "nowhere":
        return Html("at no size up to {}{}").format(largest, workers)
    if row["pays"] == "undecided":
        return Html("not decided up to {}{}").format(largest, workers)
    low = f"below {smallest}" if row["low"] != row["low"] else quantity(row["low"], "s")
    high = f"beyond {largest}" if row["high"] != row["high"] else quantity(row["high"], "s")
    return Html('from <b>{}</b> <span class="bounds">[{}, {}]</span>{}').format(
        quantity(row["estimate"], "s"), low, high, workers
    )


def over_sides(rows: list[dict[Any, Any]]) -> tuple[object, ...]:
    """How many sides, what they answer, and where it begins to pay on those that have a break-even."""
    counts = Counter(row["pays"] for row in rows)
    answers = ", ".join(f"{count} {pays}" for pays, count in counts.most_common())
    known = sorted((row["estimate"], row["side"]) for row in rows if row["pays"] == "somewhere")
    if not known:
        return len(rows), answers, "–", "–", "–"
    middle = quantity((known[(len(known) - 1) // 2][0] + known[len(known) // 2][0]) / 2, "s")
    first, last = (
        Html("{}<small>{}</small>").format(quantity(value, "s"), side) for value, side in (known[0], known[-1])
    )
    return len(rows), answers, middle, first, last
