"""Numbers in words: with their units, their intervals, and a dash where there is none."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NONE = "–"
YEAR_10000 = 253_402_300_800
"""In seconds since the epoch: none of a calendar's."""
SIZES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


@dataclass(frozen=True)
class Interval:
    """An estimate with its unit, and its bounds: ``1.02 ×`` and ``[0.99, 1.05]``."""

    estimate: str
    bounds: str

    def __str__(self) -> str:
        return f"{self.estimate} {self.bounds}".replace("\u2009", " ")


def interval(row: Mapping[Any, Any], unit: str = "", scale: float = 1) -> Interval | str:
    """``estimate``, ``low`` and ``high`` of a row; an estimate without an interval says so."""
    estimate, low, high = (
        None if missing(row.get(name)) else scale * row[name] for name in ("estimate", "low", "high")
    )
    if estimate is None:
        return NONE
    sign = {"x": "\u2009×", "": ""}.get(unit, f"\u2009{unit}")
    digits = min(decimals(estimate), 1) if unit == "%" else decimals(estimate)
    bounds = "no interval" if low is None or high is None else f"[{low:,.{digits}f}, {high:,.{digits}f}]"
    return Interval(f"{estimate:,.{digits}f}{sign}", bounds)


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def number(value: Any) -> str:
    """Three significant digits, thousands separated."""
    if missing(value):
        return NONE
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def decimals(value: float) -> int:
    """Decimal places that show three significant digits of a value, at most four."""
    return 2 if value == 0 else min(4, max(0, 2 - math.floor(math.log10(abs(value)))))


def per_cent(share: Any, form: str = ".2g") -> str:
    return NONE if missing(share) else f"{100 * share:{form}} %"


def day(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment.day} {moment:%B %Y}"


def dates(moments: Iterable[Any]) -> str | None:
    """From the first to the last of these moments, ``3 May 2025 to 4 June 2025``, if a calendar has any of them."""
    known = [one for one in moments if isinstance(one, (int, float)) and math.isfinite(one) and 0 <= one < YEAR_10000]
    return " to ".join(dict.fromkeys(map(day, (min(known), max(known))))) if known else None


def kinds_in_words(kinds: Any) -> str | None:
    """``4 performance, 6 efficiency``; what was measured earlier, or elsewhere, does not say it."""
    return ", ".join(f"{cores} {kind}" for kind, cores in kinds.items()) if isinstance(kinds, dict) else None


def duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"


def counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def quantity(value: Any, unit: str) -> str:
    """A number with its unit, in the size that people use."""
    if missing(value):
        return NONE
    if unit == "s":
        return f"{value * 1e6:.3g} µs" if 0 < abs(value) < 1e-3 else duration(value)
    if unit.startswith("bytes"):
        for size, name in SIZES:
            if abs(value) >= size:
                return f"{value / size:.3g} {name}{unit[5:]}"
        return f"{value:.0f} {unit}"
    if unit == "share":
        return per_cent(value, ".3g")
    return f"{number(value)} {'' if unit == 'count' else unit}".strip()
