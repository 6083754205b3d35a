"""What gave nothing, and why: a row for each cell, block, trial or lab without a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from gilscope.analysis.columns import of_each

WRONG = "wrong answer"
"""The state of a block whose answers, or tasks, cannot be compared."""


def collect_gaps(facts: Iterable[str]) -> list[dict[str, Any]]:
    """What could not be measured and why, each once; ``cell`` is None where it is the whole block."""

    def rows(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        place = {key: about["block"][key] for key in ("runtime", "workload", "size")}
        found = [(cell, "skipped", reason) for cell, reason in about["skipped"].items()]
        found += [(cell, "failed", reason) for cell, reason in about["failed"].items()]
        if about.get("wrong"):
            found.append((None, WRONG, about["wrong"]))
        elif about["not_applicable"]:
            found.append((None, "not applicable", about["not_applicable"]))
        return [{**place, "cell": cell, "state": state, "reason": reason} for cell, state, reason in found]

    gaps: dict[tuple[Any, ...], dict[str, Any]] = {}
    for gap in of_each(facts, rows):
        gaps.setdefault(tuple(gap.values())[:-1], gap)
    return list(gaps.values())


def without_wrong(table: pd.DataFrame, gaps: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows of the blocks whose answers were right in every round: others' values may be those of other work."""
    wrong = [(gap["runtime"], gap["workload"], gap["size"]) for gap in gaps if gap["state"] == WRONG]
    if not wrong:
        return table
    place = pd.MultiIndex.from_frame(table[["runtime", "workload", "size"]])
    return table[~place.isin(wrong)].reset_index(drop=True)


def collect_lab_gaps(labs: Iterable[str]) -> list[dict[str, Any]]:
    """Cases and trials of labs that gave nothing; ``case`` is None for a whole lab, ``trial`` for a whole case."""

    def rows(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"runtime": about["runtime"], "lab": about["lab"], **gap} for gap in about["gaps"]]

    return of_each(labs, rows)
