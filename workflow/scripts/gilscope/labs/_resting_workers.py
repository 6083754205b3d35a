"""A script whose workers rest, each after one answered task: it says which they are, and exits once it reads a line.

KIND METHOD      METHOD may be "default"
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time

WORKERS = 2
TASK_S = 0.02


def task(number):
    time.sleep(TASK_S)
    return os.getpid()


def serve(tasks, answers):
    for number in iter(tasks.get, None):
        answers.put(task(number))


class Processes:
    """Processes by hand, that wait for tasks at a queue."""

    def __init__(self, context):
        self.tasks, self.answers = context.Queue(), context.Queue()
        for _ in range(WORKERS):
            context.Process(target=serve, args=(self.tasks, self.answers)).start()

    def map(self, function, numbers):
        for number in numbers:
            self.tasks.put(number)
        return [self.answers.get() for _ in numbers]


def start(kind, context):
    if kind == "Pool":
        return context.Pool(WORKERS)
    if kind == "ProcessPoolExecutor":
        from concurrent.futures import ProcessPoolExecutor

        return ProcessPoolExecutor(WORKERS, mp_context=context)
    return Processes(context)


if __name__ == "__main__":
    kind, method = sys.argv[1:]
    workers = start(kind, multiprocessing.get_context(None if method == "default" else method))
    known: set[int] = set()
    while len(known) < WORKERS:
        known.update(workers.map(task, range(WORKERS)))
    print(*known, flush=True)
    sys.stdin.readline()
    sys.exit()
