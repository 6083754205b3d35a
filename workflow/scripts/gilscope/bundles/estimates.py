"""A bundle's summary.csv as the table of estimates, every column of it checked."""

from __future__ import annotations

import csv
import io
import re
import warnings

import pandas as pd

from gilscope.analysis.estimates import ESTIMATES
from gilscope.bundles.archive import REMAKE, TRUST, shown
from gilscope.bundles.content import ROUNDING
from gilscope.bundles.manifest import Flaw
from gilscope.bundles.values import LABEL, NAME, PLAIN, RUNTIME, STRATEGY

FILE = "summary.csv"
LARGEST = 32 * 2**20
LONGEST_LINE = 4000
TEXTS = {
    "machine": LABEL,
    "runtime": RUNTIME,
    "workload": NAME,
    "kind": "cpu|io|mixed",
    "size": "small|medium|large|deck",
    "strategy": STRATEGY,
    "pool": "cold|warm",
    "unit": f"(?:{PLAIN})?",
    "metric": NAME,
    "flags": f"(?:{PLAIN})?",
}
LONGEST = {"unit": 40, "flags": 2000}
NUMBER = r"-?[0-9]{1,20}(?:\.[0-9]{0,20})?(?:[eE][+-]?[0-9]{1,3})?"
WHOLE = {"tasks": (1, 10**6), "workers": (1, 1024), "rounds": (1, 100)}
POSITIVE = ("speedup", "seconds", "effective_cores", "overlap")
"""Metrics whose bounds are above 0 too: their intervals are computed from logarithms."""
RANGES = {
    "speedup": (1e-9, 1e6),
    "seconds": (1e-10, 1e6),
    "effective_cores": (1e-9, 1e5),
    "overlap": (1e-9, 1e5),
    "idle_share": (0.0, 1.0),
    "memory_per_worker": (0.0, 1e15),
}
"""What an estimate may be. Of metrics that are not known here it is anything up to 1e18."""
WIDEST = 1e18
KEY = ["runtime", "workload", "size", "strategy", "workers", "pool", "metric"]


def read_estimates(data: bytes, limit: int) -> pd.DataFrame:
    """The estimates of summary.csv, with numbers for numbers and NaN for bounds that are unknown. Raises Flaw.

    limit: the rows that it may have at most.
    """
    check_shape(data, limit)
    written = parse_table(data)
    table = pd.DataFrame({name: written[name] for name in ESTIMATES})
    for name in TEXTS:
        check_texts(table, name)
    for name, bounds in WHOLE.items():
        table[name] = whole_numbers(table[name], name, *bounds)
    for name in ("parameter", "estimate", "low", "high", "noise_floor"):
        table[name] = numbers(table[name], name)
    check_estimates(table)
    if table.duplicated(KEY).any():
        row = table[table.duplicated(KEY)].iloc[0]
        cell = f"{row['runtime']}/{row['workload']}/{row['size']}/{row['strategy']}-{row['workers']} {row['pool']}"
        raise Flaw(f"{FILE} in it has two values of {row['metric']} for {cell}; {REMAKE}")
    return table


def check_shape(data: bytes, limit: int) -> None:
    """Raises Flaw unless this is a table of so many rows, a line each, all of one length: before any of it is kept."""
    width = 0
    try:
        for number, line in enumerate(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="\n")):
            if number > limit:
                raise Flaw(f"{FILE} in it has more rows than the {limit} that bundle_limits.rows allows; {TRUST}")
            fields = len(next(csv.reader([line], strict=True))) if len(line) < LONGEST_LINE else 0
            width = width or fields
            if fields != width or not fields:
                raise Flaw(f"{FILE} in it is not a table in CSV: line {number + 1}; {REMAKE}")
    except (csv.Error, UnicodeDecodeError, StopIteration) as error:
        raise Flaw(f"{FILE} in it is not a table in CSV; {REMAKE}") from error
    if not width:
        raise Flaw(f"{FILE} in it is empty; {REMAKE}")


def parse_table(data: bytes) -> pd.DataFrame:
    """The table as text. Nothing of it is taken for an index, a number or a missing value."""
    try:
        with warnings.catch_warnings(action="error"):
            written = pd.read_csv(
                io.BytesIO(data), header=None, dtype=str, keep_default_na=False, skip_blank_lines=False
            )
    except (ValueError, Warning) as error:
        raise Flaw(f"{FILE} in it is not a table in CSV; {REMAKE}") from error
    header = written.iloc[0].tolist()
    if missing := [name for name in ESTIMATES if name not in header]:
        raise Flaw(f"{FILE} in it has no column {missing[0]}; {REMAKE}")
    if len(set(header)) < len(header):
        raise Flaw(f"{FILE} in it has two columns of one name; {REMAKE}")
    return written.iloc[1:].set_axis(header, axis="columns").reset_index(drop=True)


def check_texts(table: pd.DataFrame, name: str) -> None:
    for text in table[name].unique():
        if not re.fullmatch(TEXTS[name], text) or len(text) > LONGEST.get(name, 200):
            raise Flaw(f"{FILE} in it has a {name} that is none: {shown(text)}; {REMAKE}")


def numbers(column: pd.Series, name: str) -> pd.Series:
    """A column of numbers, NaN where there is none."""
    empty = column == ""
    wrong = column[~empty & ~column.str.fullmatch(NUMBER)]
    if len(wrong):
        raise Flaw(f"{FILE} in it has the {name} {shown(str(wrong.iloc[0]))}, which is no number; {REMAKE}")
    found = column.mask(empty, "nan").astype(float)
    if (found.abs() > WIDEST).any():
        raise Flaw(f"{FILE} in it has a {name} beyond {WIDEST:g}; {REMAKE}")
    return found


def whole_numbers(column: pd.Series, name: str, least: int, most: int) -> pd.Series:
    wrong = column[~column.str.fullmatch(r"[0-9]{1,9}")]
    if not len(wrong):
        found = column.astype(int)
        wrong = found[~found.between(least, most)]
    if len(wrong):
        raise Flaw(
            f"{FILE} in it has the {name} {shown(str(wrong.iloc[0]))}, "
            f"which is not a whole number from {least} to {most}; {REMAKE}"
        )
    return found


def check_estimates(table: pd.DataFrame) -> None:
    """Raises Flaw where a value is one that no measurement gives, or lies outside its interval."""
    metric, estimate, low, high = (table[name] for name in ("metric", "estimate", "low", "high"))
    least = metric.map({name: bounds[0] for name, bounds in RANGES.items()}).fillna(-WIDEST)
    most = metric.map({name: bounds[1] for name, bounds in RANGES.items()}).fillna(WIDEST)
    positive = metric.isin(POSITIVE)
    wrong = (
        ("an absurd estimate", ~estimate.between(least, most)),
        ("a bound that is not above 0", positive & ((low <= 0) | (high <= 0))),
        ("an estimate below its interval", low > estimate + ROUNDING * estimate.abs()),
        ("an estimate above its interval", high < estimate - ROUNDING * estimate.abs()),
        ("bounds in the wrong order", low > high + ROUNDING * high.abs()),
        ("a parameter that is not above 0", (table["parameter"] <= 0) | (table["parameter"] > 1e15)),
        ("a noise floor that is none", (table["noise_floor"] < 0) | (table["noise_floor"] > 1e6)),
    )
    for what, rows in wrong:
        if rows.any():
            row = table[rows].iloc[0]
            cell = f"{row['runtime']}/{row['workload']}/{row['size']}/{row['strategy']}-{row['workers']}"
            raise Flaw(f"{FILE} in it has {what}: {row['metric']} of {cell}, {row['estimate']:.6g}; {REMAKE}")
