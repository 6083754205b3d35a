"""Do two builds make the same pages of the same results? For changes to how they are made, not to what they say.

    python benchmarks/sameness.py BEFORE AFTER

Each is a results folder (or a comparison's) with report.html or comparison.html, and figures/. Compared are the bytes
of every figure's numbers, its title and its words for those who do not see it; and of the page its text, links,
anchors, labels, titles and the data that its scripts read. Prints what differs, and ends with 1 where something does.
What is written inside the drawings is listed, and decides nothing: a figure may say the same in another way.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup
from bs4.element import Comment, NavigableString, Tag

SAID = (
    "href",
    "id",
    "alt",
    "title",
    "aria-label",
    "aria-labelledby",
    "aria-describedby",
    "name",
    "value",
    "for",
    "open",
)
"""Attributes that a reader, a screen reader or a link can meet."""
RANDOM = "cell-id="
"""How ids begin that a notebook's cells are given anew each time."""
UNSEEN = ("style", "script", "svg")


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def lines_of(page: Path) -> Iterator[str]:
    """The page as lines: a piece of text, an attribute, or what a script reads, in its order."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    for script in soup.find_all("script", type="application/json"):
        yield f"data {script.get('id')}: {squeezed(script.get_text())}"
    for drawing in soup.find_all("svg"):
        yield from (
            f"drawing's {part.name}: {squeezed(part.get_text())}" for part in drawing.find_all(["title", "desc"])
        )
    for part in soup.find_all(UNSEEN):
        part.decompose()
    words: list[str] = []
    for part in soup.descendants:
        if isinstance(part, Tag):
            for name in SAID:
                if part.has_attr(name) and not str(part[name]).startswith(RANDOM):
                    yield f"{part.name} {name}={shortened(str(part[name]))}"
        elif isinstance(part, NavigableString) and not isinstance(part, Comment):
            words += squeezed(part).split()
    # Where a text node ends is nobody's concern; twelve words a line say where they differ.
    yield from (" ".join(words[place : place + 12]) for place in range(0, len(words), 12))


def shortened(value: str) -> str:
    """What is embedded as data counts by its length and its end."""
    return value if len(value) < 500 else f"{len(value)} characters, ...{value[-40:]}"


def written_in(drawing: Path) -> list[str]:
    soup = BeautifulSoup(drawing.read_text(encoding="utf-8"), "html.parser")
    return sorted(filter(None, (squeezed(text.get_text()) for text in soup.find_all("text"))))


def different(name: str, before: list[str], after: list[str]) -> list[str]:
    found = difflib.unified_diff(before, after, f"{name} before", f"{name} after", lineterm="", n=0)
    return [line for line in found if not line.startswith("@@")]


def page_in(folder: Path) -> Path:
    found = [path for name in ("report.html", "comparison.html") if (path := folder / name).is_file()]
    if not found:
        sys.exit(f"{folder} holds neither report.html nor comparison.html")
    return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    arguments = parser.parse_args()
    before, after = arguments.before, arguments.after
    figures = [{path.stem for path in (folder / "figures").glob("*.svg")} for folder in (before, after)]
    found = [f"figure {name} is only in one of them" for name in sorted(figures[0] ^ figures[1])]
    noted: list[str] = []
    for name in sorted(figures[0] & figures[1]):
        drawn, data = f"figures/{name}.svg", f"figures/{name}.csv"
        if (before / data).read_bytes() != (after / data).read_bytes():
            texts = [(folder / data).read_text(encoding="utf-8").splitlines() for folder in (before, after)]
            found += different(data, *texts)
        noted += different(drawn, *(written_in(folder / drawn) for folder in (before, after)))
    found += different("page", *(list(lines_of(page_in(folder))) for folder in (before, after)))
    print("\n".join([*found, "", "inside the drawings:", *noted] if noted else found))
    print(f"{len(figures[1])} figures; {len(found)} lines differ", file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
