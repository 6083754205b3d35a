"""One contract for every workload there is: a new file in the folder is tested without a change here."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gilscope.measuring.services import optional_service
from gilscope.strategies import load_strategies
from gilscope.workloads import (
    KINDS,
    SIZES,
    Site,
    Workload,
    _http,
    _turtles,
    expand,
    file_of,
    load_workload,
    workload,
    workload_names,
)
from gilscope.workloads.dial import SLICES, steps_per_second

STRATEGIES = load_strategies()
OWN = """
from gilscope.workloads import workload

@workload(kind="cpu", sizes={{"small": 3}})
def {name}(number):
    "Three times as much."
    return 3 * number
"""


@pytest.fixture(params=workload_names(), scope="module")
def facts(request: pytest.FixtureRequest) -> Workload:
    return load_workload(request.param)


def there(facts: Workload, request: pytest.FixtureRequest) -> Site:
    """Where the workload would run, without a folder; skips where it cannot."""
    site = Site("", external=request.getfixturevalue(facts.external) if facts.external else None)
    if reason := facts.unavailable(site):
        pytest.skip(reason)
    return site


@pytest.fixture(scope="module")
def served(facts: Workload, request: pytest.FixtureRequest) -> Iterator[Site | None]:
    """The server that a workload needs, really running for all tests of it; a display's are each test's own."""
    if facts.service == _turtles.__name__:
        yield None
    else:
        site = there(facts, request)
        with optional_service(facts.service) as address:
            yield replace(site, address=address)


@pytest.fixture
def site(facts: Workload, served: Site | None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A place to run at, with the servers that the workload needs, where they are to be had."""
    with ExitStack() as stack:
        if served is None:
            request.getfixturevalue("quick_turtles")
            served = replace(there(facts, request), address=stack.enter_context(optional_service(facts.service)))
        site = replace(served, folder=str(tmp_path))
        yield site
        facts.fresh()
        facts.finish(site)


@pytest.fixture
def items(facts: Workload, site: Site) -> Any:
    return facts.inputs(facts.sizes["small"], 3, site)


def changed(answer: Any) -> Any:
    return tuple(changed(part) for part in answer) if isinstance(answer, tuple) else answer + 1


def test_facts_are_complete(facts: Workload) -> None:
    assert facts.kind in KINDS
    assert tuple(facts.sizes) == SIZES
    assert facts.summary.endswith(".") or facts.summary.endswith(",")
    assert facts.unit


def test_file_function_and_workload_share_their_name(facts: Workload) -> None:
    """Variants of a workload share its file; their names begin with the file's."""
    function = facts.function
    assert facts.name == function.__name__
    assert function.__module__.rpartition(".")[2] == file_of(facts.name)
    assert pickle.loads(pickle.dumps(function)) is function


def test_sizes_and_memory_grow(facts: Workload) -> None:
    small, medium, large = (facts.sizes[size] for size in ("small", "medium", "large"))
    assert small < medium < large
    assert 0 <= facts.memory(small) <= facts.memory(medium) <= facts.memory(large)


def test_inputs_are_the_same_every_time(facts: Workload, site: Site) -> None:
    small = facts.sizes["small"]
    first, second = (pickle.dumps(facts.inputs(small, 3, site)) for _ in range(2))
    assert first == second
    assert len(pickle.loads(first)) == 3


def test_memory_covers_what_a_task_is_given(facts: Workload, site: Site) -> None:
    parameter = facts.sizes["medium"]
    if facts.memory(parameter):
        given = len(pickle.dumps(facts.inputs(parameter, 1, site)))
        assert facts.memory(parameter) >= given * 0.99


def test_two_calls_agree(facts: Workload, items: Any) -> None:
    for item in items:
        assert facts.same(facts.function(item), facts.function(item))


def test_a_wrong_answer_is_told_from_a_right_one(facts: Workload, items: Any) -> None:
    answer = facts.function(items[0])
    assert not facts.same(changed(answer), answer)


@pytest.mark.parametrize("strategy", ["asyncio", "hybrid"])
def test_the_coroutine_form_gives_the_same_answers(facts: Workload, items: Any, strategy: str) -> None:
    expected = [facts.function(item) for item in items]
    with STRATEGIES[strategy].open(2) as spread:
        answers = list(spread(facts.function, items))
    assert [facts.same(*pair) for pair in zip(answers, expected, strict=True)] == [True] * 3


def test_processes_give_the_same_answers(facts: Workload, items: Any) -> None:
    expected = [facts.function(item) for item in items]
    with STRATEGIES["multiprocessing"].open(2) as spread:
        answers = list(spread(facts.function, items))
    assert [facts.same(*pair) for pair in zip(answers, expected, strict=True)] == [True] * 3


def test_a_missing_service_is_an_error_not_an_answer(facts: Workload, tmp_path: Path) -> None:
    if facts.service is None:
        pytest.skip("needs no service")
    nobody = Site(str(tmp_path), "http://127.0.0.1:9")
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        facts.function(facts.inputs(facts.sizes["small"], 1, nobody)[0])
    facts.fresh()


@pytest.mark.parametrize(("file_system", "runs"), [("ext4", True), (None, True), ("tmpfs", False), ("ramfs", False)])
def test_files_in_memory_have_no_disk_to_wait_for(file_system: str | None, runs: bool) -> None:
    reason = load_workload("file_write").unavailable(Site(".", None, file_system))
    assert (reason is None) == runs
    assert runs or str(file_system) in str(reason)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def test_a_users_own_workload_works_in_spawned_workers(own_folder: Path) -> None:
    (own_folder / "thrice.py").write_text(OWN.format(name="thrice"))
    facts = load_workload("thrice", str(own_folder))
    assert facts.summary == "Three times as much."
    with STRATEGIES["multiprocessing-spawn"].open(2) as spread:
        assert list(spread(facts.function, [1, 2, 3])) == [3, 6, 9]


def test_a_file_without_its_workload_says_so(own_folder: Path) -> None:
    (own_folder / "misnamed.py").write_text(OWN.format(name="something_else"))
    with pytest.raises(LookupError, match=r"misnamed\.py: no function misnamed with the @workload decorator"):
        load_workload("misnamed", str(own_folder))


def test_unknown_kinds_and_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="kind is 'gpu'; a workload is one of cpu, io, mixed"):
        workload(kind="gpu", sizes={"small": 1})
    with pytest.raises(ValueError, match="unknown sizes huge"):
        workload(kind="cpu", sizes={"huge": 1})


def test_a_name_stands_for_its_variants() -> None:
    assert expand("dial") == ["dial_0", "dial_25", "dial_50", "dial_75", "dial_100"]
    assert expand("dial_25") == ["dial_25"]
    assert expand("sum_squares") == ["sum_squares"]
    assert expand("sum") == []
    assert file_of("dial_25") == "dial"
    with pytest.raises(ImportError):
        load_workload("dialect_5")


def test_the_dial_waits_for_the_share_it_is_set_to(tmp_path: Path) -> None:
    """In nominal seconds: the pause is set, and the steps are those that take the rest at the interpreter's best."""
    for name, share in (("dial_0", 0.0), ("dial_25", 0.25), ("dial_100", 1.0)):
        facts = load_workload(name)
        ((pause, steps),) = set(facts.inputs(0.02, 3, Site(str(tmp_path))))
        assert facts.waiting == share
        assert SLICES * pause == pytest.approx(0.02 * share)
        assert SLICES * steps / steps_per_second() == pytest.approx(0.02 * (1 - share), abs=1e-5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_worker_leaves_its_parents_connections_alone() -> None:
    """Two processes that read from one socket would get each other's answers."""
    with optional_service(load_workload("http_fetch").service) as address:
        _http.get(f"{address}/page?delay=0")
        with pytest.raises(OSError, match="/nothing answered 404"):
            _http.get(f"{address}/nothing")
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply(has_connections) is False
        assert has_connections() is True
    _http.close_connections()


def has_connections() -> bool:
    return _http._pool is not None
