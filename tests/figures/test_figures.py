"""Every figure: from results that are complete, partial or missing; the same bytes for the same data; both colours."""

from __future__ import annotations

import importlib
import json
import re
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from gilscope.figures import SECTIONS, NotDrawn, Results, figure_names, write_figure, write_figures
from gilscope.figures._axes import WIDE, sensible_unit
from gilscope.figures._grammar import MOST_COLUMNS, WIDTH, finish, key_columns, without
from gilscope.figures._look import STRATEGIES, THEME, VERDICTS, look, order
from gilscope.figures._rows import MOST_ROWS, lay_out
from gilscope.figures._runtimes import binaries, most_telling
from gilscope.figures._svg import drawing
from gilscope.figures.by_size import curves as size_curves
from gilscope.figures.by_strategy import lines_of
from gilscope.figures.dial import measured as dial_points
from gilscope.figures.lock import compared
from gilscope.figures.scaling import curves, lines
from gilscope.running.files import Damaged
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from pictures import SVG, svg, texts, words, written
from several_runtimes import EIGHT, WITH_PAIR, turn_the_dial
from synthetic import write_results

ROOT = Path(__file__).resolve().parents[2]
FIGURES = figure_names()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three runtimes: the current one, and one binary with the lock on and off."""
    return write_results(tmp_path_factory.mktemp("results") / "example", runtimes=WITH_PAIR)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one runtime."""
    return write_results(tmp_path_factory.mktemp("results") / "example")


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with too few rounds for an interval."""
    return write_results(tmp_path_factory.mktemp("results") / "example", rounds=2, runtimes=WITH_PAIR)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


def test_the_figures_are_found() -> None:
    of_labs = ["behaviour", "connections", "lock_share", "lost_updates", "memory_per_worker", "message_cost"]
    of_labs += ["run_lengths", "start_up", "tick_delays"]
    of_times = ["by_size", "by_strategy", "dial", "lock", "scaling", "speed", "tax", "timelines", "verdicts"]
    assert {*of_labs, *of_times} <= set(FIGURES)


def test_every_figure_is_in_a_section_that_the_report_shows() -> None:
    notebook = (ROOT / "report/report.ipynb").read_text(encoding="utf-8")
    shown = set(re.findall(r'\bshow\(pictures, \\"([a-z]+)\\"', notebook)) | {"summary"}
    assert shown == set(SECTIONS)
    assert {importlib.import_module(f"gilscope.figures.{name}").SECTION for name in FIGURES} <= shown


@pytest.mark.parametrize("figure", FIGURES)
def test_same_results_give_the_same_bytes(figure: str, results: Path, tmp_path: Path) -> None:
    write_figure(figure, results, tmp_path / "second.svg")
    assert written(figure, results).read_bytes() == (tmp_path / "second.svg").read_bytes()


def test_a_users_own_matplotlibrc_is_for_the_users_own_figures(results: Path, tmp_path: Path) -> None:
    with mpl.rc_context({"font.size": 40, "text.usetex": True, "axes.prop_cycle": "cycler(color='r')"}):
        write_figure("scaling", results, tmp_path / "second.svg")
        assert mpl.rcParams["font.size"] == 40
    assert written("scaling", results).read_bytes() == (tmp_path / "second.svg").read_bytes()


@pytest.mark.parametrize("figure", ["scaling", "timelines"])
def test_a_layout_found_beforehand_is_the_one_that_drawing_finds(
    figure: str, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gilscope.figures._svg.fix_layout", lambda figure: None)
    write_figure(figure, results, tmp_path / "drawn.svg")
    assert written(figure, results).read_bytes() == (tmp_path / "drawn.svg").read_bytes()


@pytest.mark.parametrize("figure", FIGURES)
def test_colours_follow_the_reader(figure: str, results: Path) -> None:
    text = written(figure, results).read_text(encoding="utf-8")
    light, dark = re.search(r":root\{(.*?)\}@media \(prefers-color-scheme: dark\)\{:root\{(.*?)\}\}", text).groups()
    shapes = text.split("</style>", 1)[1]
    defined = set(re.findall(r"(--[a-z0-9]+):#", light))
    assert set(re.findall(r"var\((--(?!font)[a-z0-9]+)\)", shapes)) <= defined
    assert defined == set(re.findall(r"(--[a-z0-9]+):#", dark))
    assert set(re.findall(r"#[0-9a-f]{6}\b", shapes)) == set(), "a colour that a dark page would not change"
    assert "DejaVu" not in text


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_says_what_it_shows(figure: str, results: Path) -> None:
    assert svg(figure, results).findtext(f"{SVG}title")
    assert len(svg(figure, results).findtext(f"{SVG}desc", "")) > 40


@pytest.mark.parametrize("figure", FIGURES)
def test_nothing_measured_is_said(figure: str, empty: Path) -> None:
    assert re.search(r"No (speedups|times|traces|trials|verdicts|workload|free-threaded)", words(figure, empty))


@pytest.mark.parametrize("figure", ["by_size", "by_strategy", "scaling", "lock", "tax", "speed"])
def test_an_estimate_without_interval_is_hollow_and_said(figure: str, hasty: Path) -> None:
    assert "Hollow: fewer than 3 rounds" in words(figure, hasty)


def test_labels_from_outside_stay_text(tmp_path: Path) -> None:
    """In the figures that show one: the runtime's name, the claim's."""
    folder = write_results(tmp_path / "example", runtimes=("<b>cp311", "cp312"))
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    hostile = [verdict | {"claim": f"<i>{verdict['claim']}"} for verdict in verdicts]
    (folder / "verdicts.json").write_text(json.dumps(hostile), encoding="utf-8")
    assert "<b>cp311" in words("verdicts", folder)
    assert "<i>" in words("verdicts", folder)
    assert not re.search("<[bi]>", written("verdicts", folder).read_text(encoding="utf-8"))


def test_scaling_shows_every_workload_with_at_most_seven_lines(results: Path) -> None:
    complete = Results.read(results)
    chosen = curves(complete)
    assert {workload for _, workload in chosen} == set(complete.estimates["workload"])
    for (_, workload), block in chosen.items():
        names, _ = lines(block)
        assert len(names) <= 7
        assert set(block["size"]) == {"large"}
        if workload in ("sum_squares", "http_fetch"):
            assert names[:3] == ["threading", "multiprocessing", "asyncio"]


def test_scaling_shows_single_points_where_nothing_was_swept(alone: Path, tmp_path: Path) -> None:
    complete = Results.read(alone)
    partial = complete.estimates[~complete.estimates["workload"].isin(["sum_squares", "http_fetch"])]
    chosen = curves(Results(tmp_path, estimates=partial))
    assert sorted(workload for _, workload in chosen) == sorted(set(partial["workload"]))


def test_the_talks_own_size_counts_only_alone(results: Path) -> None:
    complete = Results.read(results)
    one = complete.estimates[(complete.estimates["workload"] == "matmul") & (complete.estimates["size"] == "large")]
    alone = Results(results, estimates=one.assign(size="deck"))
    assert set(alone.at_largest_size("speedup")["size"]) == {"deck"}
    both = Results(results, estimates=pd.concat([complete.estimates, one.assign(size="deck")]))
    assert set(both.at_largest_size("speedup")["size"]) == {"large"}


def test_size_curves_have_one_worker_count_and_task_times_that_grow(results: Path) -> None:
    for points in size_curves(Results.read(results)).values():
        assert points["workers"].nunique() == 1
        for _, line in points.groupby("strategy"):
            assert list(line["size"]) == ["small", "medium", "large"]


def test_a_logarithmic_axis_says_so(alone: Path, tmp_path: Path) -> None:
    complete = Results.read(alone)
    slow = complete.estimates.copy()
    worst = (slow["strategy"] == "multiprocessing") & (slow["metric"] == "seconds")
    slow.loc[worst, ["estimate", "low", "high"]] *= 3 * WIDE
    folder = write_results(tmp_path / "example")
    slow.to_parquet(folder / "estimates.parquet")
    assert "logarithmic" in words("by_strategy", folder)


def test_many_claims_and_runtimes_fit(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "example", runtimes=EIGHT, claims=65)
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    tested = {row["claim"] for row in verdicts if row["verdict"] != "not tested"}
    shown = words("verdicts", folder)
    found = {claim for claim in {row["claim"] for row in verdicts} if claim.replace("-", " ") in shown}
    assert found == tested, "what no runtime could test is left out"
    assert len(tested) < 65
    assert all(runtime in shown for runtime in EIGHT)


def test_every_strategy_and_verdict_looks_different() -> None:
    for looks in (STRATEGIES, VERDICTS):
        assert len({drawn.colour for drawn in looks.values()}) == len(looks)
        assert len({drawn.marker for drawn in looks.values()}) == len(looks)


def test_an_unknown_strategy_keeps_its_look_and_comes_before_the_yardstick() -> None:
    assert look("somebody-elses") == look("somebody-elses")
    assert sorted(["ceiling", "somebody-elses", "hybrid", "threading"], key=order) == [
        "threading",
        "hybrid",
        "somebody-elses",
        "ceiling",
    ]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_marks_stand_out_on_light_and_dark_pages() -> None:
    for drawn in (*STRATEGIES.values(), *VERDICTS.values()):
        assert contrast(drawn.colour, "#ffffff") >= 3, drawn
        assert contrast(THEME[drawn.colour], "#171b20") >= 3, drawn


@pytest.mark.parametrize(("seconds", "unit"), [(2.0, "s"), (0.02, "ms"), (0.00002, "µs")])
def test_times_have_sensible_units(seconds: float, unit: str) -> None:
    assert sensible_unit(seconds)[1] == unit


def test_the_dial_stands_beside_its_theory(tmp_path: Path) -> None:
    folder = turn_the_dial(write_results(tmp_path / "example"))
    points = dial_points(Results.read(folder)).set_index(["strategy", "workload"])
    assert (points["estimate"] / points["predicted"]).loc["threading"].to_numpy() == pytest.approx([1, 1, 1], rel=0.01)
    assert points["predicted"].loc["multiprocessing", "dial_0"] == pytest.approx(1.8, rel=0.01)
    assert list(points["waiting"].loc["threading"]) == [0, 0.5, 1]
    assert {"theory", "threading", "multiprocessing", "4 workers · cp311"} <= set(texts("dial", folder))


def test_a_fitted_law_is_drawn_along_its_curve(alone: Path, tmp_path: Path) -> None:
    folder = write_results(tmp_path / "example")
    block = Results.read(folder).at_largest_size("speedup").query("workload == 'sum_squares'").iloc[0]
    curve = {"runtime": "cp311", "workload": "sum_squares", "size": block["size"], "strategy": "threading"}
    law = {**curve, "pool": "cold", "law": "usl", "counts": [1, 2, 4, 8, 16]}
    rows = [{**law, "parameter": "contention", "estimate": 0.5}, {**law, "parameter": "coherence", "estimate": 0.01}]
    (folder / "scaling.json").write_text(json.dumps(rows), encoding="utf-8")
    assert "USL, fitted" not in words("scaling", alone)
    assert "USL, fitted" in words("scaling", folder)


def test_the_dial_is_drawn_once(tmp_path: Path) -> None:
    results = Results.read(turn_the_dial(write_results(tmp_path / "example")))
    assert not results.at_largest_size("speedup")["workload"].str.startswith("dial_").any()
    dial = results.estimates["workload"].str.startswith("dial_")
    alone = replace(results, estimates=results.estimates[dial])
    assert set(alone.at_largest_size("speedup")["workload"]) == {"dial_0", "dial_50", "dial_100"}


def test_a_panel_needs_more_than_controls(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path / "example"))
    estimates = results.estimates
    computing = estimates["workload"] == "count_loop"
    only = estimates[~computing | estimates["strategy"].isin(["sequential", "ceiling", "asyncio"])]
    assert ("cp311", "count_loop") in curves(results)
    assert ("cp311", "count_loop") not in curves(replace(results, estimates=only))


@pytest.mark.parametrize(
    "labels", [["ceiling"] * 3, list(STRATEGIES), [name for name in STRATEGIES if "blas" in name], ["x" * 200]]
)
def test_no_legend_is_wider_than_its_figure(labels: list[str]) -> None:
    with drawing():
        figure = finish(plt.figure(figsize=(WIDTH, 3)), [Line2D([], [], marker="o", label=label) for label in labels])
        (legend,) = figure.legends
        width = legend.get_window_extent(FigureCanvasAgg(figure).get_renderer()).width / figure.dpi
    assert width <= figure.get_figwidth() or key_columns(labels) == 1


def test_runtimes_come_by_version_with_the_lock_first(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path / "example", runtimes=tuple(reversed(EIGHT))))
    assert tuple(results.runtimes) == EIGHT
    assert results.ordered(["pypy39", "unheard-of", "cp39", "cp310"]) == ["cp39", "cp310", "pypy39", "unheard-of"]
    assert most_telling(results.runtimes)[:3] == ["cp311", "cp313t-nogil", "pypy39"]


def test_one_binary_is_told_by_what_it_reports(results: Path) -> None:
    known = Results.read(results).runtimes
    assert binaries(known) == [("cp313t-gil", "cp313t-nogil")]
    other = {**known, "cp313t-gil": {**known["cp313t-gil"], "build": "another"}}
    assert binaries(other) == []


def test_the_lock_is_compared_on_the_same_tasks_only(results: Path) -> None:
    complete = Results.read(results)
    pair = ("cp313t-gil", "cp313t-nogil")
    points = compared(complete, pair)
    assert set(points["lock"]) == {"lock on", "lock off", "limit"}
    assert set(points["size"]) == {"large"}
    found = points[points["metric"] == "speedup"].set_index(["workload", "workers", "lock"])["estimate"]
    assert found["sum_squares", 2, "lock off"] / found["sum_squares", 2, "lock on"] > 1.5
    changed = complete.estimates.copy()
    here = (changed["runtime"] == "cp313t-gil") & (changed["workload"] == "sum_squares") & (changed["size"] == "large")
    changed.loc[here, "parameter"] *= 2
    assert set(compared(replace(complete, estimates=changed), pair).query("workload == 'sum_squares'")["size"]) == {
        "medium"
    }


def test_the_lock_on_and_off_are_both_drawn_with_the_limit(results: Path) -> None:
    shown = words("lock", results)
    assert "threads, lock on threads, lock off machine's limit" in shown
    assert "sum_squares · CPython 3.13.7 free-threaded" in shown
    assert "count_loop × 2" in shown


def test_a_lock_measured_at_one_worker_count_has_points_alone(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "example", runtimes=WITH_PAIR)
    estimates = pd.read_parquet(folder / "estimates.parquet")
    estimates[estimates["workers"].isin([1, 2])].query("strategy == 'sequential' or workers == 2").to_parquet(
        folder / "estimates.parquet"
    )
    assert "At one worker count" in words("lock", folder)
    assert "sum_squares × 2" in words("lock", folder)


@pytest.mark.parametrize(("figure", "preset"), [("lock", "gil.yaml"), ("tax", "gil.yaml"), ("speed", "versions.yaml")])
def test_a_figure_that_needs_more_runtimes_says_which(figure: str, preset: str, alone: Path) -> None:
    assert preset in svg(figure, alone).get("data-needs", "")
    assert preset in words(figure, alone)


@pytest.mark.parametrize("figure", ["lock", "tax", "speed"])
def test_a_figure_that_has_its_runtimes_needs_nothing(figure: str, results: Path) -> None:
    assert svg(figure, results).get("data-needs") is None


def test_the_tax_names_what_it_is_against(results: Path) -> None:
    shown = words("tax", results)
    assert "against the same binary, lock on (cp313t-gil)" in shown
    assert "against standard build (cp311)" in shown
    assert "CPython 3.13.7 free-threaded, lock off" in shown


def test_runtimes_stand_side_by_side_on_the_same_axes(results: Path) -> None:
    complete = Results.read(results)
    chosen = curves(complete)
    places = lay_out(chosen, WITH_PAIR).places
    assert all(places[key][0][1] == WITH_PAIR.index(key[0]) for key in chosen)
    lines_down = {key[1]: row for key, ((row, _),) in places.items()}
    assert len(set(lines_down.values())) == len({workload for _, workload in chosen})


def test_eight_runtimes_leave_a_figure_that_can_be_taken_in(tmp_path: Path) -> None:
    complete = Results.read(write_results(tmp_path / "example", runtimes=EIGHT))
    chosen = curves(complete)
    grid = lay_out(chosen, list(EIGHT))
    spots = [place for places in grid.places.values() for place in places]
    assert max(column for _, column in spots) < MOST_COLUMNS
    assert max(row for row, _ in spots) < MOST_ROWS
    shown = {workload for _, workload in grid.places}
    assert {"sum_squares", "http_fetch"} <= shown
    assert shown | set(grid.left_out) == {workload for _, workload in chosen}
    assert grid.left_out[0] in without(grid.left_out)
    assert {runtime for line in lines_of(complete) for (runtime, _), _ in line} == {"cp311", "cp313t-nogil"}


def test_a_pool_that_breaks_costs_no_figure(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where a drawing process is killed, or the system lets nobody start another thread."""

    def broken(*_: object) -> None:
        raise BrokenProcessPool("A process in the process pool was terminated abruptly")

    monkeypatch.setattr("gilscope.figures.draw_together", broken)
    monkeypatch.setattr("gilscope.figures.figure_names", lambda of: ["dial"])
    write_figures(empty, tmp_path, cores=2)
    assert {path.name for path in tmp_path.iterdir()} == {"dial.svg", "dial.csv"}
    assert "drawn one by one: BrokenProcessPool" in capsys.readouterr().err


def test_a_figure_that_fails_is_named(tmp_path: Path) -> None:
    (tmp_path / "behaviour.svg").mkdir()
    with pytest.raises(NotDrawn, match=r"the figure behaviour could not be drawn: .*"):
        write_figures(tmp_path, tmp_path, cores=2)


def test_what_a_figure_is_drawn_from_is_named_where_it_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "gaps.json").write_text("{")
    with pytest.raises(Damaged, match=r"gaps\.json is damaged"):
        write_figures(tmp_path, tmp_path, cores=2)
