from gilscope.analysis.estimates import estimate
from gilscope.analysis.tables import read_table, write_table

if __name__ == "__main__":
    estimates = estimate(*map(read_table, (snakemake.input.timings, snakemake.input.traces, snakemake.input.rounds)))
    write_table(estimates, snakemake.output.estimates)
    write_table(estimates, snakemake.output.summary)
