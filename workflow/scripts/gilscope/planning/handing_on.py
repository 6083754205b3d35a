"""What a job knows of the run that it belongs to: the very same plan, whatever it would find where it runs."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Mapping
from pathlib import Path

from gilscope.planning.run import Run

FILE = Path(".snakemake/gilscope-plan")
DIGEST = "GILSCOPE_PLAN"
"""The environment variable by which a job knows its own run's plan from what an earlier or a later run has written."""
CORES = "GILSCOPE_CORES"
"""The environment variable by which profiles set the threads of a job: results' folder → cores, a Python literal."""


def export_plan(runs: Mapping[str, Run]) -> bytes:
    """Tell the jobs which plan is theirs; returns what to hand on should they be on other computers."""
    plan = pickle.dumps(dict(runs))
    os.environ[CORES] = repr({folder: run.destination.usable_cores for folder, run in runs.items()})
    os.environ[DIGEST] = hashlib.sha256(plan).hexdigest()
    return plan


def hand_on(plan: bytes) -> None:
    """Write the plan down beside Snakemake's records. (To plan again takes as long as Snakemake itself to start.)"""
    partial = FILE.with_suffix(".part")
    partial.write_bytes(plan)
    partial.replace(FILE)


def handed_on() -> dict[str, Run] | None:
    """The plan of the run that this job belongs to; None where it is not to be seen from here."""
    try:
        plan = FILE.read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(plan).hexdigest() != os.environ.get(DIGEST):
        return None
    runs: dict[str, Run] = pickle.loads(plan)
    return runs
