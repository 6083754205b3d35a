"""HTML from values: escaped text, tables, numbers with their units."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

from markupsafe import Markup

from gilscope.running.plain_text import plain

SIGNS = {"confirmed": "✓", "refuted": "✗", "mixed": "◐", "inconclusive": "?", "not tested": "–"}
UNKNOWN = "unknown"


class Html(Markup):
    """Text that is HTML already; ``format`` and ``join`` escape whatever is not, and a notebook shows it."""

    @classmethod
    def escape(cls, text: Any) -> Html:
        """Text as HTML: neither markup nor what turns the text around it, or what no page may hold."""
        return super().escape(text if hasattr(text, "__html__") else plain(str(text)))

    def _repr_html_(self) -> str:
        return str(self)


EMPTY = Html("")


def joined(parts: Iterable[Any], between: str = "") -> Html:
    return Html(between).join(parts)


def table(
    headings: Sequence[Any], rows: Iterable[Sequence[Any]], kind: str = "", attributes: Iterable[Html] = ()
) -> Html:
    """A table in a box of its own that scrolls sideways; on a phone ``kind="cards"`` makes a card of each row.

    The first cell of a row is its heading. attributes: of each row's element, where they have any.
    """
    head = joined(Html('<th scope="col">{}</th>').format(heading) for heading in headings)
    body = []
    for (first, *rest), own in zip_longest(rows, attributes, fillvalue=EMPTY):
        cells = [Html('<th scope="row">{}</th>').format(first)]
        # Only a card, which has no headings above it, shows the label: in long tables it is most of the page's size.
        cells += [
            Html('<td data-label="{}">{}</td>').format(label, cell) if kind else Html("<td>{}</td>").format(cell)
            for label, cell in zip(headings[1:], rest, strict=True)
        ]
        body.append(Html("<tr{}>{}</tr>").format(own, joined(cells)))
    if not body:
        return EMPTY
    return Html(
        '<div class="box" tabindex="0" role="group" aria-label="{}"><table class="{}"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(f"Table: {', '.join(map(str, headings))}", kind, head, joined(body))


def facts(pairs: Iterable[tuple[str, Any]]) -> Html:
    """Names and values; what is not known says so."""
    rows = [
        Html("<div><dt>{}</dt><dd{}>{}</dd></div>").format(
            name, Html(' class="unknown"') if value is None else EMPTY, UNKNOWN if value is None else value
        )
        for name, value in pairs
    ]
    return Html('<dl class="facts">{}</dl>').format(joined(rows))


def folded(summary: Any, content: Any) -> Html:
    return Html("<details><summary>{}</summary>{}</details>").format(summary, content)


def note(kind: str, heading: str, text: Any) -> Html:
    return Html('<p class="note {}"><strong>{}</strong> {}</p>').format(kind, heading, text)


def badge(verdict: str) -> Html:
    return Html('<span class="badge {}"><span aria-hidden="true">{}</span> {}</span>').format(
        verdict.replace(" ", "-"), SIGNS.get(verdict, "–"), verdict
    )


def sign(verdict: str) -> Html:
    """A verdict's sign, with its word for those who do not see it."""
    return Html('<span class="sign {}" role="img" aria-label="{}">{}</span>').format(
        verdict.replace(" ", "-"), verdict, SIGNS.get(verdict, "–")
    )


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def number(value: Any) -> str:
    """Three significant digits, thousands separated; a dash where there is nothing."""
    if missing(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def decimals(value: float) -> int:
    """Decimal places that show three significant digits of a value, at most four."""
    return 2 if value == 0 else min(4, max(0, 2 - math.floor(math.log10(abs(value)))))


def interval(estimate: Any, low: Any, high: Any, unit: str = "") -> Html:
    """``1.02 × [0.99, 1.05]``; an estimate without an interval says so."""
    if missing(estimate):
        return Html("–")
    sign = {"x": "\u2009×", "": ""}.get(unit, f"\u2009{unit}")
    digits = min(decimals(estimate), 1) if unit == "%" else decimals(estimate)
    bounds = "no interval" if missing(low) or missing(high) else f"[{low:,.{digits}f}, {high:,.{digits}f}]"
    return Html('<span class="number"><b>{}{}</b> <span class="bounds">{}</span></span>').format(
        f"{estimate:,.{digits}f}", sign, bounds
    )


def day(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment.day} {moment:%B %Y}"


def duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"


def counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
