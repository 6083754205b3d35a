"""Where a measurement's temporary files lie."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from gilscope.running.temporary import ALIVE, LONGEST, of_this_node, temporary_files_apart

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


HOLD = """
import sys
from gilscope.running.temporary import hold
hold(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_what_the_killed_have_left_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    monkeypatch.setattr("gilscope.running.temporary.short_folder", lambda: str(tmp_path))
    folders = [
        tmp_path / f"gilscope-{of_this_node()}-{name}"
        for name in ("abandoned---", "held--------", "being-made.new", "another's---")
    ]
    for folder in folders:
        folder.mkdir()
    for folder in folders[:3]:
        (folder / ALIVE).touch()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folders[1])], env=environment, **pipes) as holder:  # type: ignore[call-overload]
        assert holder.stdout.readline() == "held\n"
        with temporary_files_apart():
            assert [folder.exists() for folder in folders] == [False, True, True, True]
        holder.stdin.close()
    with temporary_files_apart():
        assert [folder.exists() for folder in folders] == [False, False, True, True]
