"""What a terminal shows at the end of a run."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gilscope.analysis.across import in_words, overall

ORDER = ("confirmed", "refuted", "mixed", "inconclusive", "not tested")
WIDTH = 100


def estimate_text(case: Mapping[str, Any]) -> str:
    """``1.02 × [0.99, 1.05]``, or nothing where there is no estimate."""
    if case["estimate"] is None or math.isnan(case["estimate"]):
        return ""
    unit = "×" if case["unit"] == "x" else case["unit"]
    text = f"{case['estimate']:.2f} {unit}"
    return text if case["low"] is None or math.isnan(case["low"]) else f"{text} [{case['low']:.2f}, {case['high']:.2f}]"


def verdict_table(verdicts: Sequence[Mapping[str, Any]], runtimes: Mapping[str, Any]) -> str:
    """The tested claims, each once, with a count of all; runtimes: what each reported.

    Beneath a claim stand its cases with their intervals or, of several runtimes, what it came to on them.
    """
    claims: dict[str, list[Mapping[str, Any]]] = {}
    for row in verdicts:
        claims.setdefault(row["claim"], []).append(row)
    found = [(overall(rows), rows) for rows in claims.values()]
    lines = []
    for verdict in ORDER[:-1]:
        for _, rows in (one for one in found if one[0] == verdict):
            shown = textwrap.shorten(rows[0]["says"], WIDTH - 15, placeholder=" …")
            lines.append(f"{verdict:<13} {shown}")
            lines += [f"{'':<13}   {line}" for line in beneath(rows, verdict, runtimes)]
    counts = Counter(verdict for verdict, _ in found)
    total = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict])
    lines.append(f"{total} (over {len(runtimes)} runtimes)" if len(runtimes) > 1 else total)
    return "\n".join(lines)


def beneath(rows: Sequence[Mapping[str, Any]], verdict: str, runtimes: Mapping[str, Any]) -> Iterator[str]:
    """What stands beneath a claim."""
    tested = [row for row in rows if row["verdict"] != "not tested"]
    if len(runtimes) > 1:
        yield in_words(rows, runtimes)
    if len(tested) > 1:
        return
    for case in tested[0]["cases"]:
        if case["estimate"] is not None:
            mark = "" if case["verdict"] == verdict else f" ({case['verdict']})"
            yield f"{case['case']}: {estimate_text(case)}{mark}"
