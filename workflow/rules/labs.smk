"""The labs: experiments about behaviour, each alone on the machine, after the timed rounds."""


rule observe:
    """One lab: its trials in processes of their own, each bounded in time and output; what was seen, trial by trial."""
    input:
        script="workflow/scripts/observe.py",
        code=lambda wildcards: package(f"labs/{wildcards.lab}.py", "labs/_*.py"),
        environment=environment_of,
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
    threads: lambda wildcards: workflow.cores
    params:
        descriptive=RUN.config.labs.descriptive,
        start=start_of,
        identity=identity_of,
    shell:
        "{params.start} {input.script} {wildcards.lab} --descriptive {params.descriptive} {output} 2> {log}"
