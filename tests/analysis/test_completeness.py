"""Files of a measurement that were cut down, and are valid all the same: each is refused by its name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gilscope.analysis.collecting import collect_run, read_machine
from gilscope.analysis.completeness import check_plan, check_values, timed_cells
from gilscope.analysis.gaps import collect_lab_gaps
from gilscope.analysis.observed import collect_observations
from gilscope.configuring.mistakes import Mistakes
from gilscope.configuring.models import Limits
from gilscope.measuring.laps import Value
from gilscope.running.cells import Block
from gilscope.running.files import Damaged, write_json

CELLS = ["threading-2", "multiprocessing-2", "threading-4", "hybrid-2"]
BLOCK = {"runtime": "cp311", "workload": "sum_squares", "size": "small", "tasks": 2, "cells": CELLS, "folder": ""}
FACTS: dict[str, Any] = {
    "block": {**BLOCK, "seldom": ["threading-4"], "parameter": 1000},
    "laps": 3,
    "only": None,
    "traced": True,
    "not_applicable": None,
    "skipped": {},
    "failed": {"hybrid-2": "ValueError: no"},
}


def values(**left_out: int) -> list[Value]:
    """Those of a round without the laps of the cells named, ``threading_2=3``; the seldom cell only in the first lap."""
    taken = [("sequential-1", lap) for lap in (1, 2, 3)] + [("threading-4", 1)]
    taken += [(cell, lap) for cell in CELLS[:2] for lap in (1, 2, 3)]
    gone = {(name.replace("_", "-"), lap) for name, lap in left_out.items()}
    return [Value(cell, lap, 0, 1, 0.5) for cell, lap in taken if (cell, lap) not in gone]


def test_a_whole_round_is_whole() -> None:
    check_values("raw.json", FACTS, values())
    assert timed_cells(FACTS) == ["sequential-1", *CELLS[:3]]


def test_a_round_of_another_configuration_is_refused_by_name(tmp_path: Path) -> None:
    planned = Block("cp311", "sum_squares", "small", 1000, 2, ("threading-2",), 0.3)
    files = []
    for number, block in enumerate((planned, replace(planned, seconds=0.2, min_laps=1)), start=1):
        files.append(str(tmp_path / f"round-{number}.facts.json"))
        write_json(files[-1], {"block": json.loads(block.to_json())})
    check_plan(files[:1], [planned])
    check_plan(files, [])
    with pytest.raises(Mistakes) as refused:
        check_plan(files, [planned])
    (line,) = refused.value.lines
    assert line.startswith(f"{files[1]} was measured for another configuration (")
    assert "seconds 0.2, not 0.3" in line
    assert "min_laps 1, not 5" in line


@pytest.mark.parametrize(
    "changed",
    [
        {"laps": 0},
        {"wrong": "two sequential runs differ already"},
        {"not_applicable": "no numpy"},
        {"failed": dict.fromkeys(("sequential-1", *CELLS), "")},
    ],
)
def test_what_was_not_timed_is_not_missed(changed: dict[str, Any]) -> None:
    check_values("raw.json", {**FACTS, **changed}, [])


def test_an_added_round_has_the_cells_that_it_was_added_for() -> None:
    added = {**FACTS, "only": ["threading-2"], "traced": False}
    check_values("raw.json", added, [value for value in values() if value.cell in ("sequential-1", "threading-2")])


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ([], "it lacks sequential-1 in 3 of 3 laps"),
        (values(threading_2=3), "it lacks threading-2 in 1 of 3 laps"),
        (values(threading_4=1), "it lacks threading-4 in 1 of 1 laps"),
    ],
)
def test_a_raw_file_with_fewer_values_is_damaged(left: list[Value], said: str) -> None:
    with pytest.raises(Damaged) as damaged:
        check_values("raw.json", FACTS, left)
    assert str(damaged.value) == f"raw.json is damaged ({said}); delete it, and the next run makes it again"


def test_a_lab_that_saw_nothing_and_says_nothing_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "race.json"
    path.write_text(json.dumps({"runtime": "cp311", "gil": True, "lab": "race", "observations": [], "gaps": []}))
    with pytest.raises(Damaged, match="neither observations nor gaps"):
        collect_observations([str(path)], "here")
    path.write_text("[]")
    with pytest.raises(Damaged, match=r"race\.json is damaged"):
        collect_lab_gaps([str(path)])


@pytest.mark.parametrize("content", ["{}", "[]", "null", '{"label": "here", "usable_cores": null}'])
def test_a_machine_of_another_form_is_damaged(tmp_path: Path, content: str) -> None:
    path = tmp_path / "machine.json"
    path.write_text(content)
    with pytest.raises(Damaged, match=r"machine\.json is damaged"):
        read_machine(str(path))


@pytest.mark.parametrize("spoiled", ["raw", "facts", "trace", "runtime"])
@pytest.mark.parametrize("content", ["{}", "[]", "0", '{"block": {}}'])
def test_whatever_file_a_table_is_made_of_is_named(tmp_path: Path, spoiled: str, content: str) -> None:
    """JSON of another form is no traceback."""
    folder = tmp_path / "raw/cp311/sum_squares/small"
    files = {
        "raw": folder / "round-1.json",
        "facts": folder / "round-1.facts.json",
        "trace": tmp_path / "traces/cp311/sum_squares/small/round-1.json",
        "runtime": tmp_path / "cp311.json",
    }
    known = {"time": 1.0, "load": 0.1}
    about = {"round": 1, "stage": 1, "started": 1.0, "ended": 2.0, "waited_s": 0.0, "gil": True, "calibrated": {}}
    nothing = {"not_applicable": "no", "laps": 0, "environment": {"before": known, "after": {**known, "time": 2.0}}}
    whole = {
        "raw": {"version": "1.0", "benchmarks": []},
        "facts": {**FACTS, **about, **nothing},
        "trace": {"block": FACTS["block"], "failed": {}, "cells": {}, **about},
        "runtime": {"implementation": "CPython", "version": "3.11.7", "gil": True},
    }

    def collect() -> None:
        machine = {"label": "here", "usable_cores": 2}
        paths = [[str(files[name])] for name in ("facts", "trace", "runtime")]
        collect_run(paths[0], paths[1], [], paths[2], machine=machine, limits=Limits())

    for name, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(whole[name]))
    collect()
    files[spoiled].write_text(content)
    with pytest.raises(Damaged) as damaged:
        collect()
    assert str(damaged.value).startswith(f"{files[spoiled]} is damaged (")


@pytest.mark.parametrize(("calibration", "said"), [("{", "Expecting property name"), ("[]", "AttributeError")])
def test_a_damaged_calibration_ends_the_job_and_is_no_result(
    tmp_path: Path, measure: Any, calibration: str, said: str
) -> None:
    (tmp_path / "calibration.json").write_text(calibration)
    done = measure(Block("cp311", "sum_squares", "small", 100, 2, ("threading-2",), 0.1, 1), tmp_path, 2)
    assert done.returncode == 1
    assert done.stderr.startswith(f"gilscope: {tmp_path / 'calibration.json'} is damaged ({said}")
    assert done.stderr.endswith("; delete it, and the next run makes it again\n")
    assert not (tmp_path / "round-2.json").exists()
