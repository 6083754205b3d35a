"""The tidy tables and how they reach the disk: complete or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from gilscope.running.files import Damaged, without_nan, written_whole
from gilscope.running.plain_text import plain

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

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""What a text begins with that a spreadsheet would take for a formula; some take signs of full width for the others."""


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
        no_formulas(table).to_csv(partial, index=False, float_format="%.6g")
    else:
        table.to_parquet(partial, index=False)
    os.replace(partial, path)


def no_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """The table for a spreadsheet: an apostrophe before what it would take for a formula, nothing that is obeyed."""
    texts = table.select_dtypes(["object", "string", "category"]).columns
    return table.assign(**{name: table[name].map(no_formula) for name in texts})


def no_formula(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return f"'{plain(value)}" if value.startswith(FORMULA) else plain(value)


def write_json(content: Any, path: str | Path) -> None:
    """Write JSON that every parser reads: NaN, which JSON does not know, becomes null."""
    with written_whole(str(path)) as file:
        json.dump(without_nan(content), file, indent=1, ensure_ascii=False, allow_nan=False)
        file.write("\n")
