from gilscope.analysis.budget import added_rounds, next_rounds
from gilscope.analysis.collecting import collect_run, read_machine
from gilscope.analysis.tables import write_json
from gilscope.configuring.claim_files import read_claims
from gilscope.configuring.models import Limits
from gilscope.invoking.making import making
from gilscope.running.cells import Block
from gilscope.workloads import load_workload

if __name__ == "__main__":
    with making(snakemake):
        given, params = snakemake.input, snakemake.params
        before, added = added_rounds(params.folder, given.facts)
        facts = [*given.facts, *added]
        collected = collect_run(
            facts,
            [file.replace("/raw/", "/traces/").replace(".facts.json", ".json") for file in facts],
            given.labs,
            given.runtimes,
            machine=(machine := read_machine(given.machine)),
            limits=Limits(**params.limits),
            absent=params.absent,
        )
        found = next_rounds(
            collected,
            before,
            complete=len(added) == len(before["rounds"]),
            claims=read_claims(given.claims).claims,
            asked=params.asked,
            known={name: load_workload(name, folder) for name, folder in params.workloads.items()},
            blocks=[Block.from_json(text) for text in params.blocks],
            cores=machine["usable_cores"],
            budget_s=60 * params.budget_minutes,
        )
        write_json(found, snakemake.output[0])
