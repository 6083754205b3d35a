"""Where a measurement's temporary files lie."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from gilscope.running.temporary import LONGEST, temporary_files_apart

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such sockets there")


def test_they_lie_in_a_folder_of_their_own_with_a_short_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with temporary_files_apart():
        folder = tempfile.gettempdir()
        assert folder == os.environ["TMPDIR"] != str(long)
        assert len(folder) <= LONGEST + len("/gilscope-0123456789ab")
        assert os.stat(folder).st_mode & 0o777 == 0o700
        Path(tempfile.mkdtemp()).joinpath("left").touch()
    assert not os.path.exists(folder)
    assert os.environ["TMPDIR"] == str(long)
    assert tempfile.gettempdir() == str(long)


def test_where_no_folder_can_be_made_they_lie_where_they_always_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with temporary_files_apart():
        assert tempfile.gettempdir() == "/nowhere"
