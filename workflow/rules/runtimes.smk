"""What the machine and the interpreters say about themselves."""


rule describe_machine:
    """Hardware, operating system and limits of the machine that measures."""
    input:
        script="workflow/scripts/describe_machine.py",
        code="workflow/scripts/gilscope/machine.py",
    output:
        "results/{machine}/machine.json",
    log:
        "results/{machine}/logs/describe_machine.log",
    priority: 20000000
    conda:
        "../../environment.yml"
    params:
        label=RUN.machine.label,
    shell:
        'exec "$GILSCOPE_PYTHON" {input.script} --label {params.label} {output} 2> {log}'


rule equip:
    """An environment for a runtime beside the current one: pyperf, psutil, what the workloads import; pinned and hashed."""
    input:
        locks=RUN.config.environments.locks,
        code=package("equipping.py", "uv.py"),
    output:
        ".runtimes/{environment}/gilscope.json",
    log:
        f"results/{RUN.folder}/logs/equip/{{environment}}.log",
    priority: 30000000
    conda:
        "../../environment.yml"
    threads: lambda wildcards: workflow.cores
    params:
        identity=lambda wildcards: next(
            runtime.identity
            for runtime in RUN.runtimes
            if runtime.environment == wildcards.environment
        ),
        libraries=RUN.libraries,
        from_source=RUN.config.environments.from_source,
    script:
        "../scripts/equip.py"


rule describe_runtime:
    """An interpreter's version, build and lock, the latter read after the workloads' imports."""
    input:
        script="workflow/scripts/describe_runtime.py",
        code="workflow/scripts/gilscope/runtimes.py",
        environment=lambda wildcards: RUN.runtime(wildcards.runtime).equipment or [],
    output:
        "results/{machine}/runtimes/{runtime}.json",
    log:
        "results/{machine}/logs/describe_runtime/{runtime}.log",
    priority: 20000000
    conda:
        "../../environment.yml"
    params:
        start=start_of,
        name=lambda wildcards: RUN.runtime(wildcards.runtime).name,
        current=lambda wildcards: (
            "--current" if RUN.runtime(wildcards.runtime).current else ""
        ),
        workloads=sorted({block.workload for block in RUN.blocks if not block.folder}),
    shell:
        "{params.start} {input.script} {output} --name {params.name:q} {params.current}"
        " --workloads {params.workloads} 2> {log}"


rule doctor:
    """Prints what on this machine will hurt measurements, and how to mend it: snakemake doctor --cores 1"""
    input:
        script="workflow/scripts/doctor.py",
    log:
        f"results/{RUN.folder}/logs/doctor.log",
    conda:
        "../../environment.yml"
    params:
        limits=RUN.config.limits.model_dump_json(),
    shell:
        '"$GILSCOPE_PYTHON" {input.script} --limits {params.limits:q} | tee {log}'
