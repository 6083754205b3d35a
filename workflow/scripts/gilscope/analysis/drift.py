"""Does a cell still change while its process runs? Warm-up that reaches into the laps, and trends within rounds."""

from __future__ import annotations

import math
from collections.abc import Hashable

import numpy as np
import pandas as pd
from scipy import stats

from gilscope.analysis.intervals import FEWEST_ROUNDS, centre, false_discovery_rate, standard_error

SMALLEST = math.log(1.05)
"""A change within a round that is smaller than 5 % is not worth a flag."""
FALSE_FLAGS = 0.05
FEWEST_LAPS = 3


def trend(laps: np.ndarray, logs: np.ndarray) -> float:
    """The change from the first lap to the last along the median slope, on the logarithmic scale.

    laps, logs: shape (values,). Theil, Indagationes Mathematicae 12 (1950), 85-91; Sen, J. American Statistical
    Association 63 (1968), 1379-1389.
    """
    return float(stats.theilslopes(logs, laps).slope) * float(laps.max() - laps.min())


def warm_up(laps: np.ndarray, logs: np.ndarray) -> float:
    """How far the first lap lies from the centre of those after it, on the logarithmic scale."""
    first = laps == laps.min()
    return float(np.mean(logs[first])) - centre(logs[~first])


CHANGES = {"drifts within a round": trend, "still warms up in lap 1": warm_up}


def p_beyond(changes: np.ndarray, smallest: float = SMALLEST) -> float:
    """p of the hypothesis that the mean change is no larger than ``smallest``, either way. changes: shape (rounds,)."""
    distance = (abs(float(changes.mean())) - smallest) / standard_error(changes)
    return min(1.0, 2 * float(stats.t.sf(distance, len(changes) - 1)))


def flag_drift(values: pd.DataFrame, column: str, by: list[str]) -> dict[Hashable, str]:
    """Cell → what is wrong with its laps, for the cells with which something is.

    values: one row per value, with ``round`` and ``lap``. column: a logarithm. by: the columns that make a cell.
    Changes are taken within each round, tested over rounds, and corrected over all cells of the run.
    """
    tested: list[tuple[Hashable, str, float, float]] = []
    for cell, group in values.groupby(by, observed=True):
        rounds = [
            (one["lap"].to_numpy(float), one[column].to_numpy(float))
            for _, one in group.groupby("round")
            if one["lap"].nunique() >= FEWEST_LAPS
        ]
        if len(rounds) < FEWEST_ROUNDS:
            continue
        for name, change_of in CHANGES.items():
            changes = np.array([change_of(laps, logs) for laps, logs in rounds])
            tested.append((cell, name, float(changes.mean()), p_beyond(changes)))
    flags: dict[Hashable, list[str]] = {}
    for (changed, name, change, _), q in zip(tested, false_discovery_rate([p for *_, p in tested]), strict=True):
        if q < FALSE_FLAGS:
            flags.setdefault(changed, []).append(f"{name} ({100 * math.expm1(change):+.0f} %)")
    return {cell: "; ".join(found) for cell, found in flags.items()}
