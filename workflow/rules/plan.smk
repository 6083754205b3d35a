"""The run, planned before any job: mistakes in the configuration end it here, a line for each."""

import os
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow/scripts"
sys.path.insert(0, str(SCRIPTS))

from gilscope.config import LABEL
from gilscope.mistakes import Mistakes
from gilscope.planning import export_interpreter, plan_run
from gilscope.sweep import block_sources

export_interpreter(str(SCRIPTS))

try:
    # Those of the command line have the last word, though Snakemake lists them first.
    overlays = [os.path.relpath(file) for file in workflow.config_settings.configfiles]
    files = ["config/config.yaml", *overlays]
    RUN = plan_run(config, files, workflow.config_settings.config)
except Mistakes as mistakes:
    print(mistakes, file=sys.stderr)
    sys.exit(1)

FIGURES = sorted(
    path.stem
    for path in (SCRIPTS / "gilscope/figures").glob("*.py")
    if not path.stem.startswith("_")
)


wildcard_constraints:
    machine=LABEL,
    runtime=r"[a-z0-9-]+",
    environment=r"[a-z0-9]+",
    workload=r"[a-z][a-z0-9_]*",
    size="small|medium|large|deck",
    round=r"\d+",
    lab=r"[a-z][a-z0-9_]*",


def package(*patterns):
    """Files of the package that a rule depends on, by patterns below it; Snakemake does not see imports."""
    root = Path("workflow/scripts/gilscope")
    return sorted({str(path) for pattern in patterns for path in root.glob(pattern)})


def drawing(figure):
    """A figure's file, which Snakemake's own report shows too."""
    return report(
        f"results/{{machine}}/figures/{figure}.svg",
        caption="../../report/captions/figure.rst",
        category="Figures",
        labels={"figure": figure},
    )


def block_of(wildcards):
    return RUN.block(wildcards.runtime, wildcards.workload, wildcards.size)


def code_of(wildcards):
    """The block's own workload and strategies: a change in them, and in no other, measures it again."""
    block = block_of(wildcards)
    root = "workflow/scripts/gilscope"
    own = [f"{block.folder}/{block.workload}.py"] if block.folder else []
    return [*own, *(f"{root}/{source}" for source in block_sources(block))]


def start_of(wildcards):
    """The beginning of the command that the job's interpreter runs."""
    return RUN.runtime(wildcards.runtime).start


def identity_of(wildcards):
    """The build of the job's interpreter: another one measures again."""
    return RUN.runtime(wildcards.runtime).identity


def environment_of(wildcards):
    """The job's environment, if it is not the workflow's own: what it lacks may change, what is pinned may not."""
    equipment = RUN.runtime(wildcards.runtime).equipment
    return [ancient(equipment), *RUN.config.environments.locks] if equipment else []


def turn(record):
    """Earlier rounds first, in a round block by block; the timing of a round of a block before its tracing."""
    return lambda wildcards: (
        2 * RUN.turn(block_of(wildcards), int(wildcards.round)) + (not record)
    )


def leave_the_machine_alone():
    """Stop Snakemake from looking at all jobs that are left, once a second for every job that has ended.

    Its limit of jobs a second starts a timer whenever a job ends, and each timer the next one: after a hundred jobs that
    is half a core beside every measurement.
    """
    workflow.scheduler.job_rate_limiter = None
