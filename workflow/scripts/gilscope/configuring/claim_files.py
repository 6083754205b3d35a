"""Claims files, read and checked: whether they speak of workloads, sizes, strategies, labs and metrics that exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from gilscope.configuring.claims import (
    ABOUT,
    ACROSS,
    OBSERVED,
    RATIOS,
    Case,
    Claim,
    ClaimsFile,
    Decision,
    Holds,
    Outcomes,
)
from gilscope.configuring.mistakes import Mistakes, blame, key_path, model_mistakes, read_yaml, suggestion
from gilscope.labs import Lab, lab_names, load_lab
from gilscope.strategies import load_strategies
from gilscope.workloads import Workload

Place = tuple[str | int, ...]
Mistake = tuple[Place, str]


def unknown(place: Place, name: str, known: Collection[str], what: str) -> Iterator[Mistake]:
    """A mistake unless the name is known."""
    if name not in known:
        yield place, f"is {name!r}; {what} is one of {', '.join(known)}.{suggestion(name, list(known))}"


def bound_mistakes(place: Place, metric: str, holds: Holds) -> Iterator[Mistake]:
    """A mistake where the metric can never have such a value."""
    bounds = [bound for bound in (holds.above, holds.below, *(holds.within or ())) if bound is not None]
    if metric == "share":
        if holds.within is not None:
            yield place, "has within; a share is tested against above or below."
        elif not all(0 <= bound <= 1 for bound in bounds):
            yield place, f"has {bounds[0]:g}; a share lies between 0 and 1."
    elif not all(0 < bound < float("inf") for bound in bounds):
        yield place, f"has {bounds[0]:g}; {metric} is a number above 0."
    if holds.within is not None and holds.within[0] >= holds.within[1]:
        yield place, "has a within whose first number is not below its second."


def timed_mistakes(place: Place, claim: Claim, case: Case, workloads: Mapping[str, Workload]) -> Iterator[Mistake]:
    """What is amiss with a case about cells: ``of`` and ``over`` are strategies of one workload at one size."""
    strategies = list(load_strategies())
    for key in ("lab", "observes", "per"):
        if getattr(claim, key) is not None:
            yield place[:-2], f"has {key}, which belongs to the metrics {' and '.join(OBSERVED)}."
    for key in ("of", "over"):
        name, own = getattr(case, key), getattr(claim, key)
        if name is not None:
            yield from unknown((*place, key), name, strategies, "a strategy")
        elif own is not None:
            yield from unknown((*place[:-2], key), own, strategies, "a strategy")
        elif key == "of" or claim.metric in RATIOS:
            yield place, f"has no {key}; {claim.metric} needs a strategy there."
    if case.workload is None:
        yield place, f"has no workload; {claim.metric} is measured on one."
        return
    yield from unknown((*place, "workload"), case.workload, list(workloads), "a workload")
    facts = workloads.get(case.workload)
    if facts is not None:
        yield from unknown((*place, "size"), case.size, list(facts.sizes), f"a size of {facts.name}")


def lab_mistakes(place: Place, claim: Claim, case: Case, lab: Lab) -> Iterator[Mistake]:
    """What is amiss with a case about a lab: ``of`` and ``over`` are its cases, ``observes`` its metric."""
    for key in ("of", "over"):
        name, own = getattr(case, key), getattr(claim, key)
        if name is not None:
            yield from unknown((*place, key), name, list(lab.cases), f"a case of {claim.lab}")
        elif own is not None:
            yield from unknown((*place[:-2], key), own, list(lab.cases), f"a case of {claim.lab}")
        elif key == "of" or claim.metric in RATIOS:
            yield place, f"has no {key}; {claim.metric} needs a case of the lab there."
    observes = case.observes or claim.observes
    if observes is None:
        yield place, f"has no observes; {claim.metric} needs a metric of the lab there."
    elif observes not in lab.metrics:
        where = (*place, "observes") if case.observes else (*place[:-2], "observes")
        yield from unknown(where, observes, list(lab.metrics), f"a metric of {claim.lab}")
    elif claim.metric == "share" and lab.metrics[observes] != ("count" if claim.per else "share"):
        wanted = "counted (with per)" if claim.per else "true or false in each trial"
        yield place, f"observes {observes}, which is in {lab.metrics[observes]}; a share is of what is {wanted}."


def against_mistakes(place: Place, claim: Claim, case: Case) -> Iterator[Mistake]:
    """What is amiss with the runtime that a case is to be compared with."""
    allowed = ACROSS.get(claim.metric, ())
    against = case.against or claim.against
    where = (*place, "against") if case.against else (*place[:-2], "against")
    if against is None and allowed:
        yield place, f"has no against; {claim.metric} needs {' or '.join(allowed)} there."
    elif against is not None and not allowed:
        yield where, f"is {against!r}; it belongs to the metrics {', '.join(ACROSS)}."
    elif against is not None and against not in allowed:
        yield where, f"is {against!r}; {claim.metric} can be against {' or '.join(allowed)}."


def claim_mistakes(index: int, claim: Claim, workloads: Mapping[str, Workload]) -> Iterator[Mistake]:
    """What is amiss with one claim, with the place in its file."""
    place: Place = ("claims", index)
    lab: Lab | None = None
    yield from bound_mistakes((*place, "holds"), claim.metric, claim.holds)
    about = ABOUT.get(claim.metric)
    if about and about not in claim.needs:
        yield (*place, "needs"), f"lacks {about}; {claim.metric} is about such runtimes."
    if claim.metric in OBSERVED:
        if claim.lab is None:
            yield place, f"has no lab; {claim.metric} is observed in one."
            return
        if claim.lab not in lab_names():
            yield from unknown((*place, "lab"), claim.lab, lab_names(), "a lab")
            return
        lab = load_lab(claim.lab)
        if claim.per is not None:
            yield from unknown((*place, "per"), claim.per, list(lab.metrics), f"a metric of {claim.lab}")
    for number, case in enumerate(claim.cases):
        where = (*place, "cases", number)
        if case.holds is not None:
            yield from bound_mistakes((*where, "holds"), claim.metric, case.holds)
        yield from against_mistakes(where, claim, case)
        if lab is None:
            yield from timed_mistakes(where, claim, case, workloads)
        else:
            yield from lab_mistakes(where, claim, case, lab)


def decision_mistakes(index: int, decision: Decision, workloads: Collection[str]) -> Iterator[Mistake]:
    place: Place = ("decisions", index)
    for number, name in enumerate(decision.strategies):
        yield from unknown((*place, "strategies", number), name, list(load_strategies()), "a strategy")
    for number, name in enumerate(decision.workloads):
        yield from unknown((*place, "workloads", number), name, list(workloads), "a workload")


def file_mistakes(file: ClaimsFile, workloads: Mapping[str, Workload]) -> Sequence[Mistake]:
    """Everything in one claims file that speaks of what does not exist, each place once."""
    found: dict[Any, str] = {}
    for index, claim in enumerate(file.claims):
        for place, text in claim_mistakes(index, claim, workloads):
            found.setdefault(place, text)
    for index, decision in enumerate(file.decisions):
        for place, text in decision_mistakes(index, decision, workloads):
            found.setdefault(place, text)
    return list(found.items())


def read_claims(files: Sequence[str], workloads: Mapping[str, Workload] | None = None) -> ClaimsFile:
    """All claims of the files together. Raises Mistakes for anything misspelt or given twice.

    workloads: those that claims may speak of; with them, Mistakes also names whatever does not exist.
    """
    claims: list[Claim] = []
    decisions: list[Decision] = []
    irrefutable: list[str] = []
    otherwise: dict[str, Any] = {}
    lines: list[str] = []
    for file in files:
        try:
            content = read_yaml(file)
            found = ClaimsFile.model_validate(content)
        except ValidationError as problem:
            lines += model_mistakes(problem, ClaimsFile, content, {file: content})
            continue
        except Mistakes as mistakes:
            lines += mistakes.lines
            continue
        for index, claim in enumerate(found.claims):
            if claim.id in [earlier.id for earlier in claims]:
                place = key_path(["claims", index, "id"])
                lines.append(
                    f"{blame([], {file: content})}: {place} is {claim.id!r} for the second time; an id is unique."
                )
            claims.append(claim)
        decisions += found.decisions
        irrefutable += found.irrefutable
        otherwise |= found.otherwise.model_dump(exclude_none=True)
        if workloads is not None:
            wrong = file_mistakes(found, workloads)
            lines += [f"{file}: {key_path(place)} {text}" for place, text in wrong]
    if lines:
        raise Mistakes(lines)
    return ClaimsFile(claims=claims, decisions=decisions, irrefutable=irrefutable, otherwise=Outcomes(**otherwise))
