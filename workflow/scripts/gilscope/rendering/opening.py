"""The first screen: machine and runtimes, what to know beforehand, how the claims came out, what surprises most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gilscope.analysis.counterparts import CPYTHON
from gilscope.analysis.surprises import surprises as chosen
from gilscope.figures import Results
from gilscope.figures._runtimes import identified, spoken, whole
from gilscope.rendering.claims import all_claims, several_runtimes
from gilscope.rendering.pictures import Picture
from gilscope.rendering.quantities import dates
from gilscope.rendering.templates import SIGNS, Html, filled

HERO = "dial"
"""The figure of the first screen."""
ROUNDS_FOR_A_VERDICT = 5
"""Fewer than this many rounds make a report provisional."""


def opening(results: Results) -> Html:
    """The title, and one line: machine, runtimes, date."""
    measured, runtimes = dates([results.rounds["ended"].max()]), runtimes_in_words(results)
    return filled("opening", label=results.label, machine=results.machine, runtimes=runtimes, measured=measured)


def runtimes_in_words(results: Results) -> list[str]:
    """The runtimes; the versions of one implementation together, free-threaded builds each with their lock."""
    words: list[str] = []
    versions: dict[str, list[str]] = {}
    for one in identified(results.runtimes):
        said = spoken(one.runtime, results.runtimes[one.runtime])
        if one.free_threaded or said == one.runtime:
            words.append(said)
        else:
            versions.setdefault(one.implementation, []).append(one.version)
    for name, found in versions.items():
        listed = ", ".join(found[:-1]) + (" and " if found[1:] else "") + found[-1]
        words.insert(0 if name == CPYTHON else len(words), f"{name} {listed}")
    return words


def rounds_planned(results: Results) -> int | None:
    """How many rounds every block got, or was to get where none was measured."""
    rounds = results.timed_rounds
    if len(rounds):
        return int(rounds["round"][rounds["stage"].fillna(1).astype(float) <= 1].astype(int).max())
    planned = (results.config.get("measure") or {}).get("rounds")
    return None if planned is None else int(planned)


def warnings(results: Results) -> Html:
    """What to know before believing any number below."""
    disturbed = results.disturbed_rounds
    return filled(
        "warnings",
        rounds=rounds_planned(results),
        enough=ROUNDS_FOR_A_VERDICT,
        machine=results.machine,
        disturbed=len(disturbed),
        flags=list(dict.fromkeys(flag for text in disturbed["flags"] for flag in text.split("; "))),
        watched=len(results.timed_rounds),
    )


def counts(results: Results) -> Html:
    """How many claims came out how, each counted once over all runtimes."""
    found = Counter(claim.verdict for claim in all_claims(results))
    verdicts = {name: found[name] for name in SIGNS} if found else {}
    return filled("counts", verdicts=verdicts, runtimes=len(whole(results.runtimes)))


def at_a_glance(results: Results, pictures: Sequence[Picture]) -> Html:
    """What surprises most, and beside it the rule of thumb as a picture, or beneath it what that would need."""
    own = [picture for picture in pictures if picture.name == HERO]
    beside = any(not picture.needs for picture in own)
    return filled("at_a_glance", surprises=surprises(results), pictures=own, beside=beside)


def surprises(results: Results) -> Html:
    """The findings that somebody who knows the talk would expect least, in plain words."""
    found = [(one.verdict, one.case) for one in chosen(results.verdicts)]
    return filled("surprises", found=found, several=several_runtimes(results))
