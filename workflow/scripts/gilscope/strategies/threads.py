from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Callable

from gilscope.strategies import Spread, strategy


@strategy("threading")
@contextmanager
def thread_pool(workers: int) -> Iterator[Spread]:
    """``ThreadPoolExecutor.map``."""
    with ThreadPoolExecutor(workers) as pool:
        yield lambda function, items: list(pool.map(function, items))


def spread_over_threads(workers: int, run: Callable[[list[threading.Thread]], None]) -> Spread:
    """Give each of ``workers`` threads its share of the tasks; ``run`` starts and joins them."""

    def spread(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        answers: list[Any] = [None] * len(items)
        errors: list[BaseException] = []

        def work(share: range) -> None:
            try:
                for index in share:
                    answers[index] = function(items[index])
            except BaseException as error:
                errors.append(error)

        run([threading.Thread(target=work, args=(range(first, len(items), workers),)) for first in range(workers)])
        if errors:
            raise errors[0]
        return answers

    return spread


def start_all_then_join(threads: list[threading.Thread]) -> None:
    """Where one cannot be started, those before it are joined all the same: nothing works on beside the next value."""
    started = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
    finally:
        for thread in started:
            thread.join()


def join_each_before_the_next(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
        thread.join()


@strategy("threading-raw", pools=("cold",))
@contextmanager
def raw_threads(workers: int) -> Iterator[Spread]:
    """A ``Thread`` per worker, each with its share of the tasks."""
    yield spread_over_threads(workers, start_all_then_join)


@strategy("threading-joined", pools=("cold",))
@contextmanager
def joined_threads(workers: int) -> Iterator[Spread]:
    """As the talk's GIL slide does it: each thread is joined before the next one starts."""
    yield spread_over_threads(workers, join_each_before_the_next)
