"""Claims × sides: a sign for each answer, those that something changes first; a claim opens to what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gilscope.figures.comparison import Comparison
from gilscope.rendering.bars import interval_bar, share_bar
from gilscope.rendering.claims import basis, measured_interval, q_value, threshold
from gilscope.rendering.comparison.forest import forest
from gilscope.rendering.comparison.opening import OUTCOMES
from gilscope.rendering.markup import EMPTY, SIGNS, Html, badge, counted, folded, joined, missing, note

FOLDED = ("alike", "open", "untested")
MOST_BESIDE = 4
"""The names of more sides than this stand upright above their columns."""
MOST_BARS = 12
"""Of more sides than this each claim has counts, and its numbers no bar for each side."""
Claim = Mapping[str, Any]


def claims(comparison: Comparison) -> Html:
    """A matrix for each group of claims, those where all sides say the same and the open ones folded away."""
    if not comparison.claims:
        return note("warn", "No verdicts.", "No claim has been judged on any side.")
    parts = []
    for outcome, (words, _) in OUTCOMES.items():
        own = [claim for claim in comparison.claims if claim["outcome"] == outcome]
        if not own:
            continue
        title = Html("{} <small>{}</small>").format(words, counted(len(own), "claim"))
        if outcome in FOLDED:
            parts.append(
                Html('<details id="claims-{}"><summary>{}</summary>{}</details>').format(
                    outcome, title, matrix(own, comparison)
                )
            )
        else:
            parts.append(
                Html('<section id="claims-{}"><h3>{}</h3>{}</section>').format(outcome, title, matrix(own, comparison))
            )
    return joined(parts)


def matrix(claims: Sequence[Claim], comparison: Comparison) -> Html:
    """A row for each claim with a sign for each side, and below it, until it is opened hidden, the numbers."""
    names = comparison.names
    many = len(names) > MOST_BARS
    headings = [Html('<th scope="col">{}</th>').format("Claim")]
    if many:
        headings.append(Html('<th scope="col" class="counts">{}</th>').format("Answers"))
    headings += [Html('<th scope="col">{}</th>').format(heading(side)) for side in comparison.sides]
    rows = joined(row(claim, names, many) for claim in claims)
    kind = "matrix sides" + (" many" if len(names) > MOST_BESIDE else "") + (" crowd" if many else " cards")
    return Html(
        '<div class="box{}" tabindex="0" role="group" aria-label="Table: claims by side"><table class="{}">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(" tall" if many else "", kind, joined(headings), rows)


def heading(side: Mapping[str, Any]) -> Html:
    return Html("{}<br>{}").format(side["bundle"], side["runtime"])


def row(claim: Claim, names: Sequence[str], many: bool) -> Html:
    """The claim's row and the one with its numbers. The first opens the second, by the style sheet alone."""
    found = claim["sides"]
    demonstration = " · demonstration" if claim.get("demonstration") else ""
    cells = [
        Html('<th scope="row"><details class="opens"><summary>{}</summary></details><small>{}{}</small></th>').format(
            claim["says"], claim["claim"], demonstration
        )
    ]
    if many:
        cells.append(Html('<td class="counts">{}</td>').format(in_counts(found)))
    cells += [sign_of(name, found.get(name), many) for name in names]
    return Html(
        '<tr id="claim-{}">{}</tr><tr class="behind"><td colspan="{}"><div class="pinned">{}</div></td></tr>'
    ).format(claim["claim"], joined(cells), len(cells), numbers(claim, names, many))


def sign_of(name: str, found: Mapping[str, Any] | None, many: bool) -> Html:
    """A side's answer as a sign, with its words for those who point at it or do not see it.

    A hundred sides make thousands of them, so each is one element, and the counts before them have the words.
    """
    if found is None:
        return Html("<td></td>")
    verdict = str(found["verdict"])
    kind, sign, words = verdict.replace(" ", "-"), SIGNS.get(verdict, "–"), f"{name}: {in_words(found)}"
    if many:
        return Html('<td class="sign {}" title="{}">{}</td>').format(kind, words, sign)
    return Html('<td data-label="{}"><span class="sign {}" role="img" title="{}">{}</span></td>').format(
        name, kind, words, sign
    )


def in_words(found: Mapping[str, Any]) -> str:
    """``refuted, 1.87 × [1.74, 2.01]``; why not, where there is no number."""
    case = found.get("case") or {}
    said = measured_interval(case).striptags() if not missing(case.get("estimate")) else found.get("reason")
    return f"{found['verdict']}, {said}" if said else str(found["verdict"])


def in_counts(found: Mapping[str, Mapping[str, Any]]) -> Html:
    """How many sides answer how."""
    counts = Counter(str(one["verdict"]) for one in found.values())
    words = joined(
        (
            Html('<span class="sign {}" role="img" aria-label="{} {}">{} {}</span>').format(
                name.replace(" ", "-"), counts[name], name, counts[name], sign
            )
            for name, sign in SIGNS.items()
            if counts[name]
        ),
        " ",
    )
    return words + share_bar([(name, counts[name]) for name in SIGNS if counts[name]]) if counts else EMPTY


def numbers(claim: Claim, names: Sequence[str], many: bool) -> Html:
    """What was measured on each side against the claim's threshold."""
    told = [(name, claim["sides"][name]) for name in names if name in claim["sides"]]
    if not many:
        return Html('<ul class="cases">{}</ul>').format(
            joined(Html("<li>{}</li>").format(on_side(*one)) for one in told)
        )
    listed = joined(briefly(*one) for one in told)
    each = folded(f"Each of {counted(len(told), 'side')}", Html('<ul class="briefly">{}</ul>').format(listed))
    return forest(dict(told)) + each


def on_side(name: str, found: Mapping[str, Any]) -> Html:
    """A side's telling case with its interval as a bar and in figures."""
    case = found.get("case") or {}
    head = Html('<span class="case">{} {}</span>').format(badge(str(found["verdict"])), name)
    if missing(case.get("estimate")):
        return Html('{} <span class="reason">{}</span>').format(head, found.get("reason") or "no number")
    return Html('{} <span class="result">{}<span>{} <span class="claimed">{}</span></span></span>').format(
        head, interval_bar(case), measured_interval(case), claimed(case)
    )


def claimed(case: Mapping[str, Any]) -> str:
    own = dict(case)
    limit = threshold(own)
    return f"{case.get('case') or 'one case'}: {f'claimed {limit} · ' if limit else ''}{basis(own)}{q_value(own)}"


def briefly(name: str, found: Mapping[str, Any]) -> Html:
    """One line of a side. A hundred sides make thousands of them, so each is one element."""
    verdict = str(found["verdict"])
    return Html('<li class="{}">{} {}: {}</li>').format(
        verdict.replace(" ", "-"), SIGNS.get(verdict, "–"), name, in_words(found)
    )
