from gilscope.analysis.collecting import collect_runtimes
from gilscope.analysis.decisions import fill_decisions
from gilscope.analysis.tables import read_json, read_table, write_json
from gilscope.analysis.verdicts import gather_evidence, judge
from gilscope.claims import read_claims

if __name__ == "__main__":
    claims = read_claims(snakemake.input.claims)
    runtimes = collect_runtimes(snakemake.input.runtimes)
    evidence = gather_evidence(
        read_table(snakemake.input.timings),
        read_table(snakemake.input.traces),
        read_json(snakemake.input.gaps),
        runtimes,
        read_json(snakemake.input.machine)["usable_cores"],
    )
    write_json(judge(claims.claims, evidence), snakemake.output.verdicts)
    decisions = fill_decisions(claims.decisions, read_table(snakemake.input.estimates), list(runtimes))
    write_json(decisions, snakemake.output.decisions)
