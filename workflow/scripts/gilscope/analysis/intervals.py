"""Estimates with intervals, and the tests that decide. All on logarithms: a ratio and its inverse weigh the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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


def centre(values: np.ndarray) -> float:
    """The median: what a round's laps have to say about a cell, whatever a core that changes its speed adds to a few.

    values: shape (laps,). Beside the mean and Hodges and Lehmann's estimator it gave the narrowest intervals, and the
    coverage nearest to 95 %, on a machine of two speeds; docs/evidence.md has the figures.
    """
    return float(np.median(values))


def interval(logs: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """The geometric mean over rounds with a t interval.

    logs: shape (rounds,), one centre per round. Kalibera & Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013.
    """
    logs = np.asarray(logs, dtype=float)
    count = len(logs)
    if count == 0:
        raise TooFewRounds("no round measured this cell")
    found = plain_interval(logs, confidence)
    return Interval(math.exp(found.estimate), math.exp(found.low), math.exp(found.high), count)


def plain_interval(values: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """The mean over rounds with a t interval, for a quantity that is no ratio. values: shape (rounds,)."""
    values = np.asarray(values, dtype=float)
    count, mean = len(values), float(np.mean(values))
    if count < FEWEST_ROUNDS:
        return Interval(mean, math.nan, math.nan, count)
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * standard_error(values)
    return Interval(mean, mean - half, mean + half, count)


def share_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """The share of trials that succeeded, with the exact interval. Clopper & Pearson, Biometrika 26 (1934), 404-413."""
    bounds = stats.binomtest(successes, trials).proportion_ci(confidence, method="exact")
    return successes / trials, float(bounds.low), float(bounds.high)


def share_tests(successes: int, trials: int, holds: Mapping[str, Any]) -> Tests:
    """Exact one-sided binomial tests of a share against ``above x`` or ``below x``."""
    bound = holds["above"] if "above" in holds else holds["below"]
    above = float(stats.binomtest(successes, trials, bound, alternative="greater").pvalue)
    below = float(stats.binomtest(successes, trials, bound, alternative="less").pvalue)
    return Tests(above, below) if "above" in holds else Tests(below, above)


def bootstrap_interval(
    statistic: Callable[..., Any], values: np.ndarray, confidence: float = CONFIDENCE, resamples: int = 9999
) -> tuple[float, float, float]:
    """A statistic with its BCa interval, for what has no closed form: percentiles, differences of medians.

    values: shape (n,), independent ones; statistic: takes ``axis``. Efron, J. American Statistical Association 82
    (1987), 171-185.
    """
    found = stats.bootstrap(
        (np.asarray(values, dtype=float),),
        statistic,
        confidence_level=confidence,
        n_resamples=resamples,
        rng=np.random.default_rng(1),
    )
    bounds = found.confidence_interval
    return float(statistic(values, axis=0)), float(bounds.low), float(bounds.high)


def standard_error(logs: np.ndarray) -> float:
    """The standard error of the mean; never zero, since equal rounds only mean that the clock was too coarse."""
    return max(float(logs.std(ddof=1)) / math.sqrt(len(logs)), 1e-9)


@dataclass(frozen=True)
class Tests:
    """Two one-sided answers: is the threshold cleared (holds), is it missed (fails)."""

    p_holds: float
    p_fails: float


@dataclass(frozen=True)
class Found:
    """What was found for one case of a claim: estimate, interval, tests, and what was counted, in words."""

    estimate: float
    low: float
    high: float
    tests: Tests
    counted: str


def threshold_tests(logs: np.ndarray, holds: Mapping[str, Any]) -> Tests:
    """Test the mean over rounds against ``above x``, ``below x`` or ``within [a, b]``. logs: shape (rounds,)."""
    bounds = {side: np.log(bound).tolist() for side, bound in holds.items()}
    return plain_tests(logs, bounds)


def plain_tests(values: np.ndarray, holds: Mapping[str, Any]) -> Tests:
    """The same on the scale of the values themselves, for a quantity that is no ratio. values: shape (rounds,).

    ``within`` holds by two one-sided tests (Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15 (1987), 657-680)
    and fails by twice the smaller p of leaving on either side. Raises TooFewRounds below 3.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < FEWEST_ROUNDS:
        raise TooFewRounds(f"{len(values)} rounds; a test needs {FEWEST_ROUNDS}")

    def p_above(bound: float) -> float:
        """p of the hypothesis that the mean is not above the bound."""
        distance = (float(values.mean()) - bound) / standard_error(values)
        return float(stats.t.sf(distance, len(values) - 1))

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
