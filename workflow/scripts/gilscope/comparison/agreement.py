"""Where machines and runtimes agree about a claim, and what changes the answer where they do not."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gilscope.analysis.surprises import telling
from gilscope.comparison.sides import hardware, side_name

if TYPE_CHECKING:
    from gilscope.bundles.reading import Bundle

DECIDED = ("confirmed", "refuted", "mixed")
Given = tuple["Bundle", Mapping[str, Any]]
"""A bundle, and its verdict on one claim in one runtime."""
Key = Callable[[Given], Hashable]


def compare_claims(bundles: Sequence[Bundle]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A mapping for each claim with every side's verdict and what changes the answer; and what could not be compared.

    A claim's threshold is the first bundle's that has it; who tested it against another one is left out and named.
    """
    found: dict[str, list[Given]] = {}
    for bundle in bundles:
        for row in bundle.verdicts:
            found.setdefault(row["claim"], []).append((bundle, row))
    claims, left_out = [], []
    for claim, given in found.items():
        limits = thresholds(row for bundle, row in given if bundle is given[0][0])
        alike = [(bundle, row) for bundle, row in given if agrees(thresholds([row]), limits)]
        others = [one for one in given if one not in alike]
        claims.append(laid_out(claim, alike))
        left_out += [
            {
                "side": side_name(bundle.label, row["runtime"]),
                "against": given[0][0].label,
                "count": 1,
                "what": f"the claim {claim}",
                "reason": "another threshold",
            }
            for bundle, row in others
        ]
    return claims, left_out


def thresholds(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Case → what it was tested against."""
    return {case["case"]: (case.get("metric"), case.get("threshold")) for row in rows for case in row["cases"]}


def agrees(own: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    """Whether the cases that two have in common were tested against the same."""
    return all(others[case] == limit for case, limit in own.items() if case in others)


def laid_out(claim: str, given: Sequence[Given]) -> dict[str, Any]:
    first = given[0][1]
    sides = {}
    for bundle, row in given:
        case = telling(row)
        told = {"verdict": row["verdict"], "reason": row.get("reason") or "", "case": dict(case.case) if case else None}
        sides[side_name(bundle.label, row["runtime"])] = told
    about = {key: first.get(key) for key in ("says", "section", "slide", "demonstration")}
    return {"claim": claim, **about, "outcome": outcome(given), "sides": sides}


def outcome(given: Sequence[Given]) -> str:
    """What changes the answer, of the sides that decided.

    ``machine``: two machines differ on one runtime. ``runtime``: two runtimes differ on one machine. ``run``: two runs
    of one runtime on one machine differ; ``unclear`` where that might be two machines, whose processors nobody knows.
    ``either``: machines and runtimes differ together. ``alike`` where none does, ``open`` where fewer than two decided,
    ``untested`` where nobody tested it.
    """
    if all(row["verdict"] == "not tested" for _, row in given):
        return "untested"
    decided = [(bundle, row) for bundle, row in given if row["verdict"] in DECIDED]
    if len(decided) < 2:
        return "open"
    if len({row["verdict"] for _, row in decided}) == 1:
        return "alike"
    found = next((name for name, same, other in CHANGES if differ(decided, same, other)), "either")
    known = all(bundle.machine.get("cpu") for bundle, _ in decided)
    return found if known or found != "run" else "unclear"


def machine_of(given: Given) -> Hashable:
    return hardware(given[0].machine)


def runtime_of(given: Given) -> Hashable:
    return str(given[1]["runtime"])


CHANGES: tuple[tuple[str, Key, Key], ...] = (
    ("machine", runtime_of, machine_of),
    ("runtime", machine_of, runtime_of),
    ("run", lambda given: (machine_of(given), runtime_of(given)), lambda given: given[0].label),
)
"""What may change an answer: its name, what two sides have in common then, and what sets them apart."""


def differ(given: Sequence[Given], same: Key, other: Key) -> bool:
    """Whether two that share the one thing, and not the other, came to different verdicts."""
    answers: dict[Hashable, dict[Hashable, set[str]]] = {}
    for one in given:
        answers.setdefault(same(one), {}).setdefault(other(one), set()).add(one[1]["verdict"])
    return any(mine != theirs for found in answers.values() for mine in found.values() for theirs in found.values())
