"""The cells or observations that a case of a claim is about, on a machine of so many cores."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from gilscope.configuring.claims import DECK_TASKS, WAITING_WORKERS, Against, Case, Claim, Holds, Workers
from gilscope.configuring.machines import Size
from gilscope.configuring.models import MOST_WORKERS
from gilscope.running.cells import Cell
from gilscope.strategies import load_strategies
from gilscope.workloads import Workload

MOST_PROCESSES = 61 if os.name == "nt" else 256
"""The most that a sweep starts at a time; on Windows a ``ProcessPoolExecutor`` takes no more."""


@dataclass(frozen=True)
class Leaf:
    """A case made concrete for one machine: the block it lies in and the cells it compares."""

    case: str
    workload: str
    size: str
    of: Cell | None
    over: Cell | None
    holds: Holds
    against: Against | None = None

    @property
    def cells(self) -> list[Cell]:
        return [cell for cell in (self.of, self.over) if cell is not None]

    def refused(self) -> str | None:
        """Why the case can be measured nowhere like here, or None: another number of workers would be another claim."""
        for cell in self.cells:
            most, what = most_workers(cell.strategy)
            if cell.workers > most:
                return f"needs {cell.workers} {what}; {most} are the most here"
        return None


@dataclass(frozen=True)
class LabLeaf:
    """A case about a lab's observations, made concrete: the lab's cases that it is about, and the metric there."""

    case: str
    lab: str
    observes: str
    per: str | None
    of: str
    over: str | None
    holds: Holds


def worker_count(workers: Workers | None, kind: str, cores: int) -> int:
    """What a claim's ``workers`` means here: computing at the usable cores, waiting at 4, unless it says otherwise."""
    if workers is None:
        return cores if kind == "cpu" else WAITING_WORKERS
    factor = re.fullmatch(r"(\d+)\*cores", str(workers))
    if factor:
        return int(factor[1]) * cores
    return cores if workers == "cores" else int(workers)


def most_workers(strategy: str) -> tuple[int, str]:
    """How many workers of a strategy a sweep may have here, and what they are."""
    known = load_strategies().get(strategy)
    return (MOST_PROCESSES, "processes") if known and known.processes else (MOST_WORKERS, "workers")


def cores_for(size: Size, cores: int) -> int:
    """How many of the usable cores computing can make use of: at the talk's size there are 4 tasks to divide."""
    return min(cores, DECK_TASKS) if size == "deck" else cores


def leaf(claim: Claim, case: Case, facts: Workload | None, cores: int) -> Leaf:
    """A case of a claim made concrete. facts: its workload's, None where this version has no such workload."""
    kind = facts.kind if facts else "cpu"
    of, over = case.of or claim.of, case.over or claim.over
    usable = cores_for(case.size, cores)
    workers = worker_count(case.workers, kind, usable)
    over_workers = worker_count(case.over_workers or case.workers, kind, usable)
    return Leaf(
        case=case.case or case_name(claim, case),
        workload=case.workload or "",
        size=case.size,
        of=Cell(of, fixed_workers(of) or workers, case.pool) if of else None,
        over=Cell(over, fixed_workers(over) or over_workers, case.over_pool or case.pool) if over else None,
        holds=case.holds or claim.holds,
        against=case.against or claim.against,
    )


def fixed_workers(strategy: str) -> int | None:
    """The worker count of a strategy that leaves no choice: sequential has one."""
    known = load_strategies().get(strategy)
    return known.fixed_workers if known else None


def lab_leaf(claim: Claim, case: Case) -> LabLeaf:
    """A case about a lab made concrete; the claims have been checked, so nothing that it needs is missing."""
    of, over = case.of or claim.of, case.over or claim.over
    observes = case.observes or claim.observes
    assert claim.lab
    assert of
    assert observes
    return LabLeaf(case.case or of, claim.lab, observes, claim.per, of, over, case.holds or claim.holds)


def case_name(claim: Claim, case: Case) -> str:
    """A name from what sets the case apart from its siblings."""
    parts = [case.workload or claim.lab or claim.metric]
    siblings = claim.cases
    for value, values in (
        (case.size, {sibling.size for sibling in siblings}),
        (case.pool, {sibling.pool for sibling in siblings}),
        (case.of, {sibling.of for sibling in siblings}),
    ):
        if value and len(values) > 1:
            parts.append(value)
    if len({sibling.against for sibling in siblings}) > 1:
        parts.append(f"against {case.against or claim.against}")
    return ", ".join(parts)
