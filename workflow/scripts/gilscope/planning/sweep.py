"""From the configuration and the claims to the blocks to measure."""

from __future__ import annotations

import itertools
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gilscope.configuring.claims import DECK_TASKS, TIMED, WAITING_WORKERS, Claim, cores_for, leaf, most_workers
from gilscope.configuring.mistakes import Mistakes, suggestion
from gilscope.configuring.models import CURRENT, Config, Grid, RuntimeRequest, Size
from gilscope.labs import load_lab
from gilscope.running.cells import SEQUENTIAL, Block, Cell, Turn
from gilscope.running.discovery import sources
from gilscope.running.reasons import reason_of
from gilscope.strategies import load_strategies
from gilscope.workloads import Workload, expand, load_workload, workload_names

SHIPPED_CLAIMS = "config/claims.yaml"
WORKLOAD_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
"""Names become folders, wildcards and cells of tables."""
UNIT = re.compile(r"[^\W_](?:[\w .,%/()·µ²³-]{0,38}[\w%)])?")
MOST_TASKS = 512
MOST_SEQUENTIAL, FEW_SEQUENTIAL = 64, 16
"""A sequential value that would do more tasks than the first does no more than the second of them, which are alike."""
TASKS_PER_CORE = {8: 4, 32: 2, MOST_TASKS: 1}
"""Up to so many cores → the fewest tasks per core: a sequential value does them all, one after the other."""
ALL_POWERS_UP_TO = 8
WAITING_CORES = 8
"""Waiting is not divided among cores: what waits is swept as on a machine of no more than these."""
TRACED_ROUNDS = 3
"""Of every block: an interval needs no fewer."""
ASIDE = 1 / 3
"""The share of the usual seconds that a round of what decides little lasts."""
USUAL_CELLS = 4
"""How many cells claims name in a block whose round lasts the usual seconds."""


@dataclass(frozen=True)
class Cut:
    """What a sweep does without, to fit its budget; ``fitting`` says when.

    largest: the automatic worker counts beyond the cores. between: those between 1 and the cores.
    blocks: the blocks that no claim names, of workloads that claims are about.
    tasks: by how much fewer tasks a value has, as far as they divide evenly among its workers.
    coroutines: those on computing work, a yardstick that takes as long as a sequential value does.
    """

    largest: bool = False
    between: bool = False
    blocks: bool = False
    tasks: int = 1
    coroutines: bool = False


WHOLE = Cut()


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


def automatic_workers(cores: int, cut: Cut = WHOLE) -> list[int]:
    """1, 2, 4 … up to twice the usable cores, those included; beyond 8 cores five up to them, as a law is fitted from.

    No value has more workers than tasks.
    """
    if cut.between:
        powers = [1]
    elif cores <= ALL_POWERS_UP_TO:
        powers = [2**power for power in range(5) if 2**power <= 2 * cores]
    else:
        powers = [2 ** round(quarter * math.log2(cores) / 4) for quarter in range(4)]
    counts = allowed([*powers, cores, 2 * cores], cores, MOST_TASKS)
    return [count for count in counts if count <= cores] if cut.largest else counts


def allowed(counts: Iterable[int], cores: int, most: int) -> list[int]:
    """The worker counts up to ``most``; where that is less than the cores, the largest power of two in their place."""
    instead = {2 ** math.floor(math.log2(most))} if cores > most else set()
    return sorted({count for count in counts if count <= most} | instead)


def task_count(workers: Iterable[int], cores: int, size: str, fewer: int = 1) -> int:
    """How many tasks a value does: a common multiple of the worker counts, a few for each core, at most 512.

    Where the common multiple itself is beyond 512, a multiple of the largest count is as even as it gets.
    fewer: by what the tasks for each core are divided.
    """
    if size == "deck":
        return DECK_TASKS
    counts = [count for count in workers if count > 0] or [1]
    multiple = math.lcm(*counts)
    if multiple > MOST_TASKS:
        multiple = max(counts)
    fewest = cores * next((tasks for most, tasks in TASKS_PER_CORE.items() if cores <= most), 1)
    tasks = multiple * math.ceil(fewest / fewer / multiple)
    return tasks if tasks <= MOST_TASKS else max(multiple, MOST_TASKS // multiple * multiple)


def parts(tasks: int) -> int:
    """In how many parts the tasks are divided of which a sequential value does one: one, unless they are many."""
    most = tasks if tasks <= MOST_SEQUENTIAL else FEW_SEQUENTIAL
    return next(count for count in range(1, tasks + 1) if tasks % count == 0 and tasks // count <= most)


def cores_divided(facts: Workload, cores: int) -> int:
    """By how many cores the tasks and the automatic worker counts of a workload go."""
    return cores if facts.kind == "cpu" else min(cores, WAITING_CORES)


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


def load_grid(grid: Grid) -> list[tuple[Workload, str]]:
    """A grid's workload, or its variants, each with the folder of a user's own file. Raises Mistakes without any."""
    path = Path(grid.name)
    name, folder = (path.stem, str(path.parent)) if path.suffix == ".py" else (grid.name, "")
    if folder and not path.is_file():
        raise Mistakes([f"sweep.workloads: there is no file {grid.name}."])
    if folder and not WORKLOAD_NAME.fullmatch(name):
        remedy = "call the file like a Python module: of a-z, 0-9 and _, at most 80 of them, a letter first"
        raise Mistakes([f"sweep.workloads: {grid.name} cannot be imported by name; {remedy}."])
    if folder and name in workload_names():
        raise Mistakes(
            [f"sweep.workloads: {grid.name} has the name of a workload that comes with gilscope; rename it."]
        )
    try:
        found = [(load_workload(known, folder), folder) for known in ([name] if folder else expand(name))]
    except (ImportError, LookupError) as error:
        raise Mistakes([f"sweep.workloads: {grid.name} cannot be loaded: {error}."]) from error
    except (Exception, SystemExit) as error:
        # Whatever somebody's own file does when it is imported.
        said = reason_of(error)
        raise Mistakes([f"sweep.workloads: {grid.name} cannot be loaded: {said}."]) from error
    if wrong := [facts.unit for facts, _ in found if not UNIT.fullmatch(str(facts.unit))]:
        remedy = "a unit is a word or a few, of at most 40 letters, digits and blanks, as bytes or rows/s"
        raise Mistakes([f"sweep.workloads: {grid.name} has the unit {wrong[0]!r}; {remedy}."])
    return found


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


def wanted_runtimes(config: Config, claims: Sequence[Claim]) -> list[RuntimeRequest]:
    """The runtimes to measure; one that is for some claims only, if the sweep has any of them.

    Raises Mistakes for an id that no claim has, unless the configuration does without the claims that come with
    gilscope: the default sweep's own runtimes are for some of those.
    """
    known = [claim.id for claim in claims]
    unknown = [
        f"runtimes[{place}].claims[{index}] is {name!r}; no claim has this id.{suggestion(name, known)}"
        for place, request in enumerate(config.runtimes)
        for index, name in enumerate(request.claims or [])
        if name not in known and (SHIPPED_CLAIMS in config.claims or not request.optional)
    ]
    if unknown:
        raise Mistakes(unknown)
    selected = {claim.id for claim in selected_claims(config, claims)}
    return [request for request in config.runtimes if request.claims is None or selected & set(request.claims)]


def known_workloads(config: Config) -> dict[str, tuple[Workload, str]]:
    """The workloads that claims may speak of, each with the folder of a user's own file that the sweep lists.

    Raises Mistakes for those that cannot be loaded, all of them at once.
    """
    try:
        known = {name: (load_workload(name), "") for name in workload_names()}
    except ImportError as error:
        raise Mistakes([f"a workload cannot be imported: {reason_of(error)}; install requirements.lock."]) from error
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


def pilot_turn(block: Block, number: int) -> Turn:
    """A round that every block gets: traced where a claim rests on that, or it is one of the first."""
    return Turn(number, traced=block.always_traced or number <= TRACED_ROUNDS)
