"""What the verdicts of one claim say together, over all runtimes of a run: in words, and rolled up to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from gilscope.analysis.counterparts import CPYTHON, Identity, identify

WORDS = {"confirmed": "true", "refuted": "false", "mixed": "mixed", "inconclusive": "undecided"}
UNDECIDED = "inconclusive"
LOCK_ON = " with the lock"


@dataclass(frozen=True)
class Judged:
    """A runtime that a claim was tested on, and what came of it."""

    identity: Identity
    verdict: str


@dataclass(frozen=True)
class Statement:
    """A part of the sentence: a verdict, and in words where it was found. exception: within what was said before."""

    verdict: str
    place: str
    exception: bool = False


def tested(rows: Sequence[Mapping[str, Any]], runtimes: Mapping[str, Any]) -> list[Judged]:
    """What was tested, by version; an untested runtime says nothing."""
    found = [
        Judged(identify(row["runtime"], runtimes[row["runtime"]]), row["verdict"])
        for row in rows
        if row["verdict"] != "not tested"
    ]
    return sorted(found, key=lambda one: one.identity.minor)


def listed(found: Sequence[Judged]) -> str:
    """Versions in words, each once: ``3.9``, ``3.9 and 3.10``, ``3.9 to 3.11``; the last is for neighbours only."""
    versions = list(dict.fromkeys(".".join(map(str, one.identity.minor)) for one in found))
    if len(versions) > 2:
        return f"{versions[0]} to {versions[-1]}"
    return " and ".join(versions)


def segments(found: Sequence[Judged]) -> list[list[Judged]]:
    """Neighbours in the order of versions with the same verdict, together."""
    return [list(group) for _, group in groupby(found, key=lambda one: one.verdict)]


def line_up(with_lock: Sequence[Judged]) -> tuple[list[Judged], list[Judged]]:
    """CPython with its lock by version, and the free-threaded builds that are to be named apart.

    A free-threaded build stands for its version where the standard build of that version says the same; without one,
    where the next older standard build does, or the oldest. Where there are no standard builds nothing is apart.
    """
    standard = [one for one in with_lock if one.identity.standard]
    if not standard:
        return list(with_lock), []

    def nearest(one: Judged) -> Judged:
        return ([standard[0]] + [other for other in standard if other.identity.minor <= one.identity.minor])[-1]

    apart = [one for one in with_lock if nearest(one).verdict != one.verdict]
    return [one for one in with_lock if one not in apart], apart


def of_versions(line: Sequence[Judged], others_follow: bool) -> Iterator[Statement]:
    """CPython with its lock: the whole of it where the versions agree, else since when and up to when."""
    parts = segments(line)
    for place, part in enumerate(parts):
        decided = part[0].verdict != UNDECIDED
        if len(parts) == 1:
            build = CPYTHON if any(one.identity.standard for one in line) else f"free-threaded {CPYTHON}"
            said = f"on {build} {listed(part)}{LOCK_ON if others_follow else ''}"
        elif decided and place == 0:
            said = f"up to {listed(part[-1:])}"
        elif decided and place == len(parts) - 1:
            said = f"since {listed(part[:1])}"
        else:
            said = f"on {listed(part)}"
        yield Statement(part[0].verdict, said)


def of_exceptions(apart: Sequence[Judged]) -> Iterator[Statement]:
    """Free-threaded builds with the lock on that differ from what their version says."""
    for one in apart:
        yield Statement(one.verdict, f"on free-threaded {listed([one])} with the lock on", exception=True)


def of_lock_off(without: Sequence[Judged]) -> Iterator[Statement]:
    """CPython without the lock, by version where they differ."""
    parts = segments(without)
    for part in parts:
        versions = f"on {listed(part)} " if len(parts) > 1 else ""
        yield Statement(part[0].verdict, f"{versions}without the lock")


def of_others(found: Sequence[Judged]) -> Iterator[Statement]:
    """Other implementations, by version where they differ."""
    for name in dict.fromkeys(one.identity.implementation for one in found):
        parts = segments([one for one in found if one.identity.implementation == name])
        for part in parts:
            yield Statement(part[0].verdict, f"on {name}" if len(parts) == 1 else f"on {name} {listed(part)}")


def statements(found: Sequence[Judged]) -> list[Statement]:
    """Every tested runtime in exactly one statement; neighbours that say the same are joined."""
    cpython = [one for one in found if one.identity.implementation == CPYTHON]
    without = [one for one in cpython if one.identity.lock_off]
    line, apart = line_up([one for one in cpython if not one.identity.lock_off])
    joined: list[Statement] = []
    for one in (
        *of_versions(line, others_follow=bool(without) and not apart),
        *of_exceptions(apart),
        *of_lock_off(without),
        *of_others([one for one in found if one not in cpython]),
    ):
        before = joined[-1] if joined else None
        said = one
        if before and before.place.endswith(LOCK_ON):
            said = replace(one, place=one.place.replace("without the lock", "without it"))
        if before and before.verdict == one.verdict:
            both = f"{before.place} and {said.place}"
            joined[-1] = replace(before, place=both)
        else:
            joined.append(said)
    return joined


def everywhere(found: Sequence[Judged], runtimes: int) -> str:
    """The same verdict on all that were tested. runtimes: how many the run has."""
    verdict = WORDS[UNDECIDED] if found[0].verdict == UNDECIDED else found[0].verdict
    if len(found) == 1:
        only = found[0].identity
        lock = f" with{'' if only.gil else 'out'} the lock" if only.free_threaded else ""
        build = "free-threaded " if only.free_threaded else ""
        return f"{verdict} on {build}{only.implementation} {listed(found)}{lock}"
    count = "both" if len(found) == 2 else f"all {len(found)}"
    return f"{verdict} on {count} runtimes" + ("" if len(found) == runtimes else " tested")


def in_words(rows: Sequence[Mapping[str, Any]], runtimes: Mapping[str, Any]) -> str:
    """What a claim's verdicts say over the runtimes: ``true up to 3.9, false since 3.10, true again without the lock``.

    rows: the verdicts of one claim, one a runtime. runtimes: runtime → what it reported.
    """
    found = tested(rows, runtimes)
    if not found:
        return "not tested"
    if len({one.verdict for one in found}) == 1:
        return everywhere(found, len(runtimes))
    said: list[str] = []
    earlier: set[str] = set()
    for one in statements(found):
        again = " again" if one.verdict in earlier and one.verdict != UNDECIDED and not one.exception else ""
        said.append(f"{'but ' if one.exception else ''}{WORDS[one.verdict]}{again} {one.place}")
        earlier.add(one.verdict)
    return ", ".join(said)


def overall(rows: Sequence[Mapping[str, Any]]) -> str:
    """One verdict over all runtimes that a claim was tested on: mixed where they disagree, or where one is mixed."""
    found = {row["verdict"] for row in rows} - {"not tested"}
    if not found:
        return "not tested"
    if len(found) == 1:
        return str(found.pop())
    return "mixed" if "mixed" in found or {"confirmed", "refuted"} <= found else UNDECIDED
