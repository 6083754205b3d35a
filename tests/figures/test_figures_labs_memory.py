"""The figures of lost updates, of starting workers and of their memory, drawn from what the labs really observed."""

from __future__ import annotations

import functools
import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.figures import Results, lost_updates, memory_per_worker, start_up
from gilscope.figures._look import PAPER
from gilscope.figures._svg import drawing
from gilscope.figures._trials import in_kinds, share
from judged import NINE, OBSERVED, THREE, on_all
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from pictures import laid_out, module, svg, texts
from scipy.stats import binomtest
from synthetic import write_results

LABS = {"lost_updates": "race", "start_up": "startup", "memory_per_worker": "footprint"}
COUNTING = [
    "in-place add of a global",
    "a call between",
    "with a lock",
    "list.append",
    "dict update",
    "dict, own keys",
    "in-place add, three times as often",
    "in-place add, switching every 10 µs",
]
"""The cases of the race in the order of its file, without what a lock costs."""
MIB = 2**20
SEEN: dict[tuple[str, ...], list[float]] = {}
for row in OBSERVED.to_dict("records"):
    SEEN.setdefault((row["lab"], row["runtime"], row["case"], row["metric"]), []).append(row["value"])


def folder_of(folder: Path, observed: pd.DataFrame, runtimes: tuple[str, ...] = THREE) -> Path:
    """Results of these runtimes with these observations."""
    write_results(folder, runtimes=runtimes)
    observed.to_parquet(folder / "observations.parquet")
    return folder


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runtimes with what their labs observed: all of them on one, the race on all."""
    return folder_of(tmp_path_factory.mktemp("results") / "example", OBSERVED)


@pytest.fixture(scope="module")
def among(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[str, ...]], Path]:
    """Folders of so many runtimes that all saw the same, each made once."""
    return functools.cache(
        lambda runtimes: folder_of(tmp_path_factory.mktemp("results") / "example", on_all(runtimes), runtimes)
    )


@contextmanager
def drawn(module: Any, results: Results) -> Iterator[Any]:
    """The figure of matplotlib, laid out, of results that a test has changed."""
    with drawing():
        figure = module.draw(results)
        FigureCanvasAgg(figure).draw()
        yield figure


def words_of(figure: Any) -> list[str]:
    """What is written in a figure, line by line."""
    return [line for text in figure.findobj(Text) for line in text.get_text().splitlines()]


def markers(figure: Any) -> list[Any]:
    """Every line of it that is markers alone, without the dots of trials."""
    lines = [line for axes in figure.axes for line in axes.get_lines()]
    return [
        line for line in lines if line.get_linestyle() == "None" and line.get_marker() != "." and len(line.get_xdata())
    ]


def dots(axes: Any) -> list[float]:
    """How far to the right each trial's dot lies."""
    return sorted(x for line in axes.get_lines() if line.get_marker() == "." for x in line.get_xdata())


def values(*which: str) -> list[float]:
    """What the trials saw, read without the package. which: lab, runtime, case, metric."""
    return SEEN.get(which, [])


def test_wrong_totals_are_counted_from_the_trials(real: Path) -> None:
    table = lost_updates.data(Results.read(real)).set_index(["runtime", "case"])
    assert set(table.index) == {(runtime, case) for runtime in THREE for case in COUNTING}
    for (runtime, case), row in table.iterrows():
        seen = values("race", runtime, case, "total_wrong")
        lost = values("race", runtime, case, "lost_share")
        assert (row["wrong_totals"], row["trials"]) == (sum(share > 0 for share in lost), len(seen)), (runtime, case)
        exact = binomtest(round(sum(seen)), len(seen)).proportion_ci(method="exact")
        assert [row["estimate"], row["low"], row["high"]] == pytest.approx(
            [sum(seen) / len(seen), exact.low, exact.high]
        )
        assert row["threads_met"] == sum(values("race", runtime, case, "overlapped"))
        assert row["lost_most"] == max(lost)
    assert table.loc[("cp313t-nogil", "dict update"), "gil"] == "without"
    assert set(table.loc[["cp311", "cp313t-gil"], "gil"]) == {"with"}


def test_no_loss_is_read_as_none_of_so_many(real: Path) -> None:
    said = texts("lost_updates", real)
    table = lost_updates.data(Results.read(real))
    for wrong, trials in {(row.wrong_totals, row.trials) for row in table.itertuples()}:
        times = ((table["wrong_totals"] == wrong) & (table["trials"] == trials)).sum()
        assert said.count(f"{wrong} of {trials}") == times
    assert said.count("0 of 20") == 4
    assert "in-place add of a global: 0 of 20 trials on cp311 (threads met in 3)" in lost_updates.alt(
        Results.read(real)
    )
    assert "19 of 20 trials on cp313t-nogil, losing up to 83.5 %" in lost_updates.alt(Results.read(real))


def test_every_trial_of_the_race_is_a_dot(real: Path) -> None:
    lost = OBSERVED[(OBSERVED["lab"] == "race") & (OBSERVED["metric"] == "lost_share")]
    figure = laid_out("lost_updates", real)
    assert dots(figure.axes[0]) == sorted(lost["value"])
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"with the GIL", "without the GIL"}


def test_whether_threads_met_may_be_unknown(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "example", OBSERVED[OBSERVED["metric"] != "overlapped"])
    assert texts("lost_updates", folder).count("–") == 3 * len(COUNTING)
    assert "0 of 20 trials on cp311;" in lost_updates.alt(Results.read(folder))


def test_claimed_cases_come_first_and_bold(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "example", OBSERVED)
    assert list(dict.fromkeys(lost_updates.data(Results.read(folder))["case"])) == COUNTING
    path = folder / "verdicts.json"
    verdicts = json.loads(path.read_text(encoding="utf-8"))
    about = next(verdict for verdict in verdicts if verdict["cases"])
    about["cases"][0]["cells"] = ["cp311/labs/race/dict update", "cp311/labs/startup/fork"]
    path.write_text(json.dumps(verdicts), encoding="utf-8")
    results = Results.read(folder)
    assert next(iter(lost_updates.data(results)["case"])) == "dict update"
    with drawn(lost_updates, results) as figure:
        labels = figure.axes[0].get_yticklabels()
        assert [label.get_text() for label in labels if label.get_fontweight() == "bold"] == ["dict update"]
        assert labels[0].get_text() == "dict update"


def test_trials_without_an_answer_widen_the_interval_and_are_said(real: Path) -> None:
    gap = {"runtime": "cp311", "lab": "race", "case": "a call between", "trial": 3, "reason": "ended after 10 s"}
    about_all = {**gap, "case": "list.append", "trial": None}
    results = replace(Results.read(real), gaps=[gap, about_all, {**gap, "lab": "crash"}])
    row = lost_updates.data(results).set_index(["runtime", "case"]).loc[("cp311", "a call between")]
    assert (row["wrong_totals"], row["trials"], row["no_answer"]) == (20, 20, 1)
    assert row["low"] == pytest.approx(binomtest(20, 21).proportion_ci(method="exact").low)
    assert lost_updates.data(results)["no_answer"].sum() == 1
    with drawn(lost_updates, results) as figure:
        assert "1 more trials gave no answer" in figure.get_supxlabel()
    assert share([0, 0], 1)["high"] == pytest.approx(binomtest(1, 3).proportion_ci(method="exact").high)


def test_too_many_rows_leave_cases_out_and_say_which(among: Callable[..., Path]) -> None:
    folder = among(NINE)
    said = words_of(laid_out("lost_updates", folder))
    assert all(case in said for case in COUNTING[:4])
    assert not any(case in said for case in COUNTING[4:])
    assert any("“dict update”, “dict, own keys”" in line for line in said)
    assert set(lost_updates.data(Results.read(folder))["case"]) == set(COUNTING)


def test_start_up_times_are_geometric_means_of_all_trials(real: Path) -> None:
    results = Results.read(real)
    table = start_up.data(results)
    assert list(dict.fromkeys(table["kind"])) == ["thread", "fork", "forkserver", "spawn", "subinterpreter"]
    for row in table.to_dict("records"):
        metric = {"first worker of a program": "first_s", "later workers": "later_s"}[row["worker"]]
        seen = values("startup", "cp311", row["kind"], metric)
        assert row["trials"] == len(seen)
        assert row["estimate"] == pytest.approx(1e3 * statistics.geometric_mean(seen))
        assert min(seen) < row["estimate"] / 1e3 < max(seen)
        assert row["low"] < row["estimate"] < row["high"]
    figure = laid_out("start_up", real)
    for axes, metric in zip(figure.axes, ("first_s", "later_s"), strict=True):
        own = OBSERVED[(OBSERVED["lab"] == "startup") & (OBSERVED["metric"] == metric)]["value"]
        assert dots(axes) == sorted(own)
        assert axes.get_xscale() == "log"
        assert "logarithmic" in axes.get_xlabel()
        assert axes.get_xlim()[0] < own.min()
        assert axes.get_xlim()[1] > own.max()
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert "thread: first worker of a program 263 µs (244 µs to 283 µs)" in start_up.alt(results)


def test_kinds_lie_beneath_each_other_in_one_order_whatever_they_are() -> None:
    assert in_kinds(["spawn", "greenlet", "thread", "spawn", "actor"]) == ["thread", "spawn", "actor", "greenlet"]


def test_memory_is_what_the_trials_counted(real: Path) -> None:
    results = Results.read(real)
    table = memory_per_worker.data(results).set_index(["kind", "memory_of"])
    for kind in ("thread", "fork", "forkserver", "spawn"):
        metrics = {"each more worker": "bytes_per_worker"}
        metrics |= {f"in all with {count}": f"total_{count}" for count in (1, 4, 16)}
        assert set(table.loc[kind].index) == set(metrics)
        for memory_of, metric in metrics.items():
            seen = [value / MIB for value in values("footprint", "cp311", kind, metric)]
            row = table.loc[(kind, memory_of)]
            assert row["trials"] == len(seen)
            assert row["estimate"] == pytest.approx(statistics.geometric_mean(seen))
    figure = laid_out("memory_per_worker", real)
    left, right = figure.axes
    own = OBSERVED[(OBSERVED["lab"] == "footprint") & (OBSERVED["metric"] == "bytes_per_worker")]["value"] / MIB
    assert dots(left) == sorted(own)
    assert (left.get_xscale(), right.get_yscale(), right.get_ylim()[0]) == ("log", "linear", 0)
    assert left.get_xlabel() == "MiB per idle worker, logarithmic"
    assert "PSS" in figure.get_supxlabel()


def test_memory_at_or_below_nothing_has_a_plain_mean_and_a_plain_axis(tmp_path: Path) -> None:
    odd = OBSERVED.copy()
    thread = (odd["lab"] == "footprint") & (odd["case"] == "thread") & (odd["metric"] == "bytes_per_worker")
    odd.loc[thread, "value"] = [-4096.0, 0.0, 4096.0, 16384.0, 20480.0]
    results = Results.read(folder_of(tmp_path / "example", odd))
    table = memory_per_worker.data(results).set_index(["kind", "memory_of"])
    row = table.loc[("thread", "each more worker")]
    assert row["mean"] == "arithmetic"
    assert row["estimate"] == pytest.approx(7372.8 / MIB)
    assert row["low"] < 0 < row["high"]
    assert table.loc[("fork", "each more worker"), "mean"] == "geometric"
    with drawn(memory_per_worker, results) as figure:
        assert figure.axes[0].get_xscale() == "linear"
        assert "logarithmic" not in figure.axes[0].get_xlabel()
        assert figure.axes[0].get_xlim()[0] < row["low"]
        assert "Of thread the arithmetic mean" in figure.get_supxlabel()


def test_memory_goes_on_to_as_many_workers_as_were_tried(tmp_path: Path) -> None:
    own = OBSERVED[(OBSERVED["lab"] == "footprint") & (OBSERVED["case"] == "fork")]
    many = own.assign(case="fork, up to 64 workers", value=own["value"] * 1.5)
    last = many[many["metric"] == "total_16"].assign(metric="total_64", value=200.0 * MIB)
    results = Results.read(folder_of(tmp_path / "example", pd.concat([OBSERVED, many, last], ignore_index=True)))
    table = memory_per_worker.data(results).set_index(["kind", "memory_of"])
    assert table.loc[("fork", "in all with 64"), "estimate"] == pytest.approx(200)
    assert table.loc[("fork", "each more worker"), "trials"] == 5
    assert table.loc[("fork", "each more worker"), "estimate"] == pytest.approx(
        1.5 * statistics.geometric_mean(own[own["metric"] == "bytes_per_worker"]["value"]) / MIB
    )
    assert ("spawn", "in all with 64") not in table.index
    with drawn(memory_per_worker, results) as figure:
        assert list(figure.axes[1].get_xticks()) == [1, 4, 16, 64]


def test_memory_of_many_runtimes_is_that_of_the_most_telling(among: Callable[..., Path]) -> None:
    folder = among(NINE)
    said = words_of(laid_out("memory_per_worker", folder))
    assert [line for line in said if line.startswith(("CPython", "PyPy"))] == [
        "CPython 3.11.9",
        "CPython 3.13.7 free-threaded, lock on",
        "CPython 3.13.7 free-threaded, lock off",
        "PyPy 3.11.9",
    ]
    assert any("without cp39, cp310, cp312, cp313 and 1 more" in line for line in said)
    assert set(memory_per_worker.data(Results.read(folder))["runtime"]) == set(NINE)


@pytest.mark.parametrize("figure", LABS)
def test_a_run_without_the_lab_says_what_it_needs(figure: str, real: Path, tmp_path: Path) -> None:
    lab = LABS[figure]
    assert svg(figure, real).get("data-needs") is None
    without = folder_of(tmp_path / "example", OBSERVED[OBSERVED["lab"] != lab])
    assert svg(figure, without).get("data-needs") == f"the lab ``{lab}``: ``labs.names`` in the configuration"
    assert [line for line in texts(figure, without) if line.startswith(f"No trials of the lab {lab}")]
    assert svg(figure, without).get("data-shows") == f"lab:{lab}"
    assert svg(figure, without).get("data-section") == "labs"


@pytest.mark.parametrize("figure", ["start_up", "memory_per_worker"])
def test_few_trials_are_hollow_and_said(figure: str, real: Path) -> None:
    results = Results.read(real)
    few = replace(
        results,
        observations=results.observations[results.observations["trial"] < results.observations["trial"].min() + 2],
    )
    with drawn(module(figure), few) as of_few:
        for picture, own, hollow in ((laid_out(figure, real), results, False), (of_few, few, True)):
            faces = {line.get_markerfacecolor() for line in markers(picture)}
            assert (faces == {PAPER}) if hollow else (PAPER not in faces)
            assert ("Hollow: fewer than 3 trials" in picture.get_supxlabel()) is hollow
            assert module(figure).data(own)["low"].isna().all() == hollow


def test_a_share_of_two_trials_has_its_exact_interval(real: Path) -> None:
    results = Results.read(real)
    few = results.observations[results.observations["trial"] < results.observations["trial"].min() + 2]
    table = lost_updates.data(replace(results, observations=few))
    assert set(table["trials"]) == {2}
    none = table[table["wrong_totals"] == 0]
    assert none["high"].to_numpy() == pytest.approx(np.full(len(none), 1 - 0.025**0.5))
    with drawn(lost_updates, replace(results, observations=few)) as figure:
        assert "Hollow" not in figure.get_supxlabel()
        assert PAPER not in {line.get_markerfacecolor() for line in markers(figure)}


@pytest.mark.parametrize("figure", LABS)
@pytest.mark.parametrize("runtimes", [("cp311",), THREE, NINE], ids=len)
def test_nothing_reaches_beyond_the_figure(figure: str, runtimes: tuple[str, ...], among: Callable[..., Path]) -> None:
    results = Results.read(among(runtimes))
    assert set(module(figure).data(results)["runtime"]) == set(runtimes)
    said = module(figure).alt(results)
    assert all(runtime in said or len(runtimes) == 1 for runtime in runtimes)
    picture = laid_out(figure, among(runtimes))
    box = picture.get_tightbbox()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= picture.get_figwidth()
    assert box.y1 <= picture.get_figheight()
    assert written_over(picture) == []


def written_over(figure: Any) -> list[tuple[str, str]]:
    """The texts of a figure that lie on another one; those beyond the end of an axis are not drawn."""
    renderer = figure.canvas.get_renderer()
    whole = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    unseen = {
        id(tick.label1) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in out_of_view(axis)
    }
    boxes = [
        (text.get_text(), text.get_window_extent(renderer).shrunk(0.98, 0.8))
        for text in {id(text): text for text in whole if id(text) not in unseen}.values()
    ]
    return [
        (one, other)
        for place, (one, box) in enumerate(boxes)
        for other, second in boxes[:place]
        if box.overlaps(second)
    ]


def out_of_view(axis: Any) -> list[Any]:
    """The ticks of an axis that lie beyond its ends."""
    low, high = sorted(axis.get_view_interval())
    return [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
