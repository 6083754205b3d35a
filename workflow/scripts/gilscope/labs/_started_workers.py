"""A script that starts workers, one after the other, and says how long each took to answer: first, then later ones.

KIND LATER      prints the seconds
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import sys
import threading
import time


def answer(answers):
    answers.put(os.getpid())


def thread():
    """A thread and the queue at which it answers."""
    answers: queue.SimpleQueue[int] = queue.SimpleQueue()
    return threading.Thread(target=answer, args=(answers,)), answers.get


def process(method):
    """A process and the queue at which it answers."""
    context = multiprocessing.get_context(method)
    answers = context.SimpleQueue()
    return context.Process(target=answer, args=(answers,)), answers.get


def run_and_destroy(interpreters, code):
    """Run code in a new subinterpreter, which has a lock of its own where the version can give it one."""
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    interpreter = interpreters.create()
    try:
        run(interpreter, code)
    finally:
        interpreters.destroy(interpreter)


def subinterpreter():
    """A thread that runs a new subinterpreter, and the pipe at which that answers."""
    import importlib.util

    there = importlib.util.find_spec("_interpreters")
    interpreters = importlib.import_module("_interpreters" if there else "_xxsubinterpreters")
    reading, writing = os.pipe()
    code = f"import os; os.write({writing}, str(os.getpid()).encode())"

    def get():
        try:
            return int(os.read(reading, 100))
        finally:
            os.close(reading)
            os.close(writing)

    return threading.Thread(target=run_and_destroy, args=(interpreters, code)), get


def seconds_to_answer(kind):
    """From before a worker is started to its answer; the worker is gone afterwards."""
    if kind == "thread":
        worker, get = thread()
    elif kind == "subinterpreter":
        worker, get = subinterpreter()
    else:
        worker, get = process(kind)
    began = time.perf_counter()
    worker.start()
    pid = get()
    took = time.perf_counter() - began
    worker.join()
    if (pid == os.getpid()) != (kind in ("thread", "subinterpreter")):
        raise RuntimeError("the worker did not answer from where it should be")
    return took


if __name__ == "__main__":
    kind, later = sys.argv[1:]
    print(*(seconds_to_answer(kind) for _ in range(1 + int(later))))
