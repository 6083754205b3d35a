"""Did the same thing get worse? Every cell of the chosen metric against the baseline's, beyond its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from gilscope.analysis.intervals import false_discovery_rate
from gilscope.comparison.matching import BETTER, CELL, SIGNIFICANT, matched, welch

NO_TESTS = pd.DataFrame(columns=["side", *CELL, "p"])


def regressions(
    here: Sequence[pd.DataFrame],
    there: Sequence[pd.DataFrame],
    compared: pd.DataFrame,
    metric: str,
    tolerance: float,
) -> dict[str, Any]:
    """What got worse by more than the tolerance; all cells of the metric are one family for Benjamini and Hochberg.

    here: the comparable cells of each side that is judged; there: those of the side that it is compared with.
    compared: their differences, rows of which come back under ``worse`` with the ``q`` of this test.
    tolerance: 0.05 lets a time be 5 % longer, or a speedup 5 % smaller.
    """
    tests = pd.concat([NO_TESTS, *(tested(*pair, metric, tolerance) for pair in zip(here, there, strict=True))])
    tests["q"] = false_discovery_rate(tests["p"].tolist())
    bad = tests[tests["q"] <= SIGNIFICANT].drop(columns="p")
    shown = bad.merge(compared.drop(columns=["q", "outcome"]), on=["side", *CELL], how="left")
    return {
        "metric": metric,
        "tolerance": tolerance,
        "compared": len(tests),
        "worse": shown.sort_values("q").to_dict("records"),
    }


def tested(here: pd.DataFrame, there: pd.DataFrame, metric: str, tolerance: float) -> pd.DataFrame:
    """One-sided p of each cell that both sides measured: that it is not worse by more than the tolerance."""
    pairs = matched(here[here["metric"] == metric], there)
    if pairs.empty:
        return NO_TESTS
    found = welch(pairs)
    worse = -BETTER[metric] * found["difference"]
    allowed = np.where(pairs["plain_here"], tolerance * pairs["value_there"], math.log1p(tolerance))
    p = stats.t.sf((worse - allowed) / found["error"], found["freedom"])
    return pairs[CELL].assign(side=pairs["side_here"], p=p).dropna(subset="p")[["side", *CELL, "p"]]
