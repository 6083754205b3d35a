"""Whether the elements of a page are closed as they were opened."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


def unbalanced(text: str) -> list[str]:
    """Elements that are opened and not closed, or the other way round."""
    open_elements: list[str] = []
    wrong: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in {"meta", "img", "br", "link", "hr"}:
                open_elements.append(tag)

        def handle_startendtag(self, tag: str, attrs: Any) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            if not open_elements or open_elements.pop() != tag:
                wrong.append(tag)

    Reader().feed(text)
    return wrong + open_elements
