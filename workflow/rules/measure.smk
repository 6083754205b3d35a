"""Measuring: every job alone on the machine, rounds of all blocks interleaved (round 1 of all before round 2)."""

RUNNING = package("running/*.py")
TRACING = package("measuring/memory.py", "measuring/trac*.py")
MEASURING = package("cells.py", "measuring/*.py")
TIMING = [*RUNNING, *(file for file in MEASURING if file not in TRACING)]


rule calibrate:
    """How many loops a value and how many laps a round has, fixed once and shared by all rounds of the block."""
    input:
        script="workflow/scripts/measure.py",
        code=code_of,
        environment=environment_of,
        machine=ancient("results/{machine}/machine.json"),
        measuring=TIMING,
    output:
        "results/{machine}/raw/{runtime}/{workload}/{size}/calibration.json",
    log:
        "results/{machine}/logs/calibrate/{runtime}/{workload}/{size}.log",
    priority: 10000000
    conda:
        "../../environment.yml"
    threads: all_cores
    resources:
        slurm_partition=partition_of,
        constraint=constraint_of,
    params:
        block=lambda wildcards: block_of(wildcards).to_json(),
        start=start_of,
        identity=identity_of,
    shell:
        "{params.start} {input.script} {params.block:q} --machine {input.machine}"
        " --calibration {output} 2> {log}"


rule measure:
    """One round: a new process that takes laps over all cells of one block."""
    input:
        script="workflow/scripts/measure.py",
        calibration=rules.calibrate.output[0],
        code=code_of,
        environment=environment_of,
        machine=ancient("results/{machine}/machine.json"),
        measuring=TIMING,
    output:
        raw="results/{machine}/raw/{runtime}/{workload}/{size}/round-{round}.json",
        facts="results/{machine}/raw/{runtime}/{workload}/{size}/round-{round}.facts.json",
    log:
        "results/{machine}/logs/measure/{runtime}/{workload}/{size}/round-{round}.log",
    priority: turn(record=False)
    conda:
        "../../environment.yml"
    threads: all_cores
    resources:
        slurm_partition=partition_of,
        constraint=constraint_of,
    params:
        block=lambda wildcards: block_of(wildcards).to_json(),
        start=start_of,
        identity=identity_of,
    shell:
        "{params.start} {input.script} {params.block:q} --machine {input.machine}"
        " --calibration {input.calibration} --round {wildcards.round} --raw {output.raw} --facts {output.facts} 2> {log}"


rule record:
    """Traces, apart from the timed rounds: each task's start, end, CPU time and worker; switches and memory."""
    input:
        script="workflow/scripts/record.py",
        calibration=rules.calibrate.output[0],
        code=code_of,
        environment=environment_of,
        machine=ancient("results/{machine}/machine.json"),
        measuring=TIMING + TRACING,
    output:
        trace="results/{machine}/traces/{runtime}/{workload}/{size}/round-{round}.json",
        events="results/{machine}/traces/{runtime}/{workload}/{size}/round-{round}.trace.json",
    log:
        "results/{machine}/logs/record/{runtime}/{workload}/{size}/round-{round}.log",
    priority: turn(record=True)
    conda:
        "../../environment.yml"
    threads: all_cores
    resources:
        slurm_partition=partition_of,
        constraint=constraint_of,
    params:
        block=lambda wildcards: block_of(wildcards).to_json(),
        start=start_of,
        identity=identity_of,
    shell:
        "{params.start} {input.script} {params.block:q} --machine {input.machine}"
        " --calibration {input.calibration} --round {wildcards.round} --trace {output.trace} --events {output.events} 2> {log}"
