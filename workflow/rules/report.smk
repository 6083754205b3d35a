"""Figures and the one page that shows them."""


rule plot:
    """One figure; its module in gilscope/figures has the figure's name."""
    input:
        estimates="results/{machine}/estimates.parquet",
        traces="results/{machine}/traces.parquet",
        scaling="results/{machine}/scaling.json",
        verdicts="results/{machine}/verdicts.json",
        across="results/{machine}/across.json",
        runtimes=expand("results/{{machine}}/runtimes/{runtime}.json", runtime=RUNTIMES),
        code=package("figures/_*.py", "analysis/*.py"),
        own="workflow/scripts/gilscope/figures/{figure}.py",
    output:
        report(
            "results/{machine}/figures/{figure}.svg",
            caption="../../report/captions/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "results/{machine}/logs/plot/{figure}.log",
    conda:
        "../../environment.yml"
    params:
        folder=lambda wildcards, output: str(Path(output[0]).parents[1]),
    script:
        "../scripts/plot.py"


rule render:
    """The report: papermill runs the notebook, nbconvert makes the page."""
    input:
        notebook="report/report.ipynb",
        style="report/style.css",
        captions=expand("report/captions/{figure}.rst", figure=FIGURES),
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
        across="results/{machine}/across.json",
        decisions="results/{machine}/decisions.json",
        irrefutable="results/{machine}/irrefutable.json",
        figures=expand("results/{{machine}}/figures/{figure}.svg", figure=FIGURES),
        code=package("rendering/*.py", "figures/*.py", "analysis/*.py", "labs/*.py"),
    output:
        report=report(
            "results/{machine}/report.html",
            caption="../../report/captions/report.rst",
            category="Report",
        ),
        notebook="results/{machine}/report.ipynb",
    log:
        "results/{machine}/logs/render.log",
    conda:
        "../../environment.yml"
    params:
        folder=lambda wildcards, output: str(Path(output.report).parent),
    script:
        "../scripts/render.py"
