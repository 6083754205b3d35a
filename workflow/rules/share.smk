"""Sharing: a run as one file, and several of them on one page."""

from gilscope.bundles.manifest import SHARED
from gilscope.bundles.choosing import choose_bundles

COMPARISON = "results/comparison"
CHOSEN = choose_bundles(CONFIG, list(RUNS))
COMPARISON_FIGURES = sorted(
    path.stem for path in (SCRIPTS / "gilscope/figures/comparison").glob("[!_]*.py")
)


rule bundle_results:
    """Everything that others need to check or compare a run, without anything that tells whose machine it was."""
    input:
        expand(
            "results/{{machine}}/{name}",
            name=[name for name in SHARED if name in MADE],
        ),
        code=package("bundles/*.py"),
    output:
        "results/{machine}.zip",
    log:
        "results/{machine}/logs/bundle.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        folder=lambda wildcards: f"results/{wildcards.machine}",
    script:
        "../scripts/bundle.py"


rule bundle:
    """The file to share: snakemake bundle --cores 1"""
    input:
        expand("results/{machine}.zip", machine=RUNS),
    localrule: True


rule lay_side_by_side:
    """Bundles read and checked; their claims, cells and labs compared with the baseline's."""
    input:
        bundles=CHOSEN.at_hand,
        code=[*ANALYSIS, *package("bundles/*.py", "comparison/*.py")],
    output:
        expand(
            f"{COMPARISON}/{{name}}.json",
            name=["sides", "claims", "break_even", "unmatched", "gate"],
        ),
        expand(
            f"{COMPARISON}/{{name}}.parquet",
            name=["cells", "speeds", "labs", "differences"],
        ),
    log:
        f"{COMPARISON}/logs/lay_side_by_side.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        # Of a function's answer Snakemake takes no braces for a pattern.
        bundles=lambda wildcards: list(CHOSEN.all),
        limits=CONFIG.bundle_limits.model_dump(mode="json"),
        baseline=lambda wildcards: CONFIG.baseline,
        gate=CONFIG.gate.model_dump(mode="json"),
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    script:
        "../scripts/lay_side_by_side.py"


rule plot_comparison:
    """The comparison's figures and their data, all together."""
    input:
        rules.lay_side_by_side.output,
        code=package("figures/*.py", "figures/comparison/*.py"),
    output:
        figures=expand(
            f"{COMPARISON}/figures/{{figure}}.svg", figure=COMPARISON_FIGURES
        ),
        data=expand(f"{COMPARISON}/figures/{{figure}}.csv", figure=COMPARISON_FIGURES),
    log:
        f"{COMPARISON}/logs/plot_comparison.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: all_cores
    params:
        folder=lambda wildcards, input: str(Path(input[0]).parent),
        target=lambda wildcards, output: str(Path(output.figures[0]).parent),
    script:
        "../scripts/plot_comparison.py"


rule render_comparison:
    """The page: machines, claims, speeds, scaling side by side."""
    input:
        rules.lay_side_by_side.output,
        notebook="report/comparison.ipynb",
        style=["report/style.css", "report/comparison.css"],
        script=["report/report.js", "report/students_t.js", "report/differences.js"],
        templates=sorted(map(str, Path("report/templates").glob("**/*.html"))),
        captions=sorted(map(str, Path("report/captions").glob("*.rst"))),
        figures=rules.plot_comparison.output.figures,
        data=rules.plot_comparison.output.data,
        code=package(
            "rendering/*.py",
            "rendering/comparison/*.py",
            "figures/*.py",
            "figures/comparison/*.py",
        ),
    output:
        page="results/comparison.html",
        notebook=f"{COMPARISON}/comparison.ipynb",
    log:
        f"{COMPARISON}/logs/render_comparison.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        folder=lambda wildcards, input: str(Path(input[0]).parent),
    script:
        "../scripts/render.py"


rule compare:
    """One page of several bundles; ends with 1 where something got worse than the baseline: snakemake compare --cores 1"""
    input:
        page=rules.render_comparison.output.page,
        notebook=rules.render_comparison.output.notebook,
        found=rules.lay_side_by_side.output,
        figures=rules.plot_comparison.output,
        script="workflow/scripts/gate.py",
    log:
        f"{COMPARISON}/logs/compare.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        folder=lambda wildcards, input: str(Path(input.found[0]).parent),
    shell:
        '"$GILSCOPE_PYTHON" {input.script} {params.folder} {input.page} 2>&1 | tee {log}'
