"""From matplotlib's figure to an SVG that follows the page's colours and is the same for the same data."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from gilscope.figures._look import GRID, INK, MUTED, PAPER, THEME
from gilscope.running.plain_text import plain

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', sans-serif"
NO_FACTS: Mapping[str, str] = {}
NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML may hold, and that a name from elsewhere may; most of them ``plain`` has escaped by then."""
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gilscope",
    # A name with two dollars in it is a name, and no mathematics.
    "text.parse_math": False,
    # Text is laid out with matplotlib's own font, wider than those of the systems that will show it: it always fits.
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 8.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.bottom": True,
    "xtick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


@contextmanager
def drawing() -> Iterator[None]:
    """Figures made here look alike; they are closed at the end."""
    with mpl.rc_context():
        # What a user's own matplotlibrc says is for the user's own figures.
        mpl.rcdefaults()
        with sns.axes_style("whitegrid"), mpl.rc_context(SETTINGS):
            mpl.use("svg")
            try:
                yield
            finally:
                plt.close("all")


def svg(figure: Figure, title: str, alt: str, facts: Mapping[str, str] = NO_FACTS) -> str:
    """The figure as SVG, transparent, its colours variables that change with the reader's colour scheme.

    facts: what a report needs to know of the figure, kept as ``data-…`` attributes where they are not empty.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    fix_layout(figure)
    # ``savefig`` would draw all of it once more, unseen, since there has been a layout engine.
    FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)
    text = named_by_shape(rounded(buffer.getvalue()))
    used = [colour for colour in THEME if colour in text]
    text = re.sub("<[^>]*>", lambda tag: themed(tag[0], used), text)
    text = re.sub(r"'DejaVu Sans'(, [^;\"]*)?", "var(--font)", text)
    light = "".join(f"--{variable(colour)}:{colour};" for colour in used)
    dark = "".join(f"--{variable(colour)}:{THEME[colour]};" for colour in used)
    head = (
        f"<title>{escape(title)}</title><desc>{escape(alt)}</desc>"
        f"<style>:root{{color-scheme:light dark;--font:{FONTS};{light}}}"
        f"@media (prefers-color-scheme: dark){{:root{{{dark}}}}}</style>"
    )
    kept = "".join(f' data-{name}="{escape(value)}"' for name, value in facts.items() if value)
    text = re.sub(r"(<svg\b[^>]*)>", lambda opening: f"{opening[1]}{kept}>{head}", text, count=1)
    return NO_XML.sub("\ufffd", plain(text))


def themed(tag: str, colours: Iterable[str]) -> str:
    """A tag with variables for colours; what is written between tags may look like one."""
    for colour in colours:
        tag = tag.replace(colour, f"var(--{variable(colour)})")
    return tag


def rounded(text: str) -> str:
    """Coordinates to a thousandth of a point; the layout's solver finds some that differ in the seventh digit.

    Moved a little first: a round number that it just misses must not lie where rounding turns.
    """

    def shorter(number: re.Match[str]) -> str:
        return f"{float(number[0]) + 0.00017:.3f}"

    return re.sub("<[^>]*>", lambda tag: re.sub(r"-?\d+\.\d{4,}", shorter, tag[0]), text)


def named_by_shape(text: str) -> str:
    """Clips called after what is written of them; matplotlib's names hold digits that no drawing has alike twice."""
    for name, shape in re.findall(r'<clipPath id="(p[0-9a-f]{10})">\s*<rect ([^>]*)/>', text):
        text = text.replace(name, "p" + hashlib.sha256(shape.encode()).hexdigest()[:10])
    return text


def fix_layout(figure: Figure) -> None:
    """Place everything for good; matplotlib would draw the whole figure once more, unseen, to have it laid out."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")


def variable(colour: str) -> str:
    return {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper"}.get(colour, f"c{colour[1:]}")
