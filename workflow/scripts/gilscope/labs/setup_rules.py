"""What processes demand of a program and threads do not: a main guard, and that what they are handed can be pickled."""

from __future__ import annotations

import multiprocessing
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Callable

from gilscope.labs import LIKELY, SURE, Lab
from gilscope.labs._scripts import answer_of
from gilscope.labs._start_methods import START_METHODS, unless_there

ANSWER = "the answer"
FAILS_S = 3.0

LAB = Lab(metrics={"fails": "share", "works": "share"}, timed=False, seconds=20, side_by_side=4)

DEFINITIONS = """\
import multiprocessing

context = multiprocessing.get_context({method!r})


def answer(sender):
    sender.send({answer!r})


def give():
    return {answer!r}


"""
GUARD = 'if __name__ == "__main__":\n'
STARTS_PROCESS = """\
receiver, sender = context.Pipe(duplex=False)
process = context.Process(target=answer, args=(sender,))
process.start()
sender.close()
print(receiver.recv())
process.join()
"""
STARTS_POOL = """\
with context.Pool(2) as pool:
    print(pool.apply(give))
"""


def outcome(works: bool) -> dict[str, bool]:
    return {"fails": not works, "works": works}


def run_without_guard(method: str, start: str = STARTS_PROCESS) -> dict[str, bool]:
    """A script starts a process at module level and prints what that answers."""
    script = DEFINITIONS.format(method=method, answer=ANSWER) + start
    return outcome(answer_of(script, limit_s=FAILS_S) == f"{ANSWER}\n")


def run_with_guard(method: str) -> dict[str, bool]:
    """The same, below ``if __name__ == "__main__"``."""
    return run_without_guard(method, GUARD + textwrap.indent(STARTS_PROCESS, "    "))


def run_pool_without_guard(method: str) -> dict[str, bool]:
    """A script starts a pool at module level, which replaces workers that fail by others that fail."""
    return run_without_guard(method, STARTS_POOL)


for method in START_METHODS:
    there = unless_there(method)
    LAB.case(f"no main guard, {method}", trials=SURE, together=11, unavailable=there, method=method)(run_without_guard)
    LAB.case(f"main guard, {method}", trials=LIKELY, few=2, together=20, unavailable=there, method=method)(
        run_with_guard
    )
    LAB.case(f"no main guard, Pool, {method}", trials=5, few=1, unavailable=there, method=method)(
        run_pool_without_guard
    )


Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments, to be called in a worker; it returns ANSWER."""


@contextmanager
def a_lambda(context: Any) -> Iterator[Call]:
    yield lambda: ANSWER, ()


@contextmanager
def a_local_function(context: Any) -> Iterator[Call]:
    def local() -> str:
        return ANSWER

    yield local, ()


def read(file: Any) -> Any:
    return file.read()


@contextmanager
def an_open_file(context: Any) -> Iterator[Call]:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        file.write(ANSWER)
        file.seek(0)
        yield read, (file,)


def take(lock: Any) -> str:
    with lock:
        return ANSWER


@contextmanager
def a_threading_lock(context: Any) -> Iterator[Call]:
    """A process that starts with one has a copy of its own, which keeps nobody out."""
    yield take, (threading.Lock(),)


@contextmanager
def a_multiprocessing_lock(context: Any) -> Iterator[Call]:
    yield take, (context.Lock(),)


def works_in(executor: Executor, call: Call) -> bool:
    function, arguments = call
    with executor:
        try:
            return executor.submit(function, *arguments).result(FAILS_S) == ANSWER
        except Exception:
            return False


def send_answer(sender: Any, function: Callable[..., Any], *arguments: Any) -> None:
    sender.send(function(*arguments))


def works_in_process(context: Any, call: Call) -> bool:
    receiver, sender = context.Pipe(duplex=False)
    function, arguments = call
    process = context.Process(target=send_answer, args=(sender, function, *arguments), daemon=True)
    with receiver:
        try:
            with sender:
                process.start()
            works = receiver.poll(FAILS_S) and receiver.recv() == ANSWER
            process.join(FAILS_S)
        except Exception:
            return False
    return bool(works)


def hand_to_threads(thing: Callable[[Any], Any]) -> dict[str, bool]:
    """A thread pool is handed the thing."""
    with thing(multiprocessing) as call:
        return outcome(works_in(ThreadPoolExecutor(1), call))


def hand_to_pool(thing: Callable[[Any], Any]) -> dict[str, bool]:
    """A process pool is handed the thing, through its queue."""
    with thing(multiprocessing) as call:
        return outcome(works_in(ProcessPoolExecutor(1), call))


def hand_to_process(thing: Callable[[Any], Any], method: str) -> dict[str, bool]:
    """A process is handed the thing as it starts."""
    context = multiprocessing.get_context(method)
    with thing(context) as call:
        return outcome(works_in_process(context, call))


LAB.case("what cannot be pickled, threads", trials=SURE, together=SURE, thing=a_lambda)(hand_to_threads)
LAB.case("what cannot be pickled, processes", trials=SURE, together=55, thing=a_lambda)(hand_to_pool)

THINGS: dict[str, Callable[[Any], Any]] = {
    "local function": a_local_function,
    "open file": an_open_file,
    "lock as an argument": a_threading_lock,
    "multiprocessing.Lock as an argument": a_multiprocessing_lock,
}
for name, thing in THINGS.items():
    LAB.case(f"{name}, threads", trials=LIKELY, few=2, together=20, thing=thing)(hand_to_threads)
    LAB.case(f"{name}, ProcessPoolExecutor", trials=LIKELY, few=2, together=20, thing=thing)(hand_to_pool)
    for method in START_METHODS:
        LAB.case(
            f"{name}, Process, {method}",
            trials=LIKELY,
            few=2,
            together=20,
            unavailable=unless_there(method),
            thing=thing,
            method=method,
        )(hand_to_process)
