"""Execute a notebook and make the page of it (rules render and render_comparison)."""

from gilscope.invoking.making import making
from gilscope.rendering.page import render

if __name__ == "__main__":
    with making(snakemake):
        render(
            notebook=snakemake.input.notebook,
            styles=snakemake.input.style,
            scripts=snakemake.input.script,
            figures=snakemake.input.figures,
            folder=snakemake.params.folder,
            target=snakemake.output.page,
            executed=snakemake.output.notebook,
            log=snakemake.log[0],
            **snakemake.params.get("more", {}),
        )
