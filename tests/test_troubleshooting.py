"""docs/troubleshooting.md knows every message that users may meet, and none that is gone.

A new message needs a line there: its words, with … for what varies, then the cause and the cure.
"""

from __future__ import annotations

import re
from functools import cache

from messages import ANYTHING, INTERNAL, ROOT, VISIBLE, Message, classes_of_mistakes, messages

PAGE = ROOT / "docs/troubleshooting.md"
OTHERS = "## Said by others"
FEWEST_LETTERS = 7


def rows() -> list[list[str]]:
    """The cells of the tables' rows, without the part about other programs."""
    lines = PAGE.read_text(encoding="utf-8").partition(OTHERS)[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if row[0] not in ("message", "---")]


def keys() -> list[str]:
    return [key for row in rows() for key in re.findall(r"`([^`]+)`", row[0])]


@cache
def pattern(key: str) -> re.Pattern[str]:
    """Matches the messages that a key is about: they begin with it, or hold it where it begins with ``…``."""
    return re.compile(".*".join(re.escape(part) for part in key.split(ANYTHING)), re.DOTALL)


def about(key: str, message: Message) -> bool:
    return bool(pattern(key).match(message.text))


def test_every_message_has_its_line() -> None:
    known = keys()
    missing = [f"{one.place}: {one.text}" for one in messages() if not any(about(key, one) for key in known)]
    assert not missing, f"give each a line in {PAGE.relative_to(ROOT)}"


def test_every_line_has_its_message() -> None:
    stale = [key for key in keys() if not any(about(key, one) for one in messages())]
    assert not stale, "nobody says so any more"
    assert all(len(re.findall("[A-Za-z]", key)) >= FEWEST_LETTERS for key in keys()), "that would be about everything"


def test_every_line_has_a_cause_and_a_cure() -> None:
    for row in rows():
        assert len(row) == 3, row
        assert all(row), row
    assert len(keys()) == len(set(keys())), "no message has two lines"


def test_every_class_of_mistakes_is_known() -> None:
    assert classes_of_mistakes() <= VISIBLE | INTERNAL, (
        "put the class into VISIBLE or INTERNAL in tests/doubles/messages.py"
    )


def test_messages_are_found() -> None:
    """The collecting itself: one of each kind."""
    found = {message.text for message in messages()}
    for text in (
        "gilscope needs Python 3.11 or newer, and … is not; name another one: make PYTHON=python3.12",
        "FILE: KEY is …; there is no such file.",
        "sweep.workloads: there is no file ….",
        "too many files are open: raise the limit, ulimit -n",
        "… is damaged (…); delete it, and the next run makes it again",
        "is empty; ask for it again.",
        "gate: no cell's … could be compared with the baseline; the page says why.",
    ):
        assert text in found
