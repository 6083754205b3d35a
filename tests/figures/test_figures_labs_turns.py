"""The figures of turns and of ticks, drawn from what the labs really observed; and what holds for behaviour's too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.figures import Results, _curves, behaviour, run_lengths, tick_delays, write_figure
from gilscope.figures._look import Look
from gilscope.labs._distributions import LIMITS_MS
from judged import NINE, OBSERVED, ROOT, THREE, on_all, results_folder
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from pictures import laid_out, picture, svg, words, written
from scipy import stats

FIGURES = {"run_lengths": run_lengths, "tick_delays": tick_delays, "behaviour": behaviour}
LAB = {"run_lengths": "switching", "tick_delays": "responsiveness"}
WITH_LOCK = ["cp311", "cp313t-gil"]
SHARES = ["estimate", "low", "high"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runtimes: all labs on the current one, turns and ticks on one binary with the lock on and off too."""
    return results_folder(tmp_path_factory.mktemp("results") / "example", OBSERVED)


@pytest.fixture(scope="module")
def nine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine runtimes with all labs, in a form with more cases than a panel has lines for."""
    observed = on_all(NINE)
    more = [
        observed[observed["case"] == "1 process, bytecode"].assign(case=f"{count} processes, bytecode")
        for count in (2, 3, 4)
    ]
    more += [
        observed[observed["case"] == "1 thread, bytecode"].assign(case=f"{count} threads, bytecode") for count in (2, 3)
    ]
    folder = tmp_path_factory.mktemp("results") / "example"
    return results_folder(folder, pd.concat([observed, *more], ignore_index=True), NINE)


def counted(lab: str, runtime: str, case: str, metric: str) -> np.ndarray:
    """One count of each trial, straight from the file."""
    which = (OBSERVED["lab"] == lab) & (OBSERVED["runtime"] == runtime) & (OBSERVED["case"] == case)
    rows = OBSERVED[which & (OBSERVED["metric"] == metric)].sort_values("trial")
    return rows["value"].to_numpy(dtype=float)


def by_hand(longer: np.ndarray, whole: np.ndarray) -> tuple[float, float, float]:
    """The pooled share in per cent with the wider of the t interval over trials and the exact binomial one."""
    pooled = longer.sum() / whole.sum()
    if len(whole) < 3:
        return 100 * pooled, np.nan, np.nan
    shares = longer / whole
    half = stats.t.ppf(0.975, len(shares) - 1) * max(shares.std(ddof=1) / np.sqrt(len(shares)), 1e-9)
    exact = stats.binomtest(int(longer.sum()), int(whole.sum())).proportion_ci(0.95, method="exact")
    low, high = min(shares.mean() - half, exact.low), max(shares.mean() + half, exact.high)
    return 100 * pooled, 100 * max(0.0, low), 100 * min(1.0, high)


def curves_in(axes: Axes, looks: dict[str, Look]) -> dict[str, np.ndarray]:
    """The points of each case's marks in a panel, filled and hollow ones together, by x: shape (points, 2)."""
    found = {}
    for case, look in looks.items():
        marks = [
            line.get_xydata()
            for line in axes.get_lines()
            if line.get_linestyle() == "None" and line.get_marker() == look.marker
        ]
        points = np.concatenate([np.empty((0, 2)), *marks])
        if len(points):
            found[case] = points[points[:, 0].argsort()]
    return found


@pytest.mark.parametrize("runtime", WITH_LOCK)
def test_the_curves_of_turns_are_what_the_file_says(runtime: str, real: Path) -> None:
    table = run_lengths.data(Results.read(real)).query("runtime == @runtime").set_index(["case", "longer_than_ms"])
    cases = ["two busy threads", "interval 0.2 ms", "interval 1 ms", "interval 20 ms", "interval 100 ms"]
    assert set(table.index) == {(case, limit) for case in cases for limit in LIMITS_MS}
    for case, limit in table.index:
        longer = counted("switching", runtime, case, f"runs_beyond_{limit:g}_ms")
        expected = by_hand(longer, counted("switching", runtime, case, "runs"))
        assert tuple(table.loc[(case, limit), SHARES]) == pytest.approx(expected, nan_ok=True), (case, limit)


@pytest.mark.parametrize("runtime", THREE)
def test_the_curves_of_ticks_and_echoes_are_what_the_file_says(runtime: str, real: Path) -> None:
    table = tick_delays.data(Results.read(real)).query("runtime == @runtime")
    ticks = ["nothing computes", "1 thread, bytecode", "4 threads, bytecode", "1 process, bytecode"]
    ticks += ["1 thread, one long C call", "1 thread, interval 0.5 ms"]
    echoes = ["echo, nothing computes", "echo, 1 thread", "echo, 1 process"]
    expected = {}
    for event, cases, limits in (("ticks", ticks, [*LIMITS_MS, 16.7]), ("echoes", echoes, LIMITS_MS)):
        for case in cases:
            for limit in limits:
                metric = "late_ticks" if limit == 16.7 else f"{event}_beyond_{limit:g}_ms"
                key = event, case.removeprefix("echo, ").removesuffix(", bytecode"), limit
                counts = [counted("responsiveness", runtime, case, name) for name in (metric, event)]
                expected[key] = by_hand(*counts)
    found = table.set_index(["per_cent_of", "case", "longer_than_ms"])
    assert set(found.index) == set(expected)
    for key, values in expected.items():
        assert tuple(found.loc[key, SHARES]) == pytest.approx(values, nan_ok=True), key


def test_a_claims_point_is_that_of_its_verdict(real: Path) -> None:
    results = Results.read(real)
    cases = {case["cells"][0]: case for row in results.verdicts for case in row["cases"] if case["unit"] == "share"}
    turns = run_lengths.data(results).set_index(["runtime", "case", "longer_than_ms"])
    ticks = tick_delays.data(results).set_index(["runtime", "case", "longer_than_ms", "per_cent_of"])
    points = {
        "cp311/labs/switching/two busy threads": turns.loc[("cp311", "two busy threads", 10)],
        "cp311/labs/responsiveness/1 thread, bytecode": ticks.loc[("cp311", "1 thread", 16.7, "ticks")],
        "cp313t-gil/labs/responsiveness/1 thread, one long C call": ticks.loc[
            ("cp313t-gil", "1 thread, one long C call", 16.7, "ticks")
        ],
    }
    for source, point in points.items():
        assert [100 * cases[source][name] for name in SHARES] == pytest.approx([point[name] for name in SHARES])
        assert point["counted"] == cases[source]["counted"]


@pytest.mark.parametrize("figure", list(LAB))
@pytest.mark.parametrize("which", ["real", "nine"])
def test_no_curve_rises_or_begins_above_all(figure: str, which: str, request: pytest.FixtureRequest) -> None:
    looks = FIGURES[figure].LOOKS
    panels = [curves_in(axes, looks) for axes in picture(figure, request.getfixturevalue(which)).axes]
    shown = [points for panel in panels for points in panel.values()]
    assert len(shown) > 8
    for points in shown:
        assert points[0, 1] <= 1
        assert points[-1, 1] >= 0
        assert (np.diff(points[:, 0]) > 0).all()
        assert (np.diff(points[:, 1]) <= 0).all()
    assert max(map(len, panels)) <= 7


@pytest.mark.parametrize(
    ("figure", "panel", "event"),
    [("run_lengths", 1, "runs"), ("tick_delays", 1, "ticks"), ("tick_delays", 4, "echoes")],
)
def test_what_is_drawn_is_what_is_in_the_table(figure: str, panel: int, event: str, real: Path) -> None:
    table = FIGURES[figure].data(Results.read(real)).query("runtime == 'cp313t-gil' and per_cent_of == @event")
    shares = table.set_index(["case", "longer_than_ms"])["estimate"]
    curves = curves_in(picture(figure, real).axes[panel], FIGURES[figure].LOOKS)
    assert set(curves) == set(table["case"])
    for case, points in curves.items():
        assert 100 * points[:, 1] == pytest.approx([shares[case, limit] for limit in points[:, 0]])
        left_out = shares[case].drop(points[:, 0])
        assert set(left_out) <= {0.0, 100.0}, "only what lies on the frame is left out"


def test_an_interval_needs_three_trials(real: Path, tmp_path: Path) -> None:
    table = tick_delays.data(Results.read(real))
    assert (table["low"].notna() == (table["trials"] >= 3)).all()
    assert {1, 5, 8} == set(table["trials"])
    assert "Hollow: fewer than 3 trials" in words("tick_delays", real)
    several = OBSERVED[OBSERVED["lab"].eq("switching") & OBSERVED["case"].eq("two busy threads")]
    folder = results_folder(tmp_path / "example", several)
    assert "Hollow" not in words("run_lengths", folder)


def test_the_interval_and_the_limit_are_marked(real: Path) -> None:
    def upright(axes: Axes) -> list[float]:
        return sorted({x[0] for x, y in (line.get_data() for line in axes.get_lines()) if list(y) == [0, 1]})

    assert [upright(axes) for axes in picture("run_lengths", real).axes[:2]] == [[5, 10]] * 2
    assert [upright(axes) for axes in picture("tick_delays", real).axes] == [[16.7]] * 3 + [[]] * 3


def test_there_are_no_turns_without_the_lock(real: Path) -> None:
    results = Results.read(real)
    table = run_lengths.data(results).query("runtime == 'cp313t-nogil'")
    both = counted("switching", "cp313t-nogil", "two busy threads", "both_s") / 0.6
    assert list(table["per_cent_of"]) == ["time, both at once"]
    assert table["estimate"].item() == pytest.approx(100 * both.mean())
    assert table["low"].item() == pytest.approx(100 * (both.mean() - stats.t.ppf(0.975, 4) * stats.sem(both)))
    assert [len(curves_in(axes, run_lengths.LOOKS)) for axes in picture("run_lengths", real).axes] == [5, 5, 0]
    shown = words("run_lengths", real)
    assert "No turns without the lock:" in shown
    assert f"for {100 * both.mean():.2g} % [" in shown
    assert "cp313t-nogil without the lock: no turns" in run_lengths.alt(results)


@pytest.mark.parametrize("figure", list(LAB))
def test_time_is_logarithmic_and_says_so(figure: str, real: Path) -> None:
    assert {axes.get_xscale() for axes in picture(figure, real).axes if axes.axison} == {"log"}
    assert "(ms, logarithmic)" in words(figure, real)
    assert "(logarithmic above 1 %)" in words(figure, real)


@pytest.mark.parametrize("figure", list(FIGURES))
def test_a_run_without_the_lab_says_what_it_needs(figure: str, tmp_path: Path) -> None:
    labs = [LAB[figure]] if figure in LAB else [mark.removeprefix("lab:") for mark in behaviour.SHOWS]
    observed = OBSERVED[~OBSERVED["lab"].isin(labs)]
    folder = results_folder(tmp_path / "example", observed)
    shown = words(figure, folder)
    needed = svg(figure, folder).get("data-needs", "")
    assert re.match(r"No (times|verdicts)\b", shown)
    assert "labs.names" in shown
    assert all(f"``{lab}``" in needed for lab in labs)
    assert "``labs.names``" in needed
    assert FIGURES[figure].data(Results.read(folder))["estimate"].notna().sum() == 0
    assert FIGURES[figure].alt(Results.read(folder)).startswith("Nothing to draw")


@pytest.mark.parametrize("figure", list(FIGURES))
def test_a_run_with_the_lab_needs_nothing(figure: str, real: Path) -> None:
    assert FIGURES[figure].needs(Results.read(real)) == ""


def test_percentiles_are_told_by_the_limits_around_them() -> None:
    curve = pd.DataFrame({"limit_ms": [1, 5, 10, 20], "estimate": [1.0, 0.8, 0.4, 0.0]})
    assert _curves.between(curve, 0.5) == "5 to 10 ms"
    assert _curves.between(curve, 0.01) == "10 to 20 ms"
    assert _curves.between(curve.head(1), 0.5) == "more than 1 ms"
    assert _curves.between(curve.tail(1), 0.5) == "at most 20 ms"


@pytest.mark.parametrize(("share", "said"), [(0.00529, "0.53 %"), (0.6611, "66 %"), (0.997, "99.7 %"), (1, "100 %")])
def test_shares_have_sensible_digits(share: float, said: str) -> None:
    assert run_lengths.per_cent({"estimate": share, "low": np.nan, "high": np.nan}) == said
    assert run_lengths.per_cent({"estimate": share, "low": 0, "high": 1}) == f"{said} [0, 100]"


@pytest.mark.parametrize("figure", list(LAB))
def test_every_case_looks_different(figure: str) -> None:
    looks = FIGURES[figure].LOOKS.values()
    assert len({look.colour for look in looks}) == len({look.marker for look in looks}) == len(looks)


def test_nine_runtimes_leave_some_out_and_say_which(nine: Path) -> None:
    shown = words("run_lengths", nine)
    assert "For want of room without cp314:" in shown
    assert all(name in shown.split() for name in NINE if name != "cp314")
    shown = words("tick_delays", nine)
    assert "For want of room without cp39, cp310, cp312, cp313, cp314:" in shown
    assert "For want of room without 2 processes, 3 processes, 2 threads, 3 threads:" in shown
    shown = words("behaviour", nine)
    assert "CPython 3.11.9" in shown
    assert "Without cp39, cp310, cp312, cp313 and 4 more:" in shown
    for figure, module in FIGURES.items():
        assert set(module.data(Results.read(nine))["runtime"]) == set(NINE), figure


@pytest.mark.parametrize("figure", list(FIGURES))
def test_same_results_give_the_same_bytes_in_colours_that_follow_the_reader(
    figure: str, real: Path, tmp_path: Path
) -> None:
    write_figure(figure, real, tmp_path / "second.svg")
    assert written(figure, real).read_bytes() == (tmp_path / "second.svg").read_bytes()
    shapes = written(figure, real).read_text(encoding="utf-8").split("</style>", 1)[1]
    assert set(re.findall(r"#[0-9a-f]{6}\b", shapes)) == set()


@pytest.mark.parametrize("figure", list(FIGURES))
@pytest.mark.parametrize("which", ["real", "nine"])
def test_nothing_is_cut_off_or_covers_other_words(figure: str, which: str, request: pytest.FixtureRequest) -> None:
    drawn = laid_out(figure, request.getfixturevalue(which))
    boxes = text_boxes(drawn)
    width, height = drawn.get_size_inches() * drawn.dpi
    for name, box in boxes:
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) > -1, name
    covered = [
        (one, other)
        for place, (one, box) in enumerate(boxes)
        for other, second in boxes[place + 1 :]
        if box.padded(-1.5).overlaps(second.padded(-1.5))
    ]
    assert covered == []


def text_boxes(drawn: Figure) -> list[tuple[str, Any]]:
    """The words of a laid-out figure with their places in pixels."""
    visible = [text for text in drawn.findobj(Text) if text.get_text().strip() and text.get_visible()]
    inside = [text for text in visible if text.axes is None or text.axes.axison or text in text.axes.texts]
    renderer = drawn.canvas.get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in inside]


@pytest.mark.parametrize("figure", list(FIGURES))
def test_its_words_hold_its_numbers(figure: str, real: Path) -> None:
    said = FIGURES[figure].alt(Results.read(real))
    expected = {
        "run_lengths": r"cp311, switch interval as it is: median 5 to 10 ms, 0\.\d+ % \[[\d.]+, [\d.]+\] longer than 10 ms",
        "tick_delays": r"cp311, 1 thread: 0 % \[0, 0\.64\] of ticks more than a frame late, delay p50 5 to 10 ms",
        "behaviour": r"a process crash stays inside, Process, segmentation fault: 110 of 110 trials, confirmed",
    }
    assert re.search(expected[figure], said)


@pytest.mark.parametrize("figure", list(FIGURES))
def test_its_caption_is_there_and_names_no_machine(figure: str) -> None:
    caption = (ROOT / f"report/captions/{figure}.rst").read_text(encoding="utf-8")
    assert 2 <= len(re.findall(r"[.?!](\s|$)", caption)) <= 4
    assert all(len(line) <= 140 for line in caption.splitlines())
    assert FIGURES[figure].SECTION == "labs"
