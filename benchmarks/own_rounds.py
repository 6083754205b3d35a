"""Rounds of the summing of squares as the product takes them, each in a process of its own, for other benchmarks.

Not to be run by hand: ``selfcheck.py`` and ``precision.py`` do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from gilscope.running.cells import SEQUENTIAL, Block, Cell  # noqa: E402

WORKLOAD = "sum_squares"
REFERENCE = SEQUENTIAL.name
CELLS = ("threading-2", "multiprocessing-2")
FEWEST_COUNTED = 2
FILLS_CORES = "multiprocessing"
"""The strategy whose workers fill several cores where the lock is on: estimates may centre its laps another way."""
Rows = list[list[Any]]


def block_of(size: str, steps: int | None = None, tasks: int | None = None) -> Block:
    """The cells of a size as a sweep measures them. steps, tasks: others than the product's."""
    from gilscope.machine.facts import describe_machine
    from gilscope.planning.counts import task_count
    from gilscope.workloads import load_workload

    steps = steps or load_workload(WORKLOAD).sizes[size]
    tasks = tasks or task_count((Cell.parse(name).workers for name in CELLS), describe_machine().usable_cores, size)
    return Block("here", WORKLOAD, size, steps, tasks, CELLS, seconds=1.0)


def laps_here(block: Block, seconds: float, fewest: int, seed: str) -> Rows:
    """[cell, lap, position, seconds] of the laps that begin within so many seconds, but of the fewest at least."""
    from gilscope.measuring.job import prepared
    from gilscope.measuring.laps import Laps

    values = []
    with tempfile.TemporaryDirectory() as folder, prepared(block, folder) as job:
        laps = Laps(job, block.cells, {})
        if hasattr(laps, "warm_up"):
            laps.warm_up()
        ends = time.perf_counter() + seconds
        lap = 0
        while lap < fewest or time.perf_counter() < ends:
            lap += 1
            values += laps.take(lap, seed)
        if laps.failed:
            raise SystemExit(f"not every cell can be measured: {laps.failed}")
    return [[value.cell, value.lap, value.position, value.seconds] for value in values]


def take_round(block: Block, seconds: float, seed: str) -> Rows:
    """The same in a new process, which loads nothing that a measuring process does not."""
    from gilscope.analysis.estimates import WARM_UP_LAPS

    task = json.dumps([block.to_json(), seconds, WARM_UP_LAPS + FEWEST_COUNTED, seed])
    done = subprocess.run([sys.executable, __file__, task], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def timings(rounds: Mapping[tuple[str, int], Rows], block: Block) -> Any:
    """Rounds as the table that the product's estimates are made of. rounds: by their group and number."""
    import pandas as pd

    found = []
    for (group, number), rows in rounds.items():
        for name, lap, position, seconds in rows:
            cell = Cell.parse(name)
            facts = {"strategy": cell.strategy, "workers": cell.workers, "pool": cell.pool}
            found.append({"machine": group, "round": number, "lap": lap, "position": position, **facts})
            found[-1] |= {"seconds": seconds, "several": cell.strategy == FILLS_CORES}
    place = {"runtime": block.runtime, "workload": block.workload, "kind": "cpu", "size": block.size}
    return pd.DataFrame(found).assign(**place, tasks=block.tasks)


def speedups(rounds: Mapping[tuple[str, int], Rows], block: Block) -> Any:
    """A row per group and cell, the A/A control among them: ``group, cell, estimate, low, high, rounds``."""
    from gilscope.analysis.estimates import centres, paired, summarise
    from gilscope.analysis.tables import CELL

    found = summarise(centres(paired(timings(rounds, block)), "log_ratio", [*CELL, "round"]), "speedup")
    found["cell"] = found["strategy"] + "-" + found["workers"].astype(str)
    return found.rename(columns={"machine": "group"})[["group", "cell", "estimate", "low", "high", "rounds"]]


def main() -> None:
    block, seconds, fewest, seed = json.loads(sys.argv[1])
    print(json.dumps(laps_here(Block.from_json(block), seconds, fewest, seed)))


if __name__ == "__main__":
    main()
