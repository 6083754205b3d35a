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
    count = len(values)
    if count < FEWEST_ROUNDS:
        return Interval(float(np.mean(values)), math.nan, math.nan, count)
    return spread(values).interval(count, confidence)


def difference_interval(first: np.ndarray, second: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """The ratio of two geometric means of independent samples, with Welch's t interval.

    first, second: shape (rounds,), logarithms. Low and high are NaN where either has fewer than 3.
    """
    rounds = min(len(first), len(second))
    if rounds == 0:
        raise TooFewRounds("no round measured one of the two")
    if rounds < FEWEST_ROUNDS:
        return Interval(math.exp(float(np.mean(first) - np.mean(second))), math.nan, math.nan, rounds)
    found = difference(first, second).interval(rounds, confidence)
    return Interval(math.exp(found.estimate), math.exp(found.low), math.exp(found.high), rounds)


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
class Spread:
    """A mean, or a difference of means, with its standard error and the degrees of freedom of its t distribution."""

    mean: float
    error: float
    freedom: float

    def interval(self, rounds: int, confidence: float) -> Interval:
        half = float(stats.t.ppf((1 + confidence) / 2, self.freedom)) * self.error
        return Interval(self.mean, self.mean - half, self.mean + half, rounds)

    def p_above(self, bound: float) -> float:
        """p of the hypothesis that the mean is not above the bound."""
        return float(stats.t.sf((self.mean - bound) / self.error, self.freedom))

    def tests(self, holds: Mapping[str, Any]) -> Tests:
        """The mean against ``above x``, ``below x`` or ``within [a, b]``.

        ``within`` holds by two one-sided tests and fails by twice the smaller p of leaving on either side. Schuirmann,
        J. Pharmacokinetics and Biopharmaceutics 15 (1987), 657-680.
        """
        if "above" in holds:
            above = self.p_above(holds["above"])
            return Tests(above, 1 - above)
        if "below" in holds:
            above = self.p_above(holds["below"])
            return Tests(1 - above, above)
        low, high = holds["within"]
        inside = max(self.p_above(low), 1 - self.p_above(high))
        outside = min(1.0, 2 * min(1 - self.p_above(low), self.p_above(high)))
        return Tests(inside, outside)


def spread(values: np.ndarray) -> Spread:
    """Of the mean over rounds. values: shape (rounds,), at least 2."""
    return Spread(float(values.mean()), standard_error(values), len(values) - 1)


def difference(first: np.ndarray, second: np.ndarray) -> Spread:
    """Of the difference of two independent means whose variances may differ. Welch, Biometrika 34 (1947), 28-35.

    first, second: shape (rounds,), at least 2 each. The degrees of freedom are Welch's and Satterthwaite's.
    """
    parts = [spread(np.asarray(values, dtype=float)) for values in (first, second)]
    variance = sum(part.error**2 for part in parts)
    freedom = variance**2 / sum(part.error**4 / part.freedom for part in parts)
    return Spread(parts[0].mean - parts[1].mean, math.sqrt(variance), freedom)


@dataclass(frozen=True)
class Found:
    """What was found for one case of a claim: estimate, interval, tests, and what was counted, in words."""

    estimate: float
    low: float
    high: float
    tests: Tests
    counted: str


def logarithms(holds: Mapping[str, Any]) -> dict[str, Any]:
    """A ratio's threshold on the scale that ratios are tested on."""
    return {side: np.log(bound).tolist() for side, bound in holds.items()}


def threshold_tests(logs: np.ndarray, holds: Mapping[str, Any]) -> Tests:
    """Test the mean over rounds against ``above x``, ``below x`` or ``within [a, b]``. logs: shape (rounds,)."""
    return plain_tests(logs, logarithms(holds))


def plain_tests(values: np.ndarray, holds: Mapping[str, Any]) -> Tests:
    """The same on the scale of the values themselves, for a quantity that is no ratio. values: shape (rounds,).

    Raises TooFewRounds below 3.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < FEWEST_ROUNDS:
        raise TooFewRounds(f"{len(values)} rounds; a test needs {FEWEST_ROUNDS}")
    return spread(values).tests(holds)


def difference_tests(first: np.ndarray, second: np.ndarray, holds: Mapping[str, Any]) -> Tests:
    """Welch's one-sided tests of the ratio of two geometric means.

    first, second: shape (rounds,), logarithms of independent samples. Raises TooFewRounds below 3 of either.
    """
    fewest = min(len(first), len(second))
    if fewest < FEWEST_ROUNDS:
        raise TooFewRounds(f"{fewest} rounds; a test needs {FEWEST_ROUNDS}")
    return difference(first, second).tests(logarithms(holds))


def false_discovery_rate(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values (q) of one family. Benjamini & Hochberg, J. Royal Statistical Society B 57 (1995), 289-300."""
    return [float(q) for q in stats.false_discovery_control(p_values)] if len(p_values) else []
