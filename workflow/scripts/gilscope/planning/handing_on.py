"""What jobs are told of the run that they belong to: its plan, and their environment, which is written here alone.

What Snakemake itself cannot do without, such as a home, is a matter of ``invoking.surroundings``.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gilscope.configuring.machines import Services
from gilscope.configuring.models import Config
from gilscope.interpreters.resolving import Runtime, interpreter_variable
from gilscope.planning.run import Run
from gilscope.running.supervising import LIMIT
from gilscope.workloads._external import variable

FILE = Path(".snakemake/gilscope-plan")
DIGEST = "GILSCOPE_PLAN"
"""The environment variable by which a job knows its own run's plan from what an earlier or a later run has written."""
CORES = "GILSCOPE_CORES"
"""The environment variable by which profiles set the threads of a job: results' folder → cores, a Python literal."""
NOT_INHERITED = ("PYTHON_GIL", "PYTHONDONTWRITEBYTECODE")
"""What would set an interpreter's lock, or have it compile its library at each start."""


def export_interpreter(scripts: str) -> None:
    """Tell every command that the run starts which package and which interpreter to use.

    ``PYTHONPATH`` reaches what imports the package without Snakemake's help: notebook kernels and spawned workers;
    measured interpreters get ``GILSCOPE_PACKAGE`` alone. ``GILSCOPE_PYTHON`` is resolved inside the command, so that
    its path is no part of the rule: a rebuilt environment must not measure everything anew.
    """
    inherited = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [scripts, inherited]))
    os.environ.setdefault("PYTHONIOENCODING", ":replace")
    os.environ["GILSCOPE_PACKAGE"] = scripts
    os.environ["GILSCOPE_PYTHON"] = sys.executable
    if os.name == "nt":
        os.environ.setdefault("PYTHONUTF8", "1")


def export_plan(runs: Mapping[str, Run]) -> bytes:
    """Tell the jobs which plan is theirs, and what they need of it; returns it, for jobs on other computers."""
    plan, any_run = pickle.dumps(dict(runs)), next(iter(runs.values()))
    for setting in NOT_INHERITED:
        os.environ.pop(setting, None)
    os.environ.update(told_of(any_run.config, any_run.runtimes))
    os.environ[CORES] = repr({folder: run.destination.usable_cores for folder, run in runs.items()})
    os.environ[DIGEST] = hashlib.sha256(plan).hexdigest()
    return plan


def told_of(config: Config, runtimes: Sequence[Runtime]) -> dict[str, str]:
    """What every job finds in its environment.

    How long a cell may take; how to reach the services that the configuration names, and no others; and of which
    interpreters to make environments, since no rule itself holds their paths.
    """
    services = {variable(name): config.services.named().get(name, "") for name in Services.model_fields}
    interpreters = {
        interpreter_variable(runtime.environment): runtime.executable for runtime in runtimes if not runtime.current
    }
    return {LIMIT: str(config.measure.limit_s), **services, **interpreters}


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
