from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pandas as pd

from gilscope.workloads import Site, workload
from gilscope.workloads._http import close_connections, get


def downloads(delay: float, tasks: int, site: Site) -> Sequence[Any]:
    """The address to fetch and the file to write, for each task."""
    return [
        (f"{site.address}/table?delay={delay}", os.path.join(site.folder, f"sums-{task}.csv")) for task in range(tasks)
    ]


def sum_groups(text: bytes, path: str) -> int:
    """Group and sum the table, write it as CSV, and return a check sum."""
    sums = pd.read_csv(io.BytesIO(text)).groupby("group").sum()
    sums.to_csv(path)
    return int(sums["B"].sum())


@asynccontextmanager
async def downloading(offload):
    async with aiohttp.ClientSession() as session:

        async def download(item):
            url, path = item
            async with session.get(url, raise_for_status=True) as response:
                return await offload(sum_groups, await response.read(), path)

        yield download


@workload(
    kind="io",
    libraries=("aiohttp", "pandas", "urllib3"),
    sizes={"small": 0.002, "medium": 0.005, "large": 0.025, "deck": 0.2},
    unit="s",
    inputs=downloads,
    seconds=lambda delay: delay + 3e-3,
    coroutine=downloading,
    service="gilscope.workloads._http",
    fresh=close_connections,
)
def fetch_csv(item: Any) -> int:
    """Fetches a table over HTTP, groups and sums it with pandas, and writes the sums to a file."""
    url, path = item
    return sum_groups(get(url), path)
