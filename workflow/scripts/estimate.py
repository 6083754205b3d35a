from gilscope.analysis.break_even import break_even
from gilscope.analysis.collecting import collect_runtimes, read_machine
from gilscope.analysis.decisions import fill_decisions
from gilscope.analysis.estimates import estimate
from gilscope.analysis.scaling import fit_scaling
from gilscope.analysis.tables import read_table, write_json, write_table
from gilscope.configuring.claim_files import read_claims
from gilscope.invoking.making import making

if __name__ == "__main__":
    with making(snakemake):
        given = snakemake.input
        timings, traces, rounds = map(read_table, (given.timings, given.traces, given.rounds))
        estimates = estimate(timings, traces, rounds)
        write_table(estimates, snakemake.output.estimates)
        write_table(estimates, snakemake.output.summary)
        write_json(pays := break_even(estimates), snakemake.output.break_even)
        runtimes = collect_runtimes(given.runtimes)
        whole = [runtime for runtime, facts in runtimes.items() if not facts.get("claims")]
        decisions = read_claims(given.claims).decisions
        write_json(fill_decisions(decisions, estimates, whole, pays), snakemake.output.decisions)
        cores = read_machine(given.machine)["usable_cores"]
        write_json(fit_scaling(timings, traces, cores), snakemake.output.scaling)
