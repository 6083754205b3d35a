"""From the configuration and the claims to the blocks to measure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gilscope.configuring.claims import DECK_TASKS, TIMED, WAITING_WORKERS, Claim
from gilscope.configuring.leaves import cores_for, leaf, most_workers
from gilscope.configuring.machines import CURRENT, Size
from gilscope.configuring.mistakes import Mistakes
from gilscope.configuring.models import Config, Grid
from gilscope.planning.counts import (
    MOST_TASKS,
    WHOLE,
    Cut,
    allowed,
    automatic_workers,
    cores_divided,
    parts,
    task_count,
)
from gilscope.planning.wanted import load_grid, selected_claims
from gilscope.running.cells import SEQUENTIAL, Block, Cell, Turn
from gilscope.strategies import load_strategies
from gilscope.workloads import Workload

TRACED_ROUNDS = 3
"""Of every block: an interval needs no fewer."""
ASIDE = 1 / 3
"""The share of the usual seconds that a round of what decides little lasts."""
USUAL_CELLS = 4
"""How many cells claims name in a block whose round lasts the usual seconds."""


@dataclass
class Plan:
    """A block in the making: its cells as they are asked for, in order, each once."""

    workload: Workload
    size: Size
    folder: str = ""
    cells: dict[Cell, None] = field(default_factory=dict)
    claimed: set[Cell] = field(default_factory=set)
    traced: bool = False

    def add(self, cells: Iterable[Cell]) -> None:
        self.cells.update(dict.fromkeys(cell for cell in cells if cell != SEQUENTIAL))


def controls(plan: Plan, cores: int, cut: Cut = WHOLE) -> list[Cell]:
    """The yardsticks: the ceiling, for computing at each worker count, and asyncio, which cannot help there."""
    most, _ = most_workers("ceiling")
    usable = cores_for(plan.size, cores)
    counts = {cell.workers for cell in plan.cells if 1 < cell.workers <= min(max(2 * cores, WAITING_WORKERS), most)}
    if plan.workload.kind != "cpu":
        return [Cell("ceiling", max(counts, default=WAITING_WORKERS), "warm")]
    ceilings = [Cell("ceiling", count, "warm") for count in allowed(counts | {usable}, usable, most)]
    return ceilings if cut.coroutines else [*ceilings, Cell("asyncio", min(usable, MOST_TASKS))]


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


def weight(plan: Plan, claimed: bool) -> float:
    """How long a round of a block lasts, in units of ``measure.seconds``.

    Less where it waits, and scatters little, or no claim names it, and it decides nothing; more where many cells share
    a lap. claimed: whether the sweep is about claims at all.
    """
    if not claimed:
        return 1.0
    if not plan.claimed or plan.workload.kind != "cpu":
        return ASIDE
    return max(1.0, len(plan.claimed) / USUAL_CELLS)


def grid_cells(config: Config, grid: Grid, facts: Workload, size: Size, cores: int, *, cut: Cut = WHOLE) -> list[Cell]:
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
            counts = allowed(automatic_workers(divided, cut), divided, most)
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
                plan.traced |= claim.metric == "effective_cores"
    return plans


def build_sweep(
    config: Config,
    claims: Sequence[Claim],
    known: Mapping[str, tuple[Workload, str]],
    runtime: str,
    cores: int,
    *,
    cut: Cut = WHOLE,
) -> list[Block]:
    """Every block of one runtime, in a fixed order. Raises Mistakes when there are none or a workload is amiss."""
    selected = selected_claims(config, claims)
    plans = claimed_plans(selected, known, cores)
    claimed = bool(plans)
    named = {case.workload for claim in selected for case in claim.cases}
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
                cells = grid_cells(config, grid, facts, size, cores, cut=cut)
            except Mistakes as problem:
                mistakes += problem.lines
                continue
            if cut.blocks and facts.name in named and (facts.name, size) not in plans:
                continue
            plans.setdefault((facts.name, size), Plan(facts, size, folder)).add(cells)
    if mistakes:
        raise Mistakes(list(dict.fromkeys(mistakes)))
    if not plans:
        raise Mistakes(["sweep: measures nothing; set sweep.claims to true or list workloads under sweep.workloads."])
    return [finish(plan, config, runtime, cores, claimed, cut=cut) for plan in plans.values()]


def finish(plan: Plan, config: Config, runtime: str, cores: int, claimed: bool, *, cut: Cut = WHOLE) -> Block:
    """A block of what has been asked for, with its controls. claimed: whether the sweep is about claims at all."""
    plan.add(controls(plan, cores, cut))
    facts = plan.workload
    external = facts.external or ""
    tasks = task_count((cell.workers for cell in plan.cells), cores_divided(facts, cores), plan.size, cut.tasks)
    return Block(
        runtime=runtime,
        workload=facts.name,
        size=plan.size,
        parameter=config.parameters.get(facts.name, {}).get(plan.size, facts.sizes.get(plan.size)),
        tasks=tasks,
        cells=tuple(sorted(cell.name for cell in plan.cells)),
        seldom=tuple(sorted(cell.name for cell in seldom(plan, cores))),
        part=1 if plan.folder else parts(tasks),
        always_traced=plan.traced,
        seconds=config.measure.seconds * weight(plan, claimed),
        min_laps=config.measure.min_laps,
        folder=plan.folder,
        external=external if external in config.services.named() else "",
    )


def restricted_sweep(
    whole: Sequence[Block],
    config: Config,
    claims: Sequence[Claim],
    known: Mapping[str, tuple[Workload, str]],
    cores: int,
    *,
    cut: Cut = WHOLE,
) -> list[Block]:
    """The blocks, each with its controls, of a runtime that is measured for these claims only.

    Where the whole sweep has the block as well, both do the same tasks: only then can their times be compared.
    """
    there = {(block.workload, block.size): block for block in whole}
    blocks = []
    for place, plan in claimed_plans(claims, known, cores).items():
        block, same = finish(plan, config, CURRENT, cores, claimed=True, cut=cut), there.get(place)
        enough = same is not None and same.tasks >= max(cell.workers for cell in plan.cells)
        blocks.append(replace(block, tasks=same.tasks, part=same.part) if same and enough else block)
    return blocks


def side_by_side(sweeps: Sequence[tuple[str, Sequence[Block]]]) -> list[Block]:
    """The blocks of all runtimes (name, blocks), those of one workload and size next to one another."""
    places = dict.fromkeys((block.workload, block.size) for _, blocks in sweeps for block in blocks)
    found = {(name, block.workload, block.size): block for name, blocks in sweeps for block in blocks}
    return [
        replace(found[name, *place], runtime=name) for place in places for name, _ in sweeps if (name, *place) in found
    ]


def pilot_turn(block: Block, number: int) -> Turn:
    """A round that every block gets: traced where a claim rests on that, or it is one of the first."""
    return Turn(number, traced=block.always_traced or number <= TRACED_ROUNDS)
