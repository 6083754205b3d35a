"""What a terminal shows at the end of a run."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

ORDER = ("confirmed", "refuted", "mixed", "inconclusive", "not tested")
WIDTH = 100


def estimate_text(case: Mapping[str, Any]) -> str:
    """``1.02 × [0.99, 1.05]``, or nothing where there is no estimate."""
    if case["estimate"] is None or math.isnan(case["estimate"]):
        return ""
    unit = "×" if case["unit"] == "x" else case["unit"]
    text = f"{case['estimate']:.2f} {unit}"
    return text if case["low"] is None or math.isnan(case["low"]) else f"{text} [{case['low']:.2f}, {case['high']:.2f}]"


def verdict_table(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """The tested claims with their verdicts and intervals, and a count of all."""
    lines = []
    for verdict in ORDER[:-1]:
        for claim in verdicts:
            if claim["verdict"] != verdict:
                continue
            shown = textwrap.shorten(claim["says"], WIDTH - 15, placeholder=" …")
            lines.append(f"{verdict:<13} {shown}")
            for case in claim["cases"]:
                if case["estimate"] is not None:
                    mark = "" if case["verdict"] == verdict else f" ({case['verdict']})"
                    lines.append(f"{'':<13}   {case['case']}: {estimate_text(case)}{mark}")
    counts = Counter(claim["verdict"] for claim in verdicts)
    lines.append(", ".join(f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict]))
    return "\n".join(lines)
