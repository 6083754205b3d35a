"""What stopping does to intervals and verdicts, on sweeps whose truth is known; benchmarks/stopping.py does it at length."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.intervals import threshold_tests
from gilscope.analysis.looks import least, share
from gilscope.analysis.wants import Scatter
from stopped import OURS, Quick, Rule, Sweep, heavy, summary

SWEEPS = 40
LOOKS = (5, 6, 12)
ALONE = 2500


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """After the third stage, with heavy tails: the product's way to stop, and one without shares, by distance."""
    rules = {"ours": OURS, "naive": Rule(shares=False, by_distance=True)}
    outcomes: dict[str, list[pd.DataFrame]] = {name: [] for name in rules}
    for number in range(SWEEPS):
        sweep = Sweep(np.random.default_rng([3, number]), heavy)
        for name, rule in rules.items():
            outcomes[name].append(sweep.outcome(sweep.run(rule), rule))
    return pd.DataFrame({name: summary(one) for name, one in outcomes.items()})


def test_intervals_of_cases_that_stopped_and_of_those_that_went_on_cover_the_truth(found: pd.DataFrame) -> None:
    coverage = found.loc[["coverage", "closed", "longer"], "ours"]
    assert coverage.between(0.93, 0.98).all(), coverage


def test_verdicts_are_false_no_more_often_than_they_may(found: pd.DataFrame) -> None:
    """640 tests whose threshold is the truth: 5 % at most, and looking as often as one likes takes more."""
    assert found.loc["single", "ours"] <= 0.05 < found.loc["single", "naive"]
    assert found.loc["discovery", "ours"] <= 0.05
    assert found.loc["discovery", "ours"] > 0, "there is something to get wrong"


def test_a_test_that_is_looked_at_three_times_is_wrong_in_5_of_100() -> None:
    """Without shares the least p of three looks would be below 5 % in 10 of 100."""
    random = np.random.default_rng(4)
    wrong = 0
    for logs in random.normal(np.log(1.2), 0.1, (ALONE, LOOKS[-1])):
        looks = [(look, threshold_tests(logs[:count], {"above": 1.2})) for look, count in enumerate(LOOKS, start=1)]
        wrong += least(looks).p_holds < 0.05
    assert wrong / ALONE <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / ALONE)


def test_all_looks_together_take_no_more_than_there_is() -> None:
    assert sum(share(look) for look in range(1, 60)) <= 1 + 1e-12


def test_the_simulation_looks_quantiles_up_that_the_product_works_out() -> None:
    for rounds, more in ((3, 0), (5, 1), (5, 95)):
        assert Quick(0.1, rounds).half_width(more) == pytest.approx(Scatter(0.1, rounds).half_width(more))
