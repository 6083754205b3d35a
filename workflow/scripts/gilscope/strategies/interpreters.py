from __future__ import annotations

import concurrent.futures
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gilscope.strategies import Spread, strategy


def missing() -> str | None:
    """Why this runtime has no pool of interpreters, or None.

    On 3.13 the package interpreters-pep-734 offers one, and it answers correctly. But 3.13 itself does not free what an
    interpreter held (5 MiB on 3.13.18, 15 MiB free-threaded on 3.13.5), and a round of cold pools starts hundreds.
    """
    if hasattr(concurrent.futures, "InterpreterPoolExecutor"):
        return None
    if platform.python_implementation() == "CPython" and sys.version_info[:2] == (3, 13):
        return "needs CPython 3.14 or later: 3.13 leaves 5 to 15 MiB behind for each interpreter that ends"
    return "needs CPython 3.14 or later"


@strategy("interpreters", isolated=True, unavailable=missing)
@contextmanager
def interpreter_pool(workers: int) -> Iterator[Spread]:
    """``InterpreterPoolExecutor.map``: threads of one process, each with an interpreter and thus a lock of its own."""
    # A new interpreter searches where this process did when it began: without the folder of a user's own workload. As
    # nothing of ours can be imported there before, a built-in sets the path.
    set_path = f"import sys; sys.path[:] = {sys.path!r}"
    executor = concurrent.futures.InterpreterPoolExecutor  # type: ignore[attr-defined]
    with executor(workers, initializer=exec, initargs=(set_path,)) as pool:
        yield lambda function, items: list(pool.map(function, items))
