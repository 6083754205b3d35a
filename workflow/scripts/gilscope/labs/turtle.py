"""Turtle driven from worker threads, straight as in the talk's first demonstration and otherwise: what happens.

Four threads draw a square each on a real Tk; the second that each of the talk's threads waits afterwards is left out,
and the animation pauses for 1 ms between its steps instead of 10. A square counts when the canvas holds its four sides.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable
from typing import Any, Callable

from gilscope.labs import LIKELY, SURE, Lab
from gilscope.workloads._turtles import no_display

COLORS = ("red", "blue", "green", "yellow")
SIDE, APART = 50, 60
STEP_MS, LOOK_MS = 1, 10
PATIENCE_S = 3.0

Call = Callable[..., Any]
"""``call(function, *arguments)`` as a drawing thread has it done: by itself, or by another."""


LAB = Lab(
    metrics={"all_drawn": "share", "squares": "count", "errors": "count", "hung": "count"},
    timed=False,
    side_by_side=16,
    seconds=16,
    unavailable=no_display,
)


def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def draw_square(call: Call, x: int, color: str) -> None:
    """The talk's ``draw_square_threaded``."""
    import turtle

    pen = call(turtle.Turtle)
    call(pen.color, color)
    call(pen.penup)
    call(pen.goto, x, 0)
    call(pen.pendown)
    for _ in range(4):
        call(pen.forward, SIDE)
        call(pen.right, 90)


class Drawing:
    """The four threads, not yet started, and the errors that they end with."""

    def __init__(self, call: Call = at_once) -> None:
        self.errors: list[BaseException] = []
        self.threads = [
            threading.Thread(target=self.draw, args=(call, number * APART, color), daemon=True)
            for number, color in enumerate(COLORS)
        ]

    def draw(self, call: Call, x: int, color: str) -> None:
        try:
            draw_square(call, x, color)
        except BaseException as error:
            self.errors.append(error)

    def start(self) -> None:
        self.deadline = time.monotonic() + PATIENCE_S
        for thread in self.threads:
            thread.start()

    @property
    def alive(self) -> int:
        return sum(thread.is_alive() for thread in self.threads)

    @property
    def awaited(self) -> bool:
        return bool(self.alive) and time.monotonic() < self.deadline


def sides(corners: Iterable[tuple[int, int]]) -> set[frozenset[tuple[int, int]]]:
    """The lines from each corner to the next; direction does not matter."""
    points = list(corners)
    return {frozenset(pair) for pair in zip(points, points[1:])}


def square(x: int) -> set[frozenset[tuple[int, int]]]:
    """The sides of a square as the canvas has them, y downwards."""
    return sides([(x, 0), (x + SIDE, 0), (x + SIDE, SIDE), (x, SIDE), (x, 0)])


def lines_on(canvas: Any) -> set[frozenset[tuple[int, int]]]:
    found = set()
    for item in canvas.find_all():
        if canvas.type(item) == "line":
            numbers = [round(number) for number in canvas.coords(item)]
            found |= sides(zip(numbers[::2], numbers[1::2]))
    return found


def outcome(drawing: Drawing, canvas: Any) -> dict[str, float]:
    hung, errors = drawing.alive, len(drawing.errors)
    lines = lines_on(canvas)
    drawn = sum(square(number * APART) <= lines for number in range(len(COLORS)))
    return {
        "all_drawn": drawn == len(COLORS) and not hung and not errors,
        "squares": drawn,
        "errors": errors,
        "hung": hung,
    }


def open_canvas() -> Any:
    """A turtle screen's canvas; it goes with the process, since Tk must not be torn down under living threads.

    Its window is not shown, so that the trials do not flicker over somebody's desktop; Tk draws all the same.
    """
    import turtle

    screen = turtle.Screen()
    screen.delay(STEP_MS)
    canvas = screen.getcanvas()
    canvas.winfo_toplevel().withdraw()
    return canvas


@LAB.case("from worker threads", trials=SURE)
def drawn_by_threads() -> dict[str, float]:
    """Four threads draw while the main thread waits for them to end."""
    canvas = open_canvas()
    drawing = Drawing()
    drawing.start()
    for thread in drawing.threads:
        thread.join(max(0.0, drawing.deadline - time.monotonic()))
    return outcome(drawing, canvas)


@LAB.case("from worker threads, in the main loop", trials=LIKELY, few=3)
def drawn_by_threads_in_the_main_loop() -> dict[str, float]:
    """Four threads draw while the main thread is in Tk's main loop, which does for them what they ask of Tk."""
    canvas = open_canvas()
    drawing = Drawing()

    def look() -> None:
        if drawing.awaited:
            canvas.after(LOOK_MS, look)
        else:
            canvas.quit()

    def begin() -> None:
        drawing.start()
        look()

    canvas.after(LOOK_MS, begin)
    canvas.mainloop()
    return outcome(drawing, canvas)


@LAB.case("through a queue to the main thread", trials=LIKELY, few=3)
def drawn_through_a_queue() -> dict[str, float]:
    """Four threads put each step into a queue and wait for it; the main thread alone draws, as Tk requires."""
    canvas = open_canvas()
    steps: queue.Queue[Any] = queue.Queue()

    def ask(function: Callable[..., Any], *arguments: Any) -> Any:
        answer: queue.Queue[Any] = queue.Queue()
        steps.put((function, arguments, answer))
        return answer.get(timeout=PATIENCE_S)

    drawing = Drawing(ask)
    drawing.start()
    while drawing.awaited:
        try:
            function, arguments, answer = steps.get(timeout=LOOK_MS / 1000)
        except queue.Empty:
            continue
        answer.put(function(*arguments))
    return outcome(drawing, canvas)
