"""Who works when? Tasks as bars on their workers, for each strategy, as one traced run of each had them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import seaborn.objects as so
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from seaborn._marks.base import Mappable, Mark

from gilscope.figures import SIZES, Results
from gilscope.figures._axes import Axis, Rows, even, sensible_unit, three_digits
from gilscope.figures._grammar import WIDTH, looks_of, nothing, panels
from gilscope.figures._look import GRID, INK, MUTED, PAPER
from gilscope.figures._marks import Split
from gilscope.figures._runtimes import binaries, current, spoken
from gilscope.measuring.trace_events import rows_of
from gilscope.running.cells import SEQUENTIAL, Cell

TITLE = "Who works when"
SECTION = "timelines"
SHOWS = ()
AXIS = (0.15, 0.82)
"""Where the time axes of all panels begin and end, in shares of the drawing's width."""
COLUMNS = {"done after": 0.893, "effective cores": 0.99}
"""The numbers beside each band, and where they end."""
WORKLOADS = {
    "Computing": ("sum_squares", "count_loop", "sqrt_sin"),
    "Waiting": ("http_fetch", "sleep", "file_write"),
    "Both in turn": ("pipeline", "dial_50"),
}
"""What is drawn: of each kind the first that has been traced."""
STRATEGIES = ("sequential", "threading", "multiprocessing", "asyncio", "hybrid")
MOST_LANES = 8
LANE_INCHES = 0.15
BETWEEN_LANES = 0.6
"""Room between the bands of two strategies, in lanes."""
ABOVE_INCHES, BELOW_INCHES = 0.36, 0.52
"""Room for a panel's title and for its axis."""
KEY_INCHES, NOTE_INCHES = 0.3, 0.42
BAR, PALE = 0.8, 0.26
"""How high a bar is, in lanes, and how pale one is that is not on a core."""
MOST_OUTLINED = 64
"""More tasks than this in a lane are too narrow to be told apart."""
KEY = (
    (1.0, "on a core"),
    (0.5, "on a core half the time: takes turns, or waits in between"),
    (0.0, "waits"),
)


@dataclass(frozen=True)
class Band:
    """One cell's tasks in their lanes.

    bars: the tasks that are shown: ``start``, ``end``, ``lane``, and ``share``, the part of its time that a task was on
    a core. hidden: how many lanes there was no room for. lasts: seconds until the last task ended. cores: CPU seconds
    of all tasks per second.
    """

    label: str
    strategy: str
    runtime: str
    pool: str
    bars: pd.DataFrame
    lanes: int
    hidden: int
    lasts: float
    cores: float


@dataclass(frozen=True)
class Panel:
    """One workload: its bands, the first on top."""

    kind: str
    workload: str
    size: str
    workers: int
    bands: Sequence[Band]

    @property
    def lasts(self) -> float:
        """Seconds until the last task of all bands has ended."""
        return max(band.lasts for band in self.bands)

    @property
    def lanes(self) -> float:
        """How high the panel is."""
        return sum(band.lanes + BETWEEN_LANES for band in self.bands)

    @property
    def tops(self) -> list[float]:
        """Where each band begins, in lanes."""
        return [sum(band.lanes + BETWEEN_LANES for band in self.bands[:place]) for place in range(len(self.bands))]


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return "" if panels_of(results) else "the traces of a block, ``traces/`` beside the report"


def usual_round(rounds: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Of a block's traced rounds the one whose sequential run was the median, so that none is picked for its looks."""
    told = [one for one in rounds if one.get("cells", {}).get(SEQUENTIAL.name, {}).get("tasks")]
    ranked = sorted(told, key=lambda one: max(task["end"] for task in one["cells"][SEQUENTIAL.name]["tasks"]))
    return ranked[(len(ranked) - 1) // 2] if ranked else None


def panels_of(results: Results) -> list[Panel]:
    """A panel for each kind of workload that the current runtime has traces of."""
    runtime = current(results.runtimes)
    found = (first_traced(results, runtime, kind, names) for kind, names in WORKLOADS.items())
    return [panel for panel in found if panel is not None]


def first_traced(results: Results, runtime: str, kind: str, names: Sequence[str]) -> Panel | None:
    """The panel of the first of these workloads that has bands to compare, at its largest size."""
    blocks = ((name, size) for name in names for size in (*reversed(SIZES), "deck"))
    panels = (panel_of(results, runtime, kind, name, size) for name, size in blocks)
    return next((panel for panel in panels if panel is not None), None)


def panel_of(results: Results, runtime: str, kind: str, workload: str, size: str) -> Panel | None:
    """The bands of one block; below them the threads of one binary with its lock on and off, where both were traced."""
    traced = usual_round(results.traced(runtime, workload, size))
    if traced is None:
        return None
    found = by_cell(traced)
    counts = [cell.workers for cell in found if cell.strategy == "threading"]
    wanted = (results.machine.get("usable_cores") or 2) if kind == "Computing" else 4
    workers = min(counts, key=lambda count: (abs(count - wanted), count), default=wanted)
    tried = [band_of(name, name, runtime, found, workers) for name in STRATEGIES]
    for one, lock in newest_binary(results).items():
        other = usual_round(results.traced(one, workload, size)) if one != runtime else None
        if other is not None:
            tried.append(band_of(f"threading,\nlock {lock}", "threading", one, by_cell(other), workers))
    bands = [band for band in tried if band is not None]
    return Panel(kind, workload, size, workers, bands) if len(bands) > 1 else None


def newest_binary(results: Results) -> dict[str, str]:
    """The two runtimes of the newest binary that was measured both ways, with how the lock of each was."""
    pairs = binaries(results.runtimes)
    return dict(zip(pairs[-1], ("on", "off"), strict=True)) if pairs else {}


def by_cell(traced: Mapping[str, Any]) -> dict[Cell, Mapping[str, Any]]:
    return {Cell.parse(name): cell for name, cell in traced["cells"].items() if cell["tasks"]}


def band_of(
    label: str, strategy: str, runtime: str, found: Mapping[Cell, Mapping[str, Any]], workers: int
) -> Band | None:
    """A strategy's tasks at this worker count, in a pool that was running where one was traced, by start in lanes."""
    count = 1 if strategy == SEQUENTIAL.strategy else workers
    pool = next((pool for pool in ("warm", "cold") if Cell(strategy, count, pool) in found), None)
    if pool is None:
        return None
    tasks = found[Cell(strategy, count, pool)]["tasks"]
    bars = pd.DataFrame(tasks)[["start", "end", "cpu"]]
    worker = pd.Series([str(row) for row in rows_of(tasks)])
    first = bars["start"].groupby(worker).min().sort_values(kind="stable")
    bars = bars.assign(
        lane=worker.map({name: lane for lane, name in enumerate(first.index)}),
        share=(bars["cpu"] / (bars["end"] - bars["start"]).clip(lower=1e-9)).clip(0, 1),
    )
    lasts = float(bars["end"].max() - bars["start"].min())
    return Band(
        label,
        strategy,
        runtime,
        pool,
        bars[bars["lane"] < MOST_LANES],
        min(len(first), MOST_LANES),
        max(0, len(first) - MOST_LANES),
        lasts,
        float(bars["cpu"].sum()) / lasts,
    )


def draw(results: Results) -> Figure:
    shown = panels_of(results)
    if not shown:
        return nothing("No traces: no block has been traced.")
    looks = looks_of(STRATEGIES)
    plot = so.Plot(bars_of(shown), x="start", xmin="start", xmax="end", y="lane", color="strategy", alpha="share")
    plot = plot.add(Bars()).scale(color=so.Nominal({name: one.colour for name, one in looks.items()}), alpha=None)
    heights = [ABOVE_INCHES + LANE_INCHES * panel.lanes + BELOW_INCHES for panel in shown]
    figure, lines = panels(plot, heights, spare=KEY_INCHES + NOTE_INCHES)
    figure.set_layout_engine("none")
    whole = figure.get_figheight()
    top = whole - KEY_INCHES
    for (axes,), panel, height in zip(lines, shown, heights, strict=True):
        bottom, high = (top - height + BELOW_INCHES) / whole, LANE_INCHES * panel.lanes / whole
        axes.set_position((AXIS[0], bottom, AXIS[1] - AXIS[0], high))
        lay_out(axes, panel, f" · {panel.bands[0].runtime}" if len(results.runtimes) > 1 else "")
        top -= height
    key(figure, whole)
    figure.text(0.01, 0.08 / whole, note(results, shown), fontsize=8, color=MUTED, va="bottom", linespacing=1.4)
    return figure


def bars_of(shown: Sequence[Panel]) -> pd.DataFrame:
    """The bars of all panels in the unit of each, their lanes counted from the top of its panel."""
    found = []
    for row, panel in enumerate(shown):
        for band, top in zip(panel.bands, panel.tops, strict=True):
            bars = band.bars.assign(strategy=band.strategy, row=row, col=0, lane=top + band.bars["lane"] + 0.5)
            found.append(bars.assign(**{end: bars[end] * sensible_unit(panel.lasts)[0] for end in ("start", "end")}))
    return pd.concat(found, ignore_index=True)


@dataclass
class Bars(Mark):
    """Tasks in their lanes, each solid in as much of its height as ``alpha`` says, and pale above that.

    Those of one colour are one path, so that many tasks stay a small drawing.
    """

    color: Any = field(default=Mappable(INK, grouping=False))
    alpha: Any = field(default=Mappable(1.0, grouping=False))

    def _plot(self, split_gen: Split, scales: Mapping[str, Any], orient: str) -> None:
        del orient
        for _, data, axes in split_gen():
            for name, own in data.groupby("color", sort=False):
                colour = to_hex(self._resolve({"color": name}, "color", scales))
                whole = boxes(own, 1)
                axes.add_patch(PathPatch(whole, facecolor=PAPER, linewidth=0, zorder=2))
                axes.add_patch(PathPatch(whole, facecolor=colour, alpha=PALE, linewidth=0, zorder=3))
                axes.add_patch(PathPatch(boxes(own, own["alpha"]), facecolor=colour, linewidth=0, zorder=4))
                # A thin line where each task begins tells those apart that come right after each other.
                begun = own[own.groupby("y")["x"].transform("size") <= MOST_OUTLINED]
                low, high = begun["y"] - BAR / 2, begun["y"] + BAR / 2
                axes.vlines(begun["x"], low, high, color=PAPER, linewidth=0.8, zorder=5)


def boxes(bars: pd.DataFrame, share: float | pd.Series) -> Path:
    """A box for each bar. share: how much of its height is filled, from below."""
    left, right, low = bars["xmin"].to_numpy(), bars["xmax"].to_numpy(), bars["y"].to_numpy() + BAR / 2
    high = low - BAR * np.broadcast_to(np.asarray(share, float), low.shape)
    corners = np.stack([left, low, right, low, right, high, left, high, left, low], axis=1).reshape(-1, 2)
    return Path(corners, np.tile([Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY], len(bars)))


def key(figure: Figure, whole: float) -> None:
    """What a bar says, as bars in a line at the top. whole: the figure's inches."""
    x, y, high, wide = 0.01, 1 - 0.2 / whole, LANE_INCHES * BAR / whole, 0.3 / WIDTH
    common: dict[str, Any] = {"transform": figure.transFigure, "facecolor": INK, "linewidth": 0}
    for share, words in KEY:
        figure.add_artist(Rectangle((x, y), wide, high, alpha=PALE, **common))
        figure.add_artist(Rectangle((x, y), wide, high * share, **common))
        figure.text(x + wide + 0.008, y + high / 2, words, fontsize=8.5, va="center_baseline")
        x += wide + 0.03 + 0.0074 * len(words)


def lay_out(axes: Axes, panel: Panel, runtime: str) -> None:
    """A panel's axes and title, with the numbers of each band beside it."""
    times_by, unit = sensible_unit(panel.lasts)
    middles = [top + band.lanes / 2 for band, top in zip(panel.bands, panel.tops, strict=True)]
    labels = dict(zip(middles, (band.label for band in panel.bands), strict=True))
    last = panel.lasts * times_by * 1.005
    Axis(f"{unit} since the first task began", 0, last, even(0, last, 8)).lay(axes, "x")
    bottom = panel.lanes - BETWEEN_LANES / 2
    Rows("", bottom, -BETWEEN_LANES / 2, middles, words=lambda place: labels.get(place, "")).lay(axes, "y")
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_title(f"{panel.kind}: {panel.workload}, {panel.size}, {panel.workers} workers{runtime}")
    told = [(f"{three_digits(band.lasts * times_by)} {unit}", f"{band.cores:.2f}") for band in panel.bands]
    for number, (heading, place) in enumerate(COLUMNS.items()):
        x = (place - AXIS[0]) / (AXIS[1] - AXIS[0])
        words: dict[str, Any] = {"textcoords": "offset points", "ha": "right"}
        axes.annotate(heading, (x, 1), (0, 8), xycoords="axes fraction", color=MUTED, fontsize=7.5, **words)
        for y, numbers in zip(middles, told, strict=True):
            axes.text(x, y, numbers[number], transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=8)
    for top in panel.tops[1:]:
        axes.axhline(top - BETWEEN_LANES / 2, color=GRID, linewidth=0.8, zorder=1)


def note(results: Results, panels: Sequence[Panel]) -> str:
    """How to read it, and what it does not show."""
    said = "A lane is a worker; of coroutines one in flight. Solid area: CPU time. One traced run each, so no interval."
    said += "\nTime begins with the first task, so the start of a pool is not in it. "
    if any(band.label != band.strategy for panel in panels for band in panel.bands):
        binary = next(iter(newest_binary(results)))
        said += f"Lock on and off: {spoken(binary, results.runtimes[binary], lock=False)}. "
    hidden = max(band.hidden for panel in panels for band in panel.bands)
    if hidden:
        said += f"Of {hidden + MOST_LANES} lanes {MOST_LANES} are shown."
    return said.rstrip()


def data(results: Results) -> pd.DataFrame:
    frames = [
        band.bars.assign(
            workload=panel.workload, size=panel.size, runtime=band.runtime, strategy=band.strategy, pool=band.pool
        )
        for panel in panels_of(results)
        for band in panel.bands
    ]
    columns = ["workload", "size", "runtime", "strategy", "pool", "lane", "start", "end", "share"]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    table = table[columns].assign(lane=table["lane"] + 1)
    return table.rename(columns={"start": "start_s", "end": "end_s", "share": "share_on_a_core"})


def alt(results: Results) -> str:
    parts = []
    for panel in panels_of(results):
        factor, unit = sensible_unit(panel.lasts)
        said = [
            f"{' '.join(band.label.split())} done after {three_digits(band.lasts * factor)} {unit} "
            f"on {band.cores:.2f} cores"
            for band in panel.bands
        ]
        parts.append(f"{panel.kind}, {panel.workload}: {', '.join(said)}")
    if not parts:
        return "Nothing to draw: no block has been traced."
    return "Bars of tasks on their workers over time, a panel per workload. " + "; ".join(parts) + "."
