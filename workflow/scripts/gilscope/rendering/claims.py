"""Every claim in one table: what is said, the verdict, what was measured against it, why it came out so, what to do.

With several runtimes also at a glance: claims down, runtimes across.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gilscope.analysis.across import in_words, overall
from gilscope.analysis.surprises import telling
from gilscope.figures import Results
from gilscope.figures._runtimes import whole
from gilscope.rendering.cases import has_estimate
from gilscope.rendering.data import tables_of
from gilscope.rendering.pictures import Picture, pictured
from gilscope.rendering.templates import Html, filled

ORDER = ("refuted", "mixed", "confirmed", "inconclusive", "not tested")
"""What the talk did not foresee first."""
Verdict = dict[str, Any]


def several_runtimes(results: Results) -> bool:
    return len({verdict["runtime"] for verdict in results.verdicts}) > 1


@dataclass(frozen=True)
class Claim:
    """A claim's verdicts, one a runtime, and what they say together.

    place: in the talk. surprise: how far beyond its threshold it came out, on the runtime where that was furthest.
    """

    rows: list[Verdict]
    place: int
    verdict: str
    spread: str
    surprise: float

    @classmethod
    def of(cls, rows: list[Verdict], place: int, results: Results) -> Claim:
        known: dict[str, dict[str, Any]] = {row["runtime"]: {} for row in rows} | results.runtimes
        spread = in_words(rows, {name: {"gil": True, **facts} for name, facts in known.items()})
        surprise = max((found.strength for found in map(telling, rows) if found), default=0.0)
        return cls(rows, place, overall(rows), spread, surprise)

    @property
    def verdicts(self) -> dict[str, str]:
        return {row["runtime"]: row["verdict"] for row in self.rows}

    @property
    def differs(self) -> bool:
        return len(set(self.verdicts.values()) - {"not tested"}) > 1

    @property
    def slides(self) -> list[str]:
        return [slide.strip() for slide in (self.rows[0].get("slide") or "").split(",") if slide.strip()]

    @property
    def explanations(self) -> list[tuple[str, str, str]]:
        """Verdict, why it came out so, and what to do: each once."""
        told = [row for row in self.rows if row.get("explanation")]
        return list(dict.fromkeys((row["verdict"], row["explanation"], row.get("advice") or "") for row in told))

    @property
    def cases(self) -> list[dict[str, Any]]:
        return [case for row in self.rows for case in row["cases"] if has_estimate(case)]


def all_claims(results: Results) -> list[Claim]:
    """The claims as in the talk, the verdicts of each in the runtimes' order."""
    runtimes = results.ordered(row["runtime"] for row in results.verdicts)
    found: dict[str, list[Verdict]] = {row["claim"]: [] for row in results.verdicts}
    for row in sorted(results.verdicts, key=lambda row: runtimes.index(row["runtime"])):
        found[row["claim"]].append(row)
    return [Claim.of(rows, place, results) for place, rows in enumerate(found.values())]


def claims(results: Results, pictures: Sequence[Picture] = ()) -> Html:
    """All claims, refuted ones first, with what filters them where the page may run its script."""
    found = sorted(all_claims(results), key=lambda one: (ORDER.index(one.verdict), -round(one.surprise, 6), one.place))
    outcomes = Counter(claim.verdict for claim in found)
    return filled(
        "claims",
        claims=found,
        several=several_runtimes(results),
        pictures={claim.place: pictured(claim.cases, pictures) for claim in found},
        tables={claim.place: tables_of(claim.cases) for claim in found},
        outcomes={verdict: outcomes[verdict] for verdict in ORDER if outcomes[verdict]},
        slides=sorted({slide for claim in found for slide in claim.slides}, key=str.lower),
        runtimes=results.ordered(row["runtime"] for row in results.verdicts),
    )


def claims_by_runtime(results: Results) -> Html:
    """A section for runs of several runtimes: claims down, runtimes across; those on which they differ first."""
    everywhere = set(whole(results.runtimes))
    own = replace(results, verdicts=[row for row in results.verdicts if row["runtime"] in everywhere])
    tested = [claim for claim in all_claims(own) if claim.verdict != "not tested"]
    differ, alike = (matrix([one for one in tested if one.differs is wanted], results) for wanted in (True, False))
    return filled("claims_by_runtime", several=several_runtimes(own), differ=differ, alike=alike)


def matrix(claims: list[Claim], results: Results) -> tuple[list[Claim], list[str]]:
    """The rows of a table, and its columns: the runtimes that any of them was judged on."""
    return claims, results.ordered(runtime for claim in claims for runtime in claim.verdicts)


def irrefutable(results: Results) -> Html:
    """What the talk says that no experiment could decide."""
    return filled("irrefutable", said=results.irrefutable)
