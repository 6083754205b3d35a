"""What has to be there before a claim can be tested, and on which runtimes of a run it is."""

from __future__ import annotations

from collections.abc import Sequence

from gilscope.analysis.evidence import Evidence, NotTested, speedup_centres
from gilscope.analysis.intervals import Interval, interval
from gilscope.configuring.claims import ACROSS, Claim
from gilscope.configuring.leaves import Leaf
from gilscope.running.cells import Cell

FEWEST_CORES = 2
CEILING_NEEDED = 1.3
SOUGHT = {
    "lock-off": ("a free-threaded CPython with the lock on and off", "gil"),
    "pypy": ("PyPy beside CPython", "versions"),
}
"""A need that only some runtimes meet → what the run has to have, and the preset that has it."""


def meets(evidence: Evidence, need: str) -> bool:
    """Whether a runtime is of the kind that a claim is about; ``gil`` and ``cores`` are conditions, not kinds."""
    if need == "lock-off":
        return evidence.identity.lock_off
    return need != "pypy" or evidence.identity.implementation == "PyPy"


def is_about(claim: Claim, evidence: Evidence) -> bool:
    return all(meets(evidence, need) for need in claim.needs)


def subjects(claim: Claim, run: Sequence[Evidence]) -> list[Evidence]:
    """The runtimes that a claim gets a verdict for: those it is about; without any, the current one, not tested.

    One that was measured for some claims only gets none on others.
    """
    asked = [evidence for evidence in run if evidence.claims is None or claim.id in evidence.claims]
    about = [evidence for evidence in asked if is_about(claim, evidence)]
    return about or sorted(asked or run, key=lambda evidence: not evidence.identity.current)[:1]


def check_possible(evidence: Evidence, claim: Claim, run: Sequence[Evidence]) -> None:
    """Raise NotTested, with what would have to be different, where a claim cannot be tested in this run."""
    if evidence.identity.broken:
        raise NotTested(f"nothing can run in {evidence.identity.words}: {evidence.identity.broken}")
    for need, (what, preset) in SOUGHT.items():
        if need in claim.needs and not meets(evidence, need):
            raise NotTested(f"needs {what}; {what_there_is(run)}; {what_to_do(evidence, claim, preset)}")
    if "gil" in claim.needs and not evidence.identity.gil:
        raise NotTested("is about the lock, and this runtime has none")
    parallel = "cores" in claim.needs or claim.metric == "effective_cores"
    if parallel and evidence.cores < FEWEST_CORES:
        raise NotTested("needs at least 2 usable cores; this machine gives 1")


def what_there_is(run: Sequence[Evidence]) -> str:
    return f"this run has {', '.join(evidence.identity.words for evidence in run)}"


def what_to_do(evidence: Evidence, claim: Claim, preset: str) -> str:
    """Which preset would have the runtime, or why one that was asked for is missing."""
    missing: dict[str, list[str]] = {}
    for gap in evidence.absent:
        if claim.id in gap.get("claims", [claim.id]):
            missing.setdefault(gap["reason"], []).append(gap["runtime"])
    if not missing:
        return f"run it with --configfile config/presets/{preset}.yaml, or list one in runtimes"
    told = "not to be had: " + ", ".join(f"{' and '.join(names)} ({reason})" for reason, names in missing.items())
    fetches = any("claims" in gap for gap in evidence.absent)
    return told + (f'; make ARGS="--configfile config/presets/{preset}.yaml" fetches one' if fetches else "")


def ceiling_cell(evidence: Evidence, claimed: Leaf) -> Cell | None:
    """The machine's limit in a case's block: at the usable cores, or the next count, or the largest there is."""
    rows = evidence.ratios
    here = rows[(rows["workload"] == claimed.workload) & (rows["size"] == claimed.size)]
    ceilings = here[(here["strategy"] == "ceiling") & (here["pool"] == "warm")]
    counts = sorted(map(int, ceilings["workers"].unique()))
    if not counts:
        return None
    return Cell("ceiling", next((count for count in counts if count >= evidence.cores), counts[-1]), "warm")


def ceiling_of(evidence: Evidence, claimed: Leaf) -> Interval | None:
    """What unconnected processes gain in a case's block."""
    cell = ceiling_cell(evidence, claimed)
    return interval(speedup_centres(evidence, claimed, cell)) if cell else None


def check_ceiling(evidence: Evidence, claim: Claim, claimed: Leaf) -> None:
    """Raise NotTested where the hardware itself gave too little for anything to be fast."""
    found = ceiling_of(evidence, claimed)
    if found is not None and found.low < CEILING_NEEDED:
        where = f" in {evidence.runtime}" if claim.metric in ACROSS else ""
        reached = f"{found.estimate:.2f} × [{found.low:.2f}, {found.high:.2f}]{where}"
        raise NotTested(
            f"unconnected processes themselves reached {reached}: "
            f"with the lower end below {CEILING_NEEDED} the machine, not Python, may be what sets the limit"
        )
