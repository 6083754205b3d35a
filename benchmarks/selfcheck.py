"""A/A on this machine: does 95 % of the product's intervals for sequential against itself hold 1?

    python benchmarks/selfcheck.py [FILE.jsonl] [--repetitions 200] [--seconds 0.5]     some 15 minutes

A repetition is five rounds, new processes that take the product's laps over ``sequential-1``, ``threading-2`` and
``multiprocessing-2`` of the summing of squares at its size large; its intervals are those that the product estimates.
Twenty repetitions take turns, round 1 of all before round 2 of any, as blocks do in a sweep. Go on with the same
command after a stop.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from own_rounds import CELLS, REFERENCE, ROOT, block_of, speedups, take_round
from pairing import append, kept, middle, share_of

ROUNDS = 5
TOGETHER = 20


def plan(repetitions: int) -> Iterator[tuple[int, int]]:
    """(repetition, round) of every process, in the order in which they start."""
    for first in range(1, repetitions + 1, TOGETHER):
        for number in range(1, ROUNDS + 1):
            for repetition in range(first, min(first + TOGETHER, repetitions + 1)):
                yield repetition, number


def measure(path: Path, repetitions: int, task: dict[str, Any], seconds: float) -> list[dict[str, Any]]:
    """Append what is not yet measured; returns all rows. Ends where the file holds rounds of another kind."""
    from gilscope.running.hidden import turn_off_hidden_threads
    from gilscope.running.lock import machine_lock

    turn_off_hidden_threads()
    block = block_of("large", **task)
    kind = {"block": block.to_json(), "seconds": seconds}
    rows = kept(path)
    if any({name: row[name] for name in kind} != kind for row in rows):
        sys.exit(f"{path.name} holds rounds of other values, or of another length; give another file.")
    done = {(row["repetition"], row["round"]) for row in rows}
    with machine_lock():
        for repetition, number in plan(repetitions):
            if (repetition, number) in done:
                continue
            values = take_round(block, seconds, f"{repetition}/{number}")
            rows.append({"repetition": repetition, "round": number, **kind, "values": values})
            append(path, rows[-1])
            print(f"{len(rows)} of {repetitions * ROUNDS}", file=sys.stderr)
    return [row for row in rows if row["repetition"] <= repetitions]


def report(rows: list[dict[str, Any]], task: dict[str, Any]) -> None:
    """How many A/A intervals hold 1, how many should in 99 of 100 such checks, and how wide the intervals are."""
    import numpy as np
    from scipy import stats

    rounds = {(str(row["repetition"]), row["round"]): row["values"] for row in rows}
    table = speedups(rounds, block_of("large", **task))
    half = np.sqrt(table["high"] / table["low"]) - 1
    twins = table[table["cell"] == REFERENCE]
    covered = int(((twins["low"] <= 1) & (twins["high"] >= 1)).sum())
    low, high = (int(bound) for bound in stats.binom.interval(0.99, len(twins), 0.95))
    print(f"A/A intervals that hold 1: {share_of(covered, len(twins))}; {low} to {high} expected")
    centre = np.log(twins["estimate"])
    error = centre.std() / np.sqrt(len(centre)) if len(centre) > 1 else np.nan
    print(f"their mean: {np.exp(centre.mean()):.4f} ± {1.96 * error:.4f}")
    for cell in (REFERENCE, *CELLS):
        print(f"median half-width, {cell}: {middle(half[table['cell'] == cell])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=ROOT / "benchmarks/selfcheck.jsonl")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each round takes laps")
    parser.add_argument("--steps", type=int, help="other than those of the size large")
    parser.add_argument("--tasks", type=int, help="of a value, other than a sweep of these cells has")
    arguments = parser.parse_args()
    task = {"steps": arguments.steps, "tasks": arguments.tasks}
    report(measure(arguments.file, arguments.repetitions, task, arguments.seconds), task)


if __name__ == "__main__":
    main()
