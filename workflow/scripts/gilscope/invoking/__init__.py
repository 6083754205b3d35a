"""Around a run of Snakemake: what it was asked for, where it is started, how it ends and makes files."""
