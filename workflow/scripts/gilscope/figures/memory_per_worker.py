"""What does an idle worker hold? Memory of each more worker, and of the whole program with all of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from gilscope.figures import Results
from gilscope.figures._axes import Axis, amounts, even, rows
from gilscope.figures._grammar import estimates, finish, layer, nothing, panels, samples
from gilscope.figures._marks import Interval
from gilscope.figures._runtimes import named, spoken
from gilscope.figures._trials import (
    BOUNDS,
    SPREAD,
    Trials,
    arranged,
    as_points,
    average,
    beside,
    in_kinds,
    look_of,
    needed,
    notes,
    observed,
    typical,
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


def draw(results: Results) -> Figure:
    every, seen = summaries(trials(results)), trials(results)
    if every.empty:
        return nothing(f"No trials of the lab {LAB}.")
    runtimes = results.telling(every["runtime"], MOST_RUNTIMES)
    found, seen = (arranged(table, row=("runtime", runtimes)) for table in (every, seen))
    kinds = in_kinds(found["kind"])
    own = found[found["metric"] == PER_WORKER]
    own = own.assign(col=0, line=own.groupby("runtime").cumcount())
    dots = seen[seen["metric"] == PER_WORKER].merge(own[["runtime", "kind", "col", "line"]])
    totals = found[found["count"].notna()].assign(col=1)
    looks = {kind: look_of(kind) for kind in kinds}
    plot = (
        estimates(totals, "count", "kind", looks)
        .add(Interval(line=True))
        .add(Trials(spread=SPREAD), **layer(as_points(dots), "line", "kind", lying=True))
        .add(Interval(width=2.2), **layer(own, "line", "kind", lying=True))
    )
    figure, lines = panels(plot, [1.55 + 0.3 * len(kinds)] * len(runtimes), 2, spare=0.9)
    per_worker = amounts(pd.concat([dots["value"], own["low"], own["high"]]), "MiB per idle worker", wide=10)
    highest = 1.06 * totals[["estimate", "high"]].max().max()
    for (left, right), runtime in zip(lines, runtimes, strict=True):
        here = own[own["runtime"] == runtime]
        per_worker.lay(left, "x")
        rows(list(here["kind"])).lay(left, "y")
        beside(left, "MiB", dict(zip(here["line"], here["estimate"].map("{:.3g}".format), strict=True)), 42)
        Axis("workers", 0, totals["count"].max() * 1.04, sorted(totals["count"].unique())).lay(right, "x")
        Axis("MiB in all", 0, highest, even(0, highest, 8)).lay(right, "y")
        left.set_title(spoken(runtime, results.runtimes.get(runtime, {})) if len(runtimes) > 1 else "Each more worker")
        right.set_title("The whole program")
    note = notes(results, LAB, every, runtimes, reading(results, found))
    return finish(figure, samples(looks), note)


def counted_as(results: Results) -> str:
    """How memory was counted: in proportion, or what is private."""
    proportional = observed(results, LAB, ["kind_is_pss"])["value"] == 1
    if proportional.all():
        return "proportional set size (PSS): what processes share is split among them"
    return (
        "private memory (USS)" if not proportional.any() else "proportional (PSS) or, elsewhere, private memory (USS)"
    )


def reading(results: Results, points: pd.DataFrame) -> str:
    """How to read it, and what is not as usual."""
    plain = in_kinds(points.loc[points["mean"] == "arithmetic", "kind"])
    said = f"Memory is {counted_as(results)}."
    said += "\nDot: a trial, spread within the row. Marker: geometric mean. Bar and band: 95 % interval."
    return said + (f" Of {named(plain)} the arithmetic mean, since a trial came out at 0 or below." if plain else "")


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
    for (runtime, kind), own in points.groupby(["runtime", "kind"], sort=False):
        said = [
            f"{row['estimate']:.3g} MiB " + ("each" if pd.isna(row["count"]) else f"in all with {row['count']:.0f}")
            for row in own.sort_values("count", na_position="first").to_dict("records")
        ]
        parts.append(f"{kind}{f' on {runtime}' if several else ''}: {', '.join(said)}")
    return "Memory of idle workers: of each more one, and of the whole program. " + "; ".join(parts) + "."
