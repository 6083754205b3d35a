"""The templates of the pages, ``report/templates``, and what they say numbers and cases with."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gilscope.rendering import bars, cases, quantities
from gilscope.running.plain_text import plain

TEMPLATES = Path(__file__).resolve().parents[4] / "report/templates"
SIGNS = {"confirmed": "✓", "refuted": "✗", "mixed": "◐", "inconclusive": "?", "not tested": "–"}
INLINE = re.compile(r"``(?P<code>.+?)``|\*(?P<emphasis>.+?)\*")


class Html(Markup):
    """A filled template, which a notebook shows as it is."""

    def _repr_html_(self) -> str:
        return str(self)


def pieces(line: str) -> Iterator[tuple[str, str]]:
    """What a line of reStructuredText is made of: ``("code", "fork")``, ``("emphasis", "p50")``, ``("", " …")``."""
    end = 0
    for found in INLINE.finditer(line):
        kind = found.lastgroup or ""
        yield from (("", line[end : found.start()]), (kind, found[kind]))
        end = found.end()
    yield "", line[end:]


def dashed(words: str) -> str:
    """The class of what has this name: ``not-tested``."""
    return words.replace(" ", "-")


FILTERS = (
    *(quantities.number, quantities.interval, quantities.per_cent, quantities.duration, quantities.counted),
    *(quantities.quantity, quantities.kinds_in_words, bars.axis, bars.forest, bars.shares, pieces, dashed),
    *(cases.cell_in_words, cases.metric_name, cases.value_in_words),
    *(cases.anchor, cases.measured, cases.threshold, cases.basis, cases.q_value, cases.why_not),
)


@functools.cache
def environment(folder: Path = TEMPLATES) -> Environment:
    """Whatever is put into these templates is text, or comes from another of them; what they lack is an error."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"json": json.dumps, **{function.__name__: function for function in FILTERS}}
    made.tests |= {"missing": quantities.missing, "estimated": cases.has_estimate}
    made.globals["SIGNS"] = SIGNS
    return made


def filled(template: str, **values: object) -> Html:
    """A template with these values. Characters that turn the text around them or that no page may hold are escaped."""
    return Html(plain(environment().get_template(f"{template}.html").render(values)).strip())
