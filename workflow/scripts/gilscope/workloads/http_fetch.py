from __future__ import annotations

from collections.abc import Sequence
from contextlib import asynccontextmanager

import aiohttp

from gilscope.workloads import Site, workload
from gilscope.workloads._http import close_connections, get


def pages(delay: float, tasks: int, site: Site) -> Sequence[str]:
    return [f"{site.address}/page?delay={delay}"] * tasks


@asynccontextmanager
async def fetching(offload):
    async with aiohttp.ClientSession() as session:

        async def fetch(url):
            async with session.get(url, raise_for_status=True) as response:
                return len(await response.read())

        yield fetch


@workload(
    kind="io",
    libraries=("aiohttp", "urllib3"),
    sizes={"small": 0.001, "medium": 0.005, "large": 0.02, "deck": 1.0},
    unit="s",
    inputs=pages,
    seconds=lambda delay: delay + 1e-3,
    coroutine=fetching,
    service="gilscope.workloads._http",
    fresh=close_connections,
)
def http_fetch(url: str) -> int:
    """Gets a page from a real HTTP server on loopback that takes its time to answer."""
    return len(get(url))
