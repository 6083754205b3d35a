from gilscope.analysis.collecting import (
    collect_gaps,
    collect_rounds,
    collect_runtimes,
    collect_timings,
    collect_traces,
)
from gilscope.analysis.tables import read_json, write_json, write_table

if __name__ == "__main__":
    machine = read_json(snakemake.input.machine)["label"]
    runtimes = collect_runtimes(snakemake.input.runtimes)
    write_table(
        collect_timings(snakemake.input.raws, snakemake.input.facts, machine, runtimes), snakemake.output.timings
    )
    write_table(collect_traces(snakemake.input.traces, machine), snakemake.output.traces)
    write_table(collect_rounds(snakemake.input.facts), snakemake.output.rounds)
    write_json(collect_gaps(snakemake.input.facts), snakemake.output.gaps)
