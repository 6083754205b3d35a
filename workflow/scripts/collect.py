from gilscope.analysis.collecting import collect_own_folders, collect_run, collect_workers, read_machine
from gilscope.analysis.completeness import check_plan
from gilscope.analysis.tables import write_json, write_table
from gilscope.bundles.privacy import Private
from gilscope.bundles.redaction import Redaction
from gilscope.configuring.models import Limits
from gilscope.invoking.making import making
from gilscope.planning.handing_on import handed_on

if __name__ == "__main__":
    with making(snakemake):
        given, made = snakemake.input, snakemake.output
        run = (handed_on() or {}).get(snakemake.wildcards.machine)
        # What there is is taken as it is where nothing is measured.
        if run and run.measures:
            check_plan(given.facts, run.blocks)
        collected = collect_run(
            given.facts,
            given.traces,
            given.labs,
            given.runtimes,
            machine=read_machine(given.machine),
            limits=Limits(**snakemake.params.limits),
            absent=snakemake.params.absent,
        )
        for name in ("timings", "traces", "rounds", "observations"):
            write_table(getattr(collected, name), made[name])
        write_json(collect_workers(given.facts), made.workers)
        private = Private.here().and_paths(collect_own_folders(given.facts))
        write_json(Redaction(private).document(collected.gaps), made.gaps)
