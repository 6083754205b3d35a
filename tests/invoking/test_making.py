"""How the workflow's scripts end: with their outputs on record, or with one line in the log and on the terminal."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest
from gilscope.configuring.mistakes import Mistakes
from gilscope.invoking.making import changed, discard_changed, making
from gilscope.running.files import Damaged, making_sense_of, read_json, write_json
from gilscope.running.records import Record

TABLE = "a,b\n" + "1,2\n" * 9
CURE = "; delete it, and the next run makes it again"


@pytest.fixture
def job(tmp_path: Path) -> SimpleNamespace:
    """A rule ``estimate`` whose outputs are a table and a page beside the results."""
    results = tmp_path / "results/here"
    (results / "logs").mkdir(parents=True)
    outputs = [str(results / "summary.csv"), str(tmp_path / "results/page.html")]
    return SimpleNamespace(rule="estimate", log=[str(results / "logs/estimate.log")], output=outputs)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that no run is under way in."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def made(job: SimpleNamespace) -> Path:
    """The folder of the results, when the rule's script has run."""
    with making(job):
        for path in job.output:
            Path(path).write_text(TABLE)
    return Path(job.output[0]).parent


def test_what_was_made_is_what_is_there(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert changed(made) == {}
    discard_changed([made], [])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", ["", "a,b\n", f"{TABLE[:-2]}3\n", f"{TABLE}\n"])
def test_what_was_changed_is_deleted_and_named(made: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    table, page = made / "summary.csv", made.parent / "page.html"
    table.write_text(content)
    discard_changed([made], ["--cores", "all"])
    said = f"gilscope: {table} is not what was made, but damaged or changed since; deleted, to be made again\n"
    assert capsys.readouterr().err == said
    assert (table.exists(), page.exists()) == (False, True)
    page.write_text("")
    discard_changed([made], [])
    assert not page.exists()


@pytest.mark.parametrize("folder", ["raw/cp311/sleep/small", "labs/cp311", "runtimes"])
def test_what_was_measured_and_changed_is_named_and_stays(made: Path, folder: str) -> None:
    files = [made / folder / "round-1.json", made / "traces/round-1.json"]
    record = Record(str(made / "machine.json"), str(files[0]))
    record.forget()
    for file in files:
        write_json(str(file), {"seconds": 1})
    record.write(map(str, files))
    discard_changed([made], [])
    for file in files:
        file.write_text('{"seconds": 2}')
    with pytest.raises(Mistakes) as refused:
        discard_changed([made], [])
    assert sorted(refused.value.lines) == [
        f"{file} is damaged (it is not what was measured); delete it, and the next run makes it again"
        for file in sorted(files)
    ]
    discard_changed([made], ["-n"])
    assert all(file.exists() for file in files)
    files[0].unlink()
    record.forget()
    discard_changed([made], [])


def test_what_lies_elsewhere_than_its_machine_is_on_no_record(tmp_path: Path) -> None:
    (tmp_path / "round-1.json").write_text("{}")
    Record(str(tmp_path / "results/machine.json"), str(tmp_path / "round-1.json")).write(
        [str(tmp_path / "round-1.json")]
    )
    assert [path.name for path in tmp_path.rglob("*")] == ["round-1.json"]


def test_what_another_run_may_be_making_is_left_alone(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (made / "summary.csv").write_text("")
    monkeypatch.setattr("gilscope.invoking.making.living_runs", lambda folder: [os.getpid(), 1])
    discard_changed([made], [])
    assert (made / "summary.csv").exists()
    monkeypatch.setattr("gilscope.invoking.making.living_runs", lambda folder: [os.getpid()])
    discard_changed([made], [])
    assert not (made / "summary.csv").exists()


def test_a_bundle_that_somebody_else_has_made_is_not_ours(job: SimpleNamespace) -> None:
    bundle = Path(job.output[0]).parents[1] / "here.zip"
    job.output = [str(bundle)]
    with making(job):
        bundle.write_text("ours")
    bundle.write_text("theirs")
    discard_changed([bundle.parent / "here"], [])
    assert bundle.read_text() == "theirs"


@pytest.mark.parametrize("option", ["-n", "--dry-run", "--summary", "--lint", "--unlock", "--touch", "--dag"])
def test_who_only_looks_changes_nothing(made: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    (made / "summary.csv").write_text("")
    discard_changed([made], [option])
    assert (made / "summary.csv").exists()
    assert "the next run makes it again" in capsys.readouterr().err


def test_what_is_being_made_is_not_looked_at(job: SimpleNamespace, made: Path) -> None:
    """Another command in the same folder must not take half a file for a damaged one."""
    with making(job):
        Path(job.output[0]).write_text("a,")
        assert changed(made) == {}
        Path(job.output[0]).write_text("a,b\n3,4\n")
    assert changed(made) == {}


@pytest.mark.parametrize("content", ["", "[]", '{"summary.csv": null}'])
def test_a_damaged_record_takes_nothing_down(made: Path, content: str) -> None:
    (made / "made/estimate.json").write_text(content)
    discard_changed([made], [])


def test_a_damaged_file_is_one_line_and_leaves_no_record(
    job: SimpleNamespace, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made / "gaps.json"
    path.write_text("[")
    with pytest.raises(SystemExit) as ended, making(job):
        read_json(path)
    line = f"gilscope: {path} is damaged (Expecting value: line 1 column 2 (char 1)){CURE}"
    assert ended.value.code == line
    assert Path(job.log[0]).read_text() == f"{line}\n"
    assert not list((made / "made").iterdir())


def test_what_a_script_knows_to_tell_is_a_line_and_anything_else_a_traceback_in_the_log(job: SimpleNamespace) -> None:
    with pytest.raises(SystemExit, match=r"^gilscope: no room$"), making(job, KeyError, OSError):
        raise OSError("no room")
    with pytest.raises(OSError, match="no room"), making(job):
        raise OSError("no room")
    assert Path(job.log[0]).read_text().splitlines()[0] == "gilscope: no room"
    assert Path(job.log[0]).read_text().splitlines()[-1] == "OSError: no room"


def test_json_of_another_form_is_damaged_too(tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    path.write_text(json.dumps({"label": "here"}))
    with pytest.raises(Damaged) as damaged, making_sense_of(path):
        read_json(path)["usable_cores"]
    assert str(damaged.value) == f"{path} is damaged (KeyError: 'usable_cores'){CURE}"
    again = pickle.loads(pickle.dumps(damaged.value))
    assert (type(again), str(again)) == (Damaged, str(damaged.value)), "figures are drawn in processes of their own"
