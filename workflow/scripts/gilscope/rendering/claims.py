"""Every claim in words: what was measured against what was claimed, runtime by runtime where there are several."""

from __future__ import annotations

from typing import Any

from gilscope.analysis.across import in_words, overall
from gilscope.figures import Results
from gilscope.rendering.bars import interval_bar
from gilscope.rendering.data import linked
from gilscope.rendering.markup import (
    EMPTY,
    Html,
    badge,
    counted,
    folded,
    interval,
    joined,
    missing,
    number,
    sign,
    table,
)

MOST_CASES = 12
"""More cases than this are folded."""
HEADINGS = {
    "refuted": "Not so on this machine",
    "mixed": "It depends",
    "confirmed": "True on this machine",
    "inconclusive": "The data do not decide",
}
Verdict = dict[str, Any]


def by_claim(results: Results) -> list[list[Verdict]]:
    """The verdicts of each claim together, one a runtime, in the runtimes' order."""
    places = {name: place for place, name in enumerate(results.ordered(row["runtime"] for row in results.verdicts))}
    found: dict[str, list[Verdict]] = {}
    for row in sorted(results.verdicts, key=lambda row: places[row["runtime"]]):
        found.setdefault(row["claim"], []).append(row)
    return [found[claim] for claim in dict.fromkeys(row["claim"] for row in results.verdicts)]


def several_runtimes(results: Results) -> bool:
    return len({verdict["runtime"] for verdict in results.verdicts}) > 1


def anchor(verdict: Verdict) -> str:
    """The id of a claim's verdict on a runtime."""
    return f"claim-{verdict['claim']}-{verdict['runtime']}"


def spread(rows: list[Verdict], results: Results) -> str:
    """What a claim's verdicts say over the runtimes, in words."""
    known: dict[str, dict[str, Any]] = {row["runtime"]: {} for row in rows} | results.runtimes
    return in_words(rows, {name: {"gil": True, **facts} for name, facts in known.items()})


def claims_tested(results: Results) -> Html:
    """A table for each outcome, what the talk did not foresee first; a row is a claim with all its runtimes."""
    several = several_runtimes(results)
    parts = []
    for outcome, heading in HEADINGS.items():
        found = [rows for rows in by_claim(results) if overall(rows) == outcome]
        if not found:
            continue
        shown = [
            (claim(rows), badge(outcome), on_each(rows, results) if several else measured(rows[0])) for rows in found
        ]
        parts.append(Html("<h3>{} <small>{}</small></h3>").format(heading, counted(len(found), "claim")))
        last = "On each runtime; unfold one for its cases" if several else "Measured, and what was claimed"
        parts.append(table(("Claim", "Verdict", last), shown, "cards claims"))
    return joined(parts)


def claim(rows: list[Verdict]) -> Html:
    """The claim, where it is from, and what its verdicts mean. The id of a lone runtime's verdict is here."""
    first = rows[0]
    extra = [f"slide: {first['slide']}"] if first.get("slide") else []
    extra += ["demonstration"] if first.get("demonstration") else []
    alone = Html(' id="{}"').format(anchor(first)) if len(rows) == 1 else EMPTY
    return Html('<span class="says"{}>{}</span><small><code>{}</code>{}</small>{}').format(
        alone, first["says"], first["claim"], joined(Html(" · {}").format(text) for text in extra), explanations(rows)
    )


def explanations(rows: list[Verdict]) -> Html:
    """What each verdict means, once; with its sign where not all runtimes say the same."""
    differ = len({row["verdict"] for row in rows} - {"not tested"}) > 1
    said = dict.fromkeys((row["verdict"], row["explanation"]) for row in rows if row.get("explanation"))
    return joined(
        Html('<p class="explanation">{}{}</p>').format(sign(verdict) + " " if differ else EMPTY, words)
        for verdict, words in said
    )


def on_each(rows: list[Verdict], results: Results) -> Html:
    """What the runtimes say together, then a line for each with its cases folded under it."""
    lone = len(rows) == 1
    lines = [
        Html("<li{}>{}</li>").format(EMPTY if lone else Html(' id="{}"').format(anchor(row)), on_one(row))
        for row in rows
    ]
    return Html('<p class="spread">{}</p><ul class="runtimes">{}</ul>').format(spread(rows, results), joined(lines))


def on_one(row: Verdict) -> Html:
    """A runtime's verdict with the number behind it, or the reason why there is none."""
    name = Html('{} <span class="runtime">{}</span>').format(sign(row["verdict"]), row["runtime"])
    if row["verdict"] == "not tested":
        return Html('<p>{} <span class="reason">{}</span></p>').format(name, why_not(row))
    cases = row["cases"]
    lone = len(cases) == 1 and not missing(cases[0].get("estimate"))
    said = measured_interval(cases[0]) if lone else counted(len(cases), "case")
    return folded(Html("{} {}").format(name, said), measured(row))


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
    name = Html('<span class="case">{} {}</span>').format(sign(case["verdict"]), case["case"])
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
    """The claims without a verdict on any runtime, each with its reason."""
    found = [rows for rows in by_claim(results) if overall(rows) == "not tested"]
    if not found:
        return EMPTY
    shown = [(claim(rows), why_nowhere(rows)) for rows in found]
    return folded(
        f"Not tested: {counted(len(found), 'claim')}, with the reasons", table(("Claim", "Why not"), shown, "cards")
    )


def why_nowhere(rows: list[Verdict]) -> Html:
    """The reasons, each with the runtimes that it holds for where they differ."""
    reasons: dict[str, list[Verdict]] = {}
    for row in rows:
        reasons.setdefault(why_not(row), []).append(row)
    if len(rows) == 1:
        return Html("{}").format(why_not(rows[0]))
    return joined(
        Html('<p class="reason">{}: {}</p>').format(
            joined((Html('<span id="{}">{}</span>').format(anchor(row), row["runtime"]) for row in held), ", "), reason
        )
        for reason, held in reasons.items()
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
