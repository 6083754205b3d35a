"""A machine that slows down during the sweep: what the paired estimate makes of it, and what an unpaired one would.

    python benchmarks/drift.py         simulated, so it needs no quiet machine

The machine has two speeds 1.7 × apart and becomes slower by 30 % from the first value to the last; a cell that is
1.5 × as fast as sequential is measured in laps. Unpaired: the mean time of sequential values over the mean time of the
cell's, each measured in one stretch, as a benchmark runner would.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow/scripts"), str(ROOT / "tests"), str(ROOT / "tests/doubles")]

import numpy as np  # noqa: E402
from gilscope.analysis.estimates import centres, paired  # noqa: E402
from gilscope.analysis.tables import CELL  # noqa: E402
from simulated import simulate, stretches  # noqa: E402

TRUTH = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", type=int, default=400)
    sweeps = parser.parse_args().sweeps
    print(f"median over {sweeps} simulated sweeps of estimate / truth - 1")
    print(f"{'slow-down':>10} {'paired in laps':>16} {'in stretches':>14}")
    for drift in (0.0, 0.1, 0.3, 0.5):
        table = simulate({"threading-2": TRUTH}, sweeps=sweeps, drift=drift)
        logs = centres(paired(table), "log_ratio", [*CELL, "round"]).xs("threading", level="strategy")
        ours = np.exp(logs.groupby(level="workload").mean()) / TRUTH - 1
        theirs = stretches({"threading-2": TRUTH}, sweeps=sweeps, drift=drift)["threading-2"] / TRUTH - 1
        print(f"{drift:>10.0%} {np.median(ours):>+15.2%} {np.median(theirs):>+14.2%}")


if __name__ == "__main__":
    main()
