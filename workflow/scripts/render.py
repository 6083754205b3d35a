"""Execute the notebook and make the report of it (rule render)."""

from gilscope.invoking.making import making
from gilscope.rendering import render

if __name__ == "__main__":
    with making(snakemake):
        render(
            notebook=snakemake.input.notebook,
            style=snakemake.input.style,
            script=snakemake.input.script,
            citation=snakemake.input.citation,
            figures=snakemake.input.figures,
            folder=snakemake.params.folder,
            report=snakemake.output.report,
            executed=snakemake.output.notebook,
            log=snakemake.log[0],
        )
