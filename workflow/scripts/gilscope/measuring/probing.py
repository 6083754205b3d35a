"""What a worker says about itself, asked apart from the timed values."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

from gilscope.cells import Cell
from gilscope.measuring.job import Job
from gilscope.runtimes import gil_enabled

HEAVY = ("numpy", "pandas", "pyperf", "scipy")


def probe(task: int) -> dict[str, Any]:
    """The worker's GIL state, the cores it may use, and which heavy libraries it has imported."""
    time.sleep(0.01)
    return {
        "pid": os.getpid(),
        "thread": threading.get_ident(),
        "gil": gil_enabled(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "imported": [name for name in HEAVY if name in sys.modules],
    }


def probe_workers(job: Job, cells: list[str]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Cell → what its workers said in common; and cell → reason for those that could not even start."""
    said: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for name in cells:
        cell = Cell.parse(name)
        try:
            with job.strategies[cell.strategy].open(cell.workers) as spread:
                answers = list(spread(probe, range(cell.workers)))
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
            continue
        said[name] = {
            "processes": len({answer["pid"] for answer in answers}),
            "threads": len({(answer["pid"], answer["thread"]) for answer in answers}),
            "gil": any(answer["gil"] for answer in answers),
            "cores": min((answer["cores"] for answer in answers if answer["cores"]), default=None),
            "imported": sorted({name for answer in answers for name in answer["imported"]}),
        }
    return said, failed
