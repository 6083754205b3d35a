"""What a claim's verdicts say together over several runtimes."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

import pytest
from gilscope.analysis.across import in_words, overall
from gilscope.analysis.counterparts import identify
from simulated import facts_of

VERDICTS = ("confirmed", "refuted", "mixed", "inconclusive", "not tested")
TRUE, FALSE, UNDECIDED, UNTESTED = "confirmed", "refuted", "inconclusive", "not tested"


def words(verdicts: Mapping[str, str], *also: str) -> str:
    rows = [{"runtime": runtime, "verdict": verdict} for runtime, verdict in verdicts.items()]
    return in_words(rows, {runtime: facts_of(runtime) for runtime in (*verdicts, *also)})


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({"cp311": TRUE}, "confirmed on CPython 3.11"),
        ({"cp313t-nogil": FALSE, "cp311": UNTESTED}, "refuted on free-threaded CPython 3.13 without the lock"),
        ({"cp313t-gil": "mixed"}, "mixed on free-threaded CPython 3.13 with the lock"),
        ({"pypy39": UNDECIDED, "cp311": UNTESTED}, "undecided on PyPy 3.9"),
        ({"cp311": TRUE, "cp313t-gil": TRUE, "cp313t-nogil": TRUE}, "confirmed on all 3 runtimes"),
        ({"cp311": TRUE, "cp313t-gil": TRUE}, "confirmed on both runtimes"),
        ({"cp311": TRUE, "cp313t-gil": TRUE, "cp313t-nogil": UNTESTED}, "confirmed on both runtimes tested"),
        ({"cp311": UNTESTED, "cp312": UNTESTED}, "not tested"),
        ({"cp311": TRUE, "cp313t-nogil": FALSE}, "true on CPython 3.11 with the lock, false without it"),
        (
            {"cp313t-nogil": FALSE, "cp311": TRUE, "cp313t-gil": TRUE},
            "true on CPython 3.11 and 3.13 with the lock, false without it",
        ),
        (
            {"cp311": FALSE, "cp313t-gil": TRUE, "cp313t-nogil": FALSE},
            "false on CPython 3.11, but true on free-threaded 3.13 with the lock on, false again without the lock",
        ),
        ({"cp313t-gil": TRUE, "cp313t-nogil": FALSE}, "true on free-threaded CPython 3.13 with the lock, false without it"),
        (
            {"cp313t-nogil": TRUE, "cp310": FALSE, "cp39": TRUE, "cp312": FALSE, "cp313": FALSE, "cp313t-gil": FALSE},
            "true up to 3.9, false since 3.10, true again without the lock",
        ),
        (
            {"cp39": TRUE, "cp310": TRUE, "cp311": TRUE, "cp312": UNDECIDED, "cp313": FALSE},
            "true up to 3.11, undecided on 3.12, false since 3.13",
        ),
        ({"cp39": TRUE, "cp310": UNDECIDED, "cp311": TRUE}, "true up to 3.9, undecided on 3.10, true again since 3.11"),
        ({"cp39": TRUE, "cp310": UNDECIDED}, "true up to 3.9, undecided on 3.10"),
        ({"cp39": TRUE, "cp310": FALSE, "cp311": FALSE, "cp312": TRUE}, "true up to 3.9, false on 3.10 and 3.11, true again since 3.12"),
        ({"cp39": TRUE, "cp311": TRUE, "pypy39": FALSE}, "true on CPython 3.9 and 3.11, false on PyPy"),
        ({"cp39": TRUE, "pypy39": FALSE, "pypy311": UNDECIDED}, "true on CPython 3.9, false on PyPy 3.9, undecided on PyPy 3.11"),
        ({"cp313": TRUE, "cp313t-gil": FALSE}, "true on CPython 3.13, but false on free-threaded 3.13 with the lock on"),
        (
            {"cp312": TRUE, "cp313": FALSE, "cp313t-gil": TRUE, "cp313t-nogil": TRUE, "pypy39": TRUE},
            "true up to 3.12, false since 3.13, but true on free-threaded 3.13 with the lock on and without the lock and on PyPy",
        ),
        (
            {"cp311": TRUE, "cp313t-nogil": FALSE, "cp314t-nogil": TRUE},
            "true on CPython 3.11 with the lock, false on 3.13 without it, true again on 3.14 without the lock",
        ),
        ({"cp311": TRUE, "cp313t-nogil": TRUE, "pypy39": FALSE}, "true on CPython 3.11 with the lock and without it, false on PyPy"),
    ],
)  # fmt: skip
def test_verdicts_of_several_runtimes_are_one_sentence(verdicts: dict[str, str], said: str) -> None:
    assert words(verdicts) == said


MANY = ("cp39", "cp310", "cp311", "cp313", "cp314", "cp313t-gil", "cp314t-gil", "cp313t-nogil", "cp314t-nogil")
VERSION = r"\d\.\d+"
LISTED = rf"({VERSION})(?: (and|to) ({VERSION}))?"
PHRASES = [
    # Pattern, who it may speak of, and how much it overrules: the more special, the more.
    (rf"on free-threaded {LISTED} with the lock on", "gil", 3),
    (rf"on {LISTED} without (?:the lock|it)", "nogil", 2),
    (r"without (?:the lock|it)", "nogil", 1),
    (rf"on PyPy {LISTED}", "pypy", 2),
    (r"on PyPy", "pypy", 1),
    (rf"on (?:free-threaded )?CPython {LISTED}(?: with the lock)?", "lock", 1),
    (rf"(up to|since) ({VERSION})", "lock", 1),
    (rf"on {LISTED}", "lock", 1),
]
MEANT = {"true": TRUE, "false": FALSE, "mixed": "mixed", "undecided": UNDECIDED}


def kinds(runtime: str) -> set[str]:
    if runtime.startswith("pypy"):
        return {"pypy"}
    return {"nogil"} if runtime.endswith("-nogil") else {"gil", "lock"} if runtime.endswith("-gil") else {"lock"}


def covers(match: re.Match[str], version: tuple[int, ...]) -> bool:
    """Whether a reader takes a phrase to speak of this version."""
    groups = [group for group in match.groups() if group]
    bounds = [tuple(map(int, group.split("."))) for group in groups if re.fullmatch(VERSION, group)]
    if groups[:1] == ["up to"]:
        return version <= bounds[0]
    if groups[:1] == ["since"]:
        return version >= bounds[0]
    if "to" in groups:
        return bounds[0] <= version <= bounds[1]
    return not bounds or version in bounds


def read(sentence: str) -> list[tuple[str, re.Match[str], str, int]]:
    """What a sentence says, phrase by phrase: verdict, phrase, who it may speak of, how special it is."""
    found = []
    for part in sentence.split(", "):
        head = re.match(r"(?:but )?(true|false|mixed|undecided)(?: again)? ", part)
        assert head, part
        rest = part[head.end() :]
        while rest:
            for pattern, whom, rank in PHRASES:
                match = re.match(pattern, rest)
                if match:
                    found.append((MEANT[head[1]], match, whom, rank))
                    rest = rest[match.end() :].removeprefix(" and ")
                    break
            else:
                raise AssertionError(f"no phrase: {rest!r} in {sentence!r}")
    return found


def test_each_tested_runtime_is_in_the_sentence_once_and_rightly() -> None:
    chance = random.Random(5)
    for _ in range(3000):
        runtimes = chance.sample([*MANY, "pypy39", "pypy311"], chance.randint(2, 11))
        verdicts = {runtime: chance.choice(VERDICTS) for runtime in runtimes}
        tested = {runtime: verdict for runtime, verdict in verdicts.items() if verdict != UNTESTED}
        if len(set(tested.values())) < 2:
            continue
        sentence = words(verdicts)
        said = read(sentence)
        for runtime, verdict in tested.items():
            version = identify(runtime, facts_of(runtime)).minor
            speaking = [one for one in said if one[2] in kinds(runtime) and covers(one[1], version)]
            best = max((one[3] for one in speaking), default=0)
            decisive = [one[0] for one in speaking if one[3] == best]
            assert decisive == [verdict], (sentence, verdicts, runtime)


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([TRUE, TRUE, UNTESTED], TRUE),
        ([FALSE], FALSE),
        ([TRUE, FALSE, UNDECIDED], "mixed"),
        ([TRUE, "mixed"], "mixed"),
        ([TRUE, UNDECIDED], UNDECIDED),
        ([UNTESTED], UNTESTED),
        ([], UNTESTED),
    ],
)
def test_a_claim_is_rolled_up_over_its_runtimes(verdicts: list[str], verdict: str) -> None:
    assert overall([{"verdict": one} for one in verdicts]) == verdict
