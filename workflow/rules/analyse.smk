"""From raw files to tidy tables, estimates and verdicts."""


rule configure:
    """The configuration that the results come from."""
    output:
        "results/{machine}/config.json",
    log:
        "results/{machine}/logs/configure.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        config=CONFIG.shared(),
    script:
        "../scripts/configure.py"


rule collect:
    """Tidy tables: a row per timed value, trace, round, observation; what workers said, and what gave nothing."""
    input:
        raws=all_rounds(f"raw/{ALL_ROUNDS}.json"),
        facts=all_rounds(f"raw/{ALL_ROUNDS}.facts.json"),
        traces=all_rounds(TRACES),
        labs=lambda wildcards: run_of(wildcards).labs(),
        machine="results/{machine}/machine.json",
        runtimes=expand("results/{{machine}}/runtimes/{runtime}.json", runtime=RUNTIMES),
        code=[*ANALYSIS, *package("bundles/privacy.py", "bundles/redaction.py")],
    output:
        timings="results/{machine}/timings.parquet",
        traces="results/{machine}/traces.parquet",
        rounds="results/{machine}/rounds.parquet",
        observations="results/{machine}/observations.parquet",
        workers="results/{machine}/workers.json",
        gaps="results/{machine}/gaps.json",
    log:
        "results/{machine}/logs/collect.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        limits=CONFIG.limits.model_dump(mode="json"),
        absent=ANY_RUN.absent,
    script:
        "../scripts/collect.py"


rule estimate:
    """One row per cell and metric: estimate, interval, noise floor, flags; scaling laws; what pays when; what to use."""
    input:
        timings="results/{machine}/timings.parquet",
        traces="results/{machine}/traces.parquet",
        rounds="results/{machine}/rounds.parquet",
        machine="results/{machine}/machine.json",
        runtimes=expand("results/{{machine}}/runtimes/{runtime}.json", runtime=RUNTIMES),
        claims=CONFIG.claims,
        code=[*ANALYSIS, *package("configuring/claim*.py")],
    output:
        estimates="results/{machine}/estimates.parquet",
        summary="results/{machine}/summary.csv",
        scaling="results/{machine}/scaling.json",
        break_even="results/{machine}/break_even.json",
        decisions="results/{machine}/decisions.json",
    log:
        "results/{machine}/logs/estimate.log",
    localrule: True
    conda:
        "../../environment.yml"
    script:
        "../scripts/estimate.py"


rule judge:
    """Each claim's verdict, and the runtimes' sequential times side by side."""
    input:
        timings="results/{machine}/timings.parquet",
        traces="results/{machine}/traces.parquet",
        observations="results/{machine}/observations.parquet",
        rounds="results/{machine}/rounds.parquet",
        gaps="results/{machine}/gaps.json",
        machine="results/{machine}/machine.json",
        runtimes=expand("results/{{machine}}/runtimes/{runtime}.json", runtime=RUNTIMES),
        claims=CONFIG.claims,
        code=[*ANALYSIS, *package("configuring/claim*.py")],
    output:
        verdicts="results/{machine}/verdicts.json",
        across="results/{machine}/across.json",
        irrefutable="results/{machine}/irrefutable.json",
    log:
        "results/{machine}/logs/judge.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        workloads=ANY_RUN.workloads,
        budgeted=CONFIG.budget_minutes > 0,
    script:
        "../scripts/judge.py"
