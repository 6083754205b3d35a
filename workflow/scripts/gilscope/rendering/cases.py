"""Cases and cells in words: what was measured, against which threshold, how sure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gilscope.rendering.quantities import Interval, interval, missing, number, quantity

METRICS = {"speedup": "speedup", "seconds": "time", "memory_per_worker": "memory of a worker"}
UNITS = {"speedup": "×", "seconds": "s", "memory_per_worker": "bytes"}
Case = Mapping[str, Any]


def anchor(verdict: Case) -> str:
    """The id of a claim's verdict on a runtime."""
    return f"claim-{verdict['claim']}-{verdict['runtime']}"


def has_estimate(case: Case | None) -> bool:
    return case is not None and not missing(case.get("estimate"))


def measured(case: Case) -> Interval | str:
    """The estimate with its interval; shares in per cent."""
    return interval(case, "%", 100) if case.get("unit") == "share" else interval(case, case.get("unit") or "")


def threshold(case: Case) -> str:
    """Where the claim would hold, in the unit that the estimate is given in."""
    share = case.get("unit") == "share"

    def limit(value: float) -> str:
        return f"{number(100 * value)}\u2009%" if share else number(value)

    limits = case.get("threshold") or {}
    if "within" in limits:
        return "between {} and {}".format(*map(limit, limits["within"]))
    return ", ".join(f"{side} {limit(value)}" for side, value in limits.items())


def basis(case: Case) -> str:
    """What was measured; where it was counted, the counts say it best."""
    metric = (case.get("metric") or "").replace("_", " ")
    return str(case.get("counted") or metric) if metric in ("share", "observed ratio") else metric


def q_value(case: Case) -> str:
    """The corrected probability behind the verdict: the smaller of the two directions."""
    known = [case[key] for key in ("q_holds", "q_fails") if not missing(case.get(key))]
    if not known:
        return ""
    return ", q\u00a0<\u00a00.001" if min(known) < 0.001 else f", q\u00a0=\u00a0{min(known):.2g}"


def why_not(verdict: Case) -> str:
    """Why a claim was not tested on a runtime."""
    reasons = dict.fromkeys(case["reason"] for case in verdict["cases"] if case.get("reason"))
    return verdict.get("reason") or "; ".join(reasons) or "no reason recorded"


def cell_in_words(row: Case) -> str:
    """``sum_squares, large: threading × 2, warm``."""
    pool = ", warm" if row.get("pool") == "warm" else ""
    workers = "" if row["strategy"] == "sequential" else f" × {number(row['workers'])}"
    return f"{row['workload']}, {row['size']}: {row['strategy']}{workers}{pool}"


def metric_name(metric: str) -> str:
    return METRICS.get(metric, metric.replace("_", " "))


def value_in_words(value: Any, metric: str) -> str:
    """A value of a metric with its unit, in the size that people use."""
    return quantity(value, UNITS.get(metric, ""))
