"""Measuring: every job alone on the machine, rounds of all blocks interleaved (round 1 of all before round 2)."""

RUNNING = package("running/*.py")
MEASURING = [*RUNNING, *package("measuring/*.py")]
BLOCK = "{runtime}/{workload}/{size}"
ROUND = f"{BLOCK}/round-{{round}}"


rule begin:
    """A block's first round, which also decides how many loops a value and how many laps all of its rounds have."""
    input:
        script="workflow/scripts/measure.py",
        code=code_of,
        environment=environment_of,
        machine=ancient("results/{machine}/machine.json"),
        measuring=MEASURING,
    output:
        calibration=f"results/{{machine}}/raw/{BLOCK}/calibration.json",
        raw=f"results/{{machine}}/raw/{BLOCK}/round-1.json",
        facts=f"results/{{machine}}/raw/{BLOCK}/round-1.facts.json",
        trace=f"results/{{machine}}/traces/{BLOCK}/round-1.json",
        events=f"results/{{machine}}/traces/{BLOCK}/round-1.trace.json",
    log:
        f"results/{{machine}}/logs/measure/{BLOCK}/round-1.log",
    priority: turn(1)
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
        lacked=lacked_of(f"raw/{BLOCK}/round-1.json"),
    shell:
        "{params.start} {input.script} {params.block:q} --machine {input.machine} --calibration {output.calibration}"
        " --round 1 --raw {output.raw} --facts {output.facts} --trace {output.trace} --events {output.events}"
        " --log {log} 2> {log}"


rule measure:
    """One round: a new process that takes laps over the cells of one block, and then traces each of them once."""
    input:
        script="workflow/scripts/measure.py",
        calibration=rules.begin.output.calibration,
        code=code_of,
        environment=environment_of,
        machine=ancient("results/{machine}/machine.json"),
        measuring=MEASURING,
    output:
        raw=f"results/{{machine}}/raw/{ROUND}.json",
        facts=f"results/{{machine}}/raw/{ROUND}.facts.json",
        trace=f"results/{{machine}}/traces/{ROUND}.json",
        events=f"results/{{machine}}/traces/{ROUND}.trace.json",
    log:
        f"results/{{machine}}/logs/measure/{ROUND}.log",
    wildcard_constraints:
        round=r"[2-9]|\d\d+",
    priority: turn()
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
        lacked=lacked_of(f"raw/{ROUND}.json"),
        part=part_of,
    shell:
        "{params.start} {input.script} {params.block:q} --machine {input.machine} --calibration {input.calibration}"
        " --round {wildcards.round} {params.part} --raw {output.raw} --facts {output.facts}"
        " --trace {output.trace} --events {output.events} --log {log} 2> {log}"


checkpoint allocate:
    """The rest of the budget: more rounds for the cases that are open, where they tell most. Earlier ones are kept."""
    input:
        raws=lambda wildcards: run_of(wildcards).files(
            f"raw/{ALL_ROUNDS}.json", pilot=True
        ),
        facts=lambda wildcards: run_of(wildcards).files(
            f"raw/{ALL_ROUNDS}.facts.json", pilot=True
        ),
        traces=lambda wildcards: run_of(wildcards).traces(pilot=True),
        labs=lambda wildcards: run_of(wildcards).labs(),
        machine="results/{machine}/machine.json",
        runtimes=expand("results/{{machine}}/runtimes/{runtime}.json", runtime=RUNTIMES),
        claims=CONFIG.claims,
        code=[*ANALYSIS, *package("configuring/claim*.py")],
    output:
        update("results/{machine}/allocation.json"),
    log:
        "results/{machine}/logs/allocate.log",
    localrule: True
    conda:
        "../../environment.yml"
    # Alone, as what it decides about is measured.
    threads: all_cores
    params:
        folder=lambda wildcards: f"results/{wildcards.machine}",
        blocks=lambda wildcards: [block.to_json() for block in run_of(wildcards).blocks],
        asked=[claim.id for claim in selected_claims(CONFIG, ANY_RUN.claims.claims)],
        budget_minutes=CONFIG.budget_minutes,
        limits=CONFIG.limits.model_dump(mode="json"),
        workloads=ANY_RUN.workloads,
        absent=ANY_RUN.absent,
    script:
        "../scripts/allocate.py"
