"""What the measurements say at a glance: the first screen, and the talk's decision table."""

from __future__ import annotations

from collections import Counter
from typing import Any

from gilscope.analysis.across import overall
from gilscope.analysis.counterparts import CPYTHON
from gilscope.figures import Results
from gilscope.figures._runtimes import current, identified, spoken
from gilscope.rendering.bars import share_bar
from gilscope.rendering.claims import by_claim, several_runtimes
from gilscope.rendering.markup import (
    EMPTY,
    SIGNS,
    Html,
    counted,
    day,
    folded,
    interval,
    joined,
    note,
    number,
    table,
)

ROUNDS_FOR_A_VERDICT = 5
"""Fewer than this many rounds make a report provisional."""
AGREES = {True: ("confirmed", "✓ yes"), False: ("refuted", "✗ no")}


def opening(results: Results) -> Html:
    """The title, and one line: machine, runtimes, date."""
    machine = results.machine
    cores = machine.get("usable_cores") or machine.get("logical_cores")
    line = [
        machine.get("cpu"),
        counted(cores, "usable core") if cores else None,
        *runtimes_in_words(results),
        day(results.rounds["ended"].max()) if results.rounds["ended"].notna().any() else "nothing measured yet",
    ]
    items = joined(Html("<li>{}</li>").format(item) for item in dict.fromkeys(line) if item)
    return Html(
        '<header><p class="eyebrow">gilscope <span>{}</span></p>'
        "<h1>When do threads, processes and coroutines help?</h1>"
        '<ul class="line">{}</ul></header>'
    ).format(results.label, items)


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
    """How many rounds the run was to have, or had."""
    planned = (results.config.get("measure") or {}).get("rounds")
    if planned is not None:
        return int(planned)
    return int(results.rounds["round"].max()) if results.rounds["round"].notna().any() else None


def warnings(results: Results) -> Html:
    """What to know before believing any number below."""
    notes = []
    rounds = rounds_planned(results)
    if rounds is None:
        notes.append(note("warn", "Nothing has been measured.", "What follows says what is missing."))
    elif rounds < ROUNDS_FOR_A_VERDICT:
        reason = (
            "fewer than 3 give no interval and no verdict"
            if rounds < 3
            else "intervals are wide, and verdicts may change"
        )
        text = f"{counted(rounds, 'round')} where {ROUNDS_FOR_A_VERDICT} are the rule: {reason}. Run the default sweep."
        notes.append(note("warn", "Provisional.", text))
    quota, logical = results.machine.get("quota_cores"), results.machine.get("logical_cores")
    if quota is not None and logical is not None and quota < logical:
        text = f"A quota gives these processes {number(quota)} of {logical} cores. The verdicts are about that share."
        notes.append(note("warn", "Limited.", text))
    disturbed = results.disturbed_rounds
    if len(disturbed):
        named = ", ".join(dict.fromkeys(flag for text in disturbed["flags"] for flag in text.split("; ")))
        watched = counted(len(results.timed_rounds), "round")
        text = f"{len(disturbed)} of {watched} and the labs: {named}. See Controls."
        notes.append(note("warn", "Disturbed.", text))
    return joined(notes)


def counts(results: Results) -> Html:
    """How many claims came out how, each counted once over all runtimes."""
    found = Counter(overall(rows) for rows in by_claim(results))
    if not found:
        return note("warn", "No verdicts.", "No claim has been judged.")
    tiles = [
        Html('<li class="{}"><b>{}</b><span><span aria-hidden="true">{}</span> {}</span></li>').format(
            name.replace(" ", "-"), found[name], sign, name
        )
        for name, sign in SIGNS.items()
    ]
    bar = share_bar([(name, found[name]) for name in SIGNS])
    several = f"Over {len(results.runtimes)} runtimes; mixed where they differ." if several_runtimes(results) else ""
    words = Html('<p class="small">{}</p>').format(several) if several else EMPTY
    return Html('<ul class="tiles">{}</ul>{}{}').format(joined(tiles), bar, words)


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
            row["task"],
            row["talk"],
            best(row),
            interval(row.get("estimate"), row.get("low"), row.get("high"), "x"),
            agreement(row),
        )
        for row in results.decisions
        if row["runtime"] == runtime
    ]
    headings = ("Task", "The talk says", "Fastest here", "Against one after the other", "Do they agree?")
    return table(headings, rows, "cards decisions")


def best(row: dict[str, Any]) -> Html:
    if not row.get("best"):
        return Html('<span class="unknown">{}</span>').format("not measured")
    where = Html("<small>{}</small>").format(row["workload"]) if row.get("workload") else EMPTY
    return Html("<strong>{}</strong>{}").format(row["best"], where)


def agreement(row: dict[str, Any]) -> Html:
    agrees = row.get("agrees")
    kind, words = ("not-tested", "– open") if agrees is None else AGREES[bool(agrees)]
    reason = Html("<small>{}</small>").format(row["reason"]) if row.get("reason") else EMPTY
    return Html('<span class="badge {}">{}</span>{}').format(kind, words, reason)
