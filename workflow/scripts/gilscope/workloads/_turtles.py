"""A window to draw in with turtle, whoever asks: threads, processes and coroutines alike.

Tk demands that only one thread draws, the main one by custom. So the window has a process of its own, whose main thread
takes turtle commands from one queue and carries them out one after the other, as turtle animates them: each keeps the
window to itself until it is drawn. Who draws has a connection, and with it a pen, of its own, and sends a command when
the last one is done, so that several squares grow side by side.
"""

from __future__ import annotations

import platform
import queue
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, Callable
from urllib.parse import urlsplit

SIDE = 50
IDLE_S = 0.05
PATIENCE_S = 20.0
_to_draw: queue.Queue[Any] = queue.Queue()
_idle_pens: list[Any] = []


def no_display() -> str | None:
    """Why no window can be opened here, or None.

    An interpreter of its own is asked to open one, since a process that has done so cannot well be forked.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import turtle; turtle.TK.Tk().destroy()"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no window could be opened within {PATIENCE_S:.0f} s; xvfb-run -a make gives it a display"
    if done.returncode == 0:
        return None
    kind, _, complaint = done.stderr.strip().rpartition("\n")[2].partition(": ")
    if kind in ("ImportError", "ModuleNotFoundError"):
        package = "pypy3-tk" if platform.python_implementation() == "PyPy" else "python3-tk"
        lacking = complaint.partition(",")[0]
        return f"needs tkinter, which this Python lacks ({lacking}); install it, on Debian as {package}"
    return f"needs a display ({complaint}); xvfb-run -a make gives it one"


def host_and_port(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return str(parts.hostname), int(parts.port or 0)


def square(x: int, color: str) -> Iterator[str]:
    """The commands that draw a square, as in the talk's first demo."""
    yield from (f"color {color}", "penup", f"goto {x} 0", "pendown")
    yield from (f"forward {SIDE}", "right 90") * 4


def position(answer: str | bytes) -> tuple[int, int]:
    """Where the pen is after a command. Raises ConnectionError when the window has gone instead of answering."""
    if not answer:
        raise ConnectionError("the window to draw in has gone")
    x, y = answer.split()
    return int(x), int(y)


def in_the_main_thread(function: Callable[..., Any], *args: Any) -> Any:
    done: Future[Any] = Future()
    _to_draw.put((done, function, args))
    return done.result()


def take_pen() -> Any:
    import turtle

    pen = _idle_pens.pop() if _idle_pens else turtle.Turtle()
    pen.reset()
    return pen


def draw(pen: Any, command: str, *arguments: str) -> bytes:
    """Carry out one command at turtle's own speed; answers with the position."""
    if command == "color":
        pen.color(*arguments)
    else:
        {"penup": pen.penup, "pendown": pen.pendown, "goto": pen.goto, "forward": pen.forward, "right": pen.right}[
            command
        ](*map(int, arguments))
    return b"%d %d\n" % tuple(map(round, pen.position()))


class Drawing(socketserver.StreamRequestHandler):
    """One connection: a pen, and a command a line. What it has drawn stays until the pen is used again."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        pen = in_the_main_thread(take_pen)
        for line in self.rfile:
            self.wfile.write(in_the_main_thread(draw, pen, *line.decode().split()))
        in_the_main_thread(_idle_pens.append, pen)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 256


def end_with_input() -> None:
    sys.stdin.read()
    _to_draw.put(None)


def serve() -> None:
    """Draw until standard input ends."""
    import turtle

    canvas = turtle.Screen().getcanvas()
    with Server(("127.0.0.1", 0), Drawing) as server:
        for function in (server.serve_forever, end_with_input):
            threading.Thread(target=function, daemon=True).start()
        host, port = server.server_address[:2]
        print(f"turtle://{host!s}:{port}", flush=True)
        while True:
            try:
                asked = _to_draw.get(timeout=IDLE_S)
            except queue.Empty:
                canvas.update()
                continue
            if asked is None:
                break
            done, function, args = asked
            try:
                done.set_result(function(*args))
            except Exception as error:
                done.set_exception(error)
        server.shutdown()


if __name__ == "__main__":
    serve()
