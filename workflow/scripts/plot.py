"""Draw all figures (rule plot)."""

from gilscope.figures import write_figures
from gilscope.invoking.making import making

if __name__ == "__main__":
    with making(snakemake):
        write_figures(snakemake.params.folder, snakemake.params.target, snakemake.threads)
