from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

from gilscope.workloads import Site, workload


def files(size: int, tasks: int, site: Site) -> Sequence[Any]:
    """One path of its own and the bytes to write, for each task."""
    return [(os.path.join(site.folder, f"file-{task}"), bytes([task % 256]) * size) for task in range(tasks)]


def in_memory(site: Site) -> str | None:
    """A file system in memory has no disk to wait for."""
    if site.file_system in ("tmpfs", "ramfs"):
        return f"the results lie on {site.file_system}, in memory; put them on a disk to measure files"
    return None


@asynccontextmanager
async def writing(offload):
    """Operating systems offer no waiting for files to an event loop, so, as every library does, in threads."""
    loop = asyncio.get_running_loop()

    async def write(item):
        return await loop.run_in_executor(None, file_write, item)

    yield write


@workload(
    kind="io",
    sizes={"small": 4_096, "medium": 262_144, "large": 4_194_304, "deck": 4_194_304},
    unit="bytes",
    inputs=files,
    seconds=lambda size: 0.4e-3 + size / 800e6,
    coroutine=writing,
    unavailable=in_memory,
)
def file_write(item: Any) -> int:
    """Writes a file, has the disk confirm it (fsync), and reads it back."""
    path, content = item
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with open(path, "rb") as file:
        return sum(file.read()[::4096])
