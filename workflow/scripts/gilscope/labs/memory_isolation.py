"""Whether what a worker does to a global variable happens to its parent's as well."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time
from typing import Any

from gilscope.labs import SURE, Lab
from gilscope.labs._start_methods import START_METHODS, unless_there

LAB = Lab(metrics={"unchanged": "share", "changed": "share", "inherited": "share"}, timed=False, seconds=6)

value = 0


def change(answers: Any) -> None:
    """Change the global; answer with what it was and what it is now."""
    global value
    before = value
    value += 1
    answers.put((before, value))


def changed_by(worker: Any, answers: Any) -> dict[str, bool]:
    """Set the global, let a worker change its own, look again; the worker's answer proves that it changed something.

    inherited: whether the worker began with the parent's value.
    """
    global value
    value = own = time.monotonic_ns()
    worker.start()
    before, after = answers.get()
    worker.join()
    if after != before + 1:
        raise RuntimeError("the worker did not change its global")
    return {"unchanged": value == own, "changed": value == own + 1, "inherited": before == own}


def change_in_a_process(method: str) -> dict[str, bool]:
    """A child process adds one to a global that its parent has set; the parent looks at its own."""
    context: Any = multiprocessing.get_context(method)
    answers = context.SimpleQueue()
    return changed_by(context.Process(target=change, args=(answers,)), answers)


for method in START_METHODS:
    LAB.case(method, trials=SURE, together=22, unavailable=unless_there(method), method=method)(change_in_a_process)


@LAB.case("threads", trials=SURE, together=SURE)
def change_in_a_thread() -> dict[str, bool]:
    """A thread adds one to a global that the main thread has set; the main thread looks at it."""
    answers: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    return changed_by(threading.Thread(target=change, args=(answers,), daemon=True), answers)
