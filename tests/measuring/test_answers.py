"""Workloads whose answers cannot be compared, or whose tasks change: found out, and told from one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.gaps import WRONG, collect_gaps, without_wrong
from gilscope.measuring.answers import WrongAnswer, fingerprint
from gilscope.measuring.job import Job
from gilscope.measuring.laps import time_value
from gilscope.running.cells import Block
from gilscope.running.files import write_json
from gilscope.strategies import load_strategies
from gilscope.workloads import Site, load_workload

REMEDY = r"same=, \(answer, expected\) -> bool"
counted = iter(range(1_000_000))


class Plain:
    """Equal to itself alone."""


class Stubborn:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not with me")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("nor shown")


def job_of(function: Callable[[Any], Any], items: list[Any]) -> Job:
    block = Block("cp311", "sum_squares", "small", 1, len(items), ("threading-2",), 0.1)
    facts = replace(load_workload("sum_squares"), function=function)
    job = Job(block, facts, load_strategies(), Site(""), items)
    job.watch_inputs()
    return job


def complaint(function: Callable[[Any], Any], *items: Any) -> str:
    with pytest.raises(WrongAnswer) as caught:
        run(job_of(function, list(items)))
    return str(caught.value)


def run(job: Job) -> None:
    for cell in ("sequential-1", "sequential-1", "threading-2"):
        time_value(job, cell)
    job.check_inputs()


def shuffle_away(item: list[int]) -> int:
    item.append(len(item))
    return len(item)


def sort_in_place(item: list[int]) -> int:
    item.sort()
    return item[0]


def scale_in_place(item: Any) -> float:
    item *= 1.0 + 1e-9
    return 1.0


@pytest.mark.parametrize(
    ("function", "item", "said"),
    [
        (lambda item: next(counted), 1, r"^two sequential runs differ already: task 0 answered \d+, then \d+$"),
        (lambda item: float("nan"), 1, rf"^task 0 answered nan, which is not equal to its own copy.*{REMEDY}"),
        (lambda item: [float("nan")], 1, rf"^task 0 answered \[nan\], which is not equal to its own copy.*{REMEDY}"),
        (lambda item: {"it": Plain()}, 1, rf"^task 0 answered .*Plain object.* has no __eq__.*{REMEDY}"),
        (lambda item: Stubborn(), 1, rf"^its answers cannot be compared \(RuntimeError: not with me\).*{REMEDY}"),
        (lambda item: (np.ones(2),) * 2, 1, rf"^its answers cannot be compared \(ValueError: .*{REMEDY}"),
        (shuffle_away, [1], r"^the task changes its input \(task 0\), .* copy$"),
        (sort_in_place, [2, 1], r"^the task changes its input \(task 0\)"),
        (scale_in_place, np.ones(10), r"^the task changes its input \(task 0\)"),
        (sort_in_place, ([1, 2], [2, 1])[1], r"^the task changes its input"),
    ],
)
def test_the_reason_is_the_right_one(function: Callable[[Any], Any], item: Any, said: str) -> None:
    found = complaint(function, item, item)
    assert pd.Series([found]).str.contains(said).all(), found


def test_only_what_can_change_is_looked_into_and_nothing_is_blamed_without_reason() -> None:
    assert [fingerprint(item) for item in (1, "a", b"abc", (1, ("b", None)), lambda: 1)] == [None] * 5
    assert fingerprint([1, 2]) == fingerprint([1, 2]) != fingerprint([2, 1])
    assert fingerprint((1, [2])) != fingerprint((1, [3]))
    array = np.arange(6.0).reshape(2, 3)
    assert fingerprint(array) == fingerprint(array.copy()) != fingerprint(array + 1)
    run(job_of(sum, [[1, 2], [3], array[0], (4, 5)]))


class Remembers:
    """Keeps what it has found out, and is the same work for that."""

    @cached_property
    def found(self) -> int:
        return 1


def test_what_an_input_remembers_is_no_change() -> None:
    run(job_of(lambda item: item.found, [Remembers(), Remembers()]))
    run(job_of(lambda items: items[0].found, [[Remembers()]] * 2))


def test_a_workers_doing_is_told_from_the_tasks() -> None:
    job = job_of(lambda item: item, [1, 2])
    time_value(job, "sequential-1")
    with pytest.raises(WrongAnswer, match=r"^threading-2: task 1 answered 7, sequentially 2$"):
        job.check("threading-2", [1, 7])


def test_a_block_with_a_wrong_answer_in_any_round_is_a_gap_and_leaves_no_row(tmp_path: Path) -> None:
    files = []
    for size, wrong in (("small", None), ("large", None), ("large", "two sequential runs differ already")):
        files.append(str(tmp_path / f"{len(files)}.facts.json"))
        block = {"runtime": "cp311", "workload": "mine", "size": size}
        write_json(files[-1], {"block": block, "skipped": {}, "failed": {}, "not_applicable": None, "wrong": wrong})
    gaps = collect_gaps(files)
    assert [(gap["size"], gap["cell"], gap["state"], gap["reason"]) for gap in gaps] == [
        ("large", None, WRONG, "two sequential runs differ already")
    ]
    rows = [("cp311", "mine", "small", 1.0), ("cp311", "mine", "large", 2.0), ("cp313", "mine", "large", 3.0)]
    table = pd.DataFrame(rows, columns=["runtime", "workload", "size", "seconds"])
    assert list(without_wrong(table, gaps)["seconds"]) == [1.0, 3.0]
    assert list(without_wrong(table, [])["seconds"]) == [1.0, 2.0, 3.0]
