"""Every comparable cell of every side as data for the page's script: short, and safe inside a script element."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from gilscope.comparison.matching import BETTER, CELL, PLAIN, comparable
from gilscope.figures.comparison import Comparison
from gilscope.rendering.cases import METRICS
from gilscope.rendering.templates import Html
from gilscope.running.plain_text import OBEYED

WORDS = ("workload", "size", "strategy", "pool", "metric", "unit")
"""Columns of a work that are texts: the data holds each text once, and its number instead."""
WORK = [*CELL, "parameter", "tasks"]
"""What must be the same for two cells to be compared."""
COLUMNS = [*WORK, "unit"]
VALUE_DIGITS, ERROR_DIGITS = 5, 4
UNSAFE = re.compile(f"[<>&{OBEYED}]")


def embedded(comparison: Comparison) -> Html:
    """The data as JSON for an element that the script finds; a browser runs none of it, whatever a name holds."""
    text = json.dumps(for_script(comparison), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Html(UNSAFE.sub(escaped, text))


def escaped(found: re.Match[str]) -> str:
    """A character as JSON may also write it, ``\\u003c``."""
    return re.sub("....", r"\\u\g<0>", found[0].encode("utf-16-be", "surrogatepass").hex())


def for_script(comparison: Comparison) -> dict[str, Any]:
    """``texts``; ``works``, rows of ``columns``; ``metrics``; and for each side which works, their values and errors.

    A value is a mean on the scale that it is compared on, a logarithm or, where ``plain``, the quantity itself; its
    error is the standard error, null without an interval. ``at`` counts from one work of a side to its next.
    """
    cells = comparable(comparison.cells)
    cells = cells[cells["value"].map(math.isfinite)]
    cells = cells.assign(parameter=cells["parameter"].astype(float), unit=cells["unit"].fillna(""))
    works = cells[COLUMNS].drop_duplicates(WORK).sort_values(WORK, kind="stable", ignore_index=True)
    numbered = works[WORK].assign(work=range(len(works)))
    placed = cells.merge(numbered, on=WORK).sort_values("work", kind="stable")
    by_side = dict(list(placed.groupby("side", sort=False)))
    nothing = placed.iloc[:0]
    texts = list(dict.fromkeys(str(text) for name in WORDS for text in works[name]))
    numbers = {text: number for number, text in enumerate(texts)}
    columns = {
        name: [numbers[str(text)] for text in works[name]] if name in WORDS else plain_numbers(works[name])
        for name in COLUMNS
    }
    return {
        "columns": COLUMNS,
        "texts": texts,
        "works": [list(row) for row in zip(*columns.values(), strict=True)],
        "metrics": {
            name: {"words": words, "plain": name in PLAIN, "better": BETTER[name]}
            for name, words in METRICS.items()
            if name in BETTER
        },
        "sides": [
            {"name": name, **of_side(by_side.get(name, nothing)), "baseline": name == comparison.names[0]}
            for name in comparison.names
        ],
    }


def of_side(cells: pd.DataFrame) -> dict[str, Any]:
    """The numbers of one side; ``freedom`` is one number where all its cells have the same."""
    works = cells["work"].tolist()
    freedom = plain_numbers(cells["freedom"])
    return {
        "at": [there - here for here, there in zip([0, *works[:-1]], works, strict=True)],
        "value": [
            float(f"{value:.6g}") if plain else round(value, VALUE_DIGITS)
            for value, plain in zip(cells["value"], cells["plain"], strict=True)
        ],
        "error": [float(f"{error:.{ERROR_DIGITS}g}") if math.isfinite(error) else None for error in cells["error"]],
        "freedom": freedom[0] if len(set(freedom)) == 1 else freedom,
    }


def plain_numbers(values: Iterable[Any]) -> list[Any]:
    """Numbers as JSON has them: whole ones without a point, null for what is none."""
    numbers = ((value, math.isfinite(value)) for value in map(float, values))
    return [(int(value) if value == int(value) else value) if finite else None for value, finite in numbers]
