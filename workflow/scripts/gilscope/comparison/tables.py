"""Several bundles as the tables of one comparison: what ``results/comparison`` holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gilscope.analysis.tables import write_json, write_table
from gilscope.comparison.agreement import compare_claims
from gilscope.comparison.gate import regressions
from gilscope.comparison.matching import COMPARED, comparable, differences, speeds, unmatched
from gilscope.comparison.sides import (
    baseline_first,
    describe_sides,
    gather_break_even,
    gather_cells,
    gather_labs,
    what_to_know,
)

if TYPE_CHECKING:
    from gilscope.bundles.reading import Bundle


@dataclass(frozen=True)
class SideBySide:
    """The tables of a comparison by the names of their files; ``Comparison`` describes them."""

    documents: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    def write(self, folder: str | Path) -> None:
        """Write all of them into a folder."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, content in self.documents.items():
            write_json(content, Path(folder) / f"{name}.json")
        for name, table in self.tables.items():
            write_table(table, Path(folder) / f"{name}.parquet")


def counterpart(side: Mapping[str, Any], baselines: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The side of the baseline that a side is compared with: that of its runtime, else the first; None for that one."""
    first = baselines[0]
    if side is first:
        return None
    own = [one for one in baselines if one["runtime"] == side["runtime"] and one is not side]
    return own[0] if own else first


def is_judged(side: Mapping[str, Any], there: Mapping[str, Any], sides: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a side is the same thing as the baseline's, later: the same runtime of another run.

    A run of one runtime and a baseline of another are a change of Python, which may be what is to be judged.
    """
    if side["bundle"] == there["bundle"]:
        return False
    counts = [sum(one["bundle"] == own["bundle"] for one in sides) for own in (side, there)]
    return side["runtime"] == there["runtime"] or counts == [1, 1]


def lay_side_by_side(
    bundles: Sequence[Bundle],
    left_out: Sequence[Mapping[str, str]],
    notes: Sequence[str],
    baseline: str | None,
    gate: Mapping[str, Any],
) -> SideBySide:
    """Compare all sides with the baseline's. left_out, notes: what reading the bundles had to say.

    gate: ``metric`` and ``tolerance``; applied only where a baseline is named. Raises NoBaseline.
    """
    bundles = baseline_first(bundles, baseline)
    sides, cells = describe_sides(bundles), gather_cells(bundles)
    baselines = [side for side in sides if side["bundle"] == bundles[0].label] if bundles else []
    by_side = dict(list(comparable(cells).groupby("side", sort=False)))
    nothing = comparable(cells).iloc[:0]
    compared, judged, against = [], [], []
    missing: list[dict[str, Any]] = []
    for side in sides:
        there = counterpart(side, baselines)
        if there is None:
            continue
        mine, theirs = (by_side.get(name, nothing) for name in (side["side"], there["side"]))
        compared.append(differences(mine, theirs))
        missing += unmatched(mine, theirs, side["side"], there["side"])
        if is_judged(side, there, sides):
            judged.append(mine)
            against.append(theirs.assign(for_side=side["side"]))
    filled = [table for table in compared if len(table)]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COMPARED)
    claims, unlike = compare_claims(bundles)
    found = regressions(judged, against, table, **gate) if baseline else {}
    return SideBySide(
        documents={
            "sides": {
                "sides": sides,
                "left_out": [dict(one) for one in left_out],
                "notes": [*notes, *what_to_know(bundles)],
            },
            "claims": claims,
            "break_even": gather_break_even(bundles),
            "unmatched": [*missing, *unlike],
            "gate": found,
        },
        tables={
            "cells": cells,
            "speeds": speeds(table, cells),
            "labs": gather_labs(bundles),
            "differences": table,
        },
    )
