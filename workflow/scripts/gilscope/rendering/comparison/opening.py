"""The first screen: what lies side by side, how the claims compare, what to know beforehand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gilscope.comparison.sides import hardware
from gilscope.figures.comparison import Comparison
from gilscope.rendering.evidence import kinds_in_words
from gilscope.rendering.markup import EMPTY, Html, counted, day, folded, joined, missing, note, table

OUTCOMES = {
    "machine": ("Hardware changes the answer", "✗"),
    "runtime": ("The runtime changes the answer", "◐"),
    "either": ("Hardware or runtime changes the answer", "◐"),
    "run": ("Two runs of one machine differ", "!"),
    "unclear": ("Hardware or run: a processor is unknown", "!"),
    "alike": ("Alike everywhere", "✓"),
    "open": ("Open: fewer than two sides decided", "?"),
    "untested": ("Not tested anywhere", "–"),
}
"""What changes the answer to a claim: in words, and a sign; in the order of the page."""
TILES = ("alike", "machine", "runtime", "run", "open")
"""Of these there is a tile even where there is no such claim."""
MOST_BUNDLES = 8
"""More bundles than this are folded away."""


def opening(comparison: Comparison) -> Html:
    """The title, and one line: how many machines and runtimes, when they were measured."""
    sides = comparison.sides
    bundles = by_bundle(sides)
    machines = {hardware(facts(side)) for side in sides}
    known = all(facts(side).get("cpu") for side in sides)
    runtimes = {side["runtime"] for side in sides}
    line = [
        counted(len(bundles), "bundle"),
        counted(len(machines), "kind") + " of machine" + ("" if known else ", processors unknown") if sides else None,
        counted(len(runtimes), "runtime") if sides else None,
        dates(sides),
    ]
    items = joined(Html("<li>{}</li>").format(item) for item in line if item)
    return Html(
        '<header><p class="eyebrow">gilscope comparison</p>'
        "<h1>Is it different on another machine?</h1>"
        '<ul class="line">{}</ul></header>'
    ).format(items)


def facts(side: Mapping[str, Any]) -> Mapping[str, Any]:
    return side.get("machine") or {}


def by_bundle(sides: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The sides of each bundle, in order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for side in sides:
        found.setdefault(str(side["bundle"]), []).append(side)
    return found


def dates(sides: Sequence[Mapping[str, Any]]) -> str | None:
    """``3 May 2025 to 4 June 2025``; nothing where no side has told when it was measured."""
    known = [side[name] for side in sides for name in ("measured_from", "measured_to") if told(side.get(name))]
    if not known:
        return None
    first, last = day(min(known)), day(max(known))
    return first if first == last else f"{first} to {last}"


def told(seconds: Any) -> bool:
    """Whether this is a moment that a calendar has."""
    return isinstance(seconds, (int, float)) and math.isfinite(seconds) and 0 <= seconds < 253_402_300_800


def counts(comparison: Comparison) -> Html:
    """How many claims compare how; each leads to its group."""
    found = Counter(claim["outcome"] for claim in comparison.claims)
    if len(comparison.sides) < 2 or not found:
        return EMPTY
    shown = [name for name in OUTCOMES if name in TILES or (found[name] and name != "untested")]
    shown.sort(key=lambda name: (name != "alike", list(OUTCOMES).index(name)))
    tiles = []
    for name in shown:
        words, sign = OUTCOMES[name]
        content = Html('<b>{}</b><span><span aria-hidden="true">{}</span> {}</span>').format(found[name], sign, words)
        link = Html('<a href="#claims-{}">{}</a>').format(name, content)
        plain = Html('<div class="none">{}</div>').format(content)
        tiles.append(Html('<li class="by-{}">{}</li>').format(name, link if found[name] else plain))
    untested = found["untested"]
    aside = f", and {untested} that nobody tested" if untested else ""
    words = f"How the answers to {counted(sum(found.values()) - untested, 'claim')} compare{aside}."
    return Html('<ul class="tiles outcomes">{}</ul><p class="small">{}</p>').format(joined(tiles), words)


def warnings(comparison: Comparison) -> Html:
    """What to know before believing a comparison below."""
    notes = []
    if not comparison.sides:
        notes.append(note("bad", "Nothing to compare.", "No bundle could be read."))
    elif len(comparison.sides) == 1:
        text = "There is nothing to compare it with. A second bundle goes beside it: "
        told_how = Html("{}<code>--config bundles=a.zip,b.zip</code>").format(text)
        notes.append(note("warn", "Only one run.", told_how))
    left = [Html("<code>{}</code>: {}").format(*told_of(one)) for one in comparison.left_out]
    if left:
        notes.append(listed("bad", f"{counted(len(left), 'bundle')} left out.", left))
    if comparison.notes:
        notes.append(listed("warn", "To know beforehand.", comparison.notes))
    return joined(notes)


def listed(kind: str, heading: str, lines: Iterable[str]) -> Html:
    """A note with a line for each."""
    items = joined(Html("<li>{}</li>").format(line) for line in lines)
    return Html('<div class="note {}"><strong>{}</strong><ul>{}</ul></div>').format(kind, heading, items)


def told_of(one: Mapping[str, str]) -> tuple[str, str]:
    """A bundle that was left out, and why; the reason without the name where it begins with that."""
    name, reason = str(one.get("bundle") or "a bundle"), str(one.get("reason") or "no reason recorded")
    return name, reason.removeprefix(f"{name}: ")


def sides(comparison: Comparison) -> Html:
    """A row for each bundle: its machine, its runtimes, how and when it was measured."""
    bundles = by_bundle(comparison.sides)
    rows = [
        (
            label(name, own[0], name == str(comparison.sides[0]["bundle"])),
            machine(own[0]),
            joined(runtimes_of(own)),
            sweep(own[0]),
            measured(own[0]),
        )
        for name, own in bundles.items()
    ]
    listed = table(("Bundle", "Machine", "Runtimes", "Sweep", "Measured"), rows, "cards bundles")
    if len(rows) <= MOST_BUNDLES:
        return listed
    return folded(f"The {counted(len(rows), 'bundle')}, the baseline first", listed)


def label(name: str, side: Mapping[str, Any], baseline: bool) -> Html:
    mark = Html(' <span class="badge baseline">baseline</span>') if baseline else EMPTY
    return Html("<code>{}</code>{}<small>{}</small>").format(name, mark, side.get("file") or "")


def machine(side: Mapping[str, Any]) -> Html:
    known = facts(side)
    memory = known.get("memory_bytes")
    cores = known.get("usable_cores")
    parts = [
        counted(cores, "usable core") if isinstance(cores, int) else "cores unknown",
        kinds_in_words(known.get("core_kinds")),
        known.get("os"),
        known.get("virtualisation"),
        f"{memory / 2**30:.3g} GiB" if isinstance(memory, (int, float)) and not missing(memory) else None,
    ]
    words = " · ".join(str(part) for part in parts if part)
    return Html("{}<small>{}</small>").format(known.get("cpu") or "processor unknown", words)


def runtimes_of(own: Sequence[Mapping[str, Any]]) -> list[Html]:
    """Each runtime of a bundle, and below those that were built alike, how."""
    shown = []
    for side, after in zip(own, [*own[1:], {}], strict=True):
        says = side.get("says")
        words = side["runtime"] if says is None else says if says == side["runtime"] else f"{says} ({side['runtime']})"
        how = side.get("built") if side.get("built") != after.get("built") else None
        shown.append(Html("<span>{}</span>{}").format(words, Html("<small>{}</small>").format(how) if how else EMPTY))
    return shown


def sweep(side: Mapping[str, Any]) -> Html:
    rounds = side.get("rounds")
    words = f"{counted(rounds, 'round')}, " if isinstance(rounds, int) else ""
    return Html("{}<small>{}gilscope {}</small>").format(
        side.get("preset") or "default", words, side.get("version") or "unknown"
    )


def measured(side: Mapping[str, Any]) -> Html:
    nodes = side.get("nodes")
    words = f"on {counted(nodes, 'node')}" if isinstance(nodes, int) else ""
    return Html("{}<small>{}</small>").format(dates([side]) or "unknown", words)
