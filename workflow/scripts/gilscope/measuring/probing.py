"""What a worker says about itself, asked apart from the timed values and after a task of the workload."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any, Callable

from gilscope.cells import Cell
from gilscope.measuring.hidden import read_hidden_threads
from gilscope.measuring.job import Job
from gilscope.runtimes import gil_enabled

HEAVY = ("numpy", "pandas", "pyperf", "scipy")


class Probe:
    """Does one task, then says what has become of its worker: lock, cores, BLAS threads, heavy imports."""

    def __init__(self, function: Callable[[Any], Any]):
        self.function = function

    def __call__(self, item: Any) -> dict[str, Any]:
        self.function(item)
        time.sleep(0.01)
        imported = [name for name in HEAVY if name in sys.modules]
        return {
            "pid": os.getpid(),
            "thread": threading.get_ident(),
            "gil": gil_enabled(),
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


def probe_workers(job: Job, cells: list[str]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Cell → what its workers said in common; and cell → reason for those that must not, or could not, be timed."""
    said: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for name in cells:
        cell = Cell.parse(name)
        strategy = job.strategies[cell.strategy]
        job.workload.fresh()
        items = [job.items[worker % len(job.items)] for worker in range(cell.workers)]
        try:
            with strategy.open(cell.workers) as spread:
                said[name] = in_common(list(spread(Probe(job.workload.function), items)))
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
            continue
        reason = objection(said[name], strategy.blas_threads)
        if reason:
            failed[name] = reason
    return said, failed
