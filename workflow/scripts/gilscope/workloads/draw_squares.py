from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

from gilscope.workloads import Site, workload
from gilscope.workloads._turtles import host_and_port, no_display, position, square

COLORS = ("red", "blue", "green", "yellow")


def squares(pause: float, tasks: int, site: Site) -> Sequence[Any]:
    """(address, x, colour, pause in seconds) for each task, four squares side by side."""
    return [(site.address, 60 * (task % 4), COLORS[task % 4], pause) for task in range(tasks)]


def no_window(site: Site) -> str | None:
    return no_display()


@asynccontextmanager
async def drawing(offload):
    async def draw(item):
        address, x, color, pause = item
        reader, writer = await asyncio.open_connection(*host_and_port(address))
        with closing(writer):
            corners = []
            for command in square(x, color):
                writer.write(f"{command}\n".encode())
                corners.append(position(await reader.readline()))
        await asyncio.sleep(pause)
        return tuple(corners)

    yield draw


@workload(
    kind="io",
    sizes={"small": 0.01, "medium": 0.05, "large": 0.2, "deck": 1.0},
    unit="s",
    inputs=squares,
    seconds=lambda pause: pause + 0.8,
    coroutine=drawing,
    service="gilscope.workloads._turtles",
    unavailable=no_window,
)
def draw_squares(item: Any) -> tuple[tuple[int, int], ...]:
    """Draws a square with turtle, whose window takes one command at a time, then waits."""
    address, x, color, pause = item
    try:
        connection = socket.create_connection(host_and_port(address))
    except OSError as error:
        raise ConnectionError(f"{address} does not answer: {error}") from error
    with connection, connection.makefile("rw", encoding="ascii", newline="\n") as lines:
        corners = []
        for command in square(x, color):
            lines.write(f"{command}\n")
            lines.flush()
            corners.append(position(lines.readline()))
    time.sleep(pause)
    return tuple(corners)
