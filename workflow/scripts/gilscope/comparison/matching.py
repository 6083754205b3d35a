"""Two runs compared cell by cell: what is the same work on both sides, by how much it differs, and what has no match.

A side's estimate and interval give back the mean and standard error that they were made of, so that two sides compare
by Welch's t interval without the values themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from gilscope.analysis.intervals import CONFIDENCE, FEWEST_ROUNDS, false_discovery_rate
from gilscope.running.cells import SEQUENTIAL

WORK = ["workload", "size"]
CELL = [*WORK, "strategy", "workers", "pool", "metric"]
COMPARED = ["side", "against", *CELL, "there", "here", "estimate", "low", "high", "q", "outcome"]
BETTER = {"speedup": 1, "seconds": -1, "memory_per_worker": -1}
"""What is compared, and whether more of it is better (1) or worse (−1)."""
PLAIN = ("memory_per_worker",)
"""Quantities that may be 0: their difference is tested, not their ratio."""
SIGNIFICANT = 0.05


def comparable(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells that are compared, with ``value``, the mean on its scale, and its ``error``; NaN without an interval.

    The probe is no finding. Sequential time is a task's: doing more of them changes nothing else. Everywhere else the
    number of tasks is part of the work, since start-up is shared among them.
    """
    wanted = cells["metric"].isin(BETTER) & ~(
        (cells["strategy"] == SEQUENTIAL.strategy) & (cells["metric"] != "seconds")
    )
    found = cells[wanted].copy()
    alone = (found["strategy"] == SEQUENTIAL.strategy).to_numpy()
    for name in ("estimate", "low", "high"):
        found[name] = found[name].where(~alone, found[name] / found["tasks"])
    found["tasks"] = found["tasks"].where(~alone, 0)
    plain = found["metric"].isin(PLAIN).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        value, low, high = (
            np.where(plain, found[name], np.log(found[name].to_numpy(float))) for name in ("estimate", "low", "high")
        )
    freedom = found["rounds"].to_numpy(float) - 1
    width = np.where(freedom >= FEWEST_ROUNDS - 1, stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(freedom, 1)), np.nan)
    return found.assign(value=value, error=np.maximum((high - low) / 2 / width, 1e-9), freedom=freedom, plain=plain)


def matched(here: pd.DataFrame, there: pd.DataFrame) -> pd.DataFrame:
    """The comparable cells of two sides that are the same work, a row each, with ``_here`` and ``_there``."""
    pairs = here.merge(there, on=CELL, suffixes=("_here", "_there"))
    same = (pairs["parameter_here"] == pairs["parameter_there"]) & (pairs["tasks_here"] == pairs["tasks_there"])
    return pairs[same]


def welch(pairs: pd.DataFrame) -> pd.DataFrame:
    """``difference`` here − there, its ``error`` and ``freedom``. Welch, Biometrika 34 (1947), 28-35."""
    here, there = pairs["error_here"].to_numpy() ** 2, pairs["error_there"].to_numpy() ** 2
    freedom = (here + there) ** 2 / (here**2 / pairs["freedom_here"] + there**2 / pairs["freedom_there"])
    return pd.DataFrame(
        {
            "difference": pairs["value_here"] - pairs["value_there"],
            "error": np.sqrt(here + there),
            "freedom": freedom.where(np.isfinite(here + there)),
        },
        index=pairs.index,
    )


def as_ratio(difference: np.ndarray, pairs: pd.DataFrame) -> np.ndarray:
    """A difference as here / there; of a plain quantity as one plus its share of what it is there."""
    plain, there = pairs["plain_here"].to_numpy(), pairs["value_there"].to_numpy(float)
    share = np.divide(difference, there, out=np.full(len(pairs), np.nan), where=there > 0)
    return np.where(plain, 1 + share, np.exp(np.where(plain, 0, difference)))


def differences(here: pd.DataFrame, there: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell that both sides measured: here / there with its interval, and whether it is better or worse.

    here, there: comparable cells of one side each. All cells of the two sides are one family for Benjamini and
    Hochberg; ``outcome`` is ``better``, ``worse``, ``alike`` (nothing shown), or ``unknown`` below three rounds.
    """
    pairs = matched(here, there)
    if pairs.empty:
        return pd.DataFrame(columns=COMPARED)
    found = welch(pairs)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, found["freedom"]) * found["error"]
    p = np.asarray(2 * stats.t.sf(np.abs(found["difference"] / found["error"]), found["freedom"]))
    known = np.isfinite(p)
    q = np.full(len(p), np.nan)
    q[known] = false_discovery_rate(p[known].tolist())
    gain = np.sign(found["difference"]) * pairs["metric"].map(BETTER)
    outcome = np.where(q <= SIGNIFICANT, np.where(gain > 0, "better", "worse"), "alike")
    return pd.DataFrame(
        {
            "side": pairs["side_here"],
            "against": pairs["side_there"],
            **{name: pairs[name] for name in CELL},
            "there": pairs["estimate_there"],
            "here": pairs["estimate_here"],
            "estimate": as_ratio(found["difference"].to_numpy(), pairs),
            "low": as_ratio((found["difference"] - half).to_numpy(), pairs),
            "high": as_ratio((found["difference"] + half).to_numpy(), pairs),
            "q": q,
            "outcome": np.where(known, outcome, "unknown"),
        }
    )[COMPARED].reset_index(drop=True)


def speeds(compared: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """How fast each side does a task alone: time there / here, above 1 is faster; a row per side, workload and size.

    compared: differences. cells: those of all sides, which say what a size stands for and how many rounds there were.
    """
    own = compared[(compared["metric"] == "seconds") & (compared["strategy"] == SEQUENTIAL.strategy)]
    bounds = {"estimate": 1 / own["estimate"], "low": 1 / own["high"], "high": 1 / own["low"]}
    about = cells[(cells["metric"] == "seconds") & (cells["strategy"] == SEQUENTIAL.strategy)]
    table = own[["side", "against", *WORK]].assign(**bounds)
    table = table.merge(about[["side", *WORK, "parameter", "unit", "rounds"]], on=["side", *WORK])
    return table[["side", "against", *WORK, "parameter", "unit", "estimate", "low", "high", "rounds"]]


def unmatched(here: pd.DataFrame, there: pd.DataFrame, side: str, against: str) -> Iterator[dict[str, Any]]:
    """What could not be compared and why, the cells of one reason together; see ``Comparison`` for the keys."""
    both = here.merge(there, on=CELL, how="outer", suffixes=("_here", "_there"), indicator=True)
    for merge, place in (("left_only", "only measured here"), ("right_only", "only measured there")):
        yield from counted(both[both["_merge"] == merge].assign(reason=place), side, against)
    pairs = both[both["_merge"] == "both"]
    other = pairs[pairs["parameter_here"] != pairs["parameter_there"]]
    yield from counted(other.assign(reason=told(other, "parameter", other["unit_here"])), side, against)
    tasks = pairs[(pairs["parameter_here"] == pairs["parameter_there"]) & (pairs["tasks_here"] != pairs["tasks_there"])]
    yield from counted(tasks.assign(reason=told(tasks, "tasks", pd.Series("tasks", tasks.index))), side, against)
    same = matched(here, there)
    few = same[same["error_here"].isna() | same["error_there"].isna()]
    yield from counted(few.assign(reason="too few rounds for an interval"), side, against)


def told(pairs: pd.DataFrame, column: str, units: pd.Series) -> list[str]:
    """``16 tasks here, 8 there``."""
    values = zip(pairs[f"{column}_here"], pairs[f"{column}_there"], units, strict=True)
    return [f"{here:,g} {unit} here, {there:,g} there" for here, there, unit in values]


def counted(cells: pd.DataFrame, side: str, against: str) -> Iterator[dict[str, Any]]:
    for reason, own in cells.groupby("reason", sort=False):
        places = list(
            dict.fromkeys(f"{workload}/{size}" for workload, size in zip(own["workload"], own["size"], strict=True))
        )
        yield {"side": side, "against": against, "count": len(own), "what": ", ".join(places), "reason": str(reason)}
