"""A cell and its value in words, as every part of the page says them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gilscope.rendering.data import quantity
from gilscope.rendering.markup import missing, number

METRICS = {"speedup": "speedup", "seconds": "time", "memory_per_worker": "memory of a worker"}
UNITS = {"speedup": "×", "seconds": "s", "memory_per_worker": "bytes"}


def named(metric: str) -> str:
    return METRICS.get(metric, metric.replace("_", " "))


def cell_in_words(row: Mapping[str, Any]) -> str:
    """``sum_squares, large: threading × 2, warm``."""
    pool = ", warm" if row.get("pool") == "warm" else ""
    workers = "" if row["strategy"] == "sequential" else f" × {number(row['workers'])}"
    return f"{row['workload']}, {row['size']}: {row['strategy']}{workers}{pool}"


def value_in_words(value: Any, metric: str) -> str:
    """A value with its unit, in the size that people use."""
    return "–" if missing(value) else quantity(value, UNITS.get(metric, ""))
