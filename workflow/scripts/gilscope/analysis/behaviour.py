"""What labs saw, put against a claim: shares of trials, and ratios of what two cases observed in the same trial."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from gilscope.configuring.leaves import LabLeaf


class NothingSeen(Exception):
    """What a case needs was not observed; the text says what."""


def seen(observations: pd.DataFrame, lab: str, case: str, metric: str) -> pd.Series:
    """The values of one metric of one case, by trial. Raises NothingSeen where there are none."""
    rows = observations[(observations["lab"] == lab) & (observations["case"] == case)]
    if rows.empty:
        raise NothingSeen(case)
    rows = rows[rows["metric"] == metric]
    if rows.empty:
        raise NothingSeen(f"no trial of {case} told its {metric}")
    return rows.set_index("trial")["value"]


def lost_trials(gaps: Sequence[Mapping[str, Any]], leaf: LabLeaf) -> list[str]:
    """Why each trial of the case that gave no answer did not."""
    cases = (leaf.of, leaf.over)
    return [
        gap["reason"]
        for gap in gaps
        if gap.get("lab") == leaf.lab and gap["case"] in cases and gap["trial"] is not None
    ]


def share_of_trials(observations: pd.DataFrame, leaf: LabLeaf, lost: int) -> Found:
    """The share of trials in which something was so, exactly; a lost trial may have been either.

    Each test counts the lost trials as they would speak against it, and the interval spans both.
    """
    values = seen(observations, leaf.lab, leaf.of, leaf.observes)
    if not values.isin([0, 1]).all():
        raise NothingSeen(f"{leaf.observes} is not true or false in every trial of {leaf.of}")
    successes, trials = round(float(values.sum())), len(values) + lost
    least, most = share_interval(successes, trials), share_interval(successes + lost, trials)
    holds = leaf.holds.as_dict()
    few, many = share_tests(successes, trials, holds), share_tests(successes + lost, trials, holds)
    tests = Tests(max(few.p_holds, many.p_holds), max(few.p_fails, many.p_fails))
    return Found(successes / len(values), least[1], most[2], tests, f"{successes} of {len(values)} trials")


def share_of_events(observations: pd.DataFrame, leaf: LabLeaf, per: str) -> Found:
    """The share of events within trials (late ticks, long runs), with the wider of two intervals.

    Events of one trial may go together, so the interval is over trials; but trials that agree by luck know no more than
    their events, each for itself, would: never narrower than the exact one over all events.
    """
    events = seen(observations, leaf.lab, leaf.of, leaf.observes)
    wholes = seen(observations, leaf.lab, leaf.of, per).reindex(events.index)
    successes, count = round(float(events.sum())), round(float(wholes.sum()))
    if not count:
        raise NothingSeen(f"there were no {per.replace('_', ' ')} in {len(events)} trials of {leaf.of}")
    if len(events) < FEWEST_ROUNDS:
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
    ratios = (above / below).dropna().to_numpy(dtype=float)
    if not (ratios > 0).all():
        raise NothingSeen(f"{leaf.observes} is not above 0 in every trial")
    logs = np.log(ratios)
    found = interval(logs)
    if math.isnan(found.low):
        raise TooFewRounds(f"{len(logs)} have both values")
    tests = threshold_tests(logs, leaf.holds.as_dict())
    return Found(found.estimate, found.low, found.high, tests, f"{len(logs)} trials")


def answer(observations: pd.DataFrame, metric: str, leaf: LabLeaf, gaps: Sequence[Mapping[str, Any]]) -> Found:
    """What a lab says about one case, with the trials that gave no answer. Raises NothingSeen and TooFewRounds."""
    lost = lost_trials(gaps, leaf)
    if metric == "observed_ratio":
        found = observed_ratio(observations, leaf)
    elif leaf.per:
        found = share_of_events(observations, leaf, leaf.per)
    else:
        found = share_of_trials(observations, leaf, len(lost))
    return replace(found, counted=f"{found.counted}, {len(lost)} more gave no answer ({lost[0]})") if lost else found


def why_unseen(gaps: Sequence[Mapping[str, Any]], leaf: LabLeaf, missing: str, ran: bool) -> str:
    """Why a lab has no observations of a case: what it said itself, or that it was not part of the sweep."""
    for gap in gaps:
        if gap.get("lab") == leaf.lab and gap["case"] in (None, missing):
            return f"the lab {leaf.lab}, {gap['case'] or 'as a whole'}: {gap['reason']}"
    if missing not in (leaf.of, leaf.over):
        return f"the lab {leaf.lab}: {missing}"
    if ran:
        return f"the small form of the lab {leaf.lab} leaves out {missing}; set labs.descriptive to full"
    return f"this sweep does not run the lab {leaf.lab}; add it to labs.names"
