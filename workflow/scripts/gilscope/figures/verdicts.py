"""All verdicts at a glance: claims down, runtimes across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn.objects as so
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from gilscope.analysis.across import overall
from gilscope.figures import Results
from gilscope.figures._grammar import nothing, panels, sample
from gilscope.figures._look import GRID, INK, MUTED, VERDICTS

TITLE = "Verdicts at a glance"
SECTION = "claims"
SHOWS = ()
SIZE = 8.5
MOST_BESIDE = 4
"""With more runtimes than this the claims stand in one column instead of two."""
CIRCLE, HALF = (
    np.column_stack([np.cos(turn), np.sin(turn)])
    for turn in (np.linspace(0, 2 * np.pi, 49), np.linspace(np.pi / 2, -np.pi / 2, 25))
)
QUESTION = TextPath((0, 0), "?", size=1, prop=FontProperties(family="DejaVu Sans", weight="bold"))
SHAPES = {
    "confirmed": Path([(-1, 0.05), (-0.7, 0.4), (-0.3, -0.1), (0.75, 1), (1, 0.7), (-0.3, -0.8), (-1, 0.05)]),
    "mixed": Path.make_compound_path(Path(CIRCLE), Path(0.78 * HALF)),
    "inconclusive": Path(QUESTION.vertices - QUESTION.get_extents().get_points().mean(axis=0), QUESTION.codes),
}
"""What no marker of the library looks like: a tick, a disc half of which is empty, a question mark."""


def rolled_up(results: Results) -> dict[str, str]:
    """Claim → its verdict over all runtimes, as the report counts it."""
    rows: dict[str, list[dict]] = {}
    for row in results.verdicts:
        rows.setdefault(row["claim"], []).append(row)
    return {claim: overall(own) for claim, own in rows.items()}


def shown(results: Results) -> list[dict]:
    """The verdicts that are drawn: with several runtimes only of claims that one of them, at least, has tested."""
    several = len({row["runtime"] for row in results.verdicts}) > 1
    tested = {claim for claim, verdict in rolled_up(results).items() if verdict != "not tested"}
    return [row for row in results.verdicts if row["claim"] in tested or not (several and tested)]


def draw(results: Results) -> Figure:
    if not results.verdicts:
        return nothing("No verdicts: nothing has been judged.")
    verdicts = shown(results)
    runtimes = results.ordered(verdict["runtime"] for verdict in verdicts)
    columns = halves(verdicts)
    if len(runtimes) > MOST_BESIDE:
        columns = [[row for column in columns for row in column]]
    longest = max(len(column) for column in columns)
    across = spots(runtimes, wide=len(columns) == 1)
    places = {claim: {"col": col, "y": y} for col, rows in enumerate(columns) for y, (_, claim) in enumerate(rows)}
    marks = [
        {**places[row["claim"]], "row": 0, "x": across[row["runtime"]], "verdict": row["verdict"]} for row in verdicts
    ]
    colours, markers = ({name: getattr(one, what) for name, one in VERDICTS.items()} for what in ("colour", "marker"))
    plot = (
        so.Plot(pd.DataFrame(marks), x="x", y="y", color="verdict", marker="verdict")
        .add(so.Dot(pointsize=SIZE, edgewidth=0, stroke=1.4, artist_kws={"clip_on": False}))
        .scale(color=so.Nominal(colours), marker=so.Nominal(markers | SHAPES))
    )
    head = 0.45 + (0.07 * max(map(len, runtimes)) if len(runtimes) > 2 else 0)
    figure, (line,) = panels(plot, [0.215 * longest], len(columns), spare=head)
    figure.set_layout_engine(None)
    figure.subplots_adjust(0.005, 0.01, 0.995, 1 - head / figure.get_figheight(), wspace=0.06)
    for axes, rows in zip(line, columns, strict=True):
        axes.set(xlim=(0, 1), ylim=(longest - 0.4, -0.6))
        axes.set_axis_off()
        write(axes, rows, across, {row["claim"] for row in verdicts if row.get("demonstration")})
    counts = Counter(rolled_up(results).values())
    key = [handle(name, f"{name} ({counts[name]})") for name in VERDICTS]
    figure.legend(handles=key, loc="upper left", ncols=len(key), handlelength=1.2, borderaxespad=0.2)
    return figure


def style(verdict: str) -> dict[str, Any]:
    """How the mark of a verdict is drawn; each has a shape of its own."""
    marker, edge = SHAPES.get(verdict, VERDICTS[verdict].marker), 1.4 if verdict == "not tested" else 0
    common = {"color": VERDICTS[verdict].colour, "linestyle": "none", "markersize": SIZE}
    return {**common, "marker": marker, "markeredgewidth": edge}


def handle(verdict: str, label: str) -> Line2D:
    return sample(label, **style(verdict))


def halves(verdicts: list[dict]) -> list[list[tuple[str, str]]]:
    """The rows of two columns of about one length: headings as ("section", name), claims as ("claim", id)."""
    parts = []
    sections = list(dict.fromkeys(verdict["section"] for verdict in verdicts))
    for section in sections:
        claims = list(dict.fromkeys(row["claim"] for row in verdicts if row["section"] == section))
        parts.append([("section", section), *(("claim", claim) for claim in claims)])
    if len(parts) == 1 and len(parts[0]) > 10:
        rows = parts[0]
        middle = (len(rows) + 1) // 2
        return [rows[:middle], [("section", f"{sections[0]}, continued"), *rows[middle:]]]
    return parts


def spots(runtimes: list[str], wide: bool) -> dict[str, float]:
    """Where each runtime's marks are, in shares of a column. wide: it has the whole figure to itself."""
    step = 0.13 if len(runtimes) == 2 else min(0.06, 0.5 / len(runtimes))
    # Slanted names of runtimes need room to the right of the last one.
    last = 0.97 if len(runtimes) < 3 else 0.94 if wide else 0.91
    return {runtime: last - step * (len(runtimes) - 1 - place) for place, runtime in enumerate(runtimes)}


def write(axes: Axes, rows: list[tuple[str, str]], across: Mapping[str, float], demonstrations: set[str]) -> None:
    """Sections and claims at their rows, each on a line, and the runtimes above their marks."""
    beside: dict[str, Any] = {"ha": "right", "va": "center"}
    slanted: dict[str, Any] = {"rotation": 50, "rotation_mode": "anchor"}
    for runtime, x in across.items():
        place = (x + 0.02, 0) if len(across) < 3 else (x, -0.5)
        axes.text(place[0], place[1], runtime, fontsize=7.5, color=MUTED, **(beside if len(across) < 3 else slanted))
    for y, (what, name) in enumerate(rows):
        section = what == "section"
        words = name.replace("-", " ") + (" (demonstration)" if name in demonstrations else "")
        bold: dict[str, Any] = {"fontsize": 9.5, "fontweight": "bold"} if section else {}
        axes.text(0, y, name.capitalize() if section else words, color=INK, va="center", **bold)
        axes.axhline(y + 0.5, color=MUTED if section else GRID, linewidth=0.8 if section else 0.6)


def data(results: Results) -> pd.DataFrame:
    columns = ["section", "claim", "runtime", "verdict"]
    return pd.DataFrame([[row[name] for name in columns] for row in shown(results)], columns=columns)


def alt(results: Results) -> str:
    counts = Counter(rolled_up(results).values())
    listed = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
    return f"Marks, claims by runtimes: {listed or 'no verdicts'}. The table of verdicts says the same in words."
