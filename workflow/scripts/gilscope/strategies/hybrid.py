from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Callable

from gilscope.strategies import Spread, strategy
from gilscope.strategies.coroutines import event_loop


@strategy("hybrid", processes=True)
@contextmanager
def coroutines_and_processes(workers: int) -> Iterator[Spread]:
    """An event loop for the waiting, whose computing goes to a process pool."""
    with ProcessPoolExecutor(workers) as pool:

        async def in_a_process(function: Callable[..., Any], *args: Any) -> Any:
            return await asyncio.get_running_loop().run_in_executor(pool, function, *args)

        with event_loop(workers, in_a_process) as spread:
            yield spread
