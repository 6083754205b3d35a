"""Speedup with effective cores beside it, break-evens, the dial; and what holds for every panel of every figure."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.break_even import break_even
from gilscope.figures import Results, dial, figure_names, scaling
from gilscope.figures._look import GRID, INK, MUTED, PAPER, look
from gilscope.figures._rows import MOST_ROWS
from gilscope.figures._svg import drawing
from gilscope.figures.by_size import curves as size_curves
from gilscope.figures.by_size import data as size_data
from gilscope.figures.by_size import draw as draw_sizes
from gilscope.figures.by_size import turning_points
from gilscope.figures.scaling import AT_ONE, METRICS, curves, drawn, swept
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, NullFormatter
from pictures import module, picture
from several_runtimes import EIGHT, WITH_PAIR, turn_the_dial
from synthetic import write_results

REFERENCES = {INK, MUTED, GRID, PAPER, look("ceiling").colour}
"""The colours of what measurements are held against."""
HERO_PIXELS, LEAST_PIXELS = 480, 10.5
"""How wide the report's first screen shows its figure at least, and the smallest text that is easily read there."""


def make(folder: Path, runtimes: tuple[str, ...], rounds: int = 5) -> Path:
    """A folder of results with the dial, break-evens, and a strategy of somebody else's: more strategies than a panel has lines."""
    turn_the_dial(write_results(folder, runtimes=runtimes, rounds=rounds))
    table = pd.read_parquet(folder / "estimates.parquet")
    added = table[table["strategy"] == "threading-raw"].assign(strategy="somebody-elses")
    table = pd.concat([table, added], ignore_index=True)
    table.to_parquet(folder / "estimates.parquet")
    rows = break_even(table)
    (folder / "break_even.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folders of results by runtimes and rounds, each made once."""

    @functools.cache
    def made(runtimes: tuple[str, ...], rounds: int) -> Path:
        return make(tmp_path_factory.mktemp("results") / "example", runtimes, rounds)

    return lambda runtimes=("cp311",), rounds=5: made(runtimes, rounds)


@pytest.fixture(scope="module")
def kept(folder: Callable[..., Path]) -> Callable[..., Results]:
    """The results in them."""
    return lambda *which: Results.read(folder(*which))


@pytest.fixture(autouse=True)
def looks() -> Iterator[None]:
    """As ``write_figure`` has it."""
    with drawing():
        yield


def said(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def notes(figure: Figure) -> str:
    """What is said beside the panels."""
    own = [text.get_text() for text in figure.texts]
    return "\n".join([*own, figure.get_supxlabel()])


# Every figure


def in_data(axes: Axes, artist: Artist) -> bool:
    """Whether it lies where its data say, or all of it as far beside that."""
    points = np.array([[1, 1], [2, 2]])
    aside = artist.get_transform().transform(points) - axes.transData.transform(points)
    return bool(np.allclose(*aside))


def data_lines(axes: Axes) -> list[Line2D]:
    return [
        line
        for line in axes.get_lines()
        if line.get_linestyle() == "-"
        and in_data(axes, line)
        and len(line.get_xdata()) > 1
        and line.get_color() not in REFERENCES
    ]


def begins_away_from_0(axis: Axis) -> bool:
    """Whether it shows quantities on a linear scale without their 0."""
    formatter = axis.get_major_formatter()
    if axis.get_scale() != "linear" or isinstance(formatter, (FixedFormatter, NullFormatter)):
        return False
    low, high = sorted(axis.get_view_interval())
    return not low <= 0 <= high


def bars(axes: Axes) -> list[np.ndarray]:
    """The bars of intervals, as their ends."""
    found = [part for kept in axes.collections if isinstance(kept, LineCollection) for part in kept.get_segments()]
    found += [line.get_xydata() for line in axes.get_lines() if len(line.get_xdata()) == 2]
    return [np.asarray(part, float) for part in found if len(part) == 2]


def lies_on(point: np.ndarray, bar: np.ndarray) -> bool:
    """Whether a bar that lies or stands holds this point."""
    low, high = bar.min(axis=0), bar.max(axis=0)
    straight = np.isclose(low, high).any()
    return bool(
        straight
        and np.all((low <= point) | np.isclose(low, point))
        and np.all((point <= high) | np.isclose(point, high))
    )


def estimates(axes: Axes) -> list[tuple[np.ndarray, bool]]:
    """The points of markers that are no pale trials and no thick limits: where each lies, and whether it is hollow."""
    marked = [
        line
        for line in axes.get_lines()
        if line.get_marker() not in ("", " ", "None", None)
        and (line.get_alpha() is None or line.get_alpha() >= 0.5)
        and not (line.get_markeredgecolor() in REFERENCES and line.get_marker() == "_")
        and in_data(axes, line)
    ]
    return [
        (point, line.get_marker() in Line2D.filled_markers and line.get_markerfacecolor() in (PAPER, "none"))
        for line in marked
        for point in np.asarray(line.get_xydata(), float)
        if np.isfinite(point).all()
    ]


@pytest.mark.parametrize(
    ("name", "runtimes", "rounds"),
    [
        *((name, runtimes, 5) for name in figure_names() for runtimes in (("cp311",), WITH_PAIR)),
        # What labs saw has no rounds, and would be the same picture once more.
        *((name, WITH_PAIR, 2) for name in figure_names() if module(name).SECTION != "labs"),
    ],
    ids=lambda part: f"{len(part)} runtimes" if isinstance(part, tuple) else str(part),
)
def test_no_panel_of_any_figure_misleads(
    name: str, runtimes: tuple[str, ...], rounds: int, folder: Callable[..., Path]
) -> None:
    figure = picture(name, folder(runtimes, rounds))
    shown = [axes for axes in figure.axes if axes.axison and axes.get_visible()]
    labels = [axis.get_label_text() for axes in shown for axis in (axes.xaxis, axes.yaxis)]
    for axes in shown:
        about = f"{name}, the panel {axes.get_title(loc='left')!r}"
        assert len(data_lines(axes)) <= 7, about
        for axis in (axes.xaxis, axes.yaxis):
            # An inner panel leaves the label to the first of its row.
            told = [axis.get_label_text()] if axis.get_label_text() else labels
            assert not begins_away_from_0(axis) or "not from 0" in "\n".join([*told, notes(figure)]), about
        intervals = bars(axes)
        bare = [
            point
            for point, hollow in estimates(axes)
            if not hollow and not any(lies_on(point, bar) for bar in intervals)
        ]
        assert not bare, f"{about}: no interval at {bare[0]}"
        assert "Hollow" in said(figure) or not any(hollow for _, hollow in estimates(axes)), about


def test_what_misleads_would_be_seen() -> None:
    figure = Figure()
    axes = figure.subplots()
    colour = look("threading").colour
    for _ in range(3):
        axes.plot([1, 2], [3, 4], color=colour, marker="o")
    axes.axhline(1, color=colour)
    axes.set_ylim(2, 5)
    assert len(data_lines(axes)) == 3
    assert begins_away_from_0(axes.yaxis)
    assert not any(lies_on(point, bar) for point, _ in estimates(axes) for bar in [np.array([[1, 3.2], [1, 4]])])
    assert lies_on(np.array([1, 3.5]), np.array([[1, 3.2], [1, 4]]))
    assert not lies_on(np.array([1.5, 3.5]), np.array([[1, 3], [2, 4]]))


# Speedup and effective cores


@pytest.mark.parametrize("runtimes", [("cp311",), WITH_PAIR], ids=["one runtime", "three runtimes"])
def test_effective_cores_stand_beside_speedups_of_the_same_cells(
    runtimes: tuple[str, ...], kept: Callable[..., Results], folder: Callable[..., Path]
) -> None:
    for block in drawn(kept(runtimes)).values():
        cells = {
            metric: set(zip(own["workload"], own["strategy"], own["workers"], own["pool"], strict=True))
            for metric, own in block.groupby("metric")
        }
        assert cells["speedup"] == cells["effective_cores"]
    figure = picture("scaling", folder(runtimes))
    cores = [axes for axes in figure.axes if METRICS["effective_cores"] in (axes.get_xlabel(), axes.get_ylabel())]
    assert len(cores) == (3 if len(runtimes) == 1 else 2 + len(runtimes))
    for axes in cores:
        low, high = axes.get_ylim() if axes.get_ylabel() == "effective cores" else axes.get_xlim()
        assert low == 0
        assert high >= 2


def test_a_pair_of_panels_shows_what_its_block_holds(kept: Callable[..., Results], folder: Callable[..., Path]) -> None:
    block = drawn(kept())["cp311", "sum_squares"]
    speedups, cores = picture("scaling", folder()).axes[:2]
    assert speedups.get_title(loc="left").startswith("sum_squares")
    for axes, metric in ((speedups, "speedup"), (cores, "effective_cores")):
        own = block[(block["metric"] == metric) & (block["strategy"] == "threading")].sort_values("workers")
        line = next(line for line in data_lines(axes) if line.get_color() == look("threading").colour)
        assert list(line.get_ydata()) == pytest.approx(own["estimate"].tolist())


def test_workloads_at_one_worker_count_are_rows_that_say_so(
    kept: Callable[..., Results], folder: Callable[..., Path]
) -> None:
    results = kept()
    blocks = drawn(results)
    assert set(swept(curves(results), 1)) == {"sum_squares", "http_fetch"}
    assert {name for _, name in blocks} == {"sum_squares", "http_fetch", AT_ONE}
    rest = {workload for _, workload in curves(results)} - {"sum_squares", "http_fetch"}
    assert set(blocks["cp311", AT_ONE]["workload"]) == rest
    shown = said(picture("scaling", folder()))
    assert all(f"{name} × " in shown for name in rest)
    assert "In rows: workloads without a curve" in shown


def test_a_control_swept_alone_makes_no_curve(kept: Callable[..., Results]) -> None:
    results = kept()
    table = results.estimates
    computing = (table["workload"] == "sum_squares") & (table["workers"] != 2)
    only = table[~computing | table["strategy"].isin(["sequential", "ceiling", "asyncio"])]
    assert swept(curves(replace(results, estimates=only)), 1) == ["http_fetch"]


def test_more_runtimes_than_a_line_holds_leave_room_for_curves_and_say_what_is_left_out(
    kept: Callable[..., Results],
) -> None:
    results = kept(EIGHT)
    figure = scaling.draw(results)
    rows = {axes.get_subplotspec().rowspan.start for axes in figure.axes}
    assert len(rows) <= MOST_ROWS
    assert not any(name == AT_ONE for _, name in drawn(results))
    assert "For want of room without" in notes(figure)
    assert "chunk_stats" in notes(figure)


def test_nothing_traced_leaves_the_speedups(kept: Callable[..., Results]) -> None:
    results = kept()
    table = results.estimates
    figure = scaling.draw(replace(results, estimates=table[table["metric"] != "effective_cores"]))
    assert data_lines(figure.axes[0])
    assert not data_lines(figure.axes[1])


# Break-even


def below_the_line(axes: Axes, artist: Artist) -> bool:
    """Whether it is drawn below where its data lie, as marks of break-evens are, and curves are not."""
    return (artist.get_transform().transform((1, 1)) - axes.transData.transform((1, 1)))[1] < -1


def test_break_evens_are_marked_with_their_intervals(kept: Callable[..., Results], folder: Callable[..., Path]) -> None:
    results = kept()
    points = size_curves(results)["cp311", "sum_squares"]
    found = turning_points(results, points)
    assert "multiprocessing" in found
    figure = picture("by_size", folder())
    axes = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("sum_squares"))
    for name, row in found.items():
        drawn_bars = [
            bar_of_one.get_segments()[0]
            for bar_of_one in axes.collections
            if isinstance(bar_of_one, LineCollection)
            and below_the_line(axes, bar_of_one)
            and to_hex(bar_of_one.get_color()[0]) == look(name).colour
        ]
        assert [sorted(bar[:, 0]) for bar in drawn_bars] == [
            pytest.approx([row["low"] or row["smallest"], row["high"] or row["largest"]])
        ]
        assert np.allclose(drawn_bars[0][:, 1], 1)
    assert "break-even" in said(figure)
    assert set(size_data(results).dropna(subset="break_even_s")["strategy"]) >= set(found)


@pytest.mark.parametrize(("bound", "arrow"), [("low", "<"), ("high", ">")])
def test_an_open_end_is_an_arrow_and_said(bound: str, arrow: str, kept: Callable[..., Results]) -> None:
    results = kept()
    rows = [row | {"low": row["estimate"], "high": row["estimate"]} for row in results.break_even]
    closed = draw_sizes(replace(results, break_even=rows))
    opened = draw_sizes(replace(results, break_even=[row | {bound: None} for row in rows]))

    def arrows(figure: Figure) -> set[str]:
        # Curves have such markers too, but not moved below the line.
        return {
            str(line.get_marker()) for axes in figure.axes for line in axes.get_lines() if below_the_line(axes, line)
        } & {"<", ">"}

    assert not arrows(closed) & {arrow}
    assert arrow in arrows(opened)
    assert "an arrow" in notes(opened)
    assert "an arrow" not in notes(closed)


def test_a_curve_that_never_turns_has_no_break_even(kept: Callable[..., Results]) -> None:
    results = kept()
    rows = [row | {"pays": "nowhere", "estimate": None, "low": None} for row in results.break_even]
    figure = draw_sizes(replace(results, break_even=rows))
    assert "break-even" not in said(figure).lower()
    assert "break_even_s" not in size_data(replace(results, break_even=rows))


# Times and the dial


@pytest.mark.parametrize("runtimes", [("cp311",), WITH_PAIR], ids=["one runtime", "three runtimes"])
def test_times_say_their_size_and_which_sizes_they_leave_out(
    runtimes: tuple[str, ...], folder: Callable[..., Path]
) -> None:
    figure = picture("by_strategy", folder(runtimes))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles
    assert all("large)" in title for title in titles)
    assert "size small, medium:" in notes(figure)


@pytest.mark.parametrize("runtimes", [("cp311",), WITH_PAIR, EIGHT], ids=["one", "three", "eight"])
def test_the_dial_can_be_read_beside_text(runtimes: tuple[str, ...], folder: Callable[..., Path]) -> None:
    figure = picture("dial", folder(runtimes))
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    pixels = HERO_PIXELS / (72 * figure.get_figwidth())
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in texts) * pixels >= LEAST_PIXELS
    assert max(text.get_window_extent(renderer).x1 for text in texts) <= figure.bbox.width
    width, height = figure.get_size_inches()
    assert 0.6 < height / width < 1.4
    assert ("For want of room without" in notes(figure)) == (len(runtimes) > dial.MOST_RUNTIMES)
