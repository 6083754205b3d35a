"""The runtimes of a run, as they reported themselves, and whether their lock was as it was set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gilscope.analysis.counterparts import CPYTHON
from gilscope.figures import Results
from gilscope.figures._runtimes import identified
from gilscope.rendering.markup import EMPTY, Html, counted, facts, folded, joined, note, table
from gilscope.running.builds import in_words, recipe_in_words, why_slow
from gilscope.running.identity import lock_expected

STATE: dict[Any, str] = {True: "on", False: "off"}
ANSWER: dict[Any, str] = {True: "yes", False: "no"}


def runtimes(results: Results) -> Html:
    """Each runtime by what it reported, with its packages folded away."""
    rows = [
        (
            name,
            known.get("name") or ("current" if known.get("current") else "–"),
            f"{known.get('implementation') or ''} {known.get('version') or 'unknown'}",
            built(known),
            STATE.get(known.get("gil"), "unknown"),
            ANSWER.get(known.get("free_threaded"), "unknown"),
            known.get("start_method") or "unknown",
        )
        for name, known in results.runtimes.items()
    ]
    headings = ("Runtime", "Called", "Version", "Build", "GIL", "Free-threaded build", "Default start method")
    listed = table(headings, rows) or note("warn", "Unknown.", "No runtime has been recorded.")
    return (
        broken(results) + slow(results) + differing(results) + listed + missing_libraries(results) + packages(results)
    )


def built(known: Mapping[str, Any]) -> Html:
    """A runtime's build, and below it what compiled it and how."""
    how = ", ".join(filter(None, (known.get("compiler"), in_words(known.get("built"))))) or "how is unknown"
    return Html("{}<small>{}</small>").format(known.get("build") or "unknown", how)


def slow(results: Results) -> Html:
    """The runtimes whose times say little about the Python that people have."""
    return joined(
        note("warn", f"Do not take {name} for a release:", f"{reason}.")
        for name, known in results.runtimes.items()
        if (reason := why_slow(known.get("built")))
    )


def differing(results: Results) -> Html:
    """Whether runtimes of one implementation were built otherwise; nothing where that is not known of all."""
    found: dict[str, list[str]] = {}
    for name, known in results.runtimes.items():
        if known.get("implementation") == CPYTHON:
            found.setdefault(recipe_in_words(known.get("built")), []).append(name)
    if len(found) < 2 or "" in found:
        return EMPTY
    words = "; ".join(f"{', '.join(names)}: {how}" for how, names in found.items())
    text = f"{words}. What sets these runtimes apart may be their compilers' doing."
    return note("warn", "The runtimes were built differently.", text)


def packages(results: Results) -> Html:
    """The versions of what is installed, side by side where there are several runtimes."""
    found = {name: known["packages"] for name, known in results.runtimes.items() if known.get("packages")}
    if len(found) < 2:
        return joined(folded(f"Packages of {name}", facts(sorted(held.items()))) for name, held in found.items())
    libraries = sorted({library for held in found.values() for library in held})
    rows = [(library, *(held.get(library, "–") for held in found.values())) for library in libraries]
    return folded("Packages of each runtime", table(("Package", *found), rows))


def broken(results: Results) -> Html:
    """The runtimes in which nothing could run."""
    told = {
        "broken": ("bad", "Nothing could run on"),
        "imports_ended_with": ("warn", "Importing all workloads failed on"),
    }
    return joined(
        note(kind, f"{words} {name}:", known[key])
        for name, known in results.runtimes.items()
        for key, (kind, words) in told.items()
        if known.get(key)
    )


def missing_libraries(results: Results) -> Html:
    """What could not be installed, and why; the same reason of several runtimes once."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, known in results.runtimes.items():
        for library, reason in (known.get("missing") or {}).items():
            found.setdefault((library, reason), []).append(name)
    rows = [(library, ", ".join(names), reason) for (library, reason), names in found.items()]
    shown = table(("Library", "Runtime", "Why not"), rows, "cards")
    return folded(f"{counted(len(rows), 'gap')} among the libraries", shown) if rows else EMPTY


def lock(results: Results) -> Html:
    """Whether the lock was as it was set in the workers; nothing where no runtime has the choice."""
    free = [one for one in identified(results.runtimes) if one.free_threaded]
    if not free:
        return EMPTY
    told = [row for row in results.workers if row.get("gil") is not None and lock_expected(row["runtime"]) is not None]
    wrong = [row for row in told if bool(row["gil"]) is not lock_expected(row["runtime"])]
    if not told:
        verdict = note("warn", "Unknown.", "No worker of a free-threaded runtime has told the state of its lock.")
    elif wrong:
        names = ", ".join(f"{row['workload']} {row['cell']} on {row['runtime']}" for row in wrong[:4])
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        text = f"in {len(wrong)} of {counted(len(told), 'cell')}: {names}{more}. They were not timed: see the reasons."
        verdict = note("bad", "The lock was not as it was set", text)
    else:
        states = ", ".join(f"{one.runtime} {'off' if one.lock_off else 'on'}" for one in free)
        text = f"in the workers of {counted(len(told), 'cell')}: {states}."
        verdict = note("good", "The lock was as it was set", text)
    return Html(
        "<h3>The lock</h3><p>A free-threaded build runs with its lock on or off, and an extension may turn it on "
        "again: each cell\u2019s workers are asked after all imports.</p>{}"
    ).format(verdict)
