"""Escaping of text from elsewhere, so that terminals, pages and files show it and do not obey it."""

from __future__ import annotations

import re
from typing import Any

OBEYED = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed: escape sequences begin with one
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the text around it
    "\u2028\u2029\ufeff\ufff9-\ufffb"  # what breaks lines, or hides
    "\ud800-\udfff\U000e0000-\U000e007f"  # halves of characters, which no file may hold; unseen letters
)
OBEYED_ONE = re.compile(f"[{OBEYED}]")
LONGEST = 1000


def plain(text: str) -> str:
    r"""The text with an escape, ``\x1b``, in the place of each character that is obeyed; lines stay lines."""
    return OBEYED_ONE.sub(escaped, text)


def escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def on_one_line(text: str, longest: int = LONGEST) -> str:
    """The same, on one line and not too long."""
    line = plain(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[:longest]} … ({len(line) - longest} more characters)"


def words_of(error: BaseException) -> str:
    """What an error says, on one line; one that cannot say anything says so."""
    try:
        return on_one_line(str(error))
    except Exception as failed:
        return f"its message cannot be shown: {type(failed).__name__}"


def named(thing: Any) -> str:
    """The name of a thing's class, which anybody may have made."""
    return on_one_line(type(thing).__name__, 100)
