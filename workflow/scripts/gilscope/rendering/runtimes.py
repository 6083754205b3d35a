"""The runtimes of a run, as they reported themselves, and whether their lock was as it was set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gilscope.analysis.counterparts import CPYTHON
from gilscope.figures import Results
from gilscope.figures._runtimes import identified
from gilscope.rendering.templates import Html, filled
from gilscope.running.builds import in_words, recipe_in_words, why_slow
from gilscope.running.identity import lock_expected

Runtimes = Mapping[str, Mapping[str, Any]]


def runtimes(results: Results) -> Html:
    """Each runtime by what it reported, with its packages folded away."""
    known = results.runtimes
    packages = {name: dict(sorted(of["packages"].items())) for name, of in known.items() if of.get("packages")}
    return filled(
        "runtimes",
        runtimes=known,
        built={name: in_words(of.get("built")) for name, of in known.items()},
        slow={name: reason for name, of in known.items() if (reason := why_slow(of.get("built")))},
        recipes=differing(known),
        gaps=missing_libraries(known),
        packages=packages,
        libraries=sorted({library for held in packages.values() for library in held}),
    )


def differing(runtimes: Runtimes) -> dict[str, list[str]]:
    """How the runtimes of one implementation were built → which; empty where alike, or where it is not known of all."""
    found: dict[str, list[str]] = {}
    for name, known in runtimes.items():
        if known.get("implementation") == CPYTHON:
            found.setdefault(recipe_in_words(known.get("built")), []).append(name)
    return {} if len(found) < 2 or "" in found else found


def missing_libraries(runtimes: Runtimes) -> list[tuple[str, str, str]]:
    """What could not be installed, on which runtimes, and why; the same reason of several runtimes once."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, known in runtimes.items():
        for gap in (known.get("missing") or {}).items():
            found.setdefault(gap, []).append(name)
    return [(library, ", ".join(names), reason) for (library, reason), names in found.items()]


def lock(results: Results) -> Html:
    """Whether the lock was as it was set in the workers; nothing where no runtime has the choice."""
    told = [row for row in results.workers if row.get("gil") is not None and lock_expected(row["runtime"]) is not None]
    return filled(
        "lock",
        free=[one for one in identified(results.runtimes) if one.free_threaded],
        told=len(told),
        wrong=[row for row in told if bool(row["gil"]) is not lock_expected(row["runtime"])],
    )
