"""What does the harness itself cost? Each strategy against the bare executor it wraps, 1 ms tasks, in one paired run.

    python benchmarks/overhead.py [--rounds 15] [--laps 20]

A round is a new process. In a lap the strategy and the bare executor follow each other in random order, cold both; a
round's value is the centre of its laps' log ratios, the interval is over rounds.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow/scripts"))

WORKERS = 2
TASKS = 40
MILLISECOND = 0.001


def bare_sequential(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    return [function(item) for item in items]


def bare_threads(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(function, items))


def bare_processes(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    with ProcessPoolExecutor(WORKERS) as pool:
        return list(pool.map(function, items))


def bare_pool(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    import multiprocessing

    with multiprocessing.Pool(WORKERS) as pool:
        answers = pool.map(function, items)
        pool.close()
        pool.join()
    return answers


def bare_asyncio(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    import asyncio

    async def gathered() -> list[Any]:
        limit = asyncio.Semaphore(WORKERS)

        async def one(item: Any) -> Any:
            async with limit:
                return function(item)

        return await asyncio.gather(*map(one, items))

    return asyncio.run(gathered())


BARE = {
    "sequential": bare_sequential,
    "threading": bare_threads,
    "multiprocessing": bare_processes,
    "multiprocessing-pool": bare_pool,
    "asyncio": bare_asyncio,
}


def a_millisecond() -> int:
    """The steps of ``sum_squares`` that take one millisecond here."""
    from gilscope.workloads.sum_squares import sum_squares

    steps = 20_000
    best = min(timed(lambda: sum_squares(steps)) for _ in range(50))
    return round(steps * MILLISECOND / best)


def timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def one_round(laps: int, seed: str) -> dict[str, list[float]]:
    """Strategy → log(strategy / bare executor) of each lap but the first."""
    import gc
    import math

    from gilscope.strategies import load_strategies
    from gilscope.workloads.sum_squares import sum_squares

    strategies, items = load_strategies(), [a_millisecond()] * TASKS
    order = random.Random(seed)

    def through_the_harness(name: str) -> list[Any]:
        with strategies[name].open(WORKERS) as spread:
            return list(spread(sum_squares, items))

    ratios: dict[str, list[float]] = {name: [] for name in BARE}
    for lap in range(laps + 1):
        for name in order.sample(list(BARE), len(BARE)):
            calls = {
                "ours": lambda name=name: through_the_harness(name),
                "bare": lambda name=name: BARE[name](sum_squares, items),
            }
            seconds = {}
            for which in order.sample(list(calls), 2):
                gc.collect()
                seconds[which] = timed(calls[which])
            if lap:
                ratios[name].append(math.log(seconds["ours"] / seconds["bare"]))
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--laps", type=int, default=20)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one_round(arguments.laps, arguments.one)))
        return

    import numpy as np
    from gilscope.analysis.intervals import centre, interval
    from gilscope.running.lock import machine_lock

    rounds = []
    with machine_lock():
        for number in range(arguments.rounds):
            command = [sys.executable, __file__, "--one", str(number + 1), "--laps", str(arguments.laps)]
            rounds.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    print(f"time through the strategy / time of the bare executor, {TASKS} tasks of 1 ms, {WORKERS} workers, cold")
    for name in BARE:
        found = interval(np.array([centre(np.array(one[name])) for one in rounds]))
        print(f"{name:22} {found.estimate:.4f} [{found.low:.4f}, {found.high:.4f}]")


if __name__ == "__main__":
    main()
