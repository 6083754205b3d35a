"""What the machine and the interpreters say about themselves, while they measure: afterwards others might answer."""


# A checkpoint, as the next one is: whatever waits for it is asked once more whether it has reasons of its own to run.
checkpoint describe_machine:
    """Hardware, operating system and limits of the machine that measures; another one than was planned for is an error."""
    input:
        script="workflow/scripts/describe_machine.py",
        code=package("machine/facts.py", "machine/core_kinds.py", "running/node.py"),
    output:
        "results/{machine}/machine.json",
    log:
        "results/{machine}/logs/describe_machine.log",
    priority: 20000000
    conda:
        "../../environment.yml"
    threads: all_cores
    resources:
        slurm_partition=partition_of,
        constraint=constraint_of,
    params:
        label=lambda wildcards: run_of(wildcards).destination.label,
        cores=lambda wildcards: run_of(wildcards).destination.usable_cores,
        origin=lambda wildcards: run_of(wildcards).destination.origin,
    shell:
        'exec "$GILSCOPE_PYTHON" {input.script} {output} --label {params.label} --cores {params.cores}'
        " --origin {params.origin} 2> {log}"


checkpoint equip:
    """An environment for a runtime beside the current one: pyperf, psutil, what the workloads import; pinned and hashed."""
    input:
        locks=CONFIG.environments.locks,
        code=package("interpreters/equipping.py", "interpreters/uv.py"),
    output:
        ".runtimes/{environment}/gilscope.json",
    log:
        f"results/{ANY_RUN.folder}/logs/equip/{{environment}}.log",
    priority: 30000000
    localrule: True
    conda:
        "../../environment.yml"
    threads: all_cores
    params:
        identity=lambda wildcards: next(
            runtime.identity
            for runtime in ANY_RUN.runtimes
            if runtime.environment == wildcards.environment
        ),
        libraries=lambda wildcards: ANY_RUN.libraries[wildcards.environment],
        from_source=CONFIG.environments.from_source,
    script:
        "../scripts/equip.py"


rule describe_runtime:
    """An interpreter's version, build and lock, the latter read after the workloads' imports."""
    input:
        script="workflow/scripts/describe_runtime.py",
        machine=ancient("results/{machine}/machine.json"),
        code=package("running/identity.py", "running/builds.py", "running/gil.py"),
        environment=lambda wildcards: runtime_of(wildcards).equipment or [],
    output:
        "results/{machine}/runtimes/{runtime}.json",
    log:
        "results/{machine}/logs/describe_runtime/{runtime}.log",
    # After the first round of every block and before the second: its imports would keep the first one waiting.
    priority: 998 * len(ANY_RUN.blocks) + 1
    conda:
        "../../environment.yml"
    resources:
        slurm_partition=partition_of,
        constraint=constraint_of,
    params:
        start=start_of,
        name=lambda wildcards: runtime_of(wildcards).name,
        current=lambda wildcards: ("--current" if runtime_of(wildcards).current else ""),
        only=lambda wildcards: (
            shlex.join(["--claims", *runtime_of(wildcards).claims])
            if runtime_of(wildcards).claims
            else ""
        ),
        workloads=lambda wildcards: sorted(
            {
                block.workload
                for block in ANY_RUN.blocks
                if block.runtime == wildcards.runtime and not block.folder
            }
        ),
    shell:
        "{params.start} {input.script} {output} --machine {input.machine} --name {params.name:q} {params.current}"
        " {params.only} --workloads {params.workloads} --log {log} 2> {log}"
