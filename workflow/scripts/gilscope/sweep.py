"""From the configuration and the claims to the blocks to measure."""

from __future__ import annotations

import functools
import itertools
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gilscope.cells import SEQUENTIAL, Block, Cell, Turn
from gilscope.claims import DECK_TASKS, TIMED, WAITING_WORKERS, Claim, cores_for, leaf, most_workers
from gilscope.config import Config, Grid, Size
from gilscope.discovery import sources
from gilscope.labs import load_lab
from gilscope.measuring.laps import SELDOM, SHORTEST_VALUE_S, lap_order, laps_for
from gilscope.mistakes import Mistakes, suggestion
from gilscope.strategies import load_strategies
from gilscope.workloads import Site, Workload, expand, load_workload, workload_names

MOST_TASKS = 512
TASKS_PER_CORE = {8: 4, 32: 2, MOST_TASKS: 1}
"""Up to so many cores → the fewest tasks per core: a sequential value does them all, one after the other."""
ALL_POWERS_UP_TO = 8
WAITING_CORES = 8
"""Waiting is not divided among cores: what waits is swept as on a machine of no more than these."""
JOB_S = 0.6
BESIDE_VALUE_S = 0.007
POOL_START_S = 0.025
WORKER_START_S = 0.005
"""What comes with each value, with each pool of processes, and with each process in it."""
ANALYSIS_S = 20.0
ASIDE = 1 / 3
"""The share of the usual seconds that a round of what decides little lasts."""


@dataclass
class Plan:
    """A block in the making: its cells as they are asked for, in order, each once."""

    workload: Workload
    size: Size
    folder: str = ""
    cells: dict[Cell, None] = field(default_factory=dict)
    claimed: set[Cell] = field(default_factory=set)

    def add(self, cells: Iterable[Cell]) -> None:
        self.cells.update(dict.fromkeys(cell for cell in cells if cell != SEQUENTIAL))


def automatic_workers(cores: int) -> list[int]:
    """1, 2, 4 … up to twice the usable cores, those included; beyond 8 cores five up to them, as a law is fitted from.

    No value has more workers than tasks.
    """
    if cores <= ALL_POWERS_UP_TO:
        powers = [2**power for power in range(5) if 2**power <= 2 * cores]
    else:
        powers = [2 ** round(quarter * math.log2(cores) / 4) for quarter in range(4)]
    return allowed([*powers, cores, 2 * cores], cores, MOST_TASKS)


def allowed(counts: Iterable[int], cores: int, most: int) -> list[int]:
    """The worker counts up to ``most``; where that is less than the cores, the largest power of two in their place."""
    instead = {2 ** math.floor(math.log2(most))} if cores > most else set()
    return sorted({count for count in counts if count <= most} | instead)


def task_count(workers: Iterable[int], cores: int, size: str) -> int:
    """How many tasks a value does: a common multiple of the worker counts, a few for each core, at most 512.

    Where the common multiple itself is beyond 512, a multiple of the largest count is as even as it gets.
    """
    if size == "deck":
        return DECK_TASKS
    counts = [count for count in workers if count > 0] or [1]
    multiple = math.lcm(*counts)
    if multiple > MOST_TASKS:
        multiple = max(counts)
    fewest = cores * next((tasks for most, tasks in TASKS_PER_CORE.items() if cores <= most), 1)
    tasks = multiple * math.ceil(fewest / multiple)
    return tasks if tasks <= MOST_TASKS else max(multiple, MOST_TASKS // multiple * multiple)


def cores_divided(facts: Workload, cores: int) -> int:
    """By how many cores the tasks and the automatic worker counts of a workload go."""
    return cores if facts.kind == "cpu" else min(cores, WAITING_CORES)


def controls(plan: Plan, cores: int) -> list[Cell]:
    """The yardsticks: the ceiling, for computing at each worker count, and asyncio, which cannot help there."""
    most, _ = most_workers("ceiling")
    usable = cores_for(plan.size, cores)
    counts = {cell.workers for cell in plan.cells if 1 < cell.workers <= min(max(2 * cores, WAITING_WORKERS), most)}
    if plan.workload.kind != "cpu":
        return [Cell("ceiling", max(counts, default=WAITING_WORKERS), "warm")]
    ceilings = [Cell("ceiling", count, "warm") for count in allowed(counts | {usable}, usable, most)]
    return [*ceilings, Cell("asyncio", min(usable, MOST_TASKS))]


def seldom(plan: Plan, cores: int) -> list[Cell]:
    """The cells that no claim names, where one names others; the machine's limit is what claims are held against."""
    if not plan.claimed:
        return []
    limit = min(
        (cell for cell in plan.cells if cell.strategy == "ceiling" and cell.workers >= cores),
        default=None,
        key=lambda cell: cell.workers,
    )
    return [cell for cell in plan.cells if cell not in plan.claimed and cell != limit]


def is_aside(plan: Plan, claimed: bool) -> bool:
    """Whether a block's rounds may be short: what waits scatters little, and what no claim names decides nothing.

    claimed: whether the sweep is about claims at all.
    """
    return claimed and not (plan.claimed and plan.workload.kind == "cpu")


def grid_cells(config: Config, grid: Grid, facts: Workload, size: Size, cores: int) -> list[Cell]:
    """The cells of one workload's grid; a strategy without a warm form is measured in the form it has.

    Raises Mistakes for listed worker counts that are too many; automatic ones end where they would be.
    """
    known = load_strategies()
    workers = grid.workers or config.sweep.workers
    divided = cores_for(size, cores_divided(facts, cores))
    cells = []
    for name in grid.strategies or config.sweep.strategies:
        most, what = most_workers(name)
        if workers == "auto":
            most = min(most, DECK_TASKS) if size == "deck" else most
            counts = allowed(automatic_workers(divided), divided, most)
        else:
            counts = workers
        if max(counts) > most:
            asked = f"{grid.name} asks for {max(counts)} {what} ({name})"
            raise Mistakes([f"sweep.workloads: {asked}; {most} are the most."])
        only = known[name].fixed_workers
        for count in [only] if only else counts:
            for pool in grid.pools or config.sweep.pools:
                cells.append(Cell(name, count, pool if pool in known[name].pools else known[name].pools[0]))
    return list(dict.fromkeys(cells))


def load_grid(grid: Grid) -> list[tuple[Workload, str]]:
    """A grid's workload, or its variants, each with the folder of a user's own file. Raises Mistakes without any."""
    path = Path(grid.name)
    name, folder = (path.stem, str(path.parent)) if path.suffix == ".py" else (grid.name, "")
    if folder and not path.is_file():
        raise Mistakes([f"sweep.workloads: there is no file {grid.name}."])
    if folder and not name.isidentifier():
        raise Mistakes(
            [f"sweep.workloads: {grid.name} cannot be imported by name; call the file like a Python module."]
        )
    if folder and name in workload_names():
        raise Mistakes(
            [f"sweep.workloads: {grid.name} has the name of a workload that comes with gilscope; rename it."]
        )
    try:
        return [(load_workload(known, folder), folder) for known in ([name] if folder else expand(name))]
    except (ImportError, LookupError) as error:
        raise Mistakes([f"sweep.workloads: {grid.name} cannot be loaded: {error}."]) from error


def selected_claims(config: Config, claims: Sequence[Claim]) -> list[Claim]:
    """The claims whose cells shall be measured. Raises Mistakes for an id that no claim has."""
    wanted = config.sweep.claims
    if isinstance(wanted, bool):
        return list(claims) if wanted else []
    known = [claim.id for claim in claims]
    unknown = [(index, name) for index, name in enumerate(wanted) if name not in known]
    if unknown:
        raise Mistakes(
            [
                f"sweep.claims[{index}] is {name!r}; no claim has this id.{suggestion(name, known)}"
                for index, name in unknown
            ]
        )
    return [claim for claim in claims if claim.id in wanted]


def known_workloads(config: Config) -> dict[str, tuple[Workload, str]]:
    """The workloads that claims may speak of, each with the folder of a user's own file that the sweep lists.

    Raises Mistakes for those that cannot be loaded, all of them at once.
    """
    try:
        known = {name: (load_workload(name), "") for name in workload_names()}
    except ImportError as error:
        raise Mistakes([f"a workload cannot be imported: {error}; install requirements.lock."]) from error
    mistakes: list[str] = []
    for grid in config.sweep.workloads:
        try:
            known |= {facts.name: (facts, folder) for facts, folder in load_grid(grid)}
        except Mistakes as problem:
            mistakes += problem.lines
    if mistakes:
        raise Mistakes(mistakes)
    return known


def claimed_plans(
    claims: Sequence[Claim], known: Mapping[str, tuple[Workload, str]], cores: int
) -> dict[tuple[str, str], Plan]:
    """The blocks that the claims need. known: workload → its facts and the folder of a user's own file."""
    plans: dict[tuple[str, str], Plan] = {}
    for claim in claims:
        if claim.metric not in TIMED:
            continue
        for case in claim.cases:
            assert case.workload
            facts, folder = known[case.workload]
            wanted = leaf(claim, case, facts, cores)
            if not wanted.refused():
                plan = plans.setdefault((facts.name, case.size), Plan(facts, case.size, folder))
                plan.add(wanted.cells)
                plan.claimed.update(wanted.cells)
    return plans


def build_sweep(
    config: Config,
    claims: Sequence[Claim],
    known: Mapping[str, tuple[Workload, str]],
    runtime: str,
    cores: int,
) -> list[Block]:
    """Every block of one runtime, in a fixed order. Raises Mistakes when there are none or a workload is amiss."""
    plans = claimed_plans(selected_claims(config, claims), known, cores)
    claimed = bool(plans)
    mistakes: list[str] = []
    for grid in config.sweep.workloads:
        try:
            loaded = load_grid(grid)
        except Mistakes as problem:
            mistakes += problem.lines
            continue
        for (facts, folder), size in itertools.product(loaded, grid.sizes):
            if size not in facts.sizes and size not in config.parameters.get(facts.name, {}):
                mistakes.append(f"sweep.workloads: {facts.name} has no size {size}; it has {', '.join(facts.sizes)}.")
                continue
            try:
                cells = grid_cells(config, grid, facts, size, cores)
            except Mistakes as problem:
                mistakes += problem.lines
                continue
            plans.setdefault((facts.name, size), Plan(facts, size, folder)).add(cells)
    if mistakes:
        raise Mistakes(list(dict.fromkeys(mistakes)))
    if not plans:
        raise Mistakes(["sweep: measures nothing; set sweep.claims to true or list workloads under sweep.workloads."])
    blocks = []
    for (name, _), plan in plans.items():
        plan.add(controls(plan, cores))
        parameter = config.parameters.get(name, {}).get(plan.size, plan.workload.sizes.get(plan.size))
        blocks.append(
            Block(
                runtime=runtime,
                workload=name,
                size=plan.size,
                parameter=parameter,
                tasks=task_count((cell.workers for cell in plan.cells), cores_divided(plan.workload, cores), plan.size),
                cells=tuple(sorted(cell.name for cell in plan.cells)),
                seldom=tuple(sorted(cell.name for cell in seldom(plan, cores))),
                seconds=config.measure.seconds * (ASIDE if is_aside(plan, claimed) else 1),
                min_laps=config.measure.min_laps,
                folder=plan.folder,
                external=external if (external := plan.workload.external or "") in config.services.named() else "",
            )
        )
    return blocks


def libraries_of(blocks: Iterable[Block], labs: Iterable[str]) -> list[str]:
    """What the workloads, strategies and labs of a sweep import, by the names under which it is installed."""
    known = load_strategies()
    wanted: set[str] = set()
    for block in blocks:
        wanted.update(load_workload(block.workload, block.folder).libraries)
        for name in block.cells:
            wanted.update(known[Cell.parse(name).strategy].libraries)
    for lab in labs:
        wanted.update(load_lab(lab).libraries)
    return sorted(wanted)


def memory_mistakes(blocks: Iterable[Block], memory_bytes: int) -> list[str]:
    """A line for each block whose tasks would not fit into memory, with the copies that its workers hold."""
    lines = []
    for block in blocks:
        facts = load_workload(block.workload, block.folder)
        workers = max(Cell.parse(name).workers for name in block.cells)
        needed = facts.memory(block.parameter) * (3 * block.tasks + workers)
        if needed > 0.8 * memory_bytes:
            lines.append(
                f"{block.workload}, size {block.size} ({block.parameter} {facts.unit}): {block.tasks} tasks need about "
                f"{needed / 2**30:.1f} GiB and this machine has {memory_bytes / 2**30:.1f} GiB; "
                "choose a smaller parameter."
            )
    return lines


def block_sources(block: Block) -> list[str]:
    """The files, relative to the package, whose change makes the block's timings stale."""
    known = load_strategies()
    used = [known[Cell.parse(name).strategy] for name in (SEQUENTIAL.name, *block.cells)]
    modules = {sys.modules[facts.open.__module__] for facts in used}
    if not block.folder:
        modules.add(sys.modules[load_workload(block.workload).function.__module__])
    return sorted(set().union(*map(sources, modules)))


def value_seconds(block: Block) -> float:
    """About how long one sequential value takes on a common machine, with the loops that a short one is given."""
    facts = load_workload(block.workload, block.folder)
    return max(SHORTEST_VALUE_S, block.tasks * facts.task_seconds(block.size, block.parameter))


def cell_seconds(block: Block, cell: Cell, cores: int) -> float:
    """About how long one value of a cell takes with all that comes with it: the start of its workers, their warm-up.

    Waiting is divided by the workers, computing by the cores that processes can use; threads have the lock.
    """
    facts, strategy = load_workload(block.workload, block.folder), load_strategies()[cell.strategy]
    workers = min(cell.workers, block.tasks)
    apart = strategy.processes or strategy.isolated
    waiting = facts.waiting_share
    value = value_seconds(block) * (waiting / workers + (1 - waiting) / (min(workers, cores) if apart else 1))
    warm_up = (1.0 if strategy.control else workers / block.tasks) if cell.pool == "warm" else 0.0
    starts = POOL_START_S + WORKER_START_S * cell.workers if apart else 0.0
    return BESIDE_VALUE_S + value * (1 + warm_up) + starts


def lap_seconds(block: Block, cells: Iterable[str], cores: int) -> float:
    """About how long a lap over these cells takes, with the probes and the sequential values beside them."""
    return sum(cell_seconds(block, Cell.parse(name), cores) for _, name in lap_order(list(cells), ""))


@functools.cache
def left_out(workload: str, folder: str, external: str) -> bool:
    """Whether a workload's blocks will say that they cannot run: here is no display, or no outside service named."""
    facts = load_workload(workload, folder)
    return not external if facts.external else facts.unavailable(Site("")) is not None


def round_seconds(block: Block, turn: Turn, cores: int) -> float:
    """About how long a round takes: a job, its laps, and about a lap more for warm-up and traces."""
    if left_out(block.workload, block.folder, block.external):
        return JOB_S
    cells = turn.of(block.cells)
    whole, usual = (lap_seconds(block, some, cores) for some in (cells, [c for c in cells if c not in block.seldom]))
    lap = (whole + (SELDOM - 1) * usual) / SELDOM
    return JOB_S + whole + lap * (turn.laps or laps_for(block.seconds, lap, block.min_laps))


def expected_seconds(left: Iterable[tuple[Block, Turn]], cores: int) -> float:
    """About how long these rounds will take, and the analysis after them."""
    return ANALYSIS_S + sum(round_seconds(block, turn, cores) for block, turn in left)
