from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gilscope.workloads import Site, workload


def chunks(rows: int, tasks: int, site: Site) -> Sequence[Any]:
    """tasks chunks of three whole-number columns, ``rows`` long; the same on every machine."""
    random = np.random.default_rng(3)
    return [
        {
            "A": random.integers(1, 100, rows),
            "B": random.integers(1, 1000, rows),
            "C": random.integers(1, 50, rows),
        }
        for _ in range(tasks)
    ]


def columns(rows: int) -> int:
    return 8 * 8 * rows


@workload(
    kind="cpu",
    libraries=("numpy", "pandas", "threadpoolctl"),
    library=True,
    sizes={"small": 500, "medium": 20_000, "large": 140_000, "deck": 25_000},
    unit="rows",
    inputs=chunks,
    memory=columns,
    seconds=lambda rows: 0.5e-3 + rows / 30e6,
)
def chunk_stats(chunk: Any) -> tuple[float, float, float, float]:
    """Column arithmetic over one chunk of a table with pandas, then mean, deviation, maximum and minimum."""
    table = pd.DataFrame(chunk)
    mixed = table["A"] * np.sin(table["B"]) + np.sqrt(table["C"]) * np.log(table["A"] + 1)
    return float(mixed.mean()), float(mixed.std()), float(mixed.max()), float(mixed.min())
