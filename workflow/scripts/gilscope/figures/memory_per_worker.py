"""What does an idle worker hold? Memory of each more worker, and of the whole program with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from gilscope.figures import Results
from gilscope.figures._look import INK, MUTED
from gilscope.figures._panels import WIDTH, finish, intervals, nothing
from gilscope.figures._runtimes import named, spoken
from gilscope.figures._trials import (
    BOUNDS,
    SPREAD,
    Ladder,
    average,
    hollow,
    in_kinds,
    lie,
    look_of,
    needed,
    observed,
    typical,
    unanswered,
)

TITLE = "Memory of idle workers"
SECTION = "labs"
SHOWS = ("lab:footprint",)
LAB = "footprint"
MIB = 2**20
MOST_RUNTIMES = 4
PER_WORKER, TOTAL = "bytes_per_worker", "total_"


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return needed(LAB) if trials(results).empty else ""


def trials(results: Results) -> pd.DataFrame:
    """MiB, a row for each trial and metric, with ``kind``: the case's first word, and ``workers``, how many at most.

    Of a kind that was tried with more workers too, only the case with the most is kept.
    """
    seen = observed(results, LAB).astype({"case": str, "metric": str})
    totals = seen["metric"].str.startswith(TOTAL)
    count = seen["metric"].where(totals).str.removeprefix(TOTAL).astype(float)
    seen = seen.assign(kind=seen["case"].str.split(",").str[0], count=count, value=seen["value"] / MIB)
    seen["workers"] = seen.groupby(["runtime", "case"])["count"].transform("max")
    widest = seen.groupby(["runtime", "kind"])["workers"].transform("max")
    seen = seen[((seen["workers"] == widest) | widest.isna()) & (totals | (seen["metric"] == PER_WORKER))]
    kinds, runtimes = in_kinds(seen["kind"]), results.ordered(seen["runtime"])
    order = seen["runtime"].map(runtimes.index) * len(kinds) + seen["kind"].map(kinds.index)
    return seen.assign(order=order).sort_values(["order", "count", "trial"], ignore_index=True)


def holds(values: pd.Series) -> dict[str, Any]:
    """What trials sum up to, and ``mean``: geometric, or arithmetic where one of them is 0 or less."""
    positive = bool((values > 0).all())
    return {**(typical if positive else average)(values), "mean": "geometric" if positive else "arithmetic"}


def summaries(seen: pd.DataFrame) -> pd.DataFrame:
    """A row for each runtime, kind and metric: MiB, with how many workers at most, and which mean it is."""
    keys = ["runtime", "kind", "metric", "count", "workers"]
    rows = [
        {**dict(zip(keys, found, strict=True)), **holds(own["value"])}
        for found, own in seen.groupby(keys, sort=False, dropna=False)
    ]
    return pd.DataFrame(rows, columns=[*keys, *BOUNDS, "mean"])


def shown(results: Results, seen: pd.DataFrame) -> list[str]:
    """The runtimes that there is room for, in the order of the run's: the most telling."""
    return results.telling(seen["runtime"], MOST_RUNTIMES)


def draw(results: Results) -> Figure:
    every = trials(results)
    if every.empty:
        return nothing(f"No trials of the lab {LAB}.")
    runtimes = shown(results, every)
    seen = every[every["runtime"].isin(runtimes)]
    points = summaries(seen)
    kinds = in_kinds(seen["kind"])
    figure, places = plt.subplots(
        len(runtimes),
        2,
        figsize=(WIDTH, 0.9 + len(runtimes) * (1.55 + 0.3 * len(kinds))),
        squeeze=False,
        layout=ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09, wspace=0.04, hspace=0.04),
    )
    for (left, right), runtime in zip(places, runtimes, strict=True):
        workers(left, seen, points, runtime, kinds)
        totals(right, points, runtime, kinds)
        name = spoken(runtime, results.runtimes.get(runtime, {}))
        left.set_title(name if len(runtimes) > 1 else "Each more worker")
        right.set_title("The whole program")
    key(figure, kinds)
    left_out = [name for name in results.ordered(every["runtime"]) if name not in runtimes]
    figure.supxlabel(note(results, points, left_out), x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure


def workers(axes: Axes, seen: pd.DataFrame, points: pd.DataFrame, runtime: str, kinds: Sequence[str]) -> None:
    """What each more worker of a runtime holds, on an axis that all runtimes fit."""
    own = points[(points["runtime"] == runtime) & (points["metric"] == PER_WORKER)]
    ladder = Ladder.of(
        {(kind, runtime) for kind in own["kind"]}, [kind for kind in kinds if kind in set(own["kind"])], [runtime]
    )
    words = {}
    for row in own.to_dict("records"):
        chosen = (seen["runtime"] == runtime) & (seen["kind"] == row["kind"]) & (seen["metric"] == PER_WORKER)
        lie(
            axes,
            seen.loc[chosen, "value"],
            ladder.places[row["kind"], runtime],
            look_of(row["kind"]),
            found=row,
            spread=SPREAD,
        )
        words[row["kind"], runtime] = f"{row['estimate']:.3g}"
    every = points[points["metric"] == PER_WORKER]
    values = pd.concat([seen.loc[seen["metric"] == PER_WORKER, "value"], every["low"], every["high"]]).dropna()
    mebibytes(axes, values)
    ladder.draw(axes)
    ladder.write(axes, words, "MiB", 42)


def mebibytes(axes: Axes, values: pd.Series) -> None:
    """An x axis that fits these values: logarithmic where all are above 0 and far apart, else from 0 or below."""
    lowest, highest = float(values.min()), float(values.max())
    if lowest > 0 and highest / lowest > 10:
        axes.set_xscale("log")
        axes.set_xlim(lowest / 1.6, highest * 1.6)
        axes.xaxis.set_major_locator(LogLocator(base=10))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("MiB per idle worker, logarithmic")
    else:
        room = 0.04 * max(highest, -lowest, 0.1)
        axes.set_xlim(min(0.0, lowest) - room, max(0.0, highest) + room)
        axes.axvline(0, color=INK, linewidth=1, zorder=1)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlabel("MiB per idle worker")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def totals(axes: Axes, points: pd.DataFrame, runtime: str, kinds: Sequence[str]) -> None:
    """What a runtime's program holds with so many workers, on axes that all runtimes fit."""
    every = points[points["count"].notna() & points["kind"].isin(kinds)]
    for kind in kinds:
        own = every[(every["runtime"] == runtime) & (every["kind"] == kind)]
        intervals(axes, own, own["count"], look_of(kind))
    axes.set_xlim(0, every["count"].max() * 1.04)
    axes.set_ylim(0, 1.06 * every[["estimate", "high"]].max().max())
    axes.xaxis.set_major_locator(FixedLocator(sorted(every["count"].unique())))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("workers")
    axes.set_ylabel("MiB in all")
    finish(axes)


def key(figure: Figure, kinds: Sequence[str]) -> None:
    looks = {kind: look_of(kind) for kind in kinds}
    handles = [Line2D([], [], color=drawn.colour, marker=drawn.marker, label=kind) for kind, drawn in looks.items()]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), handlelength=2.4)


def counted_as(results: Results) -> str:
    """How memory was counted: in proportion, or what is private."""
    proportional = observed(results, LAB, ["kind_is_pss"])["value"] == 1
    if proportional.all():
        return "proportional set size (PSS): what processes share is split among them"
    return (
        "private memory (USS)" if not proportional.any() else "proportional (PSS) or, elsewhere, private memory (USS)"
    )


def note(results: Results, points: pd.DataFrame, left_out: Sequence[str]) -> str:
    """How to read it, what is not as usual, and what it does not show."""
    plain = in_kinds(points.loc[points["mean"] == "arithmetic", "kind"])
    said = f"Memory is {counted_as(results)}."
    said += "\nDot: a trial, spread within the row. Marker: geometric mean. Bar and band: 95 % interval."
    if plain:
        said += f" Of {named(plain)} the arithmetic mean, since a trial came out at 0 or below."
    said += f" {hollow(points)}"
    if lost := sum(unanswered(results, LAB).values()):
        said += f"\n{lost} more trials gave no answer."
    if left_out:
        said += f"\nFor want of room without {named(left_out)}: see the numbers of this figure."
    return said


def data(results: Results) -> pd.DataFrame:
    points = summaries(trials(results))
    what = points["count"].map(lambda count: "each more worker" if pd.isna(count) else f"in all with {count:.0f}")
    table = points.assign(memory_of=what, unit="MiB")
    return table[["runtime", "kind", "memory_of", "unit", *BOUNDS, "mean"]]


def alt(results: Results) -> str:
    points = summaries(trials(results))
    if points.empty:
        return f"Nothing to draw: no trial of the lab {LAB} has counted memory."
    several = points["runtime"].nunique() > 1
    parts = []
    for (runtime, kind), rows in points.groupby(["runtime", "kind"], sort=False):
        said = [
            f"{row['estimate']:.3g} MiB " + ("each" if pd.isna(row["count"]) else f"in all with {row['count']:.0f}")
            for row in rows.sort_values("count", na_position="first").to_dict("records")
        ]
        parts.append(f"{kind}{f' on {runtime}' if several else ''}: {', '.join(said)}")
    return "Memory of idle workers: of each more one, and of the whole program. " + "; ".join(parts) + "."
