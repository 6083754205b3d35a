"""The kinds of values that a bundle holds, each with what it may be: somebody else wrote them.

Names match their pattern, so that no HTML and no formula hides in one. Prose may hold what an error message holds; it
is shown as text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

LONGEST_PROSE = 8000
LONGEST_FACT = 200
NAME = r"[a-z][a-z0-9_-]{0,79}"
RUNTIME = r"[a-z][a-z0-9-]{0,62}"
LABEL = r"[a-z0-9][a-z0-9-]{0,126}"
STRATEGY = r"[a-z][a-z-]{0,61}[a-z]"
PLAIN = r"[^\W_](?:[\w .,:;/()\[\]%+×³²·µ?!'–-]*[\w.,%)\]?!'])?"
CELLS = rf"{RUNTIME}/(?:labs/{NAME}/{PLAIN}|{NAME}/(?:small|medium|large|deck)/[a-z][a-z-]*-\d{{1,4}}(?:-warm)?)"
SPOILING = frozenset({"Cc", "Cs", "Cf", "Co", "Zl", "Zp"})
"""Unicode's control, surrogate, format (as those that turn text around) and private characters, and line ends."""


class Facts(BaseModel):
    """A mapping of which the known keys are checked and kept. No value is turned into another type."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


def printable(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        bad = next((one for one in text if one not in "\n\t" and unicodedata.category(one) in SPOILING), None)
        if bad is not None:
            raise ValueError(f"it holds the control character U+{ord(bad):04X}")
    return text


def visible(text: str) -> str:
    """The text with an escape in the place of each character for which ``printable`` refuses it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        one.encode("unicode_escape").decode("ascii")
        if one not in "\n\t" and unicodedata.category(one) in SPOILING
        else one
        for one in text
    )


def harmless(text: str) -> str:
    """A fact that is shown in many places: neither HTML nor, in a spreadsheet, a formula."""
    printable(text)
    if re.search(r"[<>\n\t]", text) or text.startswith(("=", "+", "-", "@")):
        raise ValueError("it looks like HTML or a formula")
    return text


Label = Annotated[str, StringConstraints(pattern=f"^{LABEL}$")]
Runtime = Annotated[str, StringConstraints(pattern=f"^{RUNTIME}$")]
Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
Strategy = Annotated[str, StringConstraints(pattern=f"^{STRATEGY}$")]
Path = Annotated[str, StringConstraints(max_length=200)]
Case = Annotated[str, StringConstraints(pattern=f"^{PLAIN}$", max_length=LONGEST_FACT)]
Unit = Annotated[str, StringConstraints(pattern=f"^{PLAIN}$", max_length=40)]
CellPath = Annotated[str, StringConstraints(pattern=f"^{CELLS}$", max_length=LONGEST_FACT)]
PlainFact = Annotated[str, Field(max_length=LONGEST_FACT), AfterValidator(harmless)]
Prose = Annotated[str, Field(max_length=LONGEST_PROSE), AfterValidator(printable)]
Number = Annotated[float, Field(ge=-1e18, le=1e18)]
Positive = Annotated[float, Field(gt=0, le=1e15)]
Seconds = Annotated[float, Field(gt=0, le=1e11)]
"""A time since the epoch, or one that something takes."""
Share = Annotated[float, Field(ge=0, le=1)]
Workers = Annotated[int, Field(ge=1, le=1024)]
Cores = Annotated[int, Field(ge=1, le=4096)]
Rounds = Annotated[int, Field(ge=1, le=100)]

DEEPEST = 12


def check_plain(content: Any, depth: int = 0) -> None:
    """Raises ValueError where a nested JSON content holds a number or text that nobody would write, or is too deep."""
    if depth > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    if isinstance(content, dict):
        for key, value in content.items():
            check_plain(key, depth + 1)
            check_plain(value, depth + 1)
    elif isinstance(content, list):
        for value in content:
            check_plain(value, depth + 1)
    elif isinstance(content, str):
        if len(content) > LONGEST_PROSE:
            raise ValueError(f"it holds a text of {len(content)} characters")
        printable(content)
    elif isinstance(content, (int, float)) and not -1e18 <= content <= 1e18:
        raise ValueError("it holds a number beyond 1e18")
