"""The first screen: machine and runtimes, what to know beforehand, how the claims came out, what surprises most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gilscope.analysis.across import overall
from gilscope.analysis.counterparts import CPYTHON
from gilscope.analysis.surprises import Surprise
from gilscope.analysis.surprises import surprises as chosen
from gilscope.figures import Results
from gilscope.figures._runtimes import identified, spoken, whole
from gilscope.rendering.bars import interval_bar, share_bar
from gilscope.rendering.claims import anchor, by_claim, measured_interval, several_runtimes, threshold
from gilscope.rendering.markup import EMPTY, SIGNS, Html, badge, counted, day, folded, joined, note, number
from gilscope.rendering.pictures import Picture, show_one

HERO = "dial"
"""The figure of the first screen."""
RULE = (
    "By rule, so that nobody picks what suits: refuted claims before mixed and confirmed ones, first the one whose "
    "interval lies furthest beyond its threshold, in doublings (from a share of 0 to one of 1 counts as four), and "
    "no two about the same workload or lab."
)
ROUNDS_FOR_A_VERDICT = 5
"""Fewer than this many rounds make a report provisional."""


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
    """How many rounds every block got, or was to get where none was measured."""
    rounds = results.timed_rounds
    if len(rounds):
        return int(rounds["round"][rounds["stage"].fillna(1).astype(float) <= 1].astype(int).max())
    planned = (results.config.get("measure") or {}).get("rounds")
    return None if planned is None else int(planned)


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
        told = Html('{} of {} and the labs: {}. <a href="#the-machine-meanwhile">What that means</a>').format(
            len(disturbed), watched, named
        )
        notes.append(note("warn", "Disturbed.", told))
    return joined(notes)


def counts(results: Results) -> Html:
    """How many claims came out how, each counted once over all runtimes."""
    found = Counter(overall(rows) for rows in by_claim(results))
    if not found:
        return note("warn", "No verdicts.", "No claim has been judged.")
    tiles = [
        Html(
            '<li class="{}"><a href="#claims" data-show="{}"><b>{}</b>'
            '<span><span aria-hidden="true">{}</span> {}</span></a></li>'
        ).format(name.replace(" ", "-"), name, found[name], sign, name)
        for name, sign in SIGNS.items()
    ]
    bar = share_bar([(name, found[name]) for name in SIGNS])
    runtimes = whole(results.runtimes)
    several = f"Over {len(runtimes)} runtimes; mixed where they differ." if len(runtimes) > 1 else ""
    words = Html('<p class="small">{}</p>').format(several) if several else EMPTY
    return Html('<ul class="tiles">{}</ul>{}{}').format(joined(tiles), bar, words)


def at_a_glance(results: Results, pictures: Sequence[Picture]) -> Html:
    """What surprises most, and beside it the rule of thumb as a picture, or beneath it what that would need."""
    beside = any(picture.name == HERO and not picture.needs for picture in pictures)
    parts = [part for part in (surprises(results), show_one(pictures, HERO)) if part]
    return Html('<div class="{}">{}</div>').format(
        "glance beside" if beside else "glance", joined(Html("<div>{}</div>").format(part) for part in parts)
    )


def surprises(results: Results) -> Html:
    """The findings that somebody who knows the talk would expect least, in plain words."""
    found = chosen(results.verdicts)
    if not found:
        return EMPTY
    several = several_runtimes(results)
    items = joined(Html("<li>{}</li>").format(in_plain_words(one, several)) for one in found)
    return Html('<h2>Most surprising</h2><ol class="surprises">{}</ol>{}').format(
        items, folded("How these were chosen", Html("<p>{}</p>").format(RULE))
    )


def in_plain_words(one: Surprise, several: bool) -> Html:
    """What the talk says, what was found instead, and why."""
    verdict, case = dict(one.verdict), dict(one.case)
    where = f"{case['case']} on {verdict['runtime']}" if several else case["case"]
    return Html(
        '<p class="says">{} <a href="#{}">{}</a></p><p class="result">{}<span>{} '
        '<span class="claimed">claimed {} · {}</span></span></p><p>{}</p>'
    ).format(
        badge(verdict["verdict"]),
        anchor(verdict),
        verdict["says"],
        interval_bar(case),
        measured_interval(case),
        threshold(case),
        where,
        verdict.get("explanation") or "",
    )
