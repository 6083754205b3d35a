"""One colour and one marker for each strategy and each verdict, the same in every figure.

Each colour has a second for dark pages. Hues follow Okabe and Ito's, which people with any common colour blindness
tell apart, made darker or lighter until they stand out at 3:1 from either page; markers and order say the same again.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

INK, MUTED, GRID, PAPER, BELOW = "#1b1f24", "#5b6570", "#dde2e7", "#fefefe", "#f4f1ee"
THEME = {
    INK: "#e9edf1",
    MUTED: "#a3aeb9",
    GRID: "#343c45",
    PAPER: "#14181d",
    BELOW: "#1f2226",
}
"""Colour on a light page → the same on a dark page; ``look`` and the verdicts below add theirs."""


@dataclass(frozen=True)
class Look:
    """How a strategy or a verdict is drawn: the colour on a light page, the one on a dark page, and the marker."""

    colour: str
    dark: str
    marker: str


STRATEGIES = {
    "sequential": Look("#3d4751", "#c3ccd5", "|"),
    "threading": Look("#d35400", "#ff8b42", "o"),
    "multiprocessing": Look("#0072b2", "#4db3ec", "s"),
    "asyncio": Look("#00875f", "#2fcb9b", "^"),
    "hybrid": Look("#b0508a", "#ec9fcb", "D"),
    "interpreters": Look("#8a6d00", "#e3c53d", "p"),
    "threading-raw": Look("#b97a00", "#f2b233", "v"),
    "multiprocessing-pool": Look("#00808f", "#3cc4d4", "P"),
    "multiprocessing-fork": Look("#4a86c8", "#8dbdf2", "<"),
    "multiprocessing-spawn": Look("#5563b8", "#a2adf5", ">"),
    "multiprocessing-forkserver": Look("#7d55b0", "#c6a4f0", "X"),
    "sequential-blas-threads": Look("#7a5230", "#d3a57c", "h"),
    "threading-blas-threads": Look("#a13d63", "#f08bae", "d"),
    "multiprocessing-blas-threads": Look("#345e7d", "#86b6d9", "8"),
    "ceiling": Look("#77828d", "#8c98a4", "_"),
}
SPARE = tuple(
    Look(colour, dark, marker)
    for marker in ("h", "d", "8", "*")
    for colour, dark in (("#a13d63", "#f08bae"), ("#5c7a00", "#b3d141"), ("#7a5230", "#d3a57c"), ("#345e7d", "#86b6d9"))
)
VERDICTS = {
    "confirmed": Look("#0b7a75", "#3fc7bd", "check"),
    "refuted": Look("#c0392b", "#ff8a75", "X"),
    "mixed": Look("#7b5ea7", "#c0a5ee", "half"),
    "inconclusive": Look("#8a6a12", "#e0bd57", "$?$"),
    "not tested": Look("#808a94", "#7c8894", "_"),
}
LOCK = {"lock on": Look("#3d4751", "#c3ccd5", "s"), "lock off": STRATEGIES["threading"]}
"""One binary with its lock on and off, as it is drawn beside itself."""
STANDARD = Look("#0072b2", "#4db3ec", "D")
"""The standard build, which has the lock for good."""
THEME |= {drawn.colour: drawn.dark for drawn in (*STRATEGIES.values(), *SPARE, *VERDICTS.values())}


def look(strategy: str) -> Look:
    """The look of a strategy; one that nobody foresaw gets the same spare one in every figure of every run."""
    return STRATEGIES.get(strategy) or SPARE[zlib.crc32(strategy.encode()) % len(SPARE)]


def order(strategy: str) -> tuple[int, str]:
    """Sorting key: base strategies first, then their variants, then those that nobody foresaw, the yardstick last."""
    names = [name for name in STRATEGIES if name != "ceiling"]
    place = names.index(strategy) if strategy in names else len(names) + (strategy == "ceiling")
    return place, strategy
