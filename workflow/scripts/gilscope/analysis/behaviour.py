"""What labs saw, put against a claim: shares of trials, and ratios of what two cases observed in the same trial."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gilscope.analysis.intervals import (
    FEWEST_ROUNDS,
    Found,
    Tests,
    TooFewRounds,
    interval,
    plain_interval,
    plain_tests,
    share_interval,
    share_tests,
    threshold_tests,
)
from gilscope.claims import LabLeaf


class NothingSeen(Exception):
    """A case of a lab has no observations."""


def seen(observations: pd.DataFrame, lab: str, case: str, metric: str) -> pd.Series:
    """The values of one metric of one case, by trial. Raises NothingSeen, naming the case, where there are none."""
    rows = observations[
        (observations["lab"] == lab) & (observations["case"] == case) & (observations["metric"] == metric)
    ]
    if rows.empty:
        raise NothingSeen(case)
    return rows.set_index("trial")["value"]


def share_of_trials(observations: pd.DataFrame, leaf: LabLeaf) -> Found:
    """The share of trials in which something was so; exact, since trials are independent."""
    values = seen(observations, leaf.lab, leaf.of, leaf.observes)
    successes, trials = round(float(values.sum())), len(values)
    estimate, low, high = share_interval(successes, trials)
    return Found(
        estimate, low, high, share_tests(successes, trials, leaf.holds.as_dict()), f"{successes} of {trials} trials"
    )


def share_of_events(observations: pd.DataFrame, leaf: LabLeaf, per: str) -> Found:
    """The share of events within trials (late ticks, long runs), with the wider of two intervals.

    Events of one trial may go together, so the interval is over trials; but trials that agree by luck know no more than
    their events, each for itself, would: never narrower than the exact one over all events.
    """
    events = seen(observations, leaf.lab, leaf.of, leaf.observes)
    wholes = seen(observations, leaf.lab, leaf.of, per).reindex(events.index)
    successes, count = round(float(events.sum())), round(float(wholes.sum()))
    if len(events) < FEWEST_ROUNDS or not count:
        raise TooFewRounds(f"there are {len(events)}")
    shares = (events / wholes.where(wholes > 0)).dropna().to_numpy()
    over_trials, exact = plain_interval(shares), share_interval(successes, count)
    first, second = plain_tests(shares, leaf.holds.as_dict()), share_tests(successes, count, leaf.holds.as_dict())
    return Found(
        exact[0],
        max(0.0, min(over_trials.low, exact[1])),
        min(1.0, max(over_trials.high, exact[2])),
        Tests(max(first.p_holds, second.p_holds), max(first.p_fails, second.p_fails)),
        f"{successes:,} of {count:,} {per.replace('_', ' ')} in {len(events)} trials",
    )


def observed_ratio(observations: pd.DataFrame, leaf: LabLeaf) -> Found:
    """What one case observed ÷ what another did, in the same trial; the geometric mean over trials."""
    assert leaf.over is not None
    above = seen(observations, leaf.lab, leaf.of, leaf.observes)
    below = seen(observations, leaf.lab, leaf.over, leaf.observes)
    logs = np.log((above / below).dropna().to_numpy(dtype=float))
    logs = logs[np.isfinite(logs)]
    found = interval(logs)
    if math.isnan(found.low):
        raise TooFewRounds(f"{len(logs)} have both values")
    tests = threshold_tests(logs, leaf.holds.as_dict())
    return Found(found.estimate, found.low, found.high, tests, f"{len(logs)} trials")


def answer(observations: pd.DataFrame, metric: str, leaf: LabLeaf) -> Found:
    """What a lab says about one case. Raises NothingSeen and TooFewRounds."""
    if metric == "observed_ratio":
        return observed_ratio(observations, leaf)
    return share_of_events(observations, leaf, leaf.per) if leaf.per else share_of_trials(observations, leaf)


def why_unseen(gaps: Sequence[Mapping[str, Any]], lab: str, case: str) -> str:
    """Why a lab has no observations of a case: what it said itself, or that it was not part of the sweep."""
    for gap in gaps:
        if gap.get("lab") == lab and gap["case"] in (None, case):
            return f"the lab {lab}, {gap['case'] or 'as a whole'}: {gap['reason']}"
    return f"this sweep does not run the lab {lab}; the default one does"


def lost_trials(gaps: Sequence[Mapping[str, Any]], leaf: LabLeaf) -> str:
    """How many trials of the cases gave no answer, and why the first did not; nothing where all did."""
    lost = [gap for gap in gaps if gap.get("lab") == leaf.lab and gap["case"] in (leaf.of, leaf.over)]
    counted = [gap for gap in lost if gap["trial"] is not None]
    return f"{len(counted)} more gave no answer ({counted[0]['reason']})" if counted else ""
