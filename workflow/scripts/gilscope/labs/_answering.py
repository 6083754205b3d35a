"""The server of a lab about connections, a process of its own: an answer to every line, after the seconds it names."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

HOST = "127.0.0.1"
ANSWER = b"ok\n"
MOST, SPARE_FILES = 5000, 64
"""How many connections there may be, and how many files a process may have open besides."""


def allow_files(number: int) -> int:
    """Let this process open so many files, or as many as it may; returns how many that is."""
    try:
        import resource
    except ImportError:
        return number
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted


class Answering(asyncio.Protocol):
    """The server's end of a connection: an answer to every line, after the seconds that it names."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for line in data.splitlines():
            asyncio.get_running_loop().call_later(float(line), self.transport.write, ANSWER)


async def serve() -> None:
    """Answer until standard input ends; the first line printed is the port."""
    allow_files(MOST + SPARE_FILES)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, HOST, 0, backlog=MOST)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
