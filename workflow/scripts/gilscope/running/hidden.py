"""Hidden parallelism: the threads that BLAS and OpenMP start unasked; set here, read back where the work is done."""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def turn_off_hidden_threads(environment: MutableMapping[str, str] = os.environ) -> None:
    """One thread for BLAS and OpenMP, here and in every worker; to be called before anything imports numpy.

    Snakemake exports OMP_NUM_THREADS = the rule's threads, so what the environment says is not what a user set.
    """
    environment.update(dict.fromkeys(THREADS, "1"))


def read_hidden_threads() -> dict[str, int] | None:
    """Library → threads that it would use in this process, as threadpoolctl reads it; None where that is not there.

    A library that is not loaded has no threads, so ask after the work.
    """
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return None
    threads: dict[str, int] = {}
    for pool in threadpool_info():
        name = pool["internal_api"]
        threads[name] = max(pool["num_threads"], threads.get(name, 0))
    return threads


def default_threads() -> int:
    """The threads that BLAS starts by default: one for every core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def hidden_threads_on() -> Iterator[None]:
    """As many threads as by default, in this process and in the workers that it starts; afterwards one again."""
    from threadpoolctl import threadpool_limits

    kept = {name: os.environ.pop(name) for name in THREADS if name in os.environ}
    try:
        with threadpool_limits(default_threads()):
            yield
    finally:
        os.environ.update(kept)
