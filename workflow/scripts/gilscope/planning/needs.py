"""What blocks need: libraries, memory, and the files whose change makes them stale."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from gilscope.labs import load_lab
from gilscope.running.cells import SEQUENTIAL, Block, Cell
from gilscope.running.discovery import sources
from gilscope.strategies import load_strategies
from gilscope.workloads import load_workload


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
