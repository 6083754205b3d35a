"""Draw all figures of a comparison (rule plot_comparison)."""

from gilscope.figures import write_figures
from gilscope.figures.comparison import Comparison
from gilscope.invoking.making import making

if __name__ == "__main__":
    with making(snakemake):
        write_figures(snakemake.params.folder, snakemake.params.target, snakemake.threads, Comparison)
