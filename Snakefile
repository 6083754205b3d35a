"""gilscope: when do threads, processes and coroutines help, and what does the GIL have to do with it?

    snakemake --cores all                                            the default sweep
    snakemake --cores all --configfile config/presets/quick.yaml     another one
    snakemake --cores all --config only_existing=true                the report of what has been measured so far
    snakemake --cores 1 doctor                                       what on this machine will hurt measurements

What is measured stands in config/, how in docs/ and in workflow/scripts/gilscope/.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/plan.smk"
include: "workflow/rules/runtimes.smk"


# Without the measuring rules what has been measured is taken as it is.
if not RUN.config.only_existing:

    include: "workflow/rules/measure.smk"
    include: "workflow/rules/labs.smk"


include: "workflow/rules/analyse.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        f"results/{RUN.folder}/report.html",
        expand(
            "results/{machine}/figures/{figure}.svg",
            machine=RUN.folder,
            figure=FIGURES,
        ),


onstart:
    leave_the_machine_alone()
    print(RUN.outlook())
