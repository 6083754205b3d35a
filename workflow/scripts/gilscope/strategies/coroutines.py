from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Callable

from gilscope.strategies import Spread, strategy

Offload = Callable[..., Awaitable[Any]]
"""``await offload(function, *args)`` computes ``function(*args)``."""


async def in_place(function: Callable[..., Any], *args: Any) -> Any:
    """Compute in the event loop's own thread, which waits for it."""
    return function(*args)


def coroutine_form(function: Callable[[Any], Any]) -> Callable[[Offload], Any]:
    """The task as the workload's native coroutine, or else the plain function inside one."""
    native = getattr(getattr(function, "workload", None), "coroutine", None)
    if native is not None:
        return native

    @asynccontextmanager
    async def plain(offload: Offload) -> AsyncIterator[Callable[[Any], Awaitable[Any]]]:
        async def call(item: Any) -> Any:
            return await offload(function, item)

        yield call

    return plain


@contextmanager
def event_loop(workers: int, offload: Offload = in_place) -> Iterator[Spread]:
    """An event loop of its own with at most ``workers`` tasks in flight; sessions live as long as the loop.

    Tasks that an error has left in flight are cancelled at the end, as ``asyncio.run`` would.
    """
    loop = asyncio.new_event_loop()
    stack = AsyncExitStack()
    opened: dict[Any, Callable[[Any], Awaitable[Any]]] = {}

    async def spread_in_loop(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        if function not in opened:
            opened[function] = await stack.enter_async_context(coroutine_form(function)(offload))
        call = opened[function]
        places = asyncio.Semaphore(workers)

        async def one(item: Any) -> Any:
            async with places:
                return await call(item)

        return await asyncio.gather(*[one(item) for item in items])

    async def end() -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await stack.aclose()

    try:
        yield lambda function, items: loop.run_until_complete(spread_in_loop(function, items))
    finally:
        loop.run_until_complete(end())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@strategy("asyncio")
def coroutines(workers: int) -> AbstractContextManager[Spread]:
    """``asyncio.gather`` with a bound: native coroutines where the workload has them, else its plain function."""
    return event_loop(workers)
