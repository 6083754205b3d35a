"""The data behind the verdicts: a table for each block that was timed, each lab that observed, and the traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from gilscope.figures import Results
from gilscope.figures._look import order
from gilscope.labs import lab_names, lab_summary, load_lab
from gilscope.rendering.quantities import missing, quantity
from gilscope.rendering.templates import Html, filled

BLOCK = ["runtime", "workload", "size"]
TRACED = ("effective_cores", "overlap", "idle_share", "memory_per_worker")
CELL = ["runtime", "workload", "size", "kind", "strategy", "workers", "pool"]


def anchor(source: str) -> str:
    """The id of the table that a case's source lies in: ``cp311/sum_squares/large/threading-2`` is in that block's."""
    return "data-" + "-".join(source.split("/")[:3])


def tables_of(cases: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The id of each table that the data of these cases lie in, and its name; of several runtimes with the runtime."""
    sources = [source for case in cases for source in case.get("cells") or []]
    places = {anchor(source): source.split("/")[:3] for source in sources}
    several = len({runtime for runtime, _, _ in places.values()}) > 1
    return {
        place: (name.replace("_", " ") if kind == "labs" else f"{kind}, {name}") + (f", {runtime}" if several else "")
        for place, (runtime, kind, name) in places.items()
    }


def block_data(results: Results) -> Html:
    """A folded table for each block: its cells with what was measured, and where the raw files lie."""
    blocks = {key: list(cell_rows(cells)) for key, cells in results.estimates.groupby(BLOCK, sort=True)}
    return filled("block_data", blocks=blocks, several=len(results.runtimes) > 1)


def cell_rows(cells: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """A row per cell of a block, the strategies in their usual order. metrics: name → row of the estimates."""
    found: dict[tuple[str, int, str], dict[str, dict[Any, Any]]] = {}
    for row in cells.to_dict("records"):
        found.setdefault((str(row["strategy"]), int(row["workers"]), row["pool"]), {})[row["metric"]] = row
    for (strategy, workers, pool), metrics in sorted(found.items(), key=lambda one: (order(one[0][0]), *one[0][1:])):
        flags = [str(row["flags"]) for row in metrics.values() if not missing(row["flags"]) and row["flags"]]
        cell = {"strategy": strategy, "workers": workers, "pool": pool, "metrics": metrics}
        yield {**cell, "rounds": max(row["rounds"] for row in metrics.values()), "flag": flags[0] if flags else ""}


def lab_data(results: Results) -> Html:
    """A folded table for each lab: every case with each of its metrics over the trials."""
    known = lab_names()
    seen = results.observations.groupby(["runtime", "lab"], sort=True)
    return filled(
        "lab_data",
        labs={(runtime, lab): list(case_rows(rows, known)) for (runtime, lab), rows in seen},
        summaries={lab: lab_summary(lab) for lab in results.observations["lab"].unique() if lab in known},
        several=len(results.runtimes) > 1,
    )


def case_rows(seen: pd.DataFrame, known: Sequence[str]) -> Iterator[dict[str, str | None]]:
    """A row per case and metric of one lab; what is true or false is counted.

    known: the labs of this version. summary: the first line of a trial's description, where its case comes first.
    """
    lab = str(seen["lab"].iloc[0])
    cases, told = load_lab(lab).cases if lab in known else {}, set()
    for (case, metric), rows in seen.groupby(["case", "metric"], sort=False):
        if "_beyond_" in str(metric):
            continue  # a distribution, which its figure shows
        values, unit = rows["value"], str(rows["unit"].iloc[0])
        counts = unit == "share" and values.isin([0, 1]).all()
        spread = f"{quantity(values.min(), unit)} to {quantity(values.max(), unit)}" if len(values) > 1 else ""
        yield {
            "case": str(case),
            "summary": None if case in told else cases[case].summary if case in cases else "",
            "metric": str(metric).removesuffix("_s").replace("_", " "),
            "median": f"{values.sum():.0f} of {len(values)}" if counts else quantity(values.median(), unit),
            "spread": "" if counts else spread,
            "trials": str(len(values)),
        }
        told.add(case)


def traces(results: Results) -> Html:
    """A folded table for each runtime."""
    measured = results.estimates[results.estimates["metric"].isin(TRACED)]
    names = results.ordered(measured["runtime"])
    cells = {name: traced_cells(measured[measured["runtime"] == name], results.traces) for name in names}
    return filled("traces", cells=cells)


def traced_cells(measured: pd.DataFrame, told: pd.DataFrame) -> list[dict[str, Any]]:
    """A mapping per cell: what it is, its interval in each metric, and its context switches per task."""
    wide = measured.pivot_table(index=CELL, columns="metric", values=["estimate", "low", "high"], sort=False)
    per_task = (told["voluntary_switches"] + told["involuntary_switches"]) / told["tasks"]
    switches = told.assign(switches=per_task).groupby(CELL)["switches"].median()
    rows = []
    for key, row in wide.iterrows():
        cell = {**dict(zip(CELL, key, strict=True)), "switches": switches.get(key)}  # type: ignore[call-overload]
        told_of = {metric: {end: row.get((end, metric)) for end in ("estimate", "low", "high")} for metric in TRACED}
        rows.append({**cell, **told_of})
    return rows


def scaling_laws(results: Results) -> Html:
    """The fitted laws; where no curve has enough worker counts, why there are none."""
    return filled(
        "scaling_laws",
        fitted=[row for row in results.scaling if row.get("law")],
        longest=max((len(row["counts"]) for row in results.scaling if not row.get("law")), default=0),
        several=len(results.runtimes) > 1,
    )
