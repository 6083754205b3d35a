"""Which approach should I use? The talk's decision table beside what was fastest here, its cost and when it pays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gilscope.figures import Results
from gilscope.figures._runtimes import current
from gilscope.rendering.markup import EMPTY, Html, duration, folded, interval, joined, missing, note, table

AGREES = {True: ("confirmed", "✓ yes"), False: ("refuted", "✗ no")}
HEADINGS = (
    "Task, and what the talk advises",
    "Fastest here",
    "Times as fast",
    "Memory of a worker",
    "Pays from",
    "Do they agree?",
)


def decisions(results: Results) -> Html:
    """The talk's decision table beside what was fastest here: on one runtime, and folded under it on each other one."""
    runtimes = results.ordered(row["runtime"] for row in results.decisions)
    if not runtimes:
        return note("warn", "Nothing to decide from.", "No decision could be filled in.")
    own = current(results.runtimes)
    own = own if own in runtimes else runtimes[0]
    first = decided_on(results, own)
    if len(runtimes) == 1:
        return first
    found = {name: differing(results, name, own) for name in runtimes if name != own}
    folds = joined(
        folded(f"On {name}: another strategy was fastest in {differ} of {both} rows", decided_on(results, name))
        for name, (differ, both) in found.items()
        if differ
    )
    alike = ", ".join(name for name, (differ, both) in found.items() if both and not differ)
    words = Html("<p>The same strategies were fastest on {}.</p>").format(alike) if alike else EMPTY
    return Html("<p>On <strong>{}</strong>:</p>{}{}{}").format(own, first, folds, words)


def differing(results: Results, runtime: str, own: str) -> tuple[int, int]:
    """In how many rows another strategy was fastest than on our own runtime, and in how many both have one."""
    best: dict[str, dict[tuple[str, str], str]] = {runtime: {}, own: {}}
    for row in results.decisions:
        if row["runtime"] in best and row["best"]:
            best[row["runtime"]][row["task"], row["workload"]] = strategy_of(row["best"])
    both = best[runtime].keys() & best[own].keys()
    return sum(best[runtime][key] != best[own][key] for key in both), len(both)


def strategy_of(best: str) -> str:
    """``threading × 2, warm`` → ``threading``."""
    return best.partition(" ")[0]


def decided_on(results: Results, runtime: str) -> Html:
    rows = [
        (
            task(row),
            best(row),
            interval(row.get("estimate"), row.get("low"), row.get("high"), "x"),
            memory(row.get("memory")),
            pays_from(row.get("pays_from")) if row.get("best") else Html("–"),
            agreement(row),
        )
        for row in results.decisions
        if row["runtime"] == runtime
    ]
    return table(HEADINGS, rows, "cards decisions")


def memory(held: Mapping[str, Any] | None) -> Html:
    """MiB that a worker holds."""
    if not held:
        return Html("–")
    estimate, low, high = (None if missing(held[name]) else held[name] / 2**20 for name in ("estimate", "low", "high"))
    return interval(estimate, low, high, "MiB")


def pays_from(row: Mapping[str, Any] | None) -> Html:
    """The size of a task, by the time that it takes alone, from which the strategy is faster than none."""
    if not row:
        return Html('<span class="unknown">{}</span>').format("one size measured")
    smallest, largest = duration(row["smallest"]), duration(row["largest"])
    pool = Html("<small>{} pool</small>").format(row["pool"])
    if row["pays"] == "everywhere":
        return Html("{} and less{}").format(smallest, pool)
    if row["pays"] == "nowhere":
        return Html("more than {}{}").format(largest, pool)
    if row["pays"] == "undecided":
        return Html("not shown up to {}{}").format(largest, pool)
    low = f"below {smallest}" if row["low"] is None else duration(row["low"])
    return Html('<span class="number"><b>{}</b> <span class="bounds">[{}, {}]</span></span>{}').format(
        duration(row["estimate"]), low, duration(row["high"]), pool
    )


def task(row: dict[str, Any]) -> Html:
    """The type of task, the workload and size that stand for it, and what the talk advises."""
    where = f": {row['workload']}, {row['size']}" if row.get("workload") else ""
    return Html("{}{}<small>the talk: {}</small>").format(row["task"], where, row["talk"])


def best(row: dict[str, Any]) -> Html:
    if not row.get("best"):
        return Html('<span class="unknown">{}</span>').format("not measured")
    return Html("<strong>{}</strong>").format(row["best"])


def agreement(row: dict[str, Any]) -> Html:
    agrees = row.get("agrees")
    kind, words = ("not-tested", "– open") if agrees is None else AGREES[bool(agrees)]
    reason = Html("<small>{}</small>").format(row["reason"]) if row.get("reason") else EMPTY
    return Html('<span class="badge {}">{}</span>{}').format(kind, words, reason)
