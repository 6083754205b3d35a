"""Figures in the page: each with its title, its caption and the numbers behind it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from gilscope.rendering.markup import EMPTY, Html, counted, interval, joined, number, table
from gilscope.rendering.markup import folded as fold

SVG = "{http://www.w3.org/2000/svg}"
FIRST = ("verdicts", "dial", "by_size", "scaling", "by_strategy", "lock", "tax", "speed", "start_up_by_side")
"""The order of the figures of a section; others follow by name."""
MOST_ROWS = 250
BOUNDS = ("estimate", "low", "high")


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawn figure, by what its file says of itself.

    needs: what a run needs for it and did not have. shows: the marks of the claims' cases that it is about.
    axis: where its x axis begins and ends, in shares of the width, where that is time.
    """

    name: str
    title: str
    alt: str
    needs: str
    section: str
    shows: frozenset[str]
    axis: str
    size: tuple[int, int]
    source: str
    caption: Html
    data: pd.DataFrame


def read_pictures(figures: Sequence[str], captions: str) -> list[Picture]:
    """The figures of these files in the order of the report, with the captions and the data of their names."""
    paths = sorted(
        map(Path, figures), key=lambda path: (FIRST.index(path.stem) if path.stem in FIRST else len(FIRST), path.stem)
    )
    return [read_picture(path, Path(captions) / f"{path.stem}.rst") for path in paths]


def read_picture(path: Path, caption: Path) -> Picture:
    drawing = ElementTree.fromstring(path.read_bytes())
    width, height = (round(float(drawing.get(side, "0").removesuffix("pt")) * 4 / 3) for side in ("width", "height"))
    numbers = path.with_suffix(".csv")
    title = drawing.findtext(f"{SVG}title") or path.stem
    return Picture(
        name=path.stem,
        title=title,
        alt=drawing.findtext(f"{SVG}desc") or title,
        needs=drawing.get("data-needs", ""),
        section=drawing.get("data-section", ""),
        shows=frozenset(drawing.get("data-shows", "").split()),
        axis=drawing.get("data-axis", ""),
        size=(width, height),
        source=base64.b64encode(path.read_bytes()).decode(),
        caption=paragraphs(caption.read_text(encoding="utf-8")) if caption.is_file() else EMPTY,
        data=pd.read_csv(numbers) if numbers.is_file() and numbers.stat().st_size > 1 else pd.DataFrame(),
    )


def show(pictures: Sequence[Picture], section: str, folded: bool = False) -> Html:
    """The figures of a section, each folded away under its title if asked; what the run lacks is a line at the end."""
    own = [picture for picture in pictures if picture.section == section]
    lacking: dict[str, list[str]] = {}
    for picture in own:
        if picture.needs:
            lacking.setdefault(picture.needs, []).append(picture.title)
    shown = (picture for picture in own if not picture.needs)
    wrap = under_its_title if folded else figure
    return joined(map(wrap, shown)) + left_out(lacking)


def under_its_title(picture: Picture) -> Html:
    return fold(f"As one picture: {picture.title}", figure(picture))


def show_one(pictures: Sequence[Picture], name: str) -> Html:
    """One figure by its name, or what it would need; nothing where there is no such figure."""
    return joined(
        left_out({one.needs: [one.title]}) if one.needs else figure(one) for one in pictures if one.name == name
    )


def left_out(lacking: Mapping[str, Sequence[str]]) -> Html:
    """Which figures there would be with what: one line, or a list of more than two."""
    parts = [f"{' and '.join(f'*{title}*' for title in titles)} with {needs}" for needs, titles in lacking.items()]
    if len(parts) > 2:
        items = joined(Html("<li>{}</li>").format(paragraphs(part)) for part in parts)
        return Html("<p>There would also be:</p><ul>{}</ul>").format(items)
    return paragraphs(f"There would also be {', and '.join(parts)}.") if parts else EMPTY


def figure(picture: Picture) -> Html:
    """The drawing with its own title as the heading and its own description for those who do not see it."""
    width, height = picture.size
    time_axis = Html(' data-axis="{}"').format(picture.axis) if picture.axis else EMPTY
    return Html(
        '<figure id="figure-{}"><h3>{}</h3><div class="box" tabindex="0" role="group" aria-label="{}">'
        '<div class="drawing"{}><img alt="{}" width="{}" height="{}" decoding="async" '
        'src="data:image/svg+xml;base64,{}"></div></div><figcaption>{}</figcaption>{}</figure>'
    ).format(
        picture.name,
        picture.title,
        f"Figure: {picture.title}",
        time_axis,
        picture.alt,
        width,
        height,
        picture.source,
        picture.caption,
        numbers_behind(picture),
    )


def numbers_behind(picture: Picture) -> Html:
    """The figure's data as a folded table; intervals beside their estimates."""
    data = picture.data
    if data.empty:
        return EMPTY
    whole = set(BOUNDS) <= set(data.columns)
    names = [name for name in data.columns if not (whole and name in ("low", "high"))]
    rows = [
        [spread(row) if whole and name == "estimate" else value(row[name]) for name in names]
        for row in data.head(MOST_ROWS).to_dict("records")
    ]
    more = f"; the first {MOST_ROWS:,}, the rest is in figures/{picture.name}.csv" if len(data) > MOST_ROWS else ""
    title = f"The numbers of this figure: {counted(len(data), 'row')}{more}"
    return fold(title, table([name.replace("_", " ") for name in names], rows))


def spread(row: Mapping[Any, Any]) -> Html:
    return interval(*(row[name] for name in BOUNDS))


def value(content: Any) -> str:
    if isinstance(content, str):
        return content
    return number(content)


def marks(case: Mapping[str, Any]) -> list[str]:
    """What a figure may show of a case, the most telling first."""
    found = [f"metric:{case.get('metric')}"]
    for source in case.get("cells") or []:
        parts = source.split("/")
        if parts[1] == "labs":
            found.insert(0, f"lab:{parts[2]}")
        elif parts[1].startswith("dial_"):
            found.insert(0, "workload:dial")
        else:
            found.append(f"size:{parts[2]}")
    return list(dict.fromkeys([mark for mark in found if mark != "size:large"] + ["size:large"]))


def pictured(case: Mapping[str, Any], pictures: Sequence[Picture]) -> Picture | None:
    """The figure that shows a case best, if any does."""
    there = [picture for picture in pictures if not picture.needs]
    return next((picture for mark in marks(case) for picture in there if mark in picture.shows), None)


def paragraphs(text: str) -> Html:
    """Plain reStructuredText, of which captions use paragraphs, ``code`` and *emphasis*, as HTML."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        html = re.sub(r"``(.+?)``", r"<code>\1</code>", str(Html.escape(" ".join(paragraph.split()))))
        found.append(Html("<p>{}</p>").format(Html(re.sub(r"\*(.+?)\*", r"<em>\1</em>", html))))
    return joined(found)
