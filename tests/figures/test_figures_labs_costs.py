"""What messages, connections and locks cost: the figures say what the observations do, worked out here once more."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.figures import Results
from gilscope.figures.connections import METRICS
from gilscope.figures.lock_share import bound, places_beside
from gilscope.figures.message_cost import apart, factor, size_labels
from pictures import module, picture, words, written
from scipy import stats
from synthetic import write_results

OBSERVED = pd.read_parquet(Path(__file__).parents[1] / "data/observations.parquet")
RUNTIMES = ("cp311", "cp313t-gil", "cp313t-nogil")
NINE = ("cp39", "cp310", "cp311", "cp312", "cp313", "cp313t-gil", "cp313t-nogil", "cp314", "pypy311")
FIGURES = {"message_cost": "messages", "connections": "connections", "lock_share": "locking"}
Change = Callable[[pd.DataFrame], pd.DataFrame]


def results_in(
    folder: Path, change: Change = lambda table: table, runtimes: Sequence[str] = RUNTIMES, gaps: Sequence[Any] = ()
) -> Path:
    """A results folder with what the labs really observed, changed first."""
    write_results(folder, runtimes=tuple(runtimes))
    change(OBSERVED).to_parquet(folder / "observations.parquet")
    known = json.loads((folder / "gaps.json").read_text(encoding="utf-8"))
    (folder / "gaps.json").write_text(json.dumps([*known, *gaps]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return results_in(tmp_path_factory.mktemp("labs") / "example")


@pytest.fixture(scope="module")
def enough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With three trials of each."""
    return results_in(tmp_path_factory.mktemp("labs") / "example", three_times)


@pytest.fixture(scope="module")
def nine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return results_in(tmp_path_factory.mktemp("labs") / "example", many, NINE)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return Results.read(folder)


def trials_of(case: str, metric: str) -> np.ndarray:
    """The values of one case on the only runtime that has it, by trial."""
    rows = OBSERVED[(OBSERVED["case"] == case) & (OBSERVED["metric"] == metric) & (OBSERVED["runtime"] == "cp311")]
    return rows.sort_values("trial")["value"].to_numpy(float)


def expect(row: Any, values: np.ndarray, names: Sequence[str] = ("estimate", "low", "high")) -> None:
    """These are the geometric mean of the values and its 95 % t interval, which takes three of them."""
    estimate, low, high = (row[name] for name in names)
    assert estimate == pytest.approx(stats.gmean(values))
    if len(values) < 3:
        assert math.isnan(low)
        assert math.isnan(high)
        return
    logs = np.log(values)
    expected = np.exp(stats.t.interval(0.95, len(logs) - 1, loc=logs.mean(), scale=stats.sem(logs)))
    assert (low, high) == pytest.approx(tuple(expected))


def many(table: pd.DataFrame) -> pd.DataFrame:
    """As if nine runtimes had seen what one did."""
    own = table[table["runtime"] == "cp311"]
    return pd.concat([own.assign(runtime=name) for name in NINE], ignore_index=True)


def three_times(table: pd.DataFrame) -> pd.DataFrame:
    """Each trial as three that differ a little."""
    table = table[table["lab"].isin(list(FIGURES.values()))]
    again = [
        table.assign(trial=3 * table["trial"] + number, value=table["value"] * (1 + 0.01 * number))
        for number in range(3)
    ]
    return pd.concat(again, ignore_index=True)


def test_messages_are_what_was_observed(results: Results) -> None:
    data = module("message_cost").data(results)
    table = OBSERVED.query("lab == 'messages'")
    observed = table[table["metric"].isin(["round_trip_s", "transfer_s"])]
    assert len(data) == observed["case"].nunique()
    assert set(data["unit"]) == {"ms"}
    for row in data.to_dict("records"):
        payload, metric = ("array", "transfer_s") if row["sent"] == "array one way" else ("bytes", "round_trip_s")
        values = trials_of(f"{row['channel']}, {row['message']}, {payload}", metric)
        assert row["trials"] == len(values)
        expect(row, 1e3 * values)


def test_a_channel_is_put_against_the_thread_queue_in_the_same_trial(results: Results) -> None:
    data = module("message_cost").data(results).set_index(["sent", "message", "channel"])
    names = [f"times_queue.Queue{end}" for end in ("", "_low", "_high")]
    pairs = 0
    for (sent, message, channel), row in data.iterrows():
        if (sent, message, "queue.Queue") not in data.index or channel == "queue.Queue":
            assert row[names].isna().all()
            continue
        above, below = (trials_of(f"{name}, {message}, bytes", "round_trip_s") for name in (channel, "queue.Queue"))
        shorter = min(len(above), len(below))
        expect(row, above[:shorter] / below[:shorter], names)
        pairs += 1
    assert pairs == 16


def test_the_drawing_names_each_channel_and_how_much_slower_it_is(folder: Path) -> None:
    shown = words("message_cost", folder)
    for channel in ("Pipe", "multiprocessing.Queue", "shared_memory", "Manager"):
        assert channel in shown
        for size in ("1 KiB", "32 MiB"):
            above, below = (trials_of(f"{name}, {size}, bytes", "round_trip_s") for name in (channel, "queue.Queue"))
            shorter = min(len(above), len(below))
            assert factor(stats.gmean(above[:shorter] / below[:shorter])) in shown
    assert "size of the message, logarithmic" in shown
    assert "time of a round trip, logarithmic" in shown


def test_an_axis_of_arrays_is_logarithmic_where_they_are_far_apart(folder: Path, tmp_path: Path) -> None:
    def with_threads(table: pd.DataFrame) -> pd.DataFrame:
        own = table[(table["case"] == "Pipe, 32 MiB, array") & (table["metric"] == "transfer_s")]
        thread = own.assign(case="queue.Queue, 32 MiB, array", value=own["value"] / 2000)
        return pd.concat([table, thread], ignore_index=True)

    assert "ms until it is read, logarithmic" not in words("message_cost", folder)
    apart = results_in(tmp_path / "example", with_threads)
    assert "ms until it is read, logarithmic" in words("message_cost", apart)


def test_connections_are_what_was_observed(results: Results) -> None:
    data = module("connections").data(results)
    in_words = {title: (metric, times) for metric, (title, _, times) in METRICS.items()}
    seen = set()
    for row in data.to_dict("records"):
        late = ", 200 ms" if row["server_takes_ms"] == 200 else ""
        case = f"{row['client']}, {row['open_connections']} open{late}"
        metric, times = in_words[row["measured"]]
        expect(row, times * trials_of(case, metric))
        seen.add((case, metric))
    table = OBSERVED.query("lab == 'connections'")
    assert seen == {(case, metric) for case in set(table["case"]) for metric in METRICS}
    memory = data[(data["unit"] == "MiB") & (data["client"] == "threads") & (data["trials"] == 5)]
    assert memory["estimate"].item() == pytest.approx(
        stats.gmean(trials_of("threads, 1000 open", "peak_bytes")) / 2**20
    )


def test_requests_that_nobody_answered_are_said(folder: Path, tmp_path: Path) -> None:
    def fail(table: pd.DataFrame) -> pd.DataFrame:
        failures = (table["case"] == "threads, 1000 open") & (table["metric"] == "failures")
        return table.assign(value=table["value"].where(~failures, 7))

    lost = results_in(tmp_path / "example", fail)
    assert "threads, 1000 open (35 of 50,000)" in words("connections", lost)
    assert "without an answer" not in words("connections", folder)


def test_memory_that_did_not_grow_is_left_out(tmp_path: Path) -> None:
    def keep(table: pd.DataFrame) -> pd.DataFrame:
        none = (table["case"] == "asyncio, 100 open") & (table["metric"] == "peak_bytes")
        return table.assign(value=table["value"].where(~none, 0))

    data = module("connections").data(Results.read(results_in(tmp_path / "example", keep)))
    few = data[(data["open_connections"] == 100) & (data["unit"] == "MiB")]
    assert list(few["client"]) == ["threads"]
    assert np.isfinite(data["estimate"]).all()


def test_throughput_is_what_was_observed(results: Results) -> None:
    data = module("lock_share").data(results)
    named = {(0.1, 4): "10 % held", (0.9, 4): "90 % held"}
    for row in data.to_dict("records"):
        held, threads = row["share_under_the_lock"], row["threads"]
        usual = f"{100 * held:.0f} % held, {threads} thread{'s' if threads > 1 else ''}"
        expect(row, trials_of(named.get((held, threads), usual), "tasks_per_s"))
        assert row["theory"] == pytest.approx(min(threads / 0.002, 1 / (held * 0.002) if held else math.inf))
        assert row["estimate"] < row["theory"]
    assert len(data) == 8


@pytest.mark.parametrize("threads", [1, 2, 4, 8])
def test_theory_is_right_at_its_corners(threads: int) -> None:
    assert bound(0, threads) == pytest.approx(500 * threads), "nothing is held: every thread does one task in 2 ms"
    assert bound(1, threads) == pytest.approx(500), "all is held: as if there were one thread"
    corner = 1 / threads
    assert bound(corner, threads) == pytest.approx(500 * threads), "the lock is just busy all of the time"
    assert bound(corner / 1.01, threads) == pytest.approx(500 * threads)
    assert bound(min(1, 2 * corner), threads) == pytest.approx(500 * max(1, threads / 2))


def test_the_dashed_lines_are_the_theory(folder: Path) -> None:
    (axes,) = picture("lock_share", folder).axes
    (curve,) = [line for line in axes.lines if line.get_linestyle() == "--"]
    x, y = (np.asarray(values, float) for values in curve.get_data())
    assert x[0] == pytest.approx(12.5)
    assert x[-1] == pytest.approx(100)
    assert y == pytest.approx(50_000 / x)
    flat = {
        (round(segment[1][0], 6), segment[0][1])
        for collection in axes.collections
        for segment in collection.get_segments()
        if segment[0][1] == segment[1][1]
    }
    assert flat == {(100.0, 500.0), (50.0, 1000.0), (25.0, 2000.0), (12.5, 4000.0)}


def test_markers_stand_aside_only_where_they_are_close() -> None:
    rows = [(2, 0.5, 900.0), (4, 0.5, 890.0), (8, 0.5, 910.0), (1, 0.5, 450.0), (4, 0.1, 1900.0)]
    found = pd.DataFrame(rows, columns=["threads", "held", "estimate"]).assign(runtime="cp311")
    assert list(places_beside(found, 100)) == [-1, 0, 1, 0, 0]
    elsewhere = pd.concat([found, found.assign(runtime="pypy311")], ignore_index=True)
    assert list(places_beside(elsewhere, 100)) == 2 * [-1, 0, 1, 0, 0]


@pytest.mark.parametrize("figure", FIGURES)
def test_every_trial_is_a_dot(figure: str, folder: Path) -> None:
    dots = [line for axes in picture(figure, folder).axes for line in axes.lines if line.get_marker() == "."]
    drawn = sum(len(line.get_xdata()) for line in dots)
    table = OBSERVED[OBSERVED["lab"] == FIGURES[figure]]
    metrics = {"message_cost": ["round_trip_s", "transfer_s"], "connections": list(METRICS)}
    assert drawn == table["metric"].isin(metrics.get(figure, ["tasks_per_s"])).sum()


@pytest.mark.parametrize("figure", FIGURES)
def test_a_run_without_the_lab_says_what_it_needs(figure: str, results: Results, tmp_path: Path) -> None:
    lab = FIGURES[figure]
    without = results_in(tmp_path / "example", lambda table: table[table["lab"] != lab])
    assert module(figure).needs(Results.read(without)) == f"the lab ``{lab}``: ``labs.names`` in the configuration"
    assert f"No trials of the lab {lab}." in words(figure, without)
    assert pd.read_csv(written(figure, without).with_suffix(".csv")).empty
    assert module(figure).alt(Results.read(without)).startswith("Nothing to draw")
    assert module(figure).needs(results) == ""
    assert list(module(figure).SHOWS) == [f"lab:{lab}"]


@pytest.mark.parametrize("figure", FIGURES)
def test_nothing_at_all_is_said(figure: str, empty: Path) -> None:
    assert f"No trials of the lab {FIGURES[figure]}." in words(figure, empty)


@pytest.mark.parametrize("figure", FIGURES)
def test_a_hollow_marker_is_said_and_nothing_else_is(figure: str, folder: Path, enough: Path) -> None:
    hollow = "Hollow: fewer than 3 trials, so no interval."
    assert hollow in words(figure, folder)
    assert "Hollow" not in words(figure, enough)
    assert module(figure).data(Results.read(enough))[["low", "high"]].notna().all(axis=None)


@pytest.mark.parametrize("figure", FIGURES)
def test_nine_runtimes_are_three_and_the_others_are_named(figure: str, nine: Path) -> None:
    shown = words(figure, nine)
    assert "CPython 3.11" in shown
    assert "free-threaded, lock off" in shown
    assert "PyPy" in shown
    assert "For want of room without cp39, cp310, cp312, cp313 and 2 more" in shown
    data = module(figure).data(Results.read(nine))
    assert list(dict.fromkeys(data["runtime"])) == list(NINE)
    said = module(figure).alt(Results.read(nine))
    assert "cp313t-nogil, " in said
    assert "cp312" not in said


@pytest.mark.parametrize("figure", FIGURES)
def test_one_measured_runtime_of_three_needs_no_name(figure: str, folder: Path) -> None:
    shown = words(figure, folder)
    assert "CPython" not in shown
    assert "For want of room" not in shown


@pytest.mark.parametrize("figure", FIGURES)
def test_a_trial_without_an_answer_is_said(figure: str, folder: Path, tmp_path: Path) -> None:
    case = {"message_cost": "Pipe, 1 KiB, bytes", "connections": "asyncio, 5000 open", "lock_share": "10 % held"}[
        figure
    ]
    gap = {"runtime": "cp311", "lab": FIGURES[figure], "case": case, "trial": 3, "reason": "it took 30 s"}
    others = [{**gap, "trial": None}, {**gap, "case": "acquire without with"}]
    lost = results_in(tmp_path / "example", gaps=[gap, {**gap, "trial": 4}, *others])
    assert "2 more trials gave no answer." in words(figure, lost)
    assert "gave no answer" not in words(figure, folder)


@pytest.mark.parametrize("figure", FIGURES)
def test_its_words_hold_its_numbers(figure: str, results: Results) -> None:
    said = module(figure).alt(results)
    expected = {
        "message_cost": f"shared_memory {1e3 * stats.gmean(trials_of('shared_memory, 32 MiB, array', 'transfer_s')):.3g} ms",
        "connections": f"{stats.gmean(trials_of('threads, 1000 open', 'requests_per_cpu_s')):,.0f} with threads",
        "lock_share": f"{stats.gmean(trials_of('90 % held', 'tasks_per_s')):,.0f} at 90 % (theory 556)",
    }
    assert expected[figure] in said


@pytest.mark.parametrize("figure", FIGURES)
def test_a_case_that_the_lab_no_longer_has_is_no_error(figure: str, results: Results, tmp_path: Path) -> None:
    def renamed(table: pd.DataFrame) -> pd.DataFrame:
        own = table[table["lab"] == FIGURES[figure]]
        return pd.concat([table, own.assign(case="by pigeon, 1 KiB")], ignore_index=True)

    folder = results_in(tmp_path / "example", renamed)
    written(figure, folder)
    assert len(module(figure).data(Results.read(folder))) == len(module(figure).data(results))


@pytest.mark.parametrize("figure", FIGURES)
def test_results_are_drawn_alike_every_time(figure: str, folder: Path, tmp_path: Path) -> None:
    """Whatever the order of the rows."""
    other = shutil.copytree(folder, tmp_path / "example", ignore=shutil.ignore_patterns("figures"))
    OBSERVED.sample(frac=1, random_state=1).to_parquet(other / "observations.parquet")
    assert written(figure, folder).read_bytes() == written(figure, other).read_bytes()


def test_lines_of_text_never_overlap() -> None:
    heights = apart(pd.Series([1.2, 0.95, 0.94, 0.5, 0.49]))
    assert heights == sorted(heights, reverse=True)
    assert all(one - other > 0.06 for one, other in itertools.pairwise(heights))
    assert heights[3] == 0.5


def test_of_two_close_sizes_the_larger_one_is_named() -> None:
    assert size_labels([64, 2**10, 2**25, 2**26]) == ["64 B", "1 KiB", "", "64 MiB"]
