"""Every figure: from results that are complete, partial or missing; the same bytes for the same data; both colours."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from gilscope.figures import Results, figure_names, write_figure
from gilscope.figures._look import STRATEGIES, THEME, VERDICTS, look, order
from gilscope.figures._panels import legend_columns, panels
from gilscope.figures._svg import drawing
from gilscope.figures.by_size import curves as size_curves
from gilscope.figures.by_strategy import WIDE, sensible_unit
from gilscope.figures.dial import measured as dial_points
from gilscope.figures.scaling import curves, lines
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from synthetic import write_results

FIGURES = figure_names()
TEXT = "{http://www.w3.org/2000/svg}text"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("results") / "example")


def words(path: Path) -> str:
    return " ".join("".join(text.itertext()) for text in ElementTree.parse(path).iter(TEXT))


def test_the_figures_are_found_and_nothing_else() -> None:
    assert FIGURES == ["by_size", "by_strategy", "dial", "scaling", "verdicts"]


@pytest.mark.parametrize("figure", FIGURES)
def test_same_results_give_the_same_bytes(figure: str, results: Path, tmp_path: Path) -> None:
    for name in ("first.svg", "second.svg"):
        write_figure(figure, results, tmp_path / name)
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()


@pytest.mark.parametrize("figure", FIGURES)
def test_colours_follow_the_reader(figure: str, results: Path, tmp_path: Path) -> None:
    write_figure(figure, results, tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    light, dark = re.search(r":root\{(.*?)\}@media \(prefers-color-scheme: dark\)\{:root\{(.*?)\}\}", text).groups()
    drawn = text.split("</style>", 1)[1]
    defined = set(re.findall(r"(--[a-z0-9]+):#", light))
    assert set(re.findall(r"var\((--(?!font)[a-z0-9]+)\)", drawn)) <= defined
    assert defined == set(re.findall(r"(--[a-z0-9]+):#", dark))
    assert set(re.findall(r"#[0-9a-f]{6}\b", drawn)) == set(), "a colour that a dark page would not change"
    assert "DejaVu" not in text


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_says_what_it_shows(figure: str, results: Path, tmp_path: Path) -> None:
    write_figure(figure, results, tmp_path / "figure.svg")
    drawing = ElementTree.parse(tmp_path / "figure.svg").getroot()
    assert drawing.findtext("{http://www.w3.org/2000/svg}title")
    assert len(drawing.findtext("{http://www.w3.org/2000/svg}desc")) > 40


@pytest.mark.parametrize("figure", FIGURES)
def test_nothing_measured_is_said(figure: str, tmp_path: Path) -> None:
    write_figure(figure, tmp_path / "empty", tmp_path / "figure.svg")
    assert re.search(r"No (speedups|times|verdicts|workload)", words(tmp_path / "figure.svg"))


@pytest.mark.parametrize("figure", ["by_size", "by_strategy", "scaling"])
def test_an_estimate_without_interval_is_hollow_and_said(figure: str, tmp_path: Path) -> None:
    write_figure(figure, write_results(tmp_path / "example", rounds=2), tmp_path / "figure.svg")
    assert "Hollow: fewer than 3 rounds" in words(tmp_path / "figure.svg")


def test_labels_from_outside_stay_text(results: Path, tmp_path: Path) -> None:
    hostile = Results.read(results)
    for verdict in hostile.verdicts:
        verdict["claim"] = "<script>alert(1)</script>"
    folder = write_results(tmp_path / "example", runtimes=("<b>cp311",))
    write_figure("scaling", folder, tmp_path / "figure.svg")
    ElementTree.parse(tmp_path / "figure.svg")
    assert "<b>" not in (tmp_path / "figure.svg").read_text(encoding="utf-8")


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


def test_scaling_shows_single_points_where_nothing_was_swept(results: Path, tmp_path: Path) -> None:
    complete = Results.read(results)
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


def test_a_logarithmic_axis_says_so(results: Path, tmp_path: Path) -> None:
    complete = Results.read(results)
    slow = complete.estimates.copy()
    worst = (slow["strategy"] == "multiprocessing") & (slow["metric"] == "seconds")
    slow.loc[worst, ["estimate", "low", "high"]] *= 3 * WIDE
    folder = write_results(tmp_path / "example")
    slow.to_parquet(folder / "estimates.parquet")
    write_figure("by_strategy", folder, tmp_path / "figure.svg")
    assert "logarithmic" in words(tmp_path / "figure.svg")


def test_many_claims_and_runtimes_fit(tmp_path: Path) -> None:
    runtimes = ("cp311", "cp313", "cp313t-gil", "cp313t-nogil")
    write_figure("verdicts", write_results(tmp_path / "example", runtimes=runtimes, claims=65), tmp_path / "figure.svg")
    shown = words(tmp_path / "figure.svg")
    assert all(f"claim number {number} about" in shown for number in range(1, 66))
    assert all(runtime in shown for runtime in runtimes)


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


def turn_the_dial(folder: Path) -> Path:
    """Add three dials to a results folder: threads as theory has them, processes 10 % short of it."""
    estimates, traces = (pd.read_parquet(folder / f"{name}.parquet") for name in ("estimates", "traces"))
    some = estimates[estimates["metric"] == "speedup"].iloc[0].to_dict()
    rows, alone = [], []
    for waiting, threads in ((0.0, 1.0), (0.5, 2.0), (1.0, 4.0)):
        place = {**some, "workload": f"dial_{100 * waiting:.0f}", "size": "large", "tasks": 4000, "workers": 4}
        for strategy, speedup in (("threading", threads), ("multiprocessing", 1.62 * threads), ("ceiling", 1.8)):
            own = {"strategy": strategy, "pool": "warm", "estimate": speedup, "low": speedup * 0.98}
            rows.append({**place, **own, "high": speedup * 1.02})
        sequential = {**traces.iloc[0].to_dict(), "workload": place["workload"], "strategy": "sequential"}
        alone.append({**sequential, "wall": 2.0, "cpu": 2.0 * (1 - waiting)})
    pd.concat([estimates, pd.DataFrame(rows)], ignore_index=True).to_parquet(folder / "estimates.parquet")
    pd.concat([traces, pd.DataFrame(alone)], ignore_index=True).to_parquet(folder / "traces.parquet")
    return folder


def test_the_dial_stands_beside_its_theory(tmp_path: Path) -> None:
    folder = turn_the_dial(write_results(tmp_path / "example"))
    points = dial_points(Results.read(folder)).set_index(["strategy", "workload"])
    assert (points["estimate"] / points["predicted"]).loc["threading"].to_numpy() == pytest.approx([1, 1, 1], rel=0.01)
    assert points["predicted"].loc["multiprocessing", "dial_0"] == pytest.approx(1.8, rel=0.01)
    assert list(points["waiting"].loc["threading"]) == [0, 0.5, 1]
    write_figure("dial", folder, tmp_path / "figure.svg")
    assert {"theory", "threading", "multiprocessing", "4 workers · cp311"} <= {
        "".join(text.itertext()) for text in ElementTree.parse(tmp_path / "figure.svg").iter(TEXT)
    }


def test_a_fitted_law_is_drawn_along_its_curve(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "example")
    block = Results.read(folder).at_largest_size("speedup").query("workload == 'sum_squares'").iloc[0]
    curve = {"runtime": "cp311", "workload": "sum_squares", "size": block["size"], "strategy": "threading"}
    law = {**curve, "pool": "cold", "law": "usl", "counts": [1, 2, 4, 8, 16]}
    write_figure("scaling", folder, tmp_path / "without.svg")
    rows = [{**law, "parameter": "contention", "estimate": 0.5}, {**law, "parameter": "coherence", "estimate": 0.01}]
    (folder / "scaling.json").write_text(json.dumps(rows), encoding="utf-8")
    write_figure("scaling", folder, tmp_path / "with.svg")
    assert "USL, fitted" not in words(tmp_path / "without.svg")
    assert "USL, fitted" in words(tmp_path / "with.svg")


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
        figure, _ = panels(3)
        handles = [Line2D([], [], marker="o", label=label) for label in labels]
        legend = figure.legend(handles=handles, ncols=legend_columns(labels), handlelength=2.4)
        width = legend.get_window_extent(FigureCanvasAgg(figure).get_renderer()).width / figure.dpi
    assert width <= figure.get_figwidth() or legend_columns(labels) == 1
