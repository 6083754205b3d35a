from gilscope.analysis.collecting import (
    collect_gaps,
    collect_lab_gaps,
    collect_observations,
    collect_own_folders,
    collect_rounds,
    collect_runtimes,
    collect_timings,
    collect_traces,
    collect_workers,
)
from gilscope.analysis.tables import read_json, write_json, write_table
from gilscope.bundles.privacy import Private
from gilscope.bundles.redaction import Redaction
from gilscope.config import Limits

if __name__ == "__main__":
    given = snakemake.input
    machine = read_json(given.machine)
    rounds = collect_rounds(
        given.facts, given.traces, given.labs, Limits(**snakemake.params.limits), machine["usable_cores"]
    )
    flags = rounds["flags"].head(len(given.facts))
    label, runtimes = machine["label"], collect_runtimes(given.runtimes)
    write_table(collect_timings(given.raws, given.facts, label, runtimes, flags), snakemake.output.timings)
    write_table(collect_traces(given.traces, label), snakemake.output.traces)
    write_table(rounds, snakemake.output.rounds)
    write_json(collect_workers(given.facts), snakemake.output.workers)
    write_table(collect_observations(given.labs, label), snakemake.output.observations)
    private = Private.here().and_paths(collect_own_folders(given.facts))
    gaps = [*snakemake.params.absent, *collect_gaps(given.facts), *collect_lab_gaps(given.labs)]
    write_json(Redaction(private).document(gaps), snakemake.output.gaps)
