"""What the measurements say: the first screen, the verdicts in words, the talk's decision table."""

from __future__ import annotations

from collections import Counter
from typing import Any

from gilscope.figures import Results
from gilscope.rendering.bars import interval_bar, share_bar
from gilscope.rendering.data import linked
from gilscope.rendering.markup import (
    EMPTY,
    SIGNS,
    Html,
    badge,
    counted,
    day,
    folded,
    interval,
    joined,
    missing,
    note,
    number,
    table,
)

ROUNDS_FOR_A_VERDICT = 5
"""Fewer than this many rounds make a report provisional."""
MOST_CASES = 12
"""More cases than this are folded."""
AGREES = {True: ("confirmed", "✓ yes"), False: ("refuted", "✗ no")}
HEADINGS = {
    "refuted": "Not so on this machine",
    "mixed": "It depends",
    "confirmed": "True on this machine",
    "inconclusive": "The data do not decide",
}


def opening(results: Results) -> Html:
    """The title, and one line: machine, runtimes, date."""
    machine = results.machine
    cores = machine.get("usable_cores") or machine.get("logical_cores")
    line = [
        machine.get("cpu"),
        counted(cores, "usable core") if cores else None,
        *(
            f"{facts.get('implementation', '')} {facts.get('version', '')}".strip() or name
            for name, facts in results.runtimes.items()
        ),
        day(results.rounds["ended"].max()) if results.rounds["ended"].notna().any() else "nothing measured yet",
    ]
    items = joined(Html("<li>{}</li>").format(item) for item in dict.fromkeys(line) if item)
    return Html(
        '<header><p class="eyebrow">gilscope <span>{}</span></p>'
        "<h1>When do threads, processes and coroutines help?</h1>"
        '<ul class="line">{}</ul></header>'
    ).format(results.label, items)


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
    """How many claims came out how."""
    found = Counter(verdict["verdict"] for verdict in results.verdicts)
    if not found:
        return note("warn", "No verdicts.", "No claim has been judged.")
    tiles = [
        Html('<li class="{}"><b>{}</b><span><span aria-hidden="true">{}</span> {}</span></li>').format(
            name.replace(" ", "-"), found[name], sign, name
        )
        for name, sign in SIGNS.items()
    ]
    return Html('<ul class="tiles">{}</ul>{}').format(joined(tiles), share_bar([(name, found[name]) for name in SIGNS]))


def several_runtimes(results: Results) -> bool:
    return len({verdict["runtime"] for verdict in results.verdicts}) > 1


def claims_tested(results: Results) -> Html:
    """A table for each outcome, what the talk did not foresee first."""
    parts = []
    for outcome, heading in HEADINGS.items():
        verdicts = [verdict for verdict in results.verdicts if verdict["verdict"] == outcome]
        if not verdicts:
            continue
        rows = [(claim(verdict, results), badge(outcome), measured(verdict)) for verdict in verdicts]
        parts.append(Html("<h3>{} <small>{}</small></h3>").format(heading, counted(len(rows), "claim")))
        parts.append(table(("Claim", "Verdict", "Measured, and what was claimed"), rows, "cards claims"))
    return joined(parts)


def claim(verdict: dict[str, Any], results: Results) -> Html:
    extra = [f"slide: {verdict['slide']}"] if verdict.get("slide") else []
    extra += [f"runtime: {verdict['runtime']}"] if several_runtimes(results) else []
    extra += ["demonstration"] if verdict.get("demonstration") else []
    words = verdict.get("explanation")
    return Html('<span class="says" id="{}">{}</span><small><code>{}</code>{}</small>{}').format(
        f"claim-{verdict['claim']}-{verdict['runtime']}",
        verdict["says"],
        verdict["claim"],
        joined(Html(" · {}").format(text) for text in extra),
        Html('<p class="explanation">{}</p>').format(words) if words else EMPTY,
    )


def measured(verdict: dict[str, Any]) -> Html:
    """Each case with its estimate, interval and threshold; then why it came out so."""
    cases = joined(Html("<li>{}</li>").format(case_in_words(case)) for case in verdict["cases"])
    said = {case.get("reason") for case in verdict["cases"]}
    new = verdict.get("reason") and verdict["reason"] not in said
    reason = Html('<p class="reason">{}</p>').format(verdict["reason"]) if new else EMPTY
    if len(verdict["cases"]) > MOST_CASES:
        return reason + folded(counted(len(verdict["cases"]), "case"), Html('<ul class="cases">{}</ul>').format(cases))
    return (Html('<ul class="cases">{}</ul>').format(cases) if cases else EMPTY) + reason


def case_in_words(case: dict[str, Any]) -> Html:
    """``1.02 × [0.99, 1.05], claimed below 1.15``, and what was measured."""
    name = Html('<span class="case"><span class="sign {}" role="img" aria-label="{}">{}</span> {}</span>').format(
        case["verdict"].replace(" ", "-"), case["verdict"], SIGNS.get(case["verdict"], "–"), case["case"]
    )
    if missing(case.get("estimate")):
        return Html('{} <span class="reason">{}</span>').format(name, case.get("reason") or "not measured")
    return Html('{} <span class="result">{}<span>{} <span class="claimed">{}</span></span></span>{}').format(
        name,
        interval_bar(case),
        measured_interval(case),
        Html("claimed {} · {}{} {}").format(
            threshold(case.get("threshold") or {}),
            basis(case),
            q_value(case) + noted(case),
            linked(case.get("cells") or []),
        ),
        Html('<span class="reason">{}</span>').format(case["reason"]) if case.get("reason") else EMPTY,
    )


def measured_interval(case: dict[str, Any]) -> Html:
    """The estimate with its interval; shares in per cent."""
    scale, unit = (100, "%") if case.get("unit") == "share" else (1, case.get("unit") or "")
    known = {name: scale * case[name] for name in ("estimate", "low", "high") if not missing(case.get(name))}
    return interval(known.get("estimate"), known.get("low"), known.get("high"), unit)


def noted(case: dict[str, Any]) -> str:
    return f" · {case['notes']}" if case.get("notes") else ""


def basis(case: dict[str, Any]) -> str:
    """What was measured; where it was counted, the counts say it best."""
    metric = (case.get("metric") or "").replace("_", " ")
    return str(case.get("counted") or metric) if metric in ("share", "observed ratio") else metric


def q_value(case: dict[str, Any]) -> str:
    """The corrected probability behind the verdict: the smaller of the two directions."""
    known = [case[key] for key in ("q_holds", "q_fails") if not missing(case.get(key))]
    if not known:
        return ""
    return ", q\u00a0<\u00a00.001" if min(known) < 0.001 else f", q\u00a0=\u00a0{min(known):.2g}"


def threshold(limits: dict[str, Any]) -> str:
    if "within" in limits:
        low, high = limits["within"]
        return f"between {number(low)} and {number(high)}"
    return ", ".join(f"{side} {number(limit)}" for side, limit in limits.items())


def claims_not_tested(results: Results) -> Html:
    """The claims without a verdict, each with its reason."""
    verdicts = [verdict for verdict in results.verdicts if verdict["verdict"] == "not tested"]
    if not verdicts:
        return EMPTY
    rows = [(claim(verdict, results), why_not(verdict)) for verdict in verdicts]
    return folded(
        f"Not tested: {counted(len(rows), 'claim')}, with the reasons", table(("Claim", "Why not"), rows, "cards")
    )


def irrefutable(results: Results) -> Html:
    """What the talk says that no experiment could decide."""
    items = joined(Html("<li>{}</li>").format(text) for text in results.irrefutable)
    return (
        folded("Said in the talk, and not for any experiment to decide", Html("<ul>{}</ul>").format(items))
        if items
        else EMPTY
    )


def why_not(verdict: dict[str, Any]) -> str:
    reasons = dict.fromkeys(case["reason"] for case in verdict["cases"] if case.get("reason"))
    return verdict.get("reason") or "; ".join(reasons) or "no reason recorded"


def decisions(results: Results) -> Html:
    """The talk's decision table beside what was fastest here."""
    rows = [
        (
            Html("{}{}").format(
                row["task"], Html("<small>{}</small>").format(row["runtime"]) if len(results.runtimes) > 1 else EMPTY
            ),
            row["talk"],
            best(row),
            interval(row.get("estimate"), row.get("low"), row.get("high"), "x"),
            agreement(row),
        )
        for row in results.decisions
    ]
    headings = ("Task", "The talk says", "Fastest here", "Against one after the other", "Do they agree?")
    return table(headings, rows, "cards decisions") or note(
        "warn", "Nothing to decide from.", "No decision could be filled in."
    )


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
