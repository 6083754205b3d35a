"""Execute the comparison's notebook and make the page of it (rule render_comparison)."""

from gilscope.invoking.making import making
from gilscope.rendering.comparison import render_comparison

if __name__ == "__main__":
    with making(snakemake):
        render_comparison(
            notebook=snakemake.input.notebook,
            styles=snakemake.input.style,
            scripts=snakemake.input.script,
            figures=snakemake.input.figures,
            folder=snakemake.params.folder,
            target=snakemake.output.page,
            executed=snakemake.output.notebook,
            log=snakemake.log[0],
        )
