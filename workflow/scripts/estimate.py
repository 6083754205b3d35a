from gilscope.analysis.break_even import break_even
from gilscope.analysis.estimates import estimate
from gilscope.analysis.scaling import fit_scaling
from gilscope.analysis.tables import read_json, read_table, write_json, write_table

if __name__ == "__main__":
    timings, traces, rounds = map(read_table, (snakemake.input.timings, snakemake.input.traces, snakemake.input.rounds))
    estimates = estimate(timings, traces, rounds)
    write_table(estimates, snakemake.output.estimates)
    write_table(estimates, snakemake.output.summary)
    write_json(break_even(estimates), snakemake.output.break_even)
    cores = read_json(snakemake.input.machine)["usable_cores"]
    write_json(fit_scaling(timings, traces, cores), snakemake.output.scaling)
