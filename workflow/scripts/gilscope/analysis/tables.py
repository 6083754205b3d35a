"""The tidy tables and how they reach the disk: complete or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from gilscope.running.files import Damaged, without_nan, written_whole

CELL = ["machine", "runtime", "workload", "kind", "size", "tasks", "strategy", "workers", "pool"]
TIMINGS = [
    "machine",
    "runtime",
    "implementation",
    "version",
    "gil",
    "workload",
    "kind",
    "size",
    "tasks",
    "strategy",
    "workers",
    "pool",
    "round",
    "lap",
    "position",
    "loops",
    "seconds",
    "flags",
]


def read_table(path: str | Path) -> pd.DataFrame:
    """A table as it was written. Raises Damaged where it is not."""
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise
    except (ValueError, OSError) as error:
        raise Damaged(path, error) from error


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as Parquet, or as CSV where the name says so."""
    partial = f"{path}.part"
    if str(path).endswith(".csv"):
        table.to_csv(partial, index=False, float_format="%.6g")
    else:
        table.to_parquet(partial, index=False)
    os.replace(partial, path)


def write_json(content: Any, path: str | Path) -> None:
    """Write JSON that every parser reads: NaN, which JSON does not know, becomes null."""
    with written_whole(str(path)) as file:
        json.dump(without_nan(content), file, indent=1, ensure_ascii=False, allow_nan=False)
        file.write("\n")
