"""The runs, planned before any job: mistakes in the configuration end it here, a line for each."""

import shlex
import sys
from pathlib import Path

from snakemake.utils import available_cpu_count

SCRIPTS = Path(workflow.basedir) / "workflow/scripts"
sys.path.insert(0, str(SCRIPTS))

from gilscope.configuring.mistakes import Mistakes
from gilscope.interpreters.resolving import shell_of_rules
from gilscope.invoking.asking import asks_for_results, asks_to_measure
from gilscope.invoking.attending import hear_at_any_moment
from gilscope.invoking.dates import bring_back
from gilscope.invoking.making import discard_changed
from gilscope.invoking.printing import print_anything, say
from gilscope.invoking.surroundings import (
    check_folder,
    check_writable,
    make_do,
    quote_interpreter,
)
from gilscope.planning.handing_on import (
    export_interpreter,
    export_plan,
    hand_on,
    handed_on,
)
from gilscope.planning.needs import block_sources
from gilscope.planning.runs import check_measured, plan_runs, seen_from_here
from gilscope.planning.wanted import selected_claims
from gilscope.running.files import Damaged

print_anything()
make_do()
quote_interpreter()
export_interpreter(str(SCRIPTS))

try:
    check_folder(Path.cwd())
    if bash := shell_of_rules():
        shell.executable(bash)
    # Those of the command line have the last word, though Snakemake lists them first.
    overlays = [seen_from_here(file) for file in workflow.config_settings.configfiles]
    files = ["config/config.yaml", *overlays]
    overrides = workflow.config_settings.config
    measures = asks_to_measure(sys.argv[1:])
    told = handed_on() if workflow.remote_exec else None
    RUNS = told or plan_runs(config, files, overrides, measures=measures)
    if asks_for_results(sys.argv[1:]):
        check_measured(RUNS)
        if not workflow.remote_exec:
            check_writable([f"results/{folder}" for folder in RUNS], sys.argv[1:])
            discard_changed([f"results/{folder}" for folder in RUNS], sys.argv[1:])
    if not workflow.remote_exec and (len(RUNS) > 1 or "compare" in sys.argv):
        discard_changed(["results/comparison"], sys.argv[1:])
    for run in RUNS.values():
        run.turns()
except (Mistakes, Damaged) as mistakes:
    say(mistakes, file=sys.stderr)
    sys.exit(1)

PLAN = None if told else export_plan(RUNS)

# What all runs have in common; they differ in the machine, and in the blocks that suit it.
ANY_RUN = next(iter(RUNS.values()))
CONFIG = ANY_RUN.config
MEASURES = ANY_RUN.measures
RUNTIMES = [runtime.id for runtime in ANY_RUN.runtimes]
ALL_ROUNDS = "{path}/round-{round}"
TRACES = f"traces/{ALL_ROUNDS}.json"

FIGURES = sorted(
    path.stem
    for path in (SCRIPTS / "gilscope/figures").glob("*.py")
    if not path.stem.startswith("_")
)


# What is made from the measurements of a run, below its folder.
MADE = [
    *(
        "machine.json",
        "config.json",
        "timings.parquet",
        "traces.parquet",
        "rounds.parquet",
    ),
    *("observations.parquet", "workers.json", "gaps.json", "estimates.parquet"),
    *("summary.csv", "scaling.json", "break_even.json", "decisions.json"),
    *("verdicts.json", "across.json", "irrefutable.json"),
    *("report.ipynb", "report.html", "missing.json"),
]


wildcard_constraints:
    machine="|".join(RUNS),
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


ANALYSIS = package("analysis/*.py", "running/files.py")


def drawing(figure):
    """A figure's file, which Snakemake's own report shows too."""
    return report(
        f"results/{{machine}}/figures/{figure}.svg",
        caption="../../report/captions/figure.rst",
        category="Figures",
        labels={"figure": figure},
    )


def run_of(wildcards):
    return RUNS[wildcards.machine]


def block_of(wildcards):
    return run_of(wildcards).block(
        wildcards.runtime, wildcards.workload, wildcards.size
    )


def code_of(wildcards):
    """The block's own workload and strategies: a change in them, and in no other, measures it again."""
    block = block_of(wildcards)
    root = "workflow/scripts/gilscope"
    own = [f"{block.folder}/{block.workload}.py"] if block.folder else []
    return [*own, *(f"{root}/{source}" for source in block_sources(block))]


def runtime_of(wildcards):
    return ANY_RUN.runtime(wildcards.runtime)


def start_of(wildcards):
    """The beginning of the command that the job's interpreter runs."""
    return runtime_of(wildcards).start


def identity_of(wildcards):
    """The build of the job's interpreter: another one measures again."""
    return runtime_of(wildcards).identity


def environment_of(wildcards):
    """The job's environment, if it is not the workflow's own: what it lacks may change, what is pinned may not."""
    equipment = runtime_of(wildcards).equipment
    return [ancient(equipment), *CONFIG.environments.locks] if equipment else []


def partition_of(wildcards):
    """Where a cluster has the machine; None leaves it to the cluster."""
    return run_of(wildcards).destination.partition


def constraint_of(wildcards):
    return run_of(wildcards).destination.constraint


def lacked_of(result):
    """Another number than before where a result lacks something for the machine's sake: then it is made again."""
    return lambda wildcards: run_of(wildcards).lacked(result.format(**wildcards))


def turn(number=None):
    """Earlier rounds first, in a round block by block. number: of the round, where no wildcard tells it."""
    return lambda wildcards: run_of(wildcards).priority(
        block_of(wildcards), number or int(wildcards.round)
    )


def part_of(wildcards):
    """What a round takes of its block, for the command: everything, or where it was added, what it was added for."""
    one = run_of(wildcards).turn_of(block_of(wildcards), int(wildcards.round))
    traced = "" if one.traced else "--untraced "
    if one.stage == 1:
        return traced
    return (
        f"{traced}--stage {one.stage} --laps {one.laps} --only {shlex.join(one.only)}"
    )


def allocation_of(wildcards):
    path = f"results/{wildcards.machine}/allocation.json"
    return [path] if run_of(wildcards).allocates else []


def all_rounds(pattern):
    """A file of every round, those included that the rest of the budget was allocated to."""

    def files(wildcards):
        run = run_of(wildcards)
        if run.allocates:
            checkpoints.allocate.get(machine=wildcards.machine)
        found = run.files(pattern)
        return (
            found if run.measures else [file for file in found if Path(file).exists()]
        )

    return files


def measured_files(wildcards):
    """Every file that measuring leaves, of all runs; where nothing is measured, those that are there."""
    found = []
    for machine, run in RUNS.items():
        if run.allocates:
            found.append(checkpoints.allocate.get(machine=machine).output[0])
        for kind in ("raw/{}.json", "raw/{}.facts.json", "traces/{}.trace.json"):
            found += run.files(kind.format(ALL_ROUNDS))
        found += [*run.calibrations(), *run.traces(), *run.labs()]
    return found if MEASURES else [file for file in found if Path(file).exists()]


def all_cores(wildcards):
    """Those that Snakemake may have of this computer; where a cluster measures, its profile says how many a job has."""
    asked, here = workflow.resource_settings, available_cpu_count()
    return asked.cores or min(asked.local_cores or here, here)


def leave_the_machine_alone():
    """Stop Snakemake from looking at all jobs that are left, once a second for every job that has ended.

    Its limit of jobs a second starts a timer whenever a job ends, and each timer the next one: after a hundred jobs that
    is half a core beside every measurement. Where a cluster measures, it is not in the way.
    """
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


def date_to_now():
    """Give what the run reads, and has made so far, a date that is not in the future."""
    known = {
        Path(file) for job in workflow.dag.jobs for file in (*job.input, *job.output)
    }
    for run in RUNS:
        known.update(
            path for path in Path(f"results/{run}").rglob("*") if path.is_file()
        )
    try:
        if line := bring_back(known):
            say(line)
    except Mistakes as mistakes:
        say(mistakes, file=sys.stderr)
        sys.exit(1)
