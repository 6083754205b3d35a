"""The expected duration of a sweep, from its values, laps and rounds, before anything is measured."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace

from gilscope.measuring.laps import AGAIN, FASTER, SELDOM, lap_order
from gilscope.measuring.lengths import SHORTEST_VALUE_S, laps_for, nothing_to_decide
from gilscope.running.cells import SEQUENTIAL, Block, Cell, Turn
from gilscope.strategies import load_strategies
from gilscope.workloads import Site, load_workload

START_S = 5.0
"""From the call to the first measurement."""
JOB_S = 0.3
"""What a job takes beside the laps, traces and preparations that it records: an interpreter, and the workflow."""
BESIDE_VALUE_S = 0.007
POOL_START_S = 0.025
WORKER_START_S = 0.005
"""What comes with each value, with each pool of processes, and with each process in it."""
ANALYSIS_S = 20.0
"""From the last measurement to the report, with the step that allocates the rest of the budget."""


def value_seconds(block: Block) -> float:
    """About how long one sequential value takes on a common machine, with the loops that a short one is given."""
    facts = load_workload(block.workload, block.folder)
    return max(SHORTEST_VALUE_S, block.tasks * facts.task_seconds(block.size, block.parameter))


def cell_seconds(block: Block, cell: Cell, cores: int, again: int = 1) -> float:
    """About how long one value of a cell takes with all that comes with it: the start of its workers, their warm-up.

    Waiting is divided by the workers, computing by the cores that processes can use; threads have the lock.
    again: how many loops a value holds of a cell that fills several cores.
    """
    facts, strategy = load_workload(block.workload, block.folder), load_strategies()[cell.strategy]
    workers = min(cell.workers, block.tasks)
    apart = strategy.processes or strategy.isolated
    waiting = facts.waiting_share
    whole = value_seconds(block) / (block.part if cell == SEQUENTIAL else 1)
    value = whole * (waiting / workers + (1 - waiting) / (min(workers, cores) if apart else 1))
    warm_up = (1.0 if strategy.control else workers / block.tasks) if cell.pool == "warm" else 0.0
    starts = POOL_START_S + WORKER_START_S * cell.workers if apart else 0.0
    cold = starts if cell.pool == "cold" else 0.0
    loops = again if apart and facts.kind == "cpu" and FASTER * (value + cold) < whole else 1
    return BESIDE_VALUE_S + value * (loops + warm_up) + starts + cold * (loops - 1)


def lap_seconds(block: Block, cells: Iterable[str], cores: int) -> float:
    """About how long a lap over these cells takes, with the probes and the sequential values beside them."""
    few = nothing_to_decide(value_seconds(block) / block.part, block.cells, block.seconds, block.min_laps)
    names = [name for _, name in lap_order(list(cells), "")]
    return sum(cell_seconds(block, Cell.parse(name), cores, again=1 if few else AGAIN) for name in names)


@functools.cache
def left_out(workload: str, folder: str, external: str) -> bool:
    """Whether a workload's blocks will say that they cannot run: here is no display, or no outside service named."""
    facts = load_workload(workload, folder)
    return not external if facts.external else facts.unavailable(Site("")) is not None


def beside_seconds(block: Block, cells: Iterable[str], cores: int, traced: bool) -> float:
    """About how long a round's warm-up takes, of which ``laps.warm_up`` tells, and its traces, a value of each cell."""
    seconds, known = 0.0, load_strategies()
    for cell in map(Cell.parse, (SEQUENTIAL.name, *cells)):
        warming = replace(block, tasks=1 if known[cell.strategy].processes else min(cell.workers, block.tasks))
        seconds += cell_seconds(warming, replace(cell, pool="cold"), cores)
        seconds += cell_seconds(block, cell, cores) if traced else 0.0
    return seconds


def round_seconds(block: Block, turn: Turn, cores: int) -> float:
    """About how long a round takes: a job, the answers to expect, its warm-up, laps and traces."""
    if left_out(block.workload, block.folder, block.external):
        return JOB_S
    cells = turn.of(block.cells)
    whole, usual = (lap_seconds(block, some, cores) for some in (cells, [c for c in cells if c not in block.seldom]))
    lap = (whole + (SELDOM - 1) * usual) / SELDOM
    answers = value_seconds(block) if block.part > 1 else 0.0
    laps = turn.laps or laps_for(block.seconds, lap, block.min_laps)
    return JOB_S + answers + beside_seconds(block, cells, cores, turn.traced) + lap * laps


def expected_seconds(left: Iterable[tuple[Block, Turn]], cores: int) -> float:
    """About how long these rounds will take, and the analysis after them."""
    return START_S + ANALYSIS_S + sum(round_seconds(block, turn, cores) for block, turn in left)
