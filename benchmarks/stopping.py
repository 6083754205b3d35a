"""A run that stops where it has decided: are its intervals and verdicts as good as their word, and a naive run's?

    python benchmarks/stopping.py      simulated, so it needs no quiet machine

Sweeps of 60 cases in 32 blocks, four of which have 24 of them; rounds scatter by 2 to 30 %. 16 of the truths lie at
their thresholds, where any verdict is false, 16 from 2 to 10 % from them, 28 farther. Every block gets 7 rounds, then
what is open gets more, for 50 % of what those took; after that once more, for 100 %. Which cases are open, who gets how
many rounds, the tests and the verdicts are what the product says. Of the naive ways one tests at 5 % after every stage;
the other also wants each interval as narrow as its estimate is far from the threshold.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow/scripts"), str(ROOT / "tests"), str(ROOT / "tests/doubles")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from stopped import OURS, PILOT, Rule, Sweep, TwoSpeeds, heavy, normal, sharper, summary  # noqa: E402

RULES = {"ours": OURS, "no shares": Rule(shares=False), "no shares, by distance": Rule(shares=False, by_distance=True)}
NOISES = {
    "normal": lambda: normal,
    "later rounds scatter by 2/3": lambda: sharper,
    "Student's t, 3 degrees of freedom": lambda: heavy,
    "two speeds, disturbed rounds": TwoSpeeds,
}
COLUMNS = {
    "rounds": "rounds",
    "coverage": "covered",
    "closed": "stopped",
    "longer": "went on",
    "single": "one test",
    "discovery": "FDR",
    "near decided": "near decided",
}


def outcomes(noise: object, sweeps: int) -> dict[str, list[pd.DataFrame]]:
    """What became of so many sweeps, for each way to go about them."""
    found = defaultdict(list)
    for number in range(sweeps):
        sweep = Sweep(np.random.default_rng([1, number]), noise)
        for rounds in (PILOT, PILOT + 1):
            fixed = [np.full(len(sweep.truths), rounds)]
            found[f"{rounds} rounds for all"].append(sweep.outcome(fixed, OURS))
        for name, rule in RULES.items():
            looks = sweep.run(rule)
            for stage in (2, 3):
                found[f"{name}, stage {stage}"].append(sweep.outcome(looks[:stage], rule))
    return found


def table(noise: object, sweeps: int) -> str:
    rows = [f"| | {' | '.join(COLUMNS.values())} |", f"|{'---|' * (len(COLUMNS) + 1)}"]
    for name, found in outcomes(noise, sweeps).items():
        told = summary(found)
        cells = [f"{told['rounds']:.1f}", *(percent(told[column]) for column in [*COLUMNS][1:])]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.1%}".replace("%", " %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", type=int, default=500, help="of each kind of noise (default 500)")
    sweeps = parser.parse_args().sweeps
    for name, make in NOISES.items():
        print(f"{name}, {sweeps} sweeps\n\n{table(make(), sweeps)}\n", flush=True)


if __name__ == "__main__":
    main()
