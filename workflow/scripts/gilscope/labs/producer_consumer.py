"""Producers and consumers with a queue between them: whether every item arrives, and in order."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from types import SimpleNamespace
from typing import Any, Callable

from gilscope.labs import SURE, Lab

ITEMS = 500
PATIENCE_S = 3.0
SENTINEL = None

SCALE = 1 / 20
"""The talk's producer and consumer keep their proportions, but not their 7 s."""
TALK_TIMEOUT_S = 2.0 * SCALE
TALK_CONSUMING_S = 0.5 * SCALE
TALK_PAUSES_S = (1.0 * SCALE,) * 5
"""After each item."""
QUIET_SPELL_S = 3.5 * SCALE
"""The consumer pauses too before it waits, so that a spell of up to 2 s + 0.5 s would not be noticed."""
PRODUCERS, CONSUMERS = 3, 2

LAB = Lab(
    metrics={"all_in_order": "share", "nothing_lost": "share"},
    timed=False,
    seconds=6,
    side_by_side=24,
)


def produce(items: Any, produced: Sequence[Any]) -> None:
    for item in produced:
        items.put(item)


def produce_to_the_end(items: Any) -> None:
    """One producer for one consumer: it says itself that it has come to its end."""
    produce(items, [*range(ITEMS), SENTINEL])


def consume(items: Any, answer: Callable[[Any], object]) -> None:
    """Take items until the sentinel, then answer with all of them."""
    answer(list(iter(items.get, SENTINEL)))


@LAB.case("threads", trials=SURE, together=SURE // 2)
def one_thread_to_another() -> dict[str, bool]:
    """A thread puts 500 numbers and a sentinel into a queue.Queue, another one takes them out."""
    items: queue.Queue[Any] = queue.Queue()
    answers: list[Any] = []
    threads = [
        threading.Thread(target=consume, args=(items, answers.append), daemon=True),
        threading.Thread(target=produce_to_the_end, args=(items,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return {"all_in_order": answers == [list(range(ITEMS))]}


@contextmanager
def running(*processes: Any) -> Iterator[None]:
    """Processes that run, and that are gone afterwards, whether or not they have come to their end."""
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.join(PATIENCE_S)
            process.kill()
            process.join()
            process.close()


def process(function: Callable[..., None], *arguments: Any) -> Any:
    return multiprocessing.Process(target=function, args=arguments, daemon=True)


def answer_of(receiver: Any) -> Any:
    """What a process sends; an empty list where nothing comes within 3 s."""
    return receiver.recv() if receiver.poll(PATIENCE_S) else []


def consume_and_send(items: Any, sender: Any) -> None:
    consume(items, sender.send)


@LAB.case("processes", trials=SURE, together=SURE // 5)
def one_process_to_another() -> dict[str, bool]:
    """A process puts 500 numbers and a sentinel into a multiprocessing.Queue, another one takes them out."""
    items: Any = multiprocessing.Queue()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    with receiver, sender, running(process(produce_to_the_end, items), process(consume_and_send, items, sender)):
        return {"all_in_order": answer_of(receiver) == list(range(ITEMS))}


def produce_with_pauses(items: Any, pauses_s: Sequence[float], both_there: Any) -> None:
    """The talk's producer: a pause after each item."""
    both_there.wait(PATIENCE_S)
    for number, pause_s in enumerate(pauses_s):
        items.put(number)
        time.sleep(pause_s)


def consume_until_quiet(items: Any, sender: Any, both_there: Any) -> None:
    """The talk's consumer: it takes the first wait that is too long for the end."""
    received = []
    both_there.wait(PATIENCE_S)
    while True:
        try:
            received.append(items.get(timeout=TALK_TIMEOUT_S))
        except queue.Empty:
            break
        time.sleep(TALK_CONSUMING_S)
    sender.send(received)


def timeout_as_the_end(pauses_s: Sequence[float]) -> dict[str, bool]:
    """Two processes with the talk's loops; they begin once both are there, as the time a start takes does not scale."""
    items: Any = multiprocessing.Queue()
    both_there = multiprocessing.Barrier(2)
    receiver, sender = multiprocessing.Pipe(duplex=False)
    producer = process(produce_with_pauses, items, pauses_s, both_there)
    consumer = process(consume_until_quiet, items, sender, both_there)
    with receiver, sender, running(consumer, producer):
        return {"nothing_lost": answer_of(receiver) == list(range(len(pauses_s)))}


@LAB.case("the talk's pause and timeout", trials=SURE, together=SURE // 10)
def the_talks_pause() -> dict[str, bool]:
    """The talk's two processes at a twentieth of its times: a pause of 50 ms, a consumer that stops after 100 ms."""
    return timeout_as_the_end(TALK_PAUSES_S)


@LAB.case("a pause longer than the timeout", trials=SURE, together=SURE // 10)
def a_longer_pause() -> dict[str, bool]:
    """The same, but after the third of the five items the producer pauses for 175 ms."""
    before, after = TALK_PAUSES_S[:2], TALK_PAUSES_S[3:]
    return timeout_as_the_end((*before, QUIET_SPELL_S, *after))


def timeout_in_threads(pauses_s: Sequence[float]) -> dict[str, bool]:
    """The same loops in two threads."""
    items: queue.Queue[Any] = queue.Queue()
    received: list[Any] = []
    both_there = threading.Barrier(2)
    answer = SimpleNamespace(send=received.extend)
    threads = [
        threading.Thread(target=produce_with_pauses, args=(items, pauses_s, both_there), daemon=True),
        threading.Thread(target=consume_until_quiet, args=(items, answer, both_there), daemon=True),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return {"nothing_lost": received == list(range(len(pauses_s)))}


@LAB.case("threads, the talk's pause and timeout", trials=20, few=5, together=5)
def the_talks_pause_in_threads() -> dict[str, bool]:
    """The talk's loops in two threads, at a twentieth of its times."""
    return timeout_in_threads(TALK_PAUSES_S)


@LAB.case("threads, a pause longer than the timeout", trials=20, few=5, together=5)
def a_longer_pause_in_threads() -> dict[str, bool]:
    """The same in two threads, with the pause of 175 ms after the third item."""
    return timeout_in_threads((*TALK_PAUSES_S[:2], QUIET_SPELL_S, *TALK_PAUSES_S[3:]))


def rising(numbers: Sequence[int]) -> bool:
    return all(before < after for before, after in zip(numbers, numbers[1:]))


@LAB.case("several producers and consumers, processes", trials=20, few=5, together=5)
def several() -> dict[str, bool]:
    """Three processes put 500 numbers each into one queue, two take them out; each sees those of one producer in order.

    The parent puts a sentinel for each consumer once all producers have ended.
    """
    items: Any = multiprocessing.Queue()
    pipes = [multiprocessing.Pipe(duplex=False) for _ in range(CONSUMERS)]
    produced = [[(producer, number) for number in range(ITEMS)] for producer in range(PRODUCERS)]
    producers = [process(produce, items, share) for share in produced]
    consumers = [process(consume_and_send, items, sender) for _, sender in pipes]
    with running(*consumers):
        with running(*producers):
            pass
        produce(items, [SENTINEL] * CONSUMERS)
        received = [answer_of(receiver) for receiver, _ in pipes]
    items.close()
    items.join_thread()
    complete = sorted(chain.from_iterable(received)) == list(chain.from_iterable(produced))
    ordered = all(
        rising([number for origin, number in share if origin == producer])
        for share in received
        for producer in range(PRODUCERS)
    )
    return {"nothing_lost": complete, "all_in_order": complete and ordered}
