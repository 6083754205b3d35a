"""Estimates with intervals, and the tests that decide. All on logarithms: a ratio and its inverse weigh the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

FEWEST_ROUNDS = 3
CONFIDENCE = 0.95


class TooFewRounds(ValueError):
    """Fewer rounds than an interval needs."""


@dataclass(frozen=True)
class Interval:
    """A geometric mean over rounds with its interval; low and high are NaN below 3 rounds."""

    estimate: float
    low: float
    high: float
    rounds: int

    @property
    def half_width(self) -> float:
        """Half the interval's width on the logarithmic scale, as a share: 0.02 is ±2 %."""
        return math.expm1((math.log(self.high) - math.log(self.low)) / 2)


def hodges_lehmann(values: np.ndarray) -> float:
    """The median of all pairwise means, the pairs of a value with itself included.

    values: shape (laps,). As robust as the median needs to be against a core that changes its speed, and steadier on
    few laps. Hodges & Lehmann, Annals of Mathematical Statistics 34 (1963), 598-611.
    """
    first, second = np.triu_indices(len(values))
    return float(np.median((values[first] + values[second]) / 2))


def interval(logs: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """The geometric mean over rounds with a t interval.

    logs: shape (rounds,), one centre per round. Kalibera & Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013.
    """
    logs = np.asarray(logs, dtype=float)
    count = len(logs)
    if count == 0:
        raise TooFewRounds("no round measured this cell")
    mean = float(logs.mean())
    if count < FEWEST_ROUNDS:
        return Interval(math.exp(mean), math.nan, math.nan, count)
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * standard_error(logs)
    return Interval(math.exp(mean), math.exp(mean - half), math.exp(mean + half), count)


def standard_error(logs: np.ndarray) -> float:
    """The standard error of the mean; never zero, since equal rounds only mean that the clock was too coarse."""
    return max(float(logs.std(ddof=1)) / math.sqrt(len(logs)), 1e-9)


@dataclass(frozen=True)
class Tests:
    """Two one-sided answers: is the threshold cleared (holds), is it missed (fails)."""

    p_holds: float
    p_fails: float


def threshold_tests(logs: np.ndarray, holds: Mapping[str, Any]) -> Tests:
    """Test the mean over rounds against ``above x``, ``below x`` or ``within [a, b]``.

    logs: shape (rounds,). ``within`` holds by two one-sided tests (Schuirmann, J. Pharmacokinetics and Biopharmaceutics
    15 (1987), 657-680) and fails by twice the smaller p of leaving on either side. Raises TooFewRounds below 3.
    """
    logs = np.asarray(logs, dtype=float)
    if len(logs) < FEWEST_ROUNDS:
        raise TooFewRounds(f"{len(logs)} rounds; a test needs {FEWEST_ROUNDS}")

    def p_above(bound: float) -> float:
        """p of the hypothesis that the mean is not above the bound."""
        distance = (float(logs.mean()) - math.log(bound)) / standard_error(logs)
        return float(stats.t.sf(distance, len(logs) - 1))

    if "above" in holds:
        above = p_above(holds["above"])
        return Tests(above, 1 - above)
    if "below" in holds:
        above = p_above(holds["below"])
        return Tests(1 - above, above)
    low, high = holds["within"]
    inside = max(p_above(low), 1 - p_above(high))
    outside = min(1.0, 2 * min(1 - p_above(low), p_above(high)))
    return Tests(inside, outside)


def false_discovery_rate(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values (q) of one family. Benjamini & Hochberg, J. Royal Statistical Society B 57 (1995), 289-300."""
    return [float(q) for q in stats.false_discovery_control(p_values)] if len(p_values) else []
