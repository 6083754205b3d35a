"""Every claim in one table: what is said, the verdict, what was measured against it, why it came out so, what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gilscope.analysis.across import in_words, overall
from gilscope.analysis.surprises import telling
from gilscope.figures import Results
from gilscope.rendering.bars import interval_bar
from gilscope.rendering.data import links_to
from gilscope.rendering.markup import (
    EMPTY,
    SIGNS,
    Html,
    badge,
    counted,
    folded,
    interval,
    joined,
    missing,
    note,
    number,
    sign,
    table,
)
from gilscope.rendering.pictures import Picture, pictured

MOST_CASES = 6
"""More cases than this are folded."""
ORDER = ("refuted", "mixed", "confirmed", "inconclusive", "not tested")
"""What the talk did not foresee first."""
ORDERS = {"": "by verdict", "surprise": "furthest from the threshold", "talk": "as in the talk", "name": "by wording"}
HEADINGS = ("Claim", "Verdict", "Measured, and what was claimed", "Why, and what to do")
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


def surprise(rows: list[Verdict]) -> float:
    """How far beyond its threshold a claim came out, on the runtime where that was furthest."""
    return max((found.strength for found in map(telling, rows) if found), default=0.0)


def claims(results: Results, pictures: Sequence[Picture] = ()) -> Html:
    """All claims, refuted ones first, with what filters them where the page may run its script."""
    found = by_claim(results)
    if not found:
        return note("warn", "No verdicts.", "No claim has been judged.")
    several = several_runtimes(results)
    ranked = sorted(
        enumerate(found), key=lambda one: (ORDER.index(overall(one[1])), -round(surprise(one[1]), 6), one[0])
    )
    rows, told = [], []
    for place, verdicts in ranked:
        untested = overall(verdicts) == "not tested"
        rows.append(
            (
                claim(verdicts),
                badge(overall(verdicts)),
                why_nowhere(verdicts) if untested else on_each(verdicts, results) if several else measured(verdicts[0]),
                explanations(verdicts) + links(verdicts, pictures),
            )
        )
        told.append(attributes(verdicts, place))
    return filters(found, results) + table(HEADINGS, rows, "cards claims", told)


def attributes(rows: list[Verdict], place: int) -> Html:
    """What filters and sorting ask of a row."""
    return Html(
        ' id="claim-{}" data-verdict="{}" data-verdicts="{}" data-slides="{}" data-place="{}" data-surprise="{:.4f}"'
    ).format(
        rows[0]["claim"],
        overall(rows),
        json.dumps({row["runtime"]: row["verdict"] for row in rows}),
        "|".join(slides(rows[0])),
        place,
        surprise(rows),
    )


def slides(row: Verdict) -> list[str]:
    return [slide.strip() for slide in (row.get("slide") or "").split(",") if slide.strip()]


def filters(found: list[list[Verdict]], results: Results) -> Html:
    """The controls above the table; hidden until the script that they need runs."""
    outcomes = [overall(rows) for rows in found]
    pills = joined(
        Html(
            '<label class="pill {}"><input type="checkbox" name="verdict" value="{}"><span aria-hidden="true">{}</span>'
            " {} <small>{}</small></label>"
        ).format(verdict.replace(" ", "-"), verdict, SIGNS[verdict], verdict, outcomes.count(verdict))
        for verdict in ORDER
        if verdict in outcomes
    )
    runtimes = results.ordered(row["runtime"] for row in results.verdicts)
    menus = [chooser("slide", "Slide", sorted({slide for rows in found for slide in slides(rows[0])}, key=str.lower))]
    if len(runtimes) > 1:
        menus.append(chooser("runtime", "Runtime", runtimes))
    menus.append(menu("sort", "Sort", ORDERS))
    return Html(
        '<form class="filters" data-filters hidden aria-label="Filter the claims"><fieldset><legend>Verdict</legend>{}'
        '</fieldset><div class="menus">{}<label>Search <input type="search" name="search"></label></div>'
        '<p><output aria-live="polite"></output> <button type="reset">Show all</button></p></form>'
    ).format(pills, joined(menus))


def chooser(name: str, label: str, choices: Sequence[str]) -> Html:
    return menu(name, label, {"": "all", **{choice: choice for choice in choices}})


def menu(name: str, label: str, choices: dict[str, str]) -> Html:
    options = joined(Html('<option value="{}">{}</option>').format(*choice) for choice in choices.items())
    return Html('<label>{} <select name="{}">{}</select></label>').format(label, name, options)


def claim(rows: list[Verdict]) -> Html:
    """The claim, and where it is from. The id of a lone runtime's verdict is here."""
    first = rows[0]
    extra = [f"slide: {first['slide']}"] if first.get("slide") else []
    extra += ["demonstration"] if first.get("demonstration") else []
    alone = Html(' id="{}"').format(anchor(first)) if len(rows) == 1 else EMPTY
    return Html('<span class="says"{}>{}</span><small><a href="#claim-{}">{}</a>{}</small>').format(
        alone, first["says"], first["claim"], first["claim"], joined(Html(" · {}").format(text) for text in extra)
    )


def explanations(rows: list[Verdict]) -> Html:
    """Why each verdict came out so and what to do, once; with its sign where not all runtimes say the same."""
    differ = len({row["verdict"] for row in rows} - {"not tested"}) > 1
    said = dict.fromkeys(
        (row["verdict"], row["explanation"], row.get("advice") or "") for row in rows if row.get("explanation")
    )
    return joined(
        Html('<p class="explanation">{}{}</p>{}').format(
            sign(verdict) + " " if differ else EMPTY,
            words,
            Html('<p class="advice">{}</p>').format(advice) if advice else EMPTY,
        )
        for verdict, words, advice in said
    )


def links(rows: list[Verdict], pictures: Sequence[Picture]) -> Html:
    """To the figures that show the claim's cases, and to the tables that hold its data."""
    cases = [case for row in rows for case in row["cases"] if not missing(case.get("estimate"))]
    shown = dict.fromkeys(picture for case in cases if (picture := pictured(case, pictures)) is not None)
    to_figures = [Html('<a href="#figure-{}">figure: {}</a>').format(one.name, one.title) for one in shown]
    to_data = links_to([source for case in cases for source in case.get("cells") or []])
    listed = joined(Html("<li>{}</li>").format(link) for link in [*to_figures, *to_data])
    return Html('<ul class="links">{}</ul>').format(listed) if listed else EMPTY


def on_each(rows: list[Verdict], results: Results) -> Html:
    """What the runtimes say together, then a line for each with its cases folded under it."""
    lone = len(rows) == 1
    lines = [
        Html('<li data-runtime="{}"{}>{}</li>').format(
            row["runtime"], EMPTY if lone else Html(' id="{}"').format(anchor(row)), on_one(row)
        )
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
    """Each case with its estimate, interval and threshold; then what the verdict adds to that."""
    cases = joined(Html("<li>{}</li>").format(case_in_words(case)) for case in verdict["cases"])
    said = {case.get("reason") for case in verdict["cases"]}
    new = verdict.get("reason") and verdict["reason"] not in said
    reason = Html('<p class="reason">{}</p>').format(verdict["reason"]) if new else EMPTY
    listed = Html('<ul class="cases">{}</ul>').format(cases) if cases else EMPTY
    if len(verdict["cases"]) > MOST_CASES:
        return reason + folded(counted(len(verdict["cases"]), "case"), listed)
    return listed + reason


def case_in_words(case: dict[str, Any]) -> Html:
    """``1.02 × [0.99, 1.05], claimed below 1.15``, and what was measured."""
    name = Html('<span class="case">{} {}</span>').format(sign(case["verdict"]), case["case"])
    if missing(case.get("estimate")):
        return Html('{} <span class="reason">{}</span>').format(name, case.get("reason") or "not measured")
    return Html('{} <span class="result">{}<span>{} <span class="claimed">{}</span></span></span>{}').format(
        name,
        interval_bar(case),
        measured_interval(case),
        f"claimed {threshold(case)} · {basis(case)}{q_value(case)}{noted(case)}",
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


def threshold(case: dict[str, Any]) -> str:
    """Where the claim would hold, in the unit that the estimate is given in."""
    share = case.get("unit") == "share"

    def limit(value: float) -> str:
        return f"{number(100 * value)}\u2009%" if share else number(value)

    limits = case.get("threshold") or {}
    if "within" in limits:
        return "between {} and {}".format(*map(limit, limits["within"]))
    return ", ".join(f"{side} {limit(value)}" for side, value in limits.items())


def why_nowhere(rows: list[Verdict]) -> Html:
    """The reasons, each with the runtimes that it holds for where they differ."""
    reasons: dict[str, list[Verdict]] = {}
    for row in rows:
        reasons.setdefault(why_not(row), []).append(row)
    if len(rows) == 1:
        return Html('<p class="reason">{}</p>').format(why_not(rows[0]))
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
