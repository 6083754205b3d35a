"""Files dated in the future."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from gilscope.configuring.mistakes import Mistakes
from gilscope.invoking.dates import bring_back

HOUR_NS = 3600 * 10**9


def made(folder: Path, **hours: float) -> dict[str, Path]:
    """Empty files, each dated that many hours ahead."""
    now = time.time_ns()
    for name, ahead in hours.items():
        (folder / name).touch()
        os.utime(folder / name, ns=(now, now + int(ahead * HOUR_NS)))
    return {name: folder / name for name in hours}


def test_files_from_the_future_are_dated_to_now_in_their_order(tmp_path: Path) -> None:
    files = made(tmp_path, last=3, first=1, same=1, middle=2, old=-1)
    before = files["old"].stat().st_mtime_ns
    line = bring_back([*files.values(), files["last"], tmp_path / "missing"])
    assert line == (
        "gilscope: dated to now, since the future would stop the run: 4 files, "
        f"{tmp_path}/first, {tmp_path}/last, {tmp_path}/middle …"
    )
    assert files["old"].stat().st_mtime_ns == before
    date = {name: path.stat().st_mtime for name, path in files.items()}
    assert date["old"] < date["first"] == date["same"] < date["middle"] < date["last"] <= time.time()


def test_there_is_nothing_to_say_of_others(tmp_path: Path) -> None:
    files = made(tmp_path, yesterday=-24, recent=-0.001)
    dates = [file.stat().st_mtime_ns for file in files.values()]
    assert bring_back(files.values()) is None
    assert [file.stat().st_mtime_ns for file in files.values()] == dates


def test_a_file_that_cannot_be_dated_is_named_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **more: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    files = made(tmp_path, one=1, two=2)
    monkeypatch.setattr(os, "utime", refuse)
    with pytest.raises(Mistakes) as mistakes:
        bring_back(files.values())
    assert mistakes.value.lines == [
        f"{files[name]}: dated in the future, and cannot be dated anew: Operation not permitted; touch it as its owner."
        for name in ("one", "two")
    ]
