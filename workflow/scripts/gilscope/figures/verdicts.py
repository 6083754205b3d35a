"""All verdicts at a glance: claims down, runtimes across."""

from __future__ import annotations

from collections import Counter

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path

from gilscope.analysis.across import overall
from gilscope.figures import Results
from gilscope.figures._look import GRID, INK, MUTED, VERDICTS
from gilscope.figures._panels import WIDTH, nothing

TITLE = "Verdicts at a glance"
SECTION = "claims"
SHOWS = ()
MOST_BESIDE = 4
"""With more runtimes than this the claims stand in one column instead of two."""
CHECK = Path([(-0.9, 0.0), (-0.3, -0.7), (0.95, 0.75)], [Path.MOVETO, Path.LINETO, Path.LINETO])


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
    sections = list(dict.fromkeys(verdict["section"] for verdict in verdicts))
    runtimes = results.ordered(verdict["runtime"] for verdict in verdicts)
    columns = halves(verdicts, sections)
    if len(runtimes) > MOST_BESIDE:
        columns = [[row for column in columns for row in column]]
    longest = max(len(column) for column in columns)
    head = 0.45 + (0.07 * max(map(len, runtimes)) if len(runtimes) > 2 else 0)
    figure, places = plt.subplots(1, len(columns), figsize=(WIDTH, 0.215 * longest + head), squeeze=False)
    figure.subplots_adjust(0.005, 0.01, 0.995, 1 - head / figure.get_figheight(), wspace=0.06)
    for axes, column in zip(places.flat, columns, strict=True):
        axes.set_xlim(0, 1)
        axes.set_ylim(longest - 0.4, -0.6)
        axes.set_axis_off()
        table(axes, column, runtimes, verdicts, wide=len(columns) == 1)
    counts = Counter(rolled_up(results).values())
    handles = [handle(name, f"{name} ({counts[name]})") for name in VERDICTS]
    figure.legend(handles=handles, loc="upper left", ncols=len(handles), handlelength=1.2, borderaxespad=0.2)
    return figure


def halves(verdicts: list[dict], sections: list[str]) -> list[list[tuple[str, str]]]:
    """The rows of two columns of about one length: headings as ("section", name), claims as ("claim", id)."""
    parts = []
    for section in sections:
        claims = list(dict.fromkeys(row["claim"] for row in verdicts if row["section"] == section))
        parts.append([("section", section), *(("claim", claim) for claim in claims)])
    if len(parts) == 1 and len(parts[0]) > 10:
        rows = parts[0]
        middle = (len(rows) + 1) // 2
        return [rows[:middle], [("section", f"{sections[0]}, continued"), *rows[middle:]]]
    return parts


def table(axes: Axes, rows: list[tuple[str, str]], runtimes: list[str], verdicts: list[dict], wide: bool) -> None:
    """Claims down, runtimes across. wide: the table has the whole figure to itself."""
    found = {(row["claim"], row["runtime"]): row["verdict"] for row in verdicts}
    demonstrations = {row["claim"] for row in verdicts if row.get("demonstration")}
    step = 0.13 if len(runtimes) == 2 else min(0.06, 0.5 / len(runtimes))
    # Slanted names of runtimes need room to the right of the last column.
    last = 0.97 if len(runtimes) < 3 else 0.94 if wide else 0.91
    across = [last - step * (len(runtimes) - 1 - place) for place in range(len(runtimes))]
    several = len(runtimes) > 2
    for x, runtime in zip(across, runtimes, strict=True):
        if several:
            axes.text(x, -0.5, runtime, fontsize=7.5, color=MUTED, rotation=50, rotation_mode="anchor")
        else:
            axes.text(x + 0.02, 0, runtime, fontsize=7.5, color=MUTED, ha="right", va="center")
    for y, (what, name) in enumerate(rows):
        if what == "section":
            axes.text(0, y, name.capitalize(), fontsize=9.5, fontweight="bold", color=INK, va="center")
            axes.plot([0, 1], [y + 0.5, y + 0.5], color=MUTED, linewidth=0.8)
            continue
        words = name.replace("-", " ") + (" (demonstration)" if name in demonstrations else "")
        axes.text(0, y, words, color=INK, va="center")
        axes.plot([0, 1], [y + 0.5, y + 0.5], color=GRID, linewidth=0.6)
        for x, runtime in zip(across, runtimes, strict=True):
            mark(axes, x, y, found.get((name, runtime)))


def style(verdict: str) -> dict:
    """How the mark of a verdict is drawn; each has a shape of its own."""
    drawn = VERDICTS.get(verdict, VERDICTS["not tested"])
    common = {"color": drawn.colour, "linestyle": "none", "markersize": 7.5, "markeredgewidth": 0.0}
    if drawn.marker == "check":
        return common | {"marker": CHECK, "markerfacecolor": "none", "markeredgewidth": 2.0}
    if drawn.marker == "half":
        fill = {"fillstyle": "left", "markerfacecoloralt": "none", "markeredgewidth": 1.2}
        return common | {"marker": "o", "markeredgecolor": drawn.colour} | fill
    if drawn.marker == "_":
        return common | {"marker": "_", "markeredgewidth": 1.4, "markersize": 6}
    return common | {"marker": drawn.marker}


def handle(verdict: str, label: str) -> Line2D:
    return Line2D([], [], label=label, **style(verdict))


def mark(axes: Axes, x: float, y: float, verdict: str | None) -> None:
    if verdict is not None:
        axes.plot([x], [y], clip_on=False, **style(verdict))


def data(results: Results) -> pd.DataFrame:
    columns = ["section", "claim", "runtime", "verdict"]
    return pd.DataFrame([[row[name] for name in columns] for row in shown(results)], columns=columns)


def alt(results: Results) -> str:
    counts = Counter(rolled_up(results).values())
    listed = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
    return f"Marks, claims by runtimes: {listed or 'no verdicts'}. The table of verdicts says the same in words."
