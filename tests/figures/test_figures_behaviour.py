"""The figure of what the labs decided, drawn from what they really observed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gilscope.figures import Results, behaviour
from gilscope.figures._look import VERDICTS
from gilscope.figures._svg import drawing
from judged import OBSERVED, THREE, results_folder
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from pictures import picture, words


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runtimes: all labs on the current one, turns and ticks on one binary with the lock on and off too."""
    return results_folder(tmp_path_factory.mktemp("results") / "example", OBSERVED)


def share_cases(results: Results, runtime: str) -> list[tuple[str, str]]:
    """Claim and case of what ``behaviour`` is about, straight from the verdicts."""
    return [
        (row["claim"], case["case"])
        for row in results.verdicts
        for case in row["cases"]
        if row["runtime"] == runtime and case["unit"] == "share"
        for lab in [case["cells"][0].split("/")[2]]
        if f"lab:{lab}" in behaviour.SHOWS
    ]


def texts_by_row(drawn: Figure) -> dict[float, list[str]]:
    """The texts of each row from left to right."""
    (axes,) = drawn.axes
    rows: dict[float, list[tuple[float, str]]] = {}
    for text in axes.texts:
        rows.setdefault(text.get_position()[1], []).append((text.get_position()[0], text.get_text()))
    return {y: [words for _, words in sorted(found)] for y, found in sorted(rows.items())}


def rows_of(drawn: Figure) -> dict[float, tuple[str, str]]:
    """Where each case lies: y → claim and case, a claim standing only in its first row."""
    found, claim = {}, ""
    for y, texts in texts_by_row(drawn).items():
        if len(texts) == 3:
            claim = texts[0].removesuffix(" (demonstration)").replace(" ", "-")
        if len(texts) == 3 or not is_heading(texts):
            found[y] = claim, texts[-2]
    return found


def is_heading(texts: Sequence[str]) -> bool:
    return texts[0].lower().replace(" ", "_") in behaviour.LABS


def test_behaviour_shows_every_share_exactly_once(real: Path) -> None:
    results = Results.read(real)
    expected = share_cases(results, "cp311")
    assert len(expected) > 30
    shown = list(rows_of(picture("behaviour", real)).values())
    assert Counter(shown) == Counter(expected)
    assert set(Counter(shown).values()) == {1}
    table = behaviour.data(results)
    for runtime in THREE:
        own = table[table["runtime"] == runtime]
        assert sorted(zip(own["claim"], own["case"], strict=True)) == sorted(share_cases(results, runtime))


def test_behaviour_draws_each_verdict_where_its_share_is(real: Path) -> None:
    results = Results.read(real)
    cases = {
        (row["claim"], case["case"]): case
        for row in results.verdicts
        for case in row["cases"]
        if row["runtime"] == "cp311"
    }
    drawn = picture("behaviour", real)
    (axes,) = drawn.axes
    marked = [line for line in axes.get_lines() if line.get_marker() not in ("None", "")]
    marks = {round(y): (x, to_rgba(line.get_color())) for line in marked for x, y in line.get_xydata()}
    bars = {
        round(y): (low, high)
        for lines in axes.collections
        for path in (lines.get_paths() if hasattr(lines, "get_segments") else [])
        for (low, y), (high, other) in [path.vertices]
        if y == other
    }
    numbers = {y: texts[-1] for y, texts in texts_by_row(drawn).items()}
    rows = rows_of(drawn)
    tested = {y: cases[key] for y, key in rows.items() if cases[key]["estimate"] is not None}
    assert len(tested) > 30
    assert set(marks) == set(bars) == set(tested)
    for y, case in tested.items():
        assert marks[y] == (case["estimate"], to_rgba(VERDICTS[case["verdict"]].colour))
        assert bars[round(y)] == pytest.approx((case["low"], case["high"]))
        assert numbers[y] == case["counted"].removesuffix(" trials")


@pytest.mark.parametrize(
    ("threshold", "where"),
    [({"above": 0.95}, (0.95, 1)), ({"below": 0.05}, (0, 0.05)), ({"within": [0.4, 0.6]}, (0.4, 0.6))],
)
def test_the_side_on_which_a_claim_holds_is_shaded(
    threshold: dict[str, Any], where: tuple[float, float], real: Path
) -> None:
    results = Results.read(real)
    (row,) = (row for row in results.verdicts if (row["claim"], row["runtime"]) == ("threads-share-memory", "cp311"))
    cases = [{**row["cases"][0], "threshold": threshold}]
    with drawing():
        (axes,) = behaviour.draw(replace(results, verdicts=[{**row, "cases": cases}])).axes
        shades = [
            found.get_paths()[0].get_extents() for found in axes.collections if "FillBetween" in repr(type(found))
        ]
    assert [(shade.x0, shade.x1) for shade in shades] == [pytest.approx(where)]


def test_what_was_not_tested_says_why(real: Path, tmp_path: Path) -> None:
    results = Results.read(real)
    (turtle,) = (row for row in results.verdicts if row["runtime"] == "cp311" and "drawing-from" in row["claim"])
    said = f"the lab turtle, {turtle['cases'][0]['case']}: needs a <display>, $DISPLAY or $WAYLAND_DISPLAY; see there"
    turtle["cases"][0] |= {"estimate": None, "low": None, "high": None, "verdict": "not tested", "reason": said}
    folder = shutil.copytree(real, tmp_path / "example", ignore=shutil.ignore_patterns("figures"))
    (folder / "verdicts.json").write_text(json.dumps(results.verdicts), encoding="utf-8")
    shown = [text for texts in texts_by_row(picture("behaviour", folder)).values() for text in texts]
    assert "not tested: needs a <display>, $DISPLAY or $WAYLAND_DISPLAY; …" in shown
    assert "$DISPLAY or $WAYLAND_DISPLAY" in words("behaviour", folder), "not taken for a formula"


def test_lost_trials_are_counted_beside_the_others() -> None:
    assert behaviour.in_short("109 of 109 trials, 1 more gave no answer (it hung)") == "109 of 109, 1 lost"
    assert behaviour.in_short("110 of 110 trials") == "110 of 110"
