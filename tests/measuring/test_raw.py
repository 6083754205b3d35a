from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pyperf
import pytest
from gilscope.measuring.laps import Value
from gilscope.measuring.raw import SHARED_METADATA, read_values, shared_metadata, write_suite
from gilscope.running.files import read_json, write_json, written_whole

VALUES = [
    Value("sequential-1", 1, 0, 2, 0.5),
    Value("threading-2", 1, 1, 4, 0.25),
    Value("threading-2", 2, 0, 4, 0.125),
    Value("sequential-1", 2, 1, 2, 0.75),
    Value("sequential-1", 2, 2, 2, 0.7),
]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "round-1.json"
    write_suite(str(path), VALUES)
    return path


def test_what_was_written_is_read_in_the_order_taken(raw: Path) -> None:
    assert read_values(str(raw)) == VALUES


def test_each_cell_is_a_benchmark_and_each_lap_counts(raw: Path) -> None:
    suite = pyperf.BenchmarkSuite.load(str(raw))
    assert suite.get_benchmark_names() == ["sequential-1", "threading-2"]
    sequential = suite.get_benchmark("sequential-1")
    assert sequential.get_values() == (0.5, 0.75, 0.7)
    assert [run.warmups for run in sequential.get_runs()] == [(), (), ()]
    assert sequential.get_total_loops() == 2


def test_pyperf_reads_a_round_of_one_lap(tmp_path: Path) -> None:
    path = tmp_path / "round-1.json"
    write_suite(str(path), [value for value in VALUES if value.lap == 1])
    done = subprocess.run([sys.executable, "-m", "pyperf", "stats", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Total number of values: 1") == 2


def test_a_block_that_could_not_run_leaves_an_empty_suite(tmp_path: Path) -> None:
    path = str(tmp_path / "round-1.json")
    write_suite(path, [])
    assert read_values(path) == []


def test_metadata_is_for_sharing(raw: Path) -> None:
    assert set(shared_metadata()) <= set(SHARED_METADATA)
    assert {"python_version", "cpu_count", "timer"} <= set(shared_metadata())
    text = raw.read_text()
    for private in ("hostname", socket.gethostname(), "python_executable", "python_cflags", str(Path.home())):
        assert json.dumps(private) not in text
    assert str(Path.home()) not in text


@pytest.mark.parametrize("text", ["", "no JSON", "{}", "[]", '{"benchmarks": [{"runs": []}]}'])
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "round-9.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"round-9\.json"):
        read_values(str(path))


def write_half(path: str) -> None:
    with written_whole(path) as file:
        file.write("half a ")
        raise KeyboardInterrupt


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_half(str(tmp_path / "facts.json"))
    assert not list(tmp_path.iterdir())


def test_an_interrupted_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_json(str(path), {"round": 1})
    with pytest.raises(TypeError):
        write_json(str(path), {"round": object()})
    assert read_json(str(path)) == {"round": 1}
    assert [found.name for found in tmp_path.iterdir()] == ["facts.json"]
