from __future__ import annotations

from collections.abc import Sequence
from contextlib import asynccontextmanager

import aiohttp

from gilscope.workloads import Site, workload
from gilscope.workloads._http import close_connections, get

ROWS_PER_SECOND = 1_000_000
"""The table grows with the wait, so that computing takes about as long as waiting does, on CPython."""


def tables(delay: float, tasks: int, site: Site) -> Sequence[str]:
    return [f"{site.address}/table?delay={delay}&rows={round(delay * ROWS_PER_SECOND)}"] * tasks


def summarise(body: bytes) -> tuple[int, int, int, int]:
    """Number of groups, sum and sum of squares of one column, largest value of the other; in bytecode alone."""
    groups: dict[str, list[int]] = {}
    for line in body.decode().splitlines()[1:]:
        group, first, second = line.split(",")
        amount, other = int(first), int(second)
        found = groups.setdefault(group, [0, 0, 0])
        found[0] += amount
        found[1] += amount * amount
        found[2] = max(found[2], other)
    sums, squares, largest = zip(*groups.values())
    return len(groups), sum(sums), sum(squares), max(largest)


@asynccontextmanager
async def fetching_and_computing(offload):
    async with aiohttp.ClientSession() as session:

        async def fetch(url):
            async with session.get(url, raise_for_status=True) as response:
                body = await response.read()
            return await offload(summarise, body)

        yield fetch


@workload(
    kind="mixed",
    libraries=("aiohttp", "urllib3"),
    sizes={"small": 0.0005, "medium": 0.002, "large": 0.007, "deck": 0.1},
    unit="s",
    inputs=tables,
    seconds=lambda delay: 1e-3 + 2 * delay,
    coroutine=fetching_and_computing,
    service="gilscope.workloads._http",
    fresh=close_connections,
)
def pipeline(url: str) -> tuple[int, int, int, int]:
    """Fetches a table over HTTP, then groups and sums it in bytecode: about as much waiting as computing."""
    return summarise(get(url))
