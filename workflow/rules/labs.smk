"""The labs: experiments about behaviour, each alone on the machine, after the timed rounds."""


rule observe:
    """One lab: its trials in processes of their own, each bounded in time and output; what was seen, trial by trial."""
    input:
        script="workflow/scripts/observe.py",
        code=lambda wildcards: package(f"labs/{wildcards.lab}.py", "labs/_*.py"),
        environment=environment_of,
        machine=ancient("results/{machine}/machine.json"),
        running=RUNNING,
        observing=package(
            "observing/*.py", "measuring/environment.py", "measuring/memory.py"
        ),
    output:
        "results/{machine}/labs/{runtime}/{lab}.json",
    log:
        "results/{machine}/logs/observe/{runtime}/{lab}.log",
    conda:
        "../../environment.yml"
    threads: all_cores
    resources:
        slurm_partition=partition_of,
        constraint=constraint_of,
    params:
        descriptive=CONFIG.labs.descriptive,
        start=start_of,
        identity=identity_of,
        lacked=lacked_of("labs/{runtime}/{lab}.json"),
    shell:
        "{params.start} {input.script} {wildcards.lab} --machine {input.machine}"
        " --descriptive {params.descriptive} {output} --log {log} 2> {log}"
