"""Hidden parallelism: turned off, read back, and caught where a library does not obey."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gilscope.measuring.probing import in_common, objection
from gilscope.running.cells import Block
from gilscope.running.hidden import THREADS, default_threads, hidden_threads_on, turn_off_hidden_threads

several = pytest.mark.skipif(default_threads() < 2, reason="BLAS has one thread on one core anyway")
DISOBEDIENT = """
import numpy
from threadpoolctl import threadpool_limits
from gilscope.workloads import workload

@workload(kind="cpu", sizes={"small": 1})
def disobedient(item):
    "Turns the BLAS threads on again, as some libraries do."
    threadpool_limits(2)
    return float((numpy.ones((64, 64)) @ numpy.ones((64, 64))).sum())
"""


@several
def test_oversubscription_is_caught_by_the_read_back(tmp_path: Path, measure: Any, read: Callable[[Path], Any]) -> None:
    (tmp_path / "disobedient.py").write_text(DISOBEDIENT)
    block = Block("cp311", "disobedient", "small", 1, 4, ("threading-2", "multiprocessing-2"), 0.1, 2, str(tmp_path))
    done = measure(block, tmp_path)
    assert done.returncode == 0, done.stderr
    failed = read(tmp_path / "round-1.facts.json")["failed"]
    assert set(failed) == {"threading-2", "multiprocessing-2"}
    assert all(
        "uses 2 threads in the worker where 1 was set: hidden parallelism" in reason for reason in failed.values()
    )


@several
def test_blas_has_one_thread_in_every_worker_but_where_the_cell_is_about_more(
    tmp_path: Path, measure: Any, read: Callable[[Path], Any]
) -> None:
    cells = ("threading-2", "multiprocessing-2", "multiprocessing-spawn-2", "ceiling-2-warm")
    default = ("sequential-blas-threads-1", "threading-blas-threads-2", "multiprocessing-blas-threads-2-warm")
    block = Block("cp311", "matmul", "small", 64, 4, (*cells, *default), 0.2, 2)
    done = measure(block, tmp_path)
    assert done.returncode == 0, done.stderr
    facts = read(tmp_path / "round-1.facts.json")
    assert facts["failed"] == {}
    threads = {cell: max(said["hidden_threads"].values()) for cell, said in facts["workers"].items()}
    assert threads == {**dict.fromkeys(cells, 1), **dict.fromkeys(default, default_threads())}
    assert set(facts["hidden_threads"].values()) == {1}, "and afterwards it is one again"


def test_what_snakemake_exports_does_not_count() -> None:
    environment = {"OMP_NUM_THREADS": "8", "HOME": "here"}
    turn_off_hidden_threads(environment)
    assert environment == {"HOME": "here", **dict.fromkeys(THREADS, "1")}


def test_the_default_lasts_as_long_as_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with hidden_threads_on():
        assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["OMP_NUM_THREADS"] == "1"


def test_a_worker_that_cannot_tell_is_not_accused() -> None:
    answer = {"pid": 1, "thread": 1, "gil": True, "cores": 2, "imported": [], "hidden_threads": None}
    said = in_common([answer, answer])
    assert said["hidden_threads"] is None
    assert objection(said, blas_threads=False) is None
    for told in ([None, 3], [1, 3], [3, 1]):
        answers = [{**answer, "hidden_threads": count and {"openblas": count}} for count in told]
        assert in_common(answers)["hidden_threads"] == {"openblas": 3}
