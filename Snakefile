"""gilscope: when do threads, processes and coroutines help, and what does the GIL have to do with it?

    snakemake --cores all                                            the default sweep
    snakemake --cores all --configfile config/presets/quick.yaml     another one
    snakemake --cores all --config only_existing=true                the report of what has been measured so far
    snakemake --cores 1 doctor                                       what on this machine will hurt measurements
    snakemake --profile profiles/slurm                               a cluster measures (docs/cluster.md)

What is measured stands in config/, how in docs/ and in workflow/scripts/gilscope/.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/plan.smk"
include: "workflow/rules/doctor.smk"


# Without these rules what has been measured is taken as it is.
if MEASURES:

    include: "workflow/rules/runtimes.smk"
    include: "workflow/rules/measure.smk"
    include: "workflow/rules/labs.smk"


include: "workflow/rules/analyse.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/share.smk"


rule all:
    """All that each machine's run consists of, and, where there are several, the page that lays them side by side.

    What is missing is made again, also where what was made from it is still there.
    """
    default_target: True
    input:
        expand("results/{machine}/{name}", machine=RUNS, name=MADE),
        expand(
            "results/{machine}/runtimes/{runtime}.json", machine=RUNS, runtime=RUNTIMES
        ),
        expand(
            "results/{machine}/figures/{figure}.{kind}",
            machine=RUNS,
            figure=FIGURES,
            kind=["svg", "csv"],
        ),
        measured_files,
        rules.compare.input if len(RUNS) > 1 else [],
    localrule: True


onstart:
    hear_at_any_moment(workflow.scheduler)
    leave_the_machine_alone()
    date_to_now()
    if MEASURES:
        hand_on(PLAN)
    for run in RUNS.values() if MEASURES else ():
        say(run.outlook())
