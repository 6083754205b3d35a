"""Draw one figure (rule plot)."""

from gilscope.figures import write_figure

if __name__ == "__main__":
    write_figure(snakemake.wildcards.figure, snakemake.params.folder, snakemake.output[0])
