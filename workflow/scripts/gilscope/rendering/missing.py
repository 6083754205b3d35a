"""What a run's tables lack that they could hold, and how to get it; a line each, for the end of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gilscope.analysis.gaps import WRONG
from gilscope.running.reasons import for_the_machines_sake

Gap = Mapping[str, Any]


def wrong_answers(gaps: Iterable[Gap]) -> list[str]:
    """A line for each block whose answers cannot be compared, and what to do; none where all are right."""
    found = [f"wrong answer: {place_of(gap)}: {gap['reason']}" for gap in gaps if gap.get("state") == WRONG]
    if not found:
        return []
    these = "this block is" if len(found) == 1 else f"these {len(found)} blocks are"
    return [*found, f"{these} in no table; mend the workload, and the next run measures it again."]


def to_be_tried_again(gaps: Iterable[Gap]) -> list[str]:
    """The same for what failed for the machine's sake, and not for its own."""
    found = [gap for gap in gaps if gap.get("state") != WRONG and for_the_machines_sake(gap["reason"])]
    if not found:
        return []
    lines = list(dict.fromkeys(f"missing: {place_of(gap)}: {gap['reason']}" for gap in found))
    return [
        *lines,
        "that is the machine's doing: mend it, where it says how; the next run tries again what is missing.",
        "Where that has failed alike twice, it stays so until the .again files beside the results are deleted.",
    ]


def place_of(gap: Gap) -> str:
    """The block and cell, or the lab, case and trial, that a gap is about."""
    if "lab" in gap:
        return " ".join(filter(None, (f"{gap['runtime']} lab {gap['lab']}", gap.get("case"))))
    where = filter(None, (gap["runtime"], gap.get("workload"), gap.get("size")))
    return " ".join(filter(None, ("/".join(where), gap.get("cell"))))


def conclusion(gaps: Sequence[Gap]) -> list[str]:
    return [*to_be_tried_again(gaps), *wrong_answers(gaps)]
