"""Measuring: every job alone on the machine, rounds of all blocks interleaved (round 1 of all before round 2)."""

from gilscope.sweep import block_sources

MEASURING = package("cells.py", "measuring/[!_t]*.py")


def block_of(wildcards):
    return RUN.block(wildcards.runtime, wildcards.workload, wildcards.size)


def code_of(wildcards):
    """The block's own workload and strategies: a change in them, and in no other, measures it again."""
    block = block_of(wildcards)
    root = "workflow/scripts/gilscope"
    own = [f"{block.folder}/{block.workload}.py"] if block.folder else []
    return [*own, *(f"{root}/{source}" for source in block_sources(block))]


def turn(record):
    """Earlier rounds first; within a round the timing before the tracing."""
    return lambda wildcards: 2 * (1000 - int(wildcards.round)) + (not record)


rule calibrate:
    """How many loops a value and how many laps a round has, fixed once and shared by all rounds of the block."""
    input:
        script="workflow/scripts/measure.py",
        code=code_of,
        measuring=MEASURING,
    output:
        "results/{machine}/raw/{runtime}/{workload}/{size}/calibration.json",
    log:
        "results/{machine}/logs/calibrate/{runtime}/{workload}/{size}.log",
    params:
        block=lambda wildcards: block_of(wildcards).to_json(),
    threads: lambda wildcards: workflow.cores
    priority: 10000
    conda:
        "../../environment.yml"
    shell:
        'exec "$GILSCOPE_PYTHON" {input.script} {params.block:q} --calibration {output} 2> {log}'


rule measure:
    """One round: a new process that takes laps over all cells of one block."""
    input:
        script="workflow/scripts/measure.py",
        calibration=rules.calibrate.output[0],
        code=code_of,
        measuring=MEASURING,
    output:
        raw="results/{machine}/raw/{runtime}/{workload}/{size}/round-{round}.json",
        facts="results/{machine}/raw/{runtime}/{workload}/{size}/round-{round}.facts.json",
    log:
        "results/{machine}/logs/measure/{runtime}/{workload}/{size}/round-{round}.log",
    params:
        block=lambda wildcards: block_of(wildcards).to_json(),
    threads: lambda wildcards: workflow.cores
    priority: turn(record=False)
    conda:
        "../../environment.yml"
    shell:
        'exec "$GILSCOPE_PYTHON" {input.script} {params.block:q} --calibration {input.calibration}'
        " --round {wildcards.round} --raw {output.raw} --facts {output.facts} 2> {log}"


rule record:
    """Traces, apart from the timed rounds: each task's start, end, CPU time and worker."""
    input:
        script="workflow/scripts/record.py",
        calibration=rules.calibrate.output[0],
        code=code_of,
        measuring=package("cells.py", "measuring/[!_]*.py"),
    output:
        "results/{machine}/traces/{runtime}/{workload}/{size}/round-{round}.json",
    log:
        "results/{machine}/logs/record/{runtime}/{workload}/{size}/round-{round}.log",
    params:
        block=lambda wildcards: block_of(wildcards).to_json(),
    threads: lambda wildcards: workflow.cores
    priority: turn(record=True)
    conda:
        "../../environment.yml"
    shell:
        'exec "$GILSCOPE_PYTHON" {input.script} {params.block:q} --calibration {input.calibration}'
        " --round {wildcards.round} --trace {output} 2> {log}"
