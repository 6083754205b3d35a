from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Callable

from gilscope.strategies import Spread, strategy


def next_word(connection: Any) -> str:
    """The parent's next word; ``stop`` once the parent has gone, which the end of the pipe alone does not tell."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([connection, parent.sentinel])
    return connection.recv() if connection.poll() else "stop"


def work(connection: Any, function: Callable[[Any], Any], share: Sequence[Any]) -> None:
    """Do the share each time the word comes; say when it is done, hand over the answers only afterwards."""
    connection.send("ready")
    while next_word(connection) == "go":
        try:
            answers = [function(item) for item in share]
        except BaseException as error:
            tell(connection, error)
            return
        connection.send("done")
        try:
            connection.send(answers)
        except Exception as error:
            tell(connection, error)
            return


def tell(connection: Any, error: BaseException) -> None:
    """Hand over an error; in words where it cannot be pickled itself."""
    try:
        connection.send(error)
    except Exception:
        # Here, or each process would wait for the import while the clock runs.
        from gilscope.running.plain_text import named, words_of

        connection.send(RuntimeError(f"{named(error)}: {words_of(error)}"))


def told(connection: Any) -> Any:
    """What a process says; an error is raised here."""
    try:
        said = connection.recv()
    except EOFError:
        raise RuntimeError("one of the processes ended without an answer") from None
    if isinstance(said, BaseException):
        raise said
    return said


def expect(connection: Any, word: str) -> None:
    said = told(connection)
    assert said == word, said


@strategy("ceiling", processes=True, control=True)
@contextmanager
def unconnected_processes(workers: int) -> Iterator[Spread]:
    """Processes that share nothing, started by hand, each with its share of the tasks from the outset.

    Warm, when they wait at the barrier and only the word is given, they are what the hardware could give.
    Cold, with their start counted, they are what processes managed by hand would cost.
    """
    connections: list[Any] = []
    processes: list[Any] = []

    def spread(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterable[Any]:
        if not processes:
            for first in range(workers):
                ours, theirs = multiprocessing.Pipe()
                process = multiprocessing.Process(target=work, args=(theirs, function, items[first::workers]))
                process.start()
                theirs.close()
                connections.append(ours)
                processes.append(process)
            for connection in connections:
                expect(connection, "ready")
        for connection in connections:
            connection.send("go")
        for connection in connections:
            expect(connection, "done")
        return collect(len(items))

    def collect(tasks: int) -> Iterator[Any]:
        answers: list[Any] = [None] * tasks
        for first, connection in enumerate(connections):
            answers[first::workers] = told(connection)
        yield from answers

    try:
        yield spread
        for connection in connections:
            connection.send("stop")
    except BaseException:
        for process in processes:
            process.terminate()
        raise
    finally:
        for process in processes:
            process.join()
        for connection in connections:
            connection.close()
