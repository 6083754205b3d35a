"""The data behind the verdicts: a table for each block that was timed and for each lab that observed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from gilscope.figures import Results
from gilscope.figures._look import order
from gilscope.labs import lab_names, lab_summary, load_lab
from gilscope.rendering.markup import (
    Html,
    counted,
    duration,
    interval,
    joined,
    missing,
    note,
    number,
    table,
)

BLOCK = ["runtime", "workload", "size"]
CELL = ["strategy", "workers", "pool"]


def anchor(source: str) -> str:
    """The id of the table that a case's source lies in: ``cp311/sum_squares/large/threading-2`` is in that block's."""
    return "data-" + "-".join(source.split("/")[:3])


def links_to(sources: Sequence[str]) -> list[Html]:
    """A link to the table of each source, each table once; with its runtime where there are several."""
    places = {anchor(source): source.split("/")[:3] for source in sources}
    several = len({runtime for runtime, _, _ in places.values()}) > 1
    return [
        Html('<a href="#{}">data: {}{}</a>').format(
            place,
            name.replace("_", " ") if kind == "labs" else f"{kind}, {name}",
            f", {runtime}" if several else "",
        )
        for place, (runtime, kind, name) in places.items()
    ]


def block_data(results: Results) -> Html:
    """A folded table for each block: its cells with what was measured, and where the raw files lie."""
    parts = [
        section(
            anchor(f"{runtime}/{workload}/{size}"),
            f"{workload}, {size}" + (f", {runtime}" if len(results.runtimes) > 1 else ""),
            f"raw/{runtime}/{workload}/{size}/round-*.json",
            table(("Cell", "Speedup", "Seconds", "Effective cores", "Rounds", "Flags"), cell_rows(cells)),
        )
        for (runtime, workload, size), cells in results.estimates.groupby(BLOCK, sort=True)
    ]
    return joined(parts) or note("warn", "No timings.", "No block has been measured.")


def section(name: str, title: str, files: str, content: Html, words: str = "") -> Html:
    return Html('<details id="{}"><summary>{}</summary><p class="small">{}{}<code>{}</code></p>{}</details>').format(
        name, title, words, " " if words else "", files, content
    )


def cell_rows(cells: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """A row per cell of a block, the strategies in their usual order."""
    found = [(str(name), int(workers), pool, rows) for (name, workers, pool), rows in cells.groupby(CELL)]  # type: ignore
    for strategy, workers, pool, rows in sorted(found, key=lambda cell: (order(cell[0]), cell[1], cell[2])):
        metrics = rows.set_index("metric")
        flags = [str(text) for text in metrics["flags"].dropna() if text]
        yield (
            f"{strategy}, {counted(workers, 'worker')}" + (", warm" if pool == "warm" else ""),
            shown(metrics, "speedup", "x"),
            shown(metrics, "seconds", "s"),
            shown(metrics, "effective_cores"),
            number(metrics["rounds"].max()),
            flags[0] if flags else "",
        )


def shown(metrics: pd.DataFrame, metric: str, unit: str = "") -> Html:
    if metric not in metrics.index:
        return Html("–")
    row = metrics.loc[metric]
    return interval(row["estimate"], row["low"], row["high"], unit)


def lab_data(results: Results) -> Html:
    """A folded table for each lab: every case with each of its metrics over the trials."""
    observations = results.observations
    parts = [
        section(
            anchor(f"{runtime}/labs/{lab}"),
            str(lab).replace("_", " ") + (f", {runtime}" if len(results.runtimes) > 1 else ""),
            f"labs/{runtime}/{lab}.json",
            table(("Case", "Metric", "Median", "Lowest to highest", "Trials"), case_rows(seen)),
            lab_summary(lab) if lab in lab_names() else "",
        )
        for (runtime, lab), seen in observations.groupby(["runtime", "lab"], sort=True)
    ]
    return joined(parts) or note("warn", "No observations.", "No lab has run.")


def described(lab: str, case: str) -> Html:
    """A case with the first line of its trial's description, where this version still has it."""
    cases = load_lab(lab).cases if lab in lab_names() else {}
    words = cases[case].summary if case in cases else ""
    return Html("{}<small>{}</small>").format(case, words)


def case_rows(seen: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """A row per case and metric of one lab; what is true or false is counted."""
    told: set[str] = set()
    for (case, metric), rows in seen.groupby(["case", "metric"], sort=False):
        if "_beyond_" in str(metric):
            continue  # a distribution, which its figure shows
        values, unit = rows["value"], str(rows["unit"].iloc[0])
        name = Html("{}").format(case) if case in told else described(str(rows["lab"].iloc[0]), str(case))
        told.add(str(case))
        words = str(metric).removesuffix("_s").replace("_", " ")
        if unit == "share" and values.isin([0, 1]).all():
            yield name, words, f"{values.sum():.0f} of {len(values)}", "", len(values)
        else:
            spread = f"{quantity(values.min(), unit)} to {quantity(values.max(), unit)}" if len(values) > 1 else ""
            yield name, words, quantity(values.median(), unit), spread, len(values)


def quantity(value: float, unit: str) -> str:
    """A number with its unit, in the size that people use."""
    if missing(value):
        return "–"
    if unit == "s":
        return f"{value * 1e6:.3g} µs" if 0 < abs(value) < 1e-3 else duration(value)
    if unit.startswith("bytes"):
        for size, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
            if abs(value) >= size:
                return f"{value / size:.3g} {name}{unit[5:]}"
        return f"{value:.0f} {unit}"
    if unit == "share":
        return f"{100 * value:.3g} %"
    return f"{number(value)} {'' if unit == 'count' else unit}".strip()
