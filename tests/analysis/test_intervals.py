import math

import numpy as np
import pytest
from gilscope.analysis.intervals import (
    TooFewRounds,
    bootstrap_interval,
    centre,
    difference_interval,
    difference_tests,
    false_discovery_rate,
    interval,
    plain_interval,
    share_interval,
    share_tests,
    threshold_tests,
)
from scipy import stats

RANDOM = np.random.default_rng(7)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for _ in range(2000):
        found = interval(RANDOM.normal(math.log(1.8), 0.05, 5))
        covered += found.low <= 1.8 <= found.high
    assert 0.93 <= covered / 2000 <= 0.97


def test_the_interval_is_the_textbook_one() -> None:
    found = interval(np.log([1.9, 2.0, 2.1]))
    mean, error = np.log([1.9, 2.0, 2.1]).mean(), np.log([1.9, 2.0, 2.1]).std(ddof=1) / math.sqrt(3)
    assert found.estimate == pytest.approx(math.exp(mean))
    assert found.high == pytest.approx(math.exp(mean + 4.302652729696 * error))
    assert found.half_width == pytest.approx(math.exp(4.302652729696 * error) - 1)


def test_fewer_than_three_rounds_give_no_interval_and_no_test() -> None:
    found = interval(np.log([2.0, 2.1]))
    assert math.isnan(found.low)
    assert found.rounds == 2
    with pytest.raises(TooFewRounds):
        threshold_tests(np.log([2.0, 2.1]), {"above": 1.0})
    with pytest.raises(TooFewRounds):
        interval(np.array([]))


@pytest.mark.parametrize(
    ("holds", "truth", "confirmed"),
    [
        ({"above": 1.2}, 1.3, True),
        ({"above": 1.2}, 1.1, False),
        ({"below": 1.15}, 1.0, True),
        ({"below": 1.15}, 1.4, False),
        ({"within": [0.9, 1.1]}, 1.0, True),
        ({"within": [0.9, 1.1]}, 1.3, False),
        ({"within": [0.9, 1.1]}, 0.7, False),
    ],
)
def test_a_clear_effect_is_decided_and_the_other_way_is_not(holds: dict, truth: float, confirmed: bool) -> None:
    tests = threshold_tests(np.log(truth) + np.array([-0.01, 0.0, 0.005, 0.01, -0.005]), holds)
    assert (tests.p_holds < 0.001) is confirmed
    assert (tests.p_fails < 0.001) is not confirmed


@pytest.mark.parametrize("holds", [{"above": 1.2}, {"below": 1.2}, {"within": [1.2, 1.5]}])
def test_on_the_threshold_itself_five_per_cent_are_decided(holds: dict) -> None:
    decided = sum(threshold_tests(RANDOM.normal(math.log(1.2), 0.01, 5), holds).p_holds < 0.05 for _ in range(2000))
    assert 0.035 <= decided / 2000 <= 0.065


def unequal(truth: float) -> tuple[np.ndarray, np.ndarray]:
    """Two samples of different size and spread, the ratio of whose means is known."""
    return RANDOM.normal(math.log(truth), 0.01, 4), RANDOM.normal(0.0, 0.06, 6)


def test_welchs_interval_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for _ in range(3000):
        found = difference_interval(*unequal(1.8))
        covered += found.low <= 1.8 <= found.high
    assert 0.935 <= covered / 3000 <= 0.965


@pytest.mark.parametrize("holds", [{"above": 1.3}, {"below": 1.3}])
def test_on_the_threshold_welchs_test_decides_five_per_cent_either_way(holds: dict) -> None:
    tests = [difference_tests(*unequal(1.3), holds) for _ in range(3000)]
    assert 0.035 <= sum(one.p_holds < 0.05 for one in tests) / 3000 <= 0.065
    assert 0.035 <= sum(one.p_fails < 0.05 for one in tests) / 3000 <= 0.065


def test_welchs_interval_and_test_are_scipys() -> None:
    first, second = unequal(1.8)
    told = stats.ttest_ind(first, second, equal_var=False)
    low, high = np.exp(list(told.confidence_interval(0.95)))
    found = difference_interval(first, second)
    assert (found.low, found.high, found.rounds) == (pytest.approx(low), pytest.approx(high), 4)
    above = stats.ttest_ind(first - math.log(1.7), second, equal_var=False, alternative="greater")
    assert difference_tests(first, second, {"above": 1.7}).p_holds == pytest.approx(above.pvalue)


def test_fewer_than_three_rounds_of_either_give_no_difference() -> None:
    assert math.isnan(difference_interval(np.log([2.0, 2.1, 2.0]), np.log([1.0, 1.1])).low)
    with pytest.raises(TooFewRounds):
        difference_tests(np.log([2.0, 2.1, 2.0]), np.log([1.0, 1.1]), {"above": 1})
    with pytest.raises(TooFewRounds):
        difference_interval(np.array([]), np.log([1.0, 1.1]))
    assert difference_tests(np.zeros(3), np.ones(3), {"below": 1.0}).p_holds < 1e-6, (
        "equal rounds do not divide by zero"
    )


@pytest.mark.parametrize("truth", [0.85, 0.89, 1.0, 1.12])
def test_within_fails_by_twice_the_smaller_chance_of_leaving_on_either_side(truth: float) -> None:
    logs = np.log(truth) + np.array([-0.02, 0.0, 0.01, 0.02, -0.01])
    sides = [threshold_tests(logs, holds).p_holds for holds in ({"below": 0.9}, {"above": 1.1})]
    assert threshold_tests(logs, {"within": [0.9, 1.1]}).p_fails == pytest.approx(min(1, 2 * min(sides)))


def test_equal_rounds_do_not_divide_by_zero() -> None:
    assert threshold_tests(np.log([2.0, 2.0, 2.0]), {"above": 1.5}).p_holds < 1e-6


def test_the_centre_resists_a_core_that_changes_its_speed() -> None:
    laps = np.array([0.0, 0.01, -0.01, 0.005, -0.005, 0.53])
    assert abs(centre(laps)) < 0.01 < abs(laps.mean())
    assert centre(np.array([3.0])) == 3.0


def test_false_discovery_rate_is_benjamini_and_hochbergs() -> None:
    assert false_discovery_rate([0.01, 0.02, 0.03, 0.5]) == pytest.approx([0.04, 0.04, 0.04, 0.5])
    assert false_discovery_rate([]) == []


def test_a_quantity_that_is_no_ratio_keeps_its_scale() -> None:
    found = plain_interval(np.array([-1.0, 0.0, 1.0]))
    assert (found.estimate, found.low) == (0.0, pytest.approx(-found.high))
    assert math.isnan(plain_interval(np.array([1.0, 2.0])).low)


def test_shares_have_exact_intervals() -> None:
    assert share_interval(0, 20) == pytest.approx((0.0, 0.0, 1 - 0.025 ** (1 / 20)))
    assert share_interval(110, 110)[1] > 0.95, "enough trials to confirm above 0.95"
    assert share_interval(71, 71)[1] < 0.95 < share_interval(72, 72)[1], "72 of 72 are the fewest"


@pytest.mark.parametrize(
    ("successes", "trials", "holds", "decided"),
    [
        (110, 110, {"above": 0.95}, "holds"),
        (90, 110, {"above": 0.95}, "fails"),
        (107, 110, {"above": 0.95}, ""),
        (0, 110, {"below": 0.05}, "holds"),
        (20, 110, {"below": 0.05}, "fails"),
    ],
)
def test_shares_are_tested_exactly(successes: int, trials: int, holds: dict, decided: str) -> None:
    tests = share_tests(successes, trials, holds)
    assert (tests.p_holds < 0.05) is (decided == "holds")
    assert (tests.p_fails < 0.05) is (decided == "fails")


def test_the_bootstrap_covers_a_percentile_that_has_no_closed_form() -> None:
    def upper_quartile(values: np.ndarray, axis: int) -> np.ndarray:
        return np.percentile(values, 75, axis=axis)

    truth, covered = math.log(4), 0
    for seed in range(100):
        _, low, high = bootstrap_interval(
            upper_quartile, np.random.default_rng(seed).exponential(size=60), resamples=999
        )
        covered += low <= truth <= high
    assert covered >= 86
