"""What the workloads that speak HTTP share: a real server in a process of its own, and one pool of connections."""

from __future__ import annotations

import asyncio
import csv
import functools
import io
import os
import sys

import urllib3

CSV_ROWS = 1000
_pool: urllib3.PoolManager | None = None


def get(url: str) -> bytes:
    """The body that a GET brings; the threads of a process share its kept-alive connections, as with one session."""
    global _pool
    if _pool is None:
        _pool = urllib3.PoolManager(maxsize=256)
    response = _pool.request("GET", url)
    if response.status != 200:
        raise OSError(f"{url} answered {response.status}")
    return response.data


def leave_connections_to_the_parent() -> None:
    """A forked worker has its parent's sockets too; two processes that read from one get each other's answers."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=leave_connections_to_the_parent)


def close_connections() -> None:
    """Forget the pool, so that the next value opens its own connections, as a new event loop must."""
    global _pool
    if _pool is not None:
        _pool.clear()
        _pool = None


@functools.lru_cache(maxsize=8)
def table(rows: int) -> str:
    """The CSV that the server hands out: its rows in 20 groups."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["group", "A", "B"])
    writer.writerows([row % 20, row, row * row] for row in range(rows))
    return text.getvalue()


async def serve() -> None:
    """Answer ``/page?delay=s`` and ``/table?delay=s&rows=n`` after s seconds, until standard input ends."""
    from aiohttp import web

    async def page(request: web.Request) -> web.Response:
        await asyncio.sleep(float(request.query["delay"]))
        return web.Response(text="ok")

    async def csv_file(request: web.Request) -> web.Response:
        body = table(int(request.query.get("rows", CSV_ROWS)))
        await asyncio.sleep(float(request.query["delay"]))
        return web.Response(text=body, content_type="text/csv")

    app = web.Application()
    app.router.add_get("/page", page)
    app.router.add_get("/table", csv_file)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
