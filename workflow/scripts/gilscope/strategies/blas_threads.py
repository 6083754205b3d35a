from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec

from gilscope.running.hidden import hidden_threads_on
from gilscope.strategies import Spread, strategy
from gilscope.strategies.processes import process_pool
from gilscope.strategies.sequential import sequential
from gilscope.strategies.threads import thread_pool


def missing() -> str | None:
    return None if find_spec("threadpoolctl") else "needs threadpoolctl, which cannot be imported here"


@strategy("sequential-blas-threads", pools=("cold",), fixed_workers=1, blas_threads=True, unavailable=missing)
@contextlib.contextmanager
def sequential_with_blas_threads(workers: int) -> Iterator[Spread]:
    """One task after the other, each of which BLAS and OpenMP may spread over all cores, as they do by default."""
    with hidden_threads_on(), sequential(workers) as spread:
        yield spread


@strategy("threading-blas-threads", blas_threads=True, unavailable=missing)
@contextlib.contextmanager
def threads_with_blas_threads(workers: int) -> Iterator[Spread]:
    """``threading``, with as many BLAS threads as by default; all workers share them."""
    with hidden_threads_on(), thread_pool(workers) as spread:
        yield spread


@strategy("multiprocessing-blas-threads", processes=True, blas_threads=True, unavailable=missing)
@contextlib.contextmanager
def processes_with_blas_threads(workers: int) -> Iterator[Spread]:
    """``multiprocessing``, with as many BLAS threads as by default in each of its workers."""
    with hidden_threads_on(), process_pool(workers) as spread:
        yield spread
