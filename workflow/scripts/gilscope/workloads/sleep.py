from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

from gilscope.workloads import workload


@asynccontextmanager
async def sleeping(offload):
    async def wait(seconds):
        await asyncio.sleep(seconds)
        return seconds

    yield wait


@workload(
    kind="io",
    sizes={"small": 0.0002, "medium": 0.0025, "large": 0.0125, "deck": 1.0},
    unit="s",
    coroutine=sleeping,
)
def sleep(seconds: float) -> float:
    """Waits: the purest form of input and output."""
    time.sleep(seconds)
    return seconds
