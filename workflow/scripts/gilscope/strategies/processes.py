from __future__ import annotations

import functools
import multiprocessing
import platform
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from gilscope.running.forking import why_no_fork
from gilscope.strategies import Spread, strategy


def missing(method: str) -> str | None:
    """Why a start method cannot be used here, or None."""
    if method not in multiprocessing.get_all_start_methods():
        return f"this platform has no start method {method}"
    return why_no_fork() if method == "fork" else None


def no_executor(method: str) -> str | None:
    """Why ``ProcessPoolExecutor`` cannot be used with a start method other than fork here, or None.

    PyPy 7.3.11 calls a method of it that it has not got wherever workers may be started one by one.
    """
    if platform.python_implementation() == "PyPy" and not hasattr(ProcessPoolExecutor, "_adjust_process_count"):
        return "this PyPy's ProcessPoolExecutor works with fork alone: it lacks _adjust_process_count"
    return missing(method)


@strategy("multiprocessing", processes=True)
@contextmanager
def process_pool(workers: int, method: str | None = None) -> Iterator[Spread]:
    """``ProcessPoolExecutor.map`` with the platform's default start method."""
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method)) as pool:
        yield lambda function, items: list(pool.map(function, items))


@strategy("multiprocessing-fork", processes=True, start_method="fork", unavailable=functools.partial(missing, "fork"))
def forked_pool(workers: int) -> AbstractContextManager[Spread]:
    """The same, each worker a copy of the parent."""
    return process_pool(workers, "fork")


@strategy(
    "multiprocessing-spawn",
    processes=True,
    start_method="spawn",
    unavailable=functools.partial(no_executor, "spawn"),
)
def spawned_pool(workers: int) -> AbstractContextManager[Spread]:
    """The same, each worker a new interpreter."""
    return process_pool(workers, "spawn")


@strategy(
    "multiprocessing-forkserver",
    processes=True,
    start_method="forkserver",
    unavailable=functools.partial(no_executor, "forkserver"),
)
def forkserver_pool(workers: int) -> AbstractContextManager[Spread]:
    """The same, each worker a copy of a small server process."""
    return process_pool(workers, "forkserver")


@strategy("multiprocessing-pool", processes=True)
@contextmanager
def raw_pool(workers: int) -> Iterator[Spread]:
    """``multiprocessing.Pool.map``; unlike leaving the pool's own ``with``, it lets the workers finish."""
    pool = multiprocessing.Pool(workers)
    try:
        yield pool.map
        pool.close()
    except BaseException:
        pool.terminate()
        raise
    finally:
        pool.join()
