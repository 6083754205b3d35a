"""How long until the speedups of 2 threads and of 2 processes are known to ±3 %, and is the answer right? Three ways.

    python benchmarks/precision.py [--cap 180] [--truth 120]     some 13 minutes

ours      laps over all cells, round after round, each a new process; five rounds at least
pyperf    its runner with its defaults (20 processes of 1 warm-up and 3 values), one strategy after the other, and the
          whole sequence again until it is enough; the interval takes processes, not values, for independent
hyperfine three scripts as in the talk, 10 runs of each, one script after the other, and the whole sequence again

Each sums squares with cold workers: ours and pyperf the product's size large, hyperfine's scripts the talk's 4 tasks,
and with them the start of the interpreter. A way ends where both speedups are known, or begins nothing new after its
cap. The reference, a long run of ours, comes at the end: for the talk's tasks it is taken apart.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from own_rounds import CELLS, REFERENCE, WORKLOAD, block_of, speedups, take_round

FEWEST_ROUNDS = 5
RUNS = 10
SCRIPT = """
def add_squares(steps):
    total = 0
    for i in range(steps):
        total += i * i
    return total


if __name__ == "__main__":
    work = [{steps}] * 4
"""
SPREAD = """
    from concurrent.futures import {executor}

    with {executor}(max_workers=2) as pool:
        answers = list(pool.map(add_squares, work))
"""
SCRIPTS = {
    REFERENCE: "    answers = [add_squares(steps) for steps in work]\n",
    "threading-2": SPREAD.format(executor="ThreadPoolExecutor"),
    "multiprocessing-2": SPREAD.format(executor="ProcessPoolExecutor"),
}


@dataclass(frozen=True)
class Known:
    """A speedup as a way knew it after so many seconds, and whether that was enough."""

    seconds: float
    interval: Any
    enough: bool


def known(began: float, interval: Any, target: float) -> Known:
    return Known(time.perf_counter() - began, interval, bool(interval.half_width <= target))


def ours(block: Any, round_seconds: float, enough: Callable[[dict[str, Known], float], bool], target: float) -> Any:
    """Cell → what is known, and when, from rounds that are taken until it is enough."""
    found: dict[str, Known] = {}
    rounds: dict[tuple[str, int], Any] = {}
    began = time.perf_counter()
    while not enough(found, began):
        rounds["here", len(rounds) + 1] = take_round(block, round_seconds, f"precision/{len(rounds) + 1}")
        if len(rounds) < FEWEST_ROUNDS:
            continue
        for cell, interval in intervals(rounds, block).items():
            if cell not in found or not found[cell].enough:
                found[cell] = known(began, interval, target)
    return found


def intervals(rounds: Any, block: Any) -> dict[str, Any]:
    """Cell → the speedup that the product estimates from these rounds."""
    from gilscope.analysis.intervals import Interval

    table = speedups(rounds, block).set_index("cell")
    return {cell: Interval(*table.loc[cell, ["estimate", "low", "high", "rounds"]]) for cell in CELLS}


def in_stretches(
    take: Callable[[str], Sequence[float]], enough: Callable[[dict[str, Known], float], bool], target: float
) -> dict[str, Known]:
    """The same from one strategy after the other, sequential first, in whole sequences. take: seconds of a stretch."""
    found: dict[str, Known] = {}
    seconds: dict[str, list[float]] = {name: [] for name in (REFERENCE, *CELLS)}
    began = time.perf_counter()
    while not enough(found, began):
        for name, taken in seconds.items():
            taken.extend(take(name))
            if name != REFERENCE and not (name in found and found[name].enough):
                found[name] = known(began, ratio_of_means(seconds[REFERENCE], taken), target)
    return found


def ratio_of_means(base: Sequence[float], own: Sequence[float]) -> Any:
    """Mean ÷ mean of two samples of independent seconds, with an interval on the logarithmic scale (delta method)."""
    import math

    import numpy as np
    from gilscope.analysis.intervals import Interval, Spread, spread

    parts = [spread(np.asarray(values)) for values in (base, own)]
    variances = [(part.error / part.mean) ** 2 for part in parts]
    freedom = sum(variances) ** 2 / sum(one**2 / part.freedom for one, part in zip(variances, parts, strict=True))
    logs = Spread(math.log(parts[0].mean / parts[1].mean), math.sqrt(sum(variances)), freedom)
    found = logs.interval(min(len(base), len(own)), 0.95)
    return Interval(*(math.exp(bound) for bound in (found.estimate, found.low, found.high)), found.rounds)


def with_pyperf(block: Any, options: str, folder: Path) -> Callable[[str], list[float]]:
    """What a stretch of pyperf's runner gives for a strategy: the mean of each process."""
    import pyperf

    def take(name: str) -> list[float]:
        file = folder / "pyperf.json"
        file.unlink(missing_ok=True)
        command = [sys.executable, __file__, "pyperf", name, block.to_json(), *shlex.split(options)]
        subprocess.run([*command, "--quiet", "--output", str(file)], check=True, stdout=subprocess.DEVNULL)
        runs = pyperf.Benchmark.load(str(file)).get_runs()
        return [sum(run.values) / len(run.values) for run in runs if run.values]

    return take


def run_pyperf(name: str, block_json: str, options: list[str]) -> None:
    """pyperf's runner on one strategy; its worker processes come here too."""
    import pyperf
    from gilscope.running.cells import Block, Cell
    from gilscope.strategies import load_strategies
    from gilscope.workloads import load_workload

    block, cell = Block.from_json(block_json), Cell.parse(name)
    function, strategy = load_workload(WORKLOAD).function, load_strategies()[cell.strategy]
    items = [block.parameter] * block.tasks

    def value() -> list[Any]:
        with strategy.open(cell.workers) as spread:
            return list(spread(function, items))

    runner = pyperf.Runner(program_args=(__file__, "pyperf", name, block_json))
    runner.parse_args(options)
    runner.bench_func(name, value)


def with_hyperfine(steps: int, runs: int, folder: Path) -> Callable[[str], list[float]]:
    """What so many runs of a strategy's script take, as hyperfine tells."""
    for name, content in SCRIPTS.items():
        (folder / f"{name}.py").write_text(SCRIPT.format(steps=steps) + content, encoding="utf-8")

    def take(name: str) -> list[float]:
        file, script = folder / "hyperfine.json", folder / f"{name}.py"
        command = ["hyperfine", "--shell=none", "--style=none", "--runs", str(runs), "--export-json", str(file)]
        said = subprocess.run([*command, shlex.join([sys.executable, str(script)])], check=False, capture_output=True)
        if said.returncode:
            sys.exit(f"hyperfine failed: {said.stderr.decode(errors='replace').strip()}")
        return json.loads(file.read_text(encoding="utf-8"))["results"][0]["times"]

    return take


def truth(block: Any, seconds: float, round_seconds: float) -> dict[str, Any]:
    """Cell → the speedup that rounds with so many seconds in laps give."""
    count = max(FEWEST_ROUNDS, round(seconds / round_seconds))
    taken = {("here", number): take_round(block, round_seconds, f"truth/{number}") for number in range(1, count + 1)}
    return intervals(taken, block)


def report(ways: dict[str, dict[str, Known]], references: dict[str, dict[str, Any]], target: float, cap: float) -> None:
    """Print what each way knew, when, and whether its interval holds the reference. references: by way."""
    print(
        f"| way | speedup | seconds to ±{100 * target:g} % | found | reference | holds it |\n|---|---|---|---|---|---|"
    )
    for way, found in ways.items():
        for cell, one in found.items():
            took = f"{one.seconds:.0f}" if one.enough else f"> {cap:g}, reached ±{100 * one.interval.half_width:.1f} %"
            right = references[way][cell]
            holds = "yes" if one.interval.low <= right.estimate <= one.interval.high else "no"
            print(f"| {way} | {cell} | {took} | {shown(one.interval)} | {shown(right)} | {holds} |")


def shown(interval: Any) -> str:
    return f"{interval.estimate:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def measure(arguments: argparse.Namespace, folder: Path) -> None:
    """Go the three ways, then measure the references; print all."""
    large = block_of("large", arguments.steps, arguments.tasks)
    deck = block_of("deck", arguments.steps)
    target = arguments.target / 100

    def enough(found: dict[str, Known], began: float) -> bool:
        all_known = len(found) == len(CELLS) and all(one.enough for one in found.values())
        return all_known or (len(found) == len(CELLS) and time.perf_counter() - began > arguments.cap)

    ways = {"ours": ours(large, arguments.round_seconds, enough, target)}
    ways["pyperf"] = in_stretches(with_pyperf(large, arguments.pyperf, folder), enough, target)
    if shutil.which("hyperfine"):
        scripts = with_hyperfine(deck.parameter, arguments.runs, folder)
        ways["hyperfine"] = in_stretches(scripts, enough, target)
    references = dict.fromkeys(("ours", "pyperf"), truth(large, arguments.truth, arguments.round_seconds))
    if "hyperfine" in ways:
        references["hyperfine"] = truth(deck, arguments.truth, arguments.round_seconds)
    report(ways, references, target, arguments.cap)
    print(
        f"\nours, pyperf: {large.tasks} tasks of {large.parameter} steps; hyperfine: 4 tasks of {deck.parameter} steps,"
    )
    print("and in its time, not in its reference, the start of the interpreter and its imports")
    if "hyperfine" not in ways:
        print("hyperfine: left out, it is not installed (on Debian: apt-get install hyperfine)")


def main() -> None:
    if sys.argv[1:2] == ["pyperf"]:
        run_pyperf(sys.argv[2], sys.argv[3], sys.argv[4:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cap", type=float, default=180, help="seconds after which a way begins nothing new")
    parser.add_argument("--truth", type=float, default=120, help="seconds in laps of a reference")
    parser.add_argument("--target", type=float, default=3, help="the half-width that is enough, in %%")
    parser.add_argument("--round-seconds", type=float, default=1, help="how long a round of ours takes laps")
    parser.add_argument("--pyperf", default="", help="options handed to pyperf's runner, as in --pyperf='-p 5'")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of hyperfine in a stretch")
    parser.add_argument("--steps", type=int, help="of a task, other than the size's own")
    parser.add_argument(
        "--tasks", type=int, help="of a value of ours and pyperf's, other than a sweep of these cells has"
    )
    arguments = parser.parse_args()

    import gilscope.analysis.estimates  # noqa: F401 (takes a second, which shall be on nobody's clock)
    from gilscope.running.hidden import turn_off_hidden_threads
    from gilscope.running.lock import machine_lock

    turn_off_hidden_threads()
    with machine_lock(), tempfile.TemporaryDirectory() as folder:
        measure(arguments, Path(folder))


if __name__ == "__main__":
    main()
