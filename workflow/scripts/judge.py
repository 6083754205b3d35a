from gilscope.analysis.allocating import remedy_for
from gilscope.analysis.collecting import Collected, collect_runtimes, read_machine
from gilscope.analysis.comparing import compare_runtimes
from gilscope.analysis.looks import gather_looks, stages_of
from gilscope.analysis.tables import read_table, write_json
from gilscope.analysis.verdicts import judge
from gilscope.configuring.claim_files import read_claims
from gilscope.invoking.making import making
from gilscope.running.files import read_json
from gilscope.workloads import load_workload

if __name__ == "__main__":
    with making(snakemake):
        given = snakemake.input
        claims = read_claims(given.claims)
        collected = Collected(
            *map(read_table, (given.timings, given.traces, given.rounds, given.observations)),
            gaps=read_json(given.gaps),
            runtimes=collect_runtimes(given.runtimes),
        )
        stages = stages_of(rounds := collected.rounds)
        looks = max(2, stages) if snakemake.params.budgeted else stages
        *earlier, evidence = gather_looks(collected, cores=read_machine(given.machine)["usable_cores"], looks=looks)
        known = {name: load_workload(name, folder) for name, folder in snakemake.params.workloads.items()}
        remedy = remedy_for(rounds, look=max(3, len(earlier) + 2)) if snakemake.params.budgeted else None
        verdicts = judge(claims.claims, evidence, known, claims.otherwise, earlier=earlier, remedy=remedy)
        write_json(verdicts, snakemake.output.verdicts)
        write_json(compare_runtimes(evidence), snakemake.output.across)
        write_json(claims.irrefutable, snakemake.output.irrefutable)
