"""Claims × sides: a sign for each answer, those that something changes first; a claim opens to what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gilscope.figures.comparison import Comparison
from gilscope.rendering.templates import SIGNS, Html, filled

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
FOLDED = ("alike", "open", "untested")
MOST_BESIDE = 4
"""The names of more sides than this stand upright above their columns."""
MOST_BARS = 12
"""Of more sides than this each claim has counts, and its numbers no bar for each side."""


def counts(comparison: Comparison) -> Html:
    """How many claims compare how; each leads to its group."""
    found = Counter(claim["outcome"] for claim in comparison.claims)
    shown = [name for name in OUTCOMES if name in TILES or (found[name] and name != "untested")]
    shown.sort(key=lambda name: name != "alike")
    return filled(
        "comparison/counts",
        tiles={name: OUTCOMES[name] for name in shown} if len(comparison.sides) > 1 and found else {},
        found=found,
        tested=len(comparison.claims) - found["untested"],
    )


def claims(comparison: Comparison) -> Html:
    """A matrix for each group of claims, those where all sides say the same and the open ones folded away."""
    return filled(
        "comparison/claims",
        outcomes=OUTCOMES,
        away=FOLDED,
        claims=comparison.claims,
        answers={claim["claim"]: answers(claim) for claim in comparison.claims},
        sides=comparison.sides,
        upright=len(comparison.sides) > MOST_BESIDE,
        many=len(comparison.sides) > MOST_BARS,
    )


def answers(claim: Mapping[str, Any]) -> dict[str, int]:
    """How many sides answer how."""
    found = Counter(str(one["verdict"]) for one in claim["sides"].values())
    return {name: found[name] for name in SIGNS if found[name]}
