"""Ratios between runtimes, a row for each workload: the parts that two figures draw alike."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gilscope.figures import SIZES, Results

COLUMNS = ["workload", "size", "runtime", "against", "kind_of", "estimate", "low", "high", "rounds"]


def across(results: Results, name: str) -> pd.DataFrame:
    """``taxes`` or ``speeds`` of the largest size that a workload was measured at, computing first; without the dial.

    Adds ``kind``, what the workload is.
    """
    table = pd.DataFrame(results.across.get(name) or [], columns=COLUMNS)
    table = table[table["estimate"].notna() & ~table["workload"].astype(str).str.startswith("dial_")]
    rank = table["size"].map({size: place for place, size in enumerate(("deck", *SIZES))}).fillna(0)
    pair = [table["workload"], table["runtime"], table["against"]]
    table = table[rank == rank.groupby(pair).transform("max")]
    kinds = results.estimates.drop_duplicates("workload").set_index("workload")["kind"]
    table = table.assign(kind=table["workload"].map(kinds).fillna(""))
    return table.sort_values(["kind", "workload"], ignore_index=True)


def workloads(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table["workload"]))


def places(rows: Sequence[str], own: pd.DataFrame, aside: float = 0.0) -> list[float]:
    """How far down the rows of these points lie."""
    return [rows.index(workload) + aside for workload in own["workload"]]
