"""Files that are not what was written: named, with the cure, whatever they should have been."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from gilscope.analysis.tables import read_table
from gilscope.figures import read_json as read_or
from gilscope.measuring.raw import read_values
from gilscope.running import files
from gilscope.running.files import Damaged, making_sense_of, read_json, write_json

CURE = "; delete it, and the next run makes it again"
SUITE = {
    "version": "1.0",
    "benchmarks": [
        {
            "metadata": {"name": "threading-2", "unit": "second", "loops": 1},
            "runs": [{"values": [0.5], "metadata": {"lap": 1, "position": 1}}],
        }
    ],
}


@pytest.mark.parametrize("text", ["", "{", '{"a": NaN}', '{"a": -Infinity}', "[" * 100_000, "\udcff", "\0" * 9])
def test_json_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "facts.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    for read in (read_json, lambda path: read_or(path, {}), read_values):
        with pytest.raises(Damaged) as damaged:
            read(path)
        assert str(damaged.value).startswith(f"{path} is damaged (")
        assert str(damaged.value).endswith(CURE)


@pytest.mark.parametrize("kept", [0, 4, 300])
def test_a_table_cut_short(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "timings.parquet"
    pd.DataFrame({"seconds": [1.0, 2.0]}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(Damaged) as damaged:
        read_table(path)
    assert str(damaged.value).startswith(f"{path} is damaged (")
    assert str(damaged.value).endswith(CURE)


def test_what_is_no_number_is_written_as_nothing(tmp_path: Path) -> None:
    write_json(str(tmp_path / "a.json"), {"a": [float("nan"), (float("inf"), 1.5)], "b": {"c": -float("inf")}})
    assert read_json(tmp_path / "a.json") == {"a": [None, [None, 1.5]], "b": {"c": None}}


def test_a_file_gets_its_name_when_all_of_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that comes before its content would be there, and empty, after a power cut."""
    done: list[str] = []

    def noted(name: str) -> None:
        usual = getattr(os, name)
        monkeypatch.setattr(files.os, name, lambda *given: (done.append(name), usual(*given)))

    noted("fsync")
    noted("replace")
    write_json(str(tmp_path / "a.json"), {})
    assert done == ["fsync", "replace"]


@pytest.mark.parametrize("error", [KeyError("a"), IndexError(1), TypeError("b"), ValueError("c"), AttributeError("d")])
def test_content_of_another_form_is_damage_and_a_missing_file_is_not(error: Exception) -> None:
    with pytest.raises(Damaged, match=rf"a\.json is damaged \({type(error).__name__}: "), making_sense_of("a.json"):
        raise error
    with pytest.raises(FileNotFoundError), making_sense_of("a.json"):
        raise FileNotFoundError("a.json")


def test_what_is_missing_is_not_damaged(tmp_path: Path) -> None:
    for read in (read_json, read_table, read_values):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none")


@pytest.mark.parametrize(
    "change",
    [
        {"benchmarks": None},
        {"benchmarks": [{"runs": []}]},
        {"version": "0.0"},
        {"benchmarks": [{**SUITE["benchmarks"][0], "runs": [{"values": [0.5], "metadata": {"lap": 1}}]}]},
        {"benchmarks": [{**SUITE["benchmarks"][0], "runs": [{"values": [0.5, 0.6]}]}]},
        {"benchmarks": [{**SUITE["benchmarks"][0], "runs": [{"values": [1e999]}]}]},
    ],
    ids=str,
)
def test_a_raw_file_of_another_kind(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "round-1.json"
    path.write_text(json.dumps(SUITE))
    (value,) = read_values(str(path))
    assert (value.cell, value.seconds, value.position) == ("threading-2", 0.5, 1)
    path.write_text(json.dumps({**SUITE, **change}))
    with pytest.raises(Damaged, match=r"round-1\.json is damaged"):
        read_values(str(path))
