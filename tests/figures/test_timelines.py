"""The timelines: bars where the tasks were, axes where the page's curtain takes them to be, nothing left out unsaid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from gilscope.figures import Results, write_figure
from gilscope.figures._look import look
from gilscope.figures._svg import drawing
from gilscope.figures.timelines import (
    AXIS,
    COLUMNS,
    MOST_LANES,
    Band,
    alt,
    band_of,
    by_cell,
    data,
    draw,
    needs,
    panels_of,
    usual_round,
)
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from modelled import traced_tasks
from synthetic import write_results

WITH_PAIR = ("cp311", "cp313t-gil", "cp313t-nogil")
PATH = "{http://www.w3.org/2000/svg}path"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results.read(write_results(tmp_path_factory.mktemp("results") / "example"))


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results.read(write_results(tmp_path_factory.mktemp("results") / "example", runtimes=WITH_PAIR))


@pytest.fixture(autouse=True)
def looks() -> Iterator[None]:
    """As ``write_figure`` has it."""
    with drawing():
        yield


def bands(results: Results, panel: int = 0) -> dict[str, Band]:
    return {" ".join(band.label.split()): band for band in panels_of(results)[panel].bands}


def words(results: Results) -> str:
    return "\n".join(text.get_text() for text in draw(results).findobj(Text))


def rewrite(results: Results, runtime: str, workload: str, cells: dict[str, Any]) -> None:
    """Put these cells into every traced round of a block."""
    for path in (results.folder / "traces" / runtime / workload / "large").glob("round-*.json"):
        traced = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**traced, "cells": traced["cells"] | cells}), encoding="utf-8")


def test_the_axes_lie_where_the_curtain_takes_them_to_be(alone: Results, tmp_path: Path) -> None:
    write_figure("timelines", alone.folder, tmp_path / "figure.svg")
    root = ElementTree.parse(tmp_path / "figure.svg").getroot()
    assert [float(place) for place in root.get("data-axis", "").split()] == list(AXIS)
    width = float(root.get("viewBox", "").split()[2])
    drawn = []
    for path in root.iter(PATH):
        ends = [float(value) for value in re.findall(r"-?\d+\.?\d*", path.get("d", ""))]
        if len(ends) == 4 and ends[1] == ends[3]:  # the axis, a line from left to right
            drawn.append((ends[0] / width, ends[2] / width))
    as_said = [pair for pair in drawn if pair == pytest.approx(AXIS, abs=1e-4)]
    assert len(as_said) >= len(panels_of(alone))


def test_every_axis_begins_with_the_first_task_and_ends_with_the_last(several: Results) -> None:
    for axes, panel in zip(draw(several).axes, panels_of(several), strict=True):
        first, last = axes.get_xlim()
        assert first == 0
        assert last == pytest.approx(1e3 * panel.lasts, rel=0.02)
        assert last >= 1e3 * panel.lasts


def filled(axes: Axes, strategy: str) -> list[np.ndarray]:
    """The corners of a strategy's bars as they are drawn, the pale ones before the solid ones."""
    patches = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    own = [patch for patch in patches if to_hex(patch.get_facecolor()) == look(strategy).colour]
    return [np.asarray(patch.get_path().vertices).reshape(-1, 5, 2) for patch in own]


def test_bars_lie_from_start_to_end_and_are_filled_by_the_share_on_a_core(alone: Results) -> None:
    axes = draw(alone).axes[0]
    for strategy, share in (("threading", 0.5), ("multiprocessing", 1.0)):
        band = bands(alone)[strategy]
        pale, solid = filled(axes, strategy)
        assert pale[:, 0, 0] == pytest.approx(1e3 * band.bars["start"].to_numpy())
        assert pale[:, 1, 0] == pytest.approx(1e3 * band.bars["end"].to_numpy())
        heights = [np.ptp(boxes[:, :, 1], axis=1) for boxes in (solid, pale)]
        assert heights[0] / heights[1] == pytest.approx(share)


def test_turns_cores_and_waiting_are_told_in_numbers(alone: Results) -> None:
    computing, waiting = bands(alone), bands(alone, 1)
    assert {name: round(band.cores, 2) for name, band in computing.items()} == {
        "sequential": 1.0,
        "threading": 1.0,
        "multiprocessing": 2.0,
        "asyncio": 1.0,
    }
    assert computing["threading"].lasts == pytest.approx(2 * computing["multiprocessing"].lasts)
    assert waiting["asyncio"].lasts == pytest.approx(waiting["sequential"].lasts / 4)
    shown = words(alone)
    assert all(column in shown for column in COLUMNS)
    assert "160 ms" in shown
    assert "2.00" in shown
    assert "multiprocessing done after 80.0 ms on 2.00 cores" in alt(alone)


def test_the_same_binary_without_its_lock_stands_below_itself_with_it(several: Results, alone: Results) -> None:
    found = bands(several)
    assert list(found)[-2:] == ["threading, lock on", "threading, lock off"]
    assert [found[f"threading, lock {lock}"].runtime for lock in ("on", "off")] == ["cp313t-gil", "cp313t-nogil"]
    assert "Lock on and off: CPython 3.13.7 free-threaded." in words(several)
    assert "workers · cp311" in words(several)
    assert not any("lock" in name for name in bands(alone))
    assert "lock" not in words(alone).lower()
    assert "cp311" not in words(alone)


def test_the_usual_round_is_the_median_of_the_sequential_runs(tmp_path: Path) -> None:
    rounds = [{"round": n, "cells": {"sequential-1": traced_tasks(1, s, 1.0)}} for n, s in enumerate((0.5, 0.1, 0.2))]
    assert usual_round(rounds) == rounds[2]
    assert usual_round([*rounds, {"round": 4, "cells": {}}]) == rounds[2]
    assert usual_round([{"round": 1, "cells": {"threading-2": traced_tasks(2, 0.1, 1.0)}}]) is None


def test_a_pool_that_was_running_comes_before_a_cold_one() -> None:
    warm, cold = traced_tasks(2, 0.01, 1.0), traced_tasks(2, 0.03, 1.0)
    cells = by_cell({"cells": {"multiprocessing-2": cold, "multiprocessing-2-warm": warm}})
    band = band_of("", "multiprocessing", "cp311", cells, 2)
    assert band is not None
    assert band.pool == "warm"
    assert band.lasts == pytest.approx(0.04)
    assert band_of("", "multiprocessing", "cp311", cells, 4) is None


def test_coroutines_in_flight_have_a_lane_each(alone: Results) -> None:
    band = bands(alone, 1)["asyncio"]
    assert band.lanes == 4
    for _, lane in band.bars.sort_values("start").groupby("lane"):
        assert (lane["start"].to_numpy()[1:] >= lane["end"].to_numpy()[:-1] - 1e-12).all()


def test_lanes_without_room_are_counted_and_said_and_their_cpu_time_still_counts(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path / "example"))
    tasks = [{"start": 0.0, "end": 1.0, "cpu": 1.0, "worker": f"1/{number}"} for number in range(MOST_LANES + 3)]
    rewrite(results, "cp311", "sum_squares", {"threading-2": {"tasks": tasks}})
    band = bands(results)["threading"]
    assert (band.lanes, band.hidden) == (MOST_LANES, 3)
    assert band.cores == pytest.approx(MOST_LANES + 3)
    assert f"Of {MOST_LANES + 3} lanes {MOST_LANES} are shown." in words(results)


def test_many_tasks_stay_a_small_drawing(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path / "example"))
    tasks = [{"start": n / 256, "end": (n + 1) / 256, "cpu": 1 / 256, "worker": "1/1"} for n in range(256)]
    names = ("sequential-1", "threading-2", "multiprocessing-2", "asyncio-2")
    rewrite(results, "cp311", "sum_squares", {name: {"tasks": tasks} for name in names})
    write_figure("timelines", results.folder, tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").stat().st_size < 400_000


def test_its_data_has_a_row_for_each_bar(several: Results) -> None:
    table = data(several)
    assert len(table) == sum(len(band.bars) for panel in panels_of(several) for band in panel.bands)
    assert set(table["runtime"]) == set(WITH_PAIR)
    assert table["lane"].min() == 1
    assert (table["end_s"] > table["start_s"]).all()
    assert table["share_on_a_core"].between(0, 1).all()


def test_without_traces_it_says_what_it_needs(tmp_path: Path, alone: Results) -> None:
    empty = Results.read(tmp_path)
    assert "traces" in needs(empty)
    assert "No traces" in words(empty)
    assert data(empty).empty
    assert needs(alone) == ""
