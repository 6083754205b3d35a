"""Figures and the one page that shows them."""


rule plot:
    """Every figure and its data; a module in gilscope/figures each. Together: to import seaborn takes longer than to draw."""
    input:
        estimates="results/{machine}/estimates.parquet",
        traces="results/{machine}/traces.parquet",
        observations="results/{machine}/observations.parquet",
        scaling="results/{machine}/scaling.json",
        verdicts="results/{machine}/verdicts.json",
        across="results/{machine}/across.json",
        break_even="results/{machine}/break_even.json",
        machine="results/{machine}/machine.json",
        runtimes=expand("results/{{machine}}/runtimes/{runtime}.json", runtime=RUNTIMES),
        tasks=lambda wildcards: run_of(wildcards).traces(pilot=True),
        code=package("figures/*.py", "analysis/*.py"),
    output:
        *map(drawing, FIGURES),
        data=expand("results/{{machine}}/figures/{figure}.csv", figure=FIGURES),
    log:
        "results/{machine}/logs/plot.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: all_cores
    params:
        folder=lambda wildcards: f"results/{wildcards.machine}",
        target=lambda wildcards: f"results/{wildcards.machine}/figures",
    script:
        "../scripts/plot.py"


rule render:
    """The report: papermill runs the notebook, nbconvert makes the page."""
    input:
        notebook="report/report.ipynb",
        style=["report/style.css"],
        script=["report/report.js"],
        citation="CITATION.cff",
        templates=sorted(map(str, Path("report/templates").glob("*.html"))),
        captions=sorted(map(str, Path("report/captions").glob("*.rst"))),
        config="results/{machine}/config.json",
        machine="results/{machine}/machine.json",
        runtimes=expand("results/{{machine}}/runtimes/{runtime}.json", runtime=RUNTIMES),
        estimates="results/{machine}/estimates.parquet",
        rounds="results/{machine}/rounds.parquet",
        traces="results/{machine}/traces.parquet",
        scaling="results/{machine}/scaling.json",
        observations="results/{machine}/observations.parquet",
        workers="results/{machine}/workers.json",
        gaps="results/{machine}/gaps.json",
        verdicts="results/{machine}/verdicts.json",
        allocation=allocation_of,
        across="results/{machine}/across.json",
        decisions="results/{machine}/decisions.json",
        irrefutable="results/{machine}/irrefutable.json",
        figures=expand("results/{{machine}}/figures/{figure}.svg", figure=FIGURES),
        data=expand("results/{{machine}}/figures/{figure}.csv", figure=FIGURES),
        code=package("rendering/*.py", "figures/*.py", "analysis/*.py", "labs/*.py"),
    output:
        page=report(
            "results/{machine}/report.html",
            caption="../../report/captions/report.rst",
            category="Report",
        ),
        notebook="results/{machine}/report.ipynb",
    log:
        "results/{machine}/logs/render.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        folder=lambda wildcards, output: str(Path(output.page).parent),
        more=lambda wildcards, input: {"citation": input.citation},
    script:
        "../scripts/render.py"


rule conclude:
    """Says what the report lacks and how to get it; where answers were wrong, the run ends with 1, after the report."""
    input:
        script="workflow/scripts/conclude.py",
        gaps="results/{machine}/gaps.json",
        report="results/{machine}/report.html",
        code=package("rendering/missing.py", "running/reasons.py"),
    output:
        "results/{machine}/missing.json",
    log:
        "results/{machine}/logs/conclude.log",
    localrule: True
    conda:
        "../../environment.yml"
    shell:
        '"$GILSCOPE_PYTHON" {input.script} {input.gaps} {output} 2>&1 | tee {log}'
