"""Draw all figures (rule plot)."""

from gilscope.figures import write_figures

if __name__ == "__main__":
    write_figures(snakemake.params.folder, snakemake.params.target, snakemake.threads)
