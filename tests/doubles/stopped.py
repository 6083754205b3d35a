"""Sweeps whose truth is known, measured in stages: what is open after a stage gets more rounds, as in the product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from gilscope.analysis.allocating import MOST_ROUNDS, allocate
from gilscope.analysis.costs import Costs
from gilscope.analysis.estimates import centres, paired
from gilscope.analysis.intervals import CONFIDENCE, Spread, Tests, spread, threshold_tests
from gilscope.analysis.looks import least
from gilscope.analysis.pronouncing import SIGNIFICANCE, decide
from gilscope.analysis.tables import CELL
from gilscope.analysis.wants import Scatter, Want, asked_for
from gilscope.configuring.claims import Holds
from gilscope.running.cells import SEQUENTIAL, Block
from scipy import stats
from simulated import simulate

PILOT = 7
BUDGETS = (0.5, 1.0)
"""What the second and the third stage may take, in units of what the first one took."""
CASES = (9, 6, 5, 4, *[2] * 8, *[1] * 20)
"""How many cases a block has, each about a cell of its own: a few blocks have many, as in the default sweep."""
LEAST_SCATTER, MOST_SCATTER = 0.02, 0.3
HOLDS = [Holds(above=1.2), Holds(above=1.5), Holds(below=1.1), Holds(below=0.9), Holds(within=(0.8, 1.25))]
AT, NEAR, FAR = 16, 16, 28
"""How many of the cases have their truth at the threshold, 2 to 10 % from it, and 20 % to three times from it."""
QUANTILES = stats.t.ppf((1 + CONFIDENCE) / 2, np.arange(1, MOST_ROUNDS + 1))


@dataclass(frozen=True)
class Rule:
    """How a run stops. shares: each look pays. by_distance: who gets rounds depends on the estimates."""

    shares: bool = True
    by_distance: bool = False


OURS = Rule()


class Quick(Scatter):
    """The same, with the quantiles looked up: thousands of sweeps ask for each of them thousands of times."""

    def half_width(self, more: int = 0) -> float:
        count = self.rounds + more
        return float(QUANTILES[count - 2]) * self.deviation / float(np.sqrt(count))


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.normal(size=shape)


def heavy(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Student's t with 3 degrees of freedom, of standard deviation 1."""
    return random.standard_t(3, size=shape) / np.sqrt(3)


def sharper(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal; later rounds, of fewer cells and so of more laps, scatter by two thirds."""
    return random.normal(size=shape) * np.where(np.arange(shape[-1]) < PILOT, 1, 2 / 3)


class TwoSpeeds:
    """Rounds of three laps on the simulated machine of two speeds, one round in ten disturbed; standard deviation 1."""

    def __init__(self) -> None:
        timings = simulate({"threading-2": 1.0}, sweeps=2000, laps=3, scatter=0.03, drift=0.1, disturbed=0.1)
        logs = centres(paired(timings), "log_ratio", [*CELL, "round"]).xs("threading", level="strategy").to_numpy()
        self.known = (logs - logs.mean()) / logs.std()

    def __call__(self, random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return random.choice(self.known, size=shape)


def bound_of(holds: Holds) -> float:
    """The threshold that a case's truth is placed beside; of two, the upper one."""
    found = holds.within[1] if holds.within else holds.above or holds.below
    assert found is not None
    return float(np.log(found))


def right_verdict(holds: Holds, truth: float, at: bool) -> str:
    """The only verdict that is not false; none is where the truth lies at the threshold."""
    if at:
        return "inconclusive"
    if holds.within:
        return "confirmed" if np.log(holds.within[0]) < truth < np.log(holds.within[1]) else "refuted"
    return "confirmed" if (truth > bound_of(holds)) == (holds.above is not None) else "refuted"


@dataclass
class Sweep:
    """One sweep. noise: draws round centres of standard deviation 1, shape (..., rounds)."""

    random: np.random.Generator
    noise: Any = normal
    blocks: dict[str, Block] = field(init=False)
    known: dict[tuple[int, int], tuple[Spread, Tests]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        random, cases = self.random, sum(CASES)
        blocks = [
            Block(
                "cp311", f"block_{one}", "large", 1, 8, tuple(f"threading-{2 + cell}" for cell in range(count)), 1.0, 1
            )
            for one, count in enumerate(CASES)
        ]
        self.blocks = {block.path: block for block in blocks}
        self.places = [(block.path, cell) for block in blocks for cell in block.cells]
        seconds = np.exp(random.uniform(np.log(0.02), np.log(0.3), len(CASES)))
        values = {
            (block.path, cell): float(one)
            for block, one in zip(blocks, seconds, strict=True)
            for cell in (*block.cells, SEQUENTIAL.name)
        }
        self.costs = Costs(values, dict.fromkeys(self.blocks, 0.5))
        self.holds = [HOLDS[one] for one in random.integers(len(HOLDS), size=cases)]
        self.place_truths()
        scatter = np.exp(random.uniform(np.log(LEAST_SCATTER), np.log(MOST_SCATTER), len(CASES))).repeat(CASES)
        shared = self.noise(random, (len(CASES), MOST_ROUNDS)).repeat(CASES, axis=0)
        own = self.noise(random, (cases, MOST_ROUNDS))
        self.logs = self.truths[:, None] + scatter[:, None] * (shared + own) / np.sqrt(2)

    def place_truths(self) -> None:
        """Far, near and at the thresholds, on either side."""
        random = self.random
        kinds = random.permutation(np.repeat([0, 1, 2], [AT, NEAR, FAR]))
        distance = np.select(
            [kinds == 0, kinds == 1],
            [0.0, random.uniform(0.02, 0.1, len(kinds))],
            random.uniform(0.2, 1.1, len(kinds)),
        ) * random.choice([-1, 1], len(kinds))
        within = np.array([holds.within is not None for holds in self.holds])
        distance = np.where(within, np.maximum(distance, -np.log(1.25)), distance)
        self.truths = np.array([bound_of(holds) for holds in self.holds]) + distance
        self.at, self.near = kinds == 0, kinds == 1
        self.right = np.array([right_verdict(*one) for one in zip(self.holds, self.truths, self.at, strict=True)])

    def seen(self, case: int, count: int) -> tuple[Spread, Tests]:
        """A case after so many rounds."""
        if (case, count) not in self.known:
            logs = self.logs[case, :count]
            self.known[case, count] = spread(logs), threshold_tests(logs, self.holds[case].as_dict())
        return self.known[case, count]

    def tests(self, case: int, counts: Sequence[int], rule: Rule, ended: bool) -> Tests:
        """counts: the case's rounds at each look."""
        if not rule.shares or (ended and len(counts) == 1):
            return self.seen(case, counts[-1])[1]
        return least([(look, self.seen(case, count)[1]) for look, count in enumerate(counts, start=1)])

    def judge(self, looks: Sequence[np.ndarray], rule: Rule, ended: bool) -> list[dict[str, Any]]:
        """The cases, decided as one family. looks: shape (cases,) each, the rounds of each case at that look."""
        cases = []
        for case in range(len(self.truths)):
            tests = self.tests(case, [int(look[case]) for look in looks], rule, ended)
            own = {"q_holds": tests.p_holds, "q_fails": tests.p_fails, "p_holds": tests.p_holds}
            cases.append(own | {"p_fails": tests.p_fails, "verdict": "inconclusive", "reason": ""})
        decide(cases)
        return cases

    def want(self, case: int, count: int, rule: Rule) -> Want:
        path, cell = self.places[case]
        scatter = Quick(float(np.std(self.logs[case, :count], ddof=1)), count)
        allowed = asked_for(self.holds[case])
        if rule.by_distance:
            mean = self.seen(case, count)[0].mean
            bounds = self.holds[case].within or (np.exp(bound_of(self.holds[case])),)
            allowed = max(1e-3, min(abs(mean - float(np.log(bound))) for bound in bounds))
        return Want("claim", str(case), "cp311", {path: (cell,)}, scatter, allowed)

    def more(self, looks: Sequence[np.ndarray], rule: Rule, budget_s: float) -> np.ndarray:
        """The rounds of each case after the stage that follows these looks."""
        counts = looks[-1]
        judged = self.judge(looks, rule, ended=False)
        open_cases = [case for case, one in enumerate(judged) if one["verdict"] == "inconclusive"]
        wants = [self.want(case, int(counts[case]), rule) for case in open_cases]
        have = {path: int(max(counts[[place[0] == path for place in self.places]])) for path in self.blocks}
        given = {
            one.block.path: (one.rounds, one.cells) for one in allocate(wants, self.blocks, self.costs, have, budget_s)
        }
        added = np.zeros_like(counts)
        for case, (path, cell) in enumerate(self.places):
            rounds, cells = given.get(path, (0, {}))
            added[case] = rounds if cell in cells else 0
        return counts + added

    def run(self, rule: Rule) -> list[np.ndarray]:
        """The rounds of each case at each look, as the stages of a run give them."""
        pilot = PILOT * sum(self.costs.round(block, block.cells) for block in self.blocks.values())
        looks = [np.full(len(self.truths), PILOT)]
        for budget in BUDGETS:
            looks.append(self.more(looks, rule, budget * pilot))
        return looks

    def outcome(self, looks: Sequence[np.ndarray], rule: Rule) -> pd.DataFrame:
        """A row per case of a run that has ended with the last look."""
        cases = self.judge(looks, rule, ended=True)
        spreads = [self.seen(case, int(count))[0] for case, count in enumerate(looks[-1])]
        error = np.array([one.error for one in spreads])
        off = np.abs(np.array([one.mean for one in spreads]) - self.truths)
        return pd.DataFrame(
            {
                "rounds": looks[-1],
                "more": looks[-1] > PILOT,
                "at": self.at,
                "near": self.near,
                "covered": off <= QUANTILES[looks[-1] - 2] * error,
                "decided": [case["verdict"] != "inconclusive" for case in cases],
                "false": [
                    case["verdict"] not in ("inconclusive", right)
                    for case, right in zip(cases, self.right, strict=True)
                ],
                "p_holds": [case["p_holds"] for case in cases],
                "p_fails": [case["p_fails"] for case in cases],
            }
        )


def summary(outcomes: Sequence[pd.DataFrame]) -> Mapping[str, float]:
    """Of many sweeps that went the same way.

    single: how often one test alone, whose threshold is the truth, has p below 5 %. false: verdicts, of all verdicts.
    discovery: the false discovery rate, the mean over sweeps of the share of their verdicts that are false.
    """
    table = pd.concat(outcomes, keys=range(len(outcomes)), names=["sweep"])
    sweeps = table.groupby("sweep")[["decided", "false"]].sum()
    at = table[table["at"]]
    return {
        "rounds": table["rounds"].mean(),
        "coverage": table["covered"].mean(),
        "closed": table.loc[~table["more"], "covered"].mean(),
        "longer": table.loc[table["more"], "covered"].mean(),
        "single": max((at["p_holds"] < SIGNIFICANCE).mean(), (at["p_fails"] < SIGNIFICANCE).mean()),
        "false": table["false"].sum() / max(1, table["decided"].sum()),
        "discovery": (sweeps["false"] / sweeps["decided"].clip(lower=1)).mean(),
        "near decided": table.loc[table["near"], "decided"].mean(),
        "all decided": table["decided"].mean(),
    }
