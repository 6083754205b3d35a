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

from gilscope.rendering.templates import Html, filled

SVG = "{http://www.w3.org/2000/svg}"
FIRST = ("verdicts", "dial", "by_size", "scaling", "by_strategy", "lock", "tax", "speed", "start_up_by_side")
"""The order of the figures of a section; others follow by name."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawn figure, by what its file says of itself.

    needs: what a run needs for it and did not have. shows: the marks of the claims' cases that it is about.
    axis: where its x axis begins and ends, in shares of the width, where that is time. caption: its paragraphs.
    data: the numbers behind it, row by row.
    """

    name: str
    title: str
    alt: str
    needs: str
    section: str
    shows: frozenset[str]
    axis: str
    width: int
    height: int
    source: str
    caption: list[str]
    data: list[dict[Any, Any]]


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
    data = pd.read_csv(numbers) if numbers.is_file() and numbers.stat().st_size > 1 else pd.DataFrame()
    title = drawing.findtext(f"{SVG}title") or path.stem
    return Picture(
        name=path.stem,
        title=title,
        alt=drawing.findtext(f"{SVG}desc") or title,
        needs=drawing.get("data-needs", ""),
        section=drawing.get("data-section", ""),
        shows=frozenset(drawing.get("data-shows", "").split()),
        axis=drawing.get("data-axis", ""),
        width=width,
        height=height,
        source=base64.b64encode(path.read_bytes()).decode(),
        caption=paragraphs(caption.read_text(encoding="utf-8")) if caption.is_file() else [],
        data=data.to_dict("records"),
    )


def show(pictures: Sequence[Picture], section: str, folded: bool = False) -> Html:
    """The figures of a section, each folded away under its title if asked; what the run lacks is a line at the end."""
    own = [picture for picture in pictures if picture.section == section]
    lacking: dict[str, list[str]] = {}
    for picture in own:
        if picture.needs:
            lacking.setdefault(picture.needs, []).append(picture.title)
    drawn = [one for one in own if not one.needs]
    return filled("figures", pictures=drawn, away=folded, lacking=lacking)


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


def pictured(cases: Sequence[Mapping[str, Any]], pictures: Sequence[Picture]) -> list[Picture]:
    """The figures that show these cases best, each once."""
    there = [picture for picture in pictures if not picture.needs]
    found = (next((one for mark in marks(case) for one in there if mark in one.shows), None) for case in cases)
    return [picture for picture in dict.fromkeys(found) if picture is not None]


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text in plain reStructuredText, each on one line."""
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip())]
