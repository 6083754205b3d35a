"""A script whose workers are idle: it starts as many as are asked for in all, says so, and reads a line before more.

KIND COUNT...
"""

from __future__ import annotations

import sys


def rest(here, leave):
    here.put(None)
    leave.wait()


def threads():
    """How to start a thread, where it says that it is here, and what it waits for."""
    import queue
    import threading

    return lambda *args: threading.Thread(target=rest, args=args), queue.SimpleQueue(), threading.Event()


def processes(method):
    """The same for a process."""
    import multiprocessing

    context = multiprocessing.get_context(method)
    return lambda *args: context.Process(target=rest, args=args), context.SimpleQueue(), context.Event()


if __name__ == "__main__":
    kind, *counts = sys.argv[1:]
    worker, here, leave = threads() if kind == "thread" else processes(kind)
    workers: list = []
    for count in map(int, counts):
        workers += [worker(here, leave) for _ in range(count - len(workers))]
        for each in workers:
            if each.ident is None:
                each.start()
                here.get()
        print(count, flush=True)
        sys.stdin.readline()
    leave.set()
    for each in workers:
        each.join()
