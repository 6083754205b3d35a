"""What a worker says about itself, asked apart from the timed values and after a task of the workload."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Callable

from gilscope.measuring.isolation import refused_import
from gilscope.measuring.lock_state import lock_here, lock_objection
from gilscope.running.cells import SEQUENTIAL, Block, Cell
from gilscope.running.hidden import read_hidden_threads
from gilscope.running.identity import lock_expected
from gilscope.running.progress import doing
from gilscope.running.reasons import reason_of
from gilscope.running.twice import twice

# A worker imports this file for Probe, and a job brings psutil, which no interpreter but the first can import.
if TYPE_CHECKING:
    from gilscope.measuring.job import Job

HEAVY = ("numpy", "pandas", "pyperf", "scipy")


class Probe:
    """Does one task, then says what has become of its worker: lock, cores, BLAS threads, heavy imports.

    lock: whether the lock should be on there, None where there is no choice.
    """

    def __init__(self, function: Callable[[Any], Any], lock: bool | None = None):
        self.function = function
        self.lock = lock

    def __call__(self, item: Any) -> dict[str, Any]:
        self.function(item)
        time.sleep(0.01)
        imported = [name for name in HEAVY if name in sys.modules]
        return {
            "pid": os.getpid(),
            "thread": threading.get_ident(),
            **lock_here(self.lock),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
            "imported": imported,
            "hidden_threads": read_hidden_threads(),
        }


def in_common(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """What a cell's workers said, as one: the most BLAS threads of any, None where no worker could tell."""
    told = [answer["hidden_threads"] for answer in answers if answer["hidden_threads"] is not None]
    libraries = sorted({library for threads in told for library in threads})
    return {
        "processes": len({answer["pid"] for answer in answers}),
        "threads": len({(answer["pid"], answer["thread"]) for answer in answers}),
        "gil": any(answer["gil"] for answer in answers),
        "cores": min((answer["cores"] for answer in answers if answer["cores"]), default=None),
        "imported": sorted({name for answer in answers for name in answer["imported"]}),
        "hidden_threads": {name: max(threads.get(name, 0) for threads in told) for name in libraries} if told else None,
    }


def objection(said: dict[str, Any], blas_threads: bool) -> str | None:
    """Why a cell whose workers say this must not be timed, or None."""
    for library, threads in (said["hidden_threads"] or {}).items():
        if threads > 1 and not blas_threads:
            return f"{library} uses {threads} threads in the worker where 1 was set: hidden parallelism"
    return None


def ask_workers(job: Job, name: str) -> list[dict[str, Any]]:
    """What each worker of a cell says, started for it alone."""
    from gilscope.measuring.helpers import without_helpers

    cell = Cell.parse(name)
    doing(name)
    job.workload.fresh()
    items = [job.items[worker % len(job.items)] for worker in range(cell.workers)]
    with without_helpers(), job.strategies[cell.strategy].open(cell.workers) as spread:
        return list(spread(Probe(job.workload.function, lock_expected(job.block.runtime)), items))


def probe_workers(job: Job, cells: list[str]) -> tuple[dict[str, dict[str, Any]], dict[str, str], dict[str, str]]:
    """Cell → what its workers said in common; cell → reason where none can do such a task; and where one failed.

    Cells with a reason must not, or could not, be timed.
    """
    said: dict[str, dict[str, Any]] = {}
    skipped: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name in cells:
        strategy = job.strategies[Cell.parse(name).strategy]
        try:
            answers = twice(partial(ask_workers, job, name))
        except Exception as error:
            refused = refused_import(error) if strategy.isolated else None
            if refused:
                skipped[name] = refused
            else:
                failed[name] = reason_of(error)
            continue
        said[name] = in_common(answers)
        reason = lost_by(answers, job.block) or objection(said[name], strategy.blas_threads)
        if reason:
            failed[name] = reason
    return said, skipped, failed


def lost_by(answers: Iterable[dict[str, Any]], block: Block) -> str | None:
    """Why workers that answer so must not be measured, as far as their lock is concerned, or None."""
    return lock_objection(answers, lock_expected(block.runtime), "in a worker")


def lost_here(block: Block, cells: Iterable[str]) -> dict[str, str]:
    """All these cells, with the reason, where the lock of this process is not as the runtime promises.

    Its sequential values are those that every cell is compared with, so none of them is worth anything then.
    """
    expected = lock_expected(block.runtime)
    reason = lock_objection([lock_here(expected)], expected, "in the measuring process")
    return dict.fromkeys(cells, reason) if reason else {}


def lost_meanwhile(job: Job, cells: Iterable[str]) -> dict[str, str]:
    """The cells, with the reason, whose lock is no longer as it was when they were calibrated; asked after a round.

    Costs a start of every cell's workers where the build can turn the lock on, and nothing elsewhere. Workers that
    cannot be asked any more leave the question open: their values were taken, and checked.
    """
    if lock_expected(job.block.runtime) is None:
        return {}
    lost: dict[str, str] = {}
    for name in cells:
        try:
            reason = lost_by(ask_workers(job, name), job.block)
        except Exception:
            continue
        if reason:
            lost[name] = reason
    return {**lost, **lost_here(job.block, [SEQUENTIAL.name, *cells])}
