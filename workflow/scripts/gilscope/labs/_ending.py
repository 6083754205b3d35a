"""How the lab ``crash`` spreads its work, how a worker comes to its end, and the journal of what happens."""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import wait
from typing import Any, Callable

WORKERS = 3
TASK_S = 0.01
POLL_S = 0.001
FATAL = "fatal"
SHARES = (("a1", "a2", "a3"), (FATAL,), ("c1", "c2", "c3"))
"""What each worker does where the work is divided by hand."""
TASKS = ("a1", FATAL, "c1", "a2", "c2", "a3", "c3")
"""The same tasks in the order in which a pool is given them."""
FIRST = ("a1", "c1")
"""These last until the fatal task has begun, so that one is under way then and others are still to come."""
OTHERS = set(TASKS) - {FATAL}
FAILS_S = 3.0
LOST_S = 0.25
"""How long the caller waits for the fatal task's result, which may never come, once it has all the others."""


class WorkerError(Exception):
    """A worker's own exception."""


def raise_exception() -> None:
    raise WorkerError


def read_bad_address() -> None:
    """Read where nothing is; not at 0, which PyPy takes for no string at all.

    On Windows ctypes makes an exception of it, and what faulthandler has for its own tests does not.
    """
    if sys.platform == "win32":
        faulthandler._read_null()  # type: ignore[attr-defined]
    ctypes.string_at(1)


def kill_own_process() -> None:
    os.kill(os.getpid(), KILL)


KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""On Windows, which knows no SIGKILL, SIGTERM ends a process as abruptly."""
ENDS: dict[str, Callable[[], None]] = {
    "exception": raise_exception,
    "sys.exit": sys.exit,
    "segmentation fault": read_bad_address,
    "SIGKILL": kill_own_process,
}


class Journal:
    """A file of events in the order in which they happened, each with its task and the time, from any process."""

    def __init__(self, path: str):
        self.path = path

    def note(self, event: str, task: str = "-") -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, f"{event} {task} {time.monotonic()}\n".encode())
        finally:
            os.close(descriptor)

    def note_error(self, error: BaseException) -> None:
        """The caller holds an exception: the worker's own, or one that tells of the worker's end."""
        self.note("sees" if isinstance(error, (WorkerError, SystemExit)) else "notices")

    def events(self) -> list[tuple[str, str, float]]:
        with open(self.path, encoding="utf-8") as file:
            return [(event, task, float(when)) for event, task, when in map(str.split, file)]

    def holds(self, event: str, task: str) -> bool:
        return os.path.exists(self.path) and (event, task) in {line[:2] for line in self.events()}


class Work:
    """Does a task by its name: it takes a while, but the fatal one ends as ``what`` says."""

    def __init__(self, what: str, journal: Journal):
        self.what = what
        self.journal = journal

    def until_begun(self, task: str) -> Iterator[float]:
        deadline = time.monotonic() + FAILS_S
        while time.monotonic() < deadline and not self.journal.holds("began", task):
            yield POLL_S

    def do(self, task: str) -> Iterator[float]:
        """Do a task, apart from its pauses, which are yielded in seconds."""
        if task == FATAL:
            yield from self.until_begun(FIRST[0])
        self.journal.note("began", task)
        if task == FATAL:
            ENDS[self.what]()
            self.journal.note("survived", task)
        if task in FIRST:
            yield from self.until_begun(FATAL)
        yield TASK_S
        self.journal.note("finished", task)

    def __call__(self, task: str) -> str:
        for pause in self.do(task):
            time.sleep(pause)
        return task

    async def coroutine(self, task: str) -> str:
        for pause in self.do(task):
            await asyncio.sleep(pause)
        return task


def in_threads(work: Work) -> None:
    """A thread for each share; the caller joins them all."""

    def do(share: Iterable[str]) -> None:
        for task in share:
            answers.append(work(task))

    answers: list[str] = []
    threads = [threading.Thread(target=do, args=(share,), daemon=True) for share in SHARES]
    for thread in threads:
        thread.start()
    for thread in threads:
        try:
            thread.join(FAILS_S)
        except BaseException as error:
            work.journal.note_error(error)
    for task in answers:
        work.journal.note("arrived", task)


def in_coroutines(work: Work) -> None:
    """A task for each share, awaited as they complete; the loop itself may end with an exception."""

    async def do(share: Iterable[str]) -> list[str]:
        return [await work.coroutine(task) for task in share]

    async def program() -> None:
        for finished in asyncio.as_completed([asyncio.create_task(do(share)) for share in SHARES], timeout=FAILS_S):
            try:
                for task in await finished:
                    work.journal.note("arrived", task)
            except Exception as error:
                work.journal.note_error(error)

    try:
        asyncio.run(program())
    except BaseException as error:
        work.journal.note_error(error)


def do_share(work: Work, share: Iterable[str], sender: Any) -> None:
    for task in share:
        sender.send(work(task))


def in_processes(work: Work) -> None:
    """A process for each share, which sends its results through a pipe of its own; the caller looks at exit codes."""
    owners: dict[Any, Any] = {}
    for share in SHARES:
        reader, sender = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=do_share, args=(work, share, sender), daemon=True)
        process.start()
        sender.close()
        owners[reader] = process
    while owners:
        ready: list[Any] = wait(list(owners), FAILS_S)
        if not ready:
            return
        for receiver in ready:
            try:
                work.journal.note("arrived", receiver.recv())
            except EOFError:
                process = owners.pop(receiver)
                process.join(FAILS_S)
                if process.exitcode:
                    work.journal.note("notices")


def collect(work: Work, answers: Mapping[str, Callable[[float], str]], done: queue.SimpleQueue[str]) -> None:
    """Ask for each answer as soon as its task is said to be done, whether with a result or an exception."""
    missing = set(TASKS)
    while missing:
        try:
            task = done.get(timeout=LOST_S if missing == {FATAL} else FAILS_S)
        except queue.Empty:
            return
        missing.discard(task)
        try:
            work.journal.note("arrived", answers[task](FAILS_S))
        except BaseException as error:
            if task == FATAL:
                work.journal.note_error(error)


def in_pool(work: Work) -> None:
    """``Pool.apply_async`` for each task."""
    done: queue.SimpleQueue[str] = queue.SimpleQueue()
    answers = {}
    with multiprocessing.Pool(WORKERS) as pool:
        for task in TASKS:

            def tell(outcome: Any, task: str = task) -> None:
                done.put(task)

            answers[task] = pool.apply_async(work, (task,), callback=tell, error_callback=tell).get
        collect(work, answers, done)


def in_executor(executor: Executor, work: Work) -> None:
    """``submit`` for each task; one that is refused because the pool has broken has no answer."""
    done: queue.SimpleQueue[str] = queue.SimpleQueue()
    answers: dict[str, Callable[[float], str]] = {}
    with executor:
        for task in TASKS:

            def tell(future: Any, task: str = task) -> None:
                done.put(task)

            future = executor.submit(work, task)
            answers[task] = future.result
            future.add_done_callback(tell)
        collect(work, answers, done)


def in_thread_executor(work: Work) -> None:
    in_executor(ThreadPoolExecutor(WORKERS), work)


def in_process_executor(work: Work) -> None:
    in_executor(ProcessPoolExecutor(WORKERS), work)
