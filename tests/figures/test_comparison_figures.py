"""The figures of a comparison: of one side, a few and a crowd, without intervals, without anything, and of bad names."""

from __future__ import annotations

import csv
import importlib
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from comparisons import MACHINES, Machine, make_hostile, many, write_comparison
from gilscope.figures import Results, figure_names, no_formulas, write_figure, write_figures
from gilscope.figures.comparison import SECTIONS, Comparison
from gilscope.figures.comparison._sides import LETTERS, MOST, chosen, looks, short
from gilscope.figures.comparison.ceilings import points as ceilings
from gilscope.figures.comparison.pays_from import points as break_evens
from gilscope.figures.comparison.pays_from import told
from gilscope.figures.comparison.relative_speed import points as speeds
from gilscope.figures.comparison.scaling_by_side import thinned
from synthetic import write_results

ROOT = Path(__file__).resolve().parents[2]
FIGURES = figure_names(Comparison)
TEXT = "{http://www.w3.org/2000/svg}text"
CROWD = 30


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("r") / "example", claims=4)


@pytest.fixture(scope="module")
def three(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison(tmp_path_factory.mktemp("c") / "three", results)


@pytest.fixture(scope="module")
def crowd(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison(tmp_path_factory.mktemp("c") / "crowd", results, many(CROWD))


@pytest.fixture(scope="module")
def alone(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison(tmp_path_factory.mktemp("c") / "alone", results, MACHINES[:1])


def drawn(figure: str, folder: Path, target: Path) -> ElementTree.Element:
    path = target / f"{figure}.svg"
    write_figure(figure, folder, path, Comparison)
    return ElementTree.parse(path).getroot()


def words(drawing: ElementTree.Element) -> str:
    return " ".join("".join(text.itertext()) for text in drawing.iter(TEXT))


def test_the_figures_are_found_and_are_none_of_the_reports() -> None:
    assert FIGURES == [
        "ceilings",
        "messages_by_side",
        "pays_from",
        "relative_speed",
        "scaling_by_side",
        "start_up_by_side",
    ]
    assert not set(FIGURES) & set(figure_names())
    assert "comparison" not in figure_names(Results)


def test_every_figure_is_in_a_section_that_the_page_shows_and_has_a_caption() -> None:
    notebook = (ROOT / "report/comparison.ipynb").read_text(encoding="utf-8")
    shown = set(re.findall(r'show\(pictures, \\"([a-z-]+)\\"', notebook))
    assert shown <= set(SECTIONS)
    assert {importlib.import_module(f"gilscope.figures.comparison.{name}").SECTION for name in FIGURES} == shown
    assert set(FIGURES) <= {path.stem for path in (ROOT / "report/captions").glob("*.rst")}


@pytest.mark.parametrize("which", ["three", "crowd", "alone"])
@pytest.mark.parametrize("figure", FIGURES)
def test_it_is_drawn_in_colours_that_follow_the_reader(
    figure: str, which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    drawing = drawn(figure, request.getfixturevalue(which), tmp_path)
    text = (tmp_path / f"{figure}.svg").read_text(encoding="utf-8")
    shapes = text.split("</style>", 1)[1]
    assert set(re.findall(r"#[0-9a-f]{6}\b", shapes)) == set(), "a colour that a dark page would not change"
    assert drawing.findtext("{http://www.w3.org/2000/svg}title")
    assert len(drawing.findtext("{http://www.w3.org/2000/svg}desc")) > 40
    assert bool(drawing.get("data-needs")) is (which == "alone" and figure == "relative_speed")
    assert float(drawing.get("height").removesuffix("pt")) < 1000


@pytest.mark.parametrize("figure", FIGURES)
def test_the_same_comparison_gives_the_same_bytes(figure: str, three: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_figure(figure, three, tmp_path / name / "figure.svg", Comparison)
    for suffix in ("svg", "csv"):
        assert len({(tmp_path / name / f"figure.{suffix}").read_bytes() for name in ("one", "other")}) == 1


@pytest.mark.parametrize("figure", FIGURES)
def test_nothing_at_all_is_said(figure: str, tmp_path: Path) -> None:
    drawing = drawn(figure, tmp_path / "empty", tmp_path)
    assert re.match(r"No (times|trials|side|strategy|workload)", words(drawing))
    assert drawing.get("data-needs")


@pytest.mark.parametrize("figure", FIGURES)
def test_bad_names_are_only_names(figure: str, results: Path, tmp_path: Path) -> None:
    folder = make_hostile(write_comparison(tmp_path / "bad", results))
    drawing = drawn(figure, folder, tmp_path)
    assert not [one.tag for one in drawing.iter() if one.tag.endswith("}script")]
    if figure not in {"messages_by_side", "start_up_by_side"}:  # the cases of labs are not known under other names
        assert "=1+1</script>" in words(drawing)
    with (tmp_path / f"{figure}.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_formula_becomes_text() -> None:
    table = pd.DataFrame({"name": ["=1", "+2", "-3", "@4", "\t5", "plain"], "number": [-1.0, 2, 3, 4, 5, 6]})
    assert list(no_formulas(table)["name"]) == ["'=1", "'+2", "'-3", "'@4", "'\t5", "plain"]
    assert list(no_formulas(table)["number"]) == list(table["number"])
    assert no_formulas(pd.DataFrame({"name": pd.Series(["=1"], dtype="category")}))["name"].tolist() == ["'=1"]


@pytest.mark.parametrize("figure", ["relative_speed", "scaling_by_side", "ceilings", "start_up_by_side"])
def test_what_has_no_interval_is_hollow_and_said(figure: str, three: Path, tmp_path: Path) -> None:
    for path in three.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for name in ("cells", "speeds", "labs"):
        table = pd.read_parquet(three / f"{name}.parquet").assign(low=np.nan, high=np.nan)
        table.to_parquet(tmp_path / f"{name}.parquet")
    assert "Hollow: fewer than 3" in words(drawn(figure, tmp_path, tmp_path))


def test_speeds_are_those_of_the_machines(three: Path, tmp_path: Path) -> None:
    table = speeds(Comparison.read(three))
    computing = table[table["kind"] == "cpu"].groupby("side")["estimate"].median()
    assert computing["big-iron-16c · cp311"] == pytest.approx(1.7, rel=0.1)
    assert computing["laptop-8c · cp311"] == pytest.approx(2.4, rel=0.1)
    assert set(table[table["workload"] == "sleep"]["estimate"].round()) == {1}
    assert table.groupby(["workload", "side"]).size().max() == 1, "one size of each workload"
    said = words(drawn("relative_speed", three, tmp_path))
    assert "laptop-8c · cp311" in said
    assert "example-2c" not in said, "the baseline is the line at 1"


def test_of_many_sides_the_ends_are_named(crowd: Path, tmp_path: Path) -> None:
    table = speeds(Comparison.read(crowd))
    own = table[table["workload"] == "matmul"].sort_values("estimate")
    drawing = drawn("relative_speed", crowd, tmp_path)
    for row in (own.iloc[0], own.iloc[-1]):
        assert f"{row['estimate']:.2f}× {row['side']}" in words(drawing)
    assert "the middle half of the sides" in words(drawing)


def test_a_side_of_another_runtime_says_what_it_is_compared_with(tmp_path: Path) -> None:
    several = write_results(tmp_path / "r", runtimes=("cp311", "cp313t-nogil"), claims=2)
    folder = write_comparison(tmp_path / "c", several, MACHINES[:2])
    said = words(drawn("relative_speed", folder, tmp_path))
    assert "big-iron-16c · cp313t-nogil (÷ cp313t-nogil of the baseline)" in said
    assert "big-iron-16c · cp311 (" not in said


def test_at_most_eight_sides_have_curves_and_the_others_are_counted(crowd: Path, tmp_path: Path) -> None:
    said = words(drawn("scaling_by_side", crowd, tmp_path))
    assert f"The {MOST} most different of {CROWD} sides" in said
    assert len(set(re.findall(r"node-\d+", said.split("for want of room")[0]))) == MOST


def test_the_most_different_hardware_is_chosen(results: Path, tmp_path: Path) -> None:
    twins = [Machine(f"twin-{number}") for number in range(12)]
    others = [Machine("arm-4c", "ARM", 4), Machine("x86-64c", "Xeon", 64), Machine("mac-8c", "Apple", 8, os="Darwin")]
    comparison = Comparison.read(write_comparison(tmp_path, results, [*twins, *others]))
    taken = chosen(comparison, comparison.names, 4)
    assert taken == ["twin-0 · cp311", "arm-4c · cp311", "x86-64c · cp311", "mac-8c · cp311"]
    assert chosen(comparison, comparison.names[:3], 8) == comparison.names[:3]
    assert chosen(comparison, [], 8) == []
    assert len(set(looks(comparison, taken).values())) == 4


def test_a_side_looks_alike_in_every_figure_where_there_are_few(three: Path) -> None:
    comparison = Comparison.read(three)
    assert looks(comparison, comparison.names[1:]) == {
        name: look for name, look in looks(comparison, comparison.names).items() if name != comparison.names[0]
    }


def test_a_ceiling_is_that_of_all_usable_cores(three: Path, tmp_path: Path) -> None:
    table = ceilings(Comparison.read(three)).set_index("side")
    assert list(table["workers"]) == list(table["cores"]) == [2, 16, 8]
    assert table["share"].between(0.5, 1.05).all()
    said = words(drawn("ceilings", three, tmp_path))
    for row in table.to_dict("records"):
        assert f"{row['estimate']:.2f} of {row['workers']}: {row['share']:.0%}" in said


def test_of_many_ceilings_the_nearest_and_the_furthest_are_named(crowd: Path, tmp_path: Path) -> None:
    table = ceilings(Comparison.read(crowd))
    said = words(drawn("ceilings", crowd, tmp_path))
    for place in (table["share"].idxmax(), table["share"].idxmin()):
        assert f"{table['side'][place]}: {table['share'][place]:.0%}" in said


def break_even_rows(side: str, **pays: str) -> list[dict[str, Any]]:
    """A row for each strategy: where it pays, in a word; from 2 ms on where that is somewhere."""
    known = {"somewhere": {"estimate": 2e-3, "low": 1e-3, "high": None}}
    nothing = {"estimate": None, "low": None, "high": None}
    about = {"side": side, "workload": "w", "pool": "cold", "smallest": 1e-4, "largest": 3e-2}
    return [
        {**about, "strategy": strategy, "workers": workers, "pays": word, **known.get(word, nothing)}
        for strategy, word in pays.items()
        for workers in (1, 2, 16)
    ]


def test_only_strategies_that_differ_or_have_a_break_even_are_drawn(three: Path, tmp_path: Path) -> None:
    comparison = Comparison.read(three)
    first, second, _ = comparison.names
    rows = break_even_rows(first, threading="nowhere", asyncio="nowhere", hybrid="everywhere", fork="somewhere")
    rows += break_even_rows(second, threading="everywhere", asyncio="nowhere", hybrid="everywhere", fork="undecided")
    known = Comparison(tmp_path, sides=comparison.sides, break_even=rows)
    table = break_evens(known)
    assert set(told(table)["row"]) == {"w · threading", "w · fork"}
    assert dict(table.groupby("side")["workers"].unique().map(list)) == {first: [2], second: [16]}
    module = importlib.import_module("gilscope.figures.comparison.pays_from")
    assert "w · threading: 1 nowhere, 1 everywhere" in module.alt(known)
    assert f"w · fork: from 2 ms on {first}, 1 undecided" in module.alt(known)
    assert module.alike_note(table) == (
        "\nPays at every size on every side: w · hybrid.\nPays at no size on any side: w · asyncio."
    )


def test_names_are_cut_in_the_middle() -> None:
    long = "a" * 60 + "-the-end"
    assert len(short(long)) == LETTERS
    assert short(long).startswith("aaa")
    assert short(long).endswith("-the-end")
    assert short("two\nlines  and\tmore") == "two lines and more"


@pytest.mark.parametrize(("count", "kept"), [(1, [1]), (7, [1, 2, 4, 8, 16, 32, 64]), (10, [1, 4, 16, 64, 256, 512])])
def test_an_axis_has_few_counts_with_both_ends(count: int, kept: list[int]) -> None:
    assert thinned([2**power for power in range(count)]) == kept


def test_all_are_written_at_once(three: Path, tmp_path: Path) -> None:
    write_figures(three, tmp_path, cores=2, of=Comparison)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.{end}" for name in FIGURES for end in ("svg", "csv")}
