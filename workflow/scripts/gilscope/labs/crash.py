"""One of three workers comes to grief: whether the others finish, whether the program lives on, what its caller learns.

Every trial is a small program in a process of its own. What happens in it is appended to a journal by whomever it
happens to; the journal is read once the program has ended, however it did.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from typing import Any, Callable

from gilscope.labs import SURE, Lab
from gilscope.labs._ending import (
    ENDS,
    FAILS_S,
    FATAL,
    OTHERS,
    Journal,
    Work,
    in_coroutines,
    in_pool,
    in_process_executor,
    in_processes,
    in_thread_executor,
    in_threads,
)
from gilscope.running.forking import why_no_fork

LAB = Lab(
    metrics={
        "others_finish": "share",
        "others_die": "share",
        "process_dies": "share",
        "caller_sees": "share",
        "caller_notices": "share",
        "seen_after_s": "s",
    },
    timed=False,
    seconds=13,
    side_by_side=12,
)
EXCEPTIONS = ("exception", "sys.exit")
"""The ends that a caller could be handed as an exception of the worker's own."""
HOWS: dict[str, Callable[[Work], None]] = {
    "Thread": in_threads,
    "ThreadPoolExecutor": in_thread_executor,
    "Process": in_processes,
    "Pool": in_pool,
    "ProcessPoolExecutor": in_process_executor,
    "asyncio task": in_coroutines,
}


def program(how: str, what: str, path: str) -> None:
    HOWS[how](Work(what, Journal(path)))


def run_program(how: str, what: str, path: str) -> bool:
    """Run the program, for a bounded time; returns whether it died."""
    context: Any = multiprocessing.get_context(None if why_no_fork() else "fork")
    process = context.Process(target=program, args=(how, what, path))
    process.start()
    process.join(2 * FAILS_S)
    died = bool(process.exitcode)
    if process.exitcode is None:
        end_with_descendants(process.pid)
    process.join()
    return died


def end_with_descendants(pid: int | None) -> None:
    import psutil

    parent = psutil.Process(pid)
    family = [*parent.children(recursive=True), parent]
    for process in family:
        process.kill()


def judge(events: list[tuple[str, str, float]], what: str, died: bool) -> dict[str, float]:
    """What a journal says. Raises where nothing was fatal, or did not meet the others at work: that tells nothing."""
    kinds = [(event, task) for event, task, _ in events]
    if ("began", FATAL) not in kinds:
        raise RuntimeError("the fatal task did not come to its turn")
    if ("survived", FATAL) in kinds:
        raise RuntimeError("the fatal task was not fatal")
    end = kinds.index(("began", FATAL))
    begun = {task for event, task in kinds[:end] if event == "began"}
    finished = {task for event, task in kinds[:end] if event == "finished"}
    if begun == finished or begun >= OTHERS:
        raise RuntimeError("when the fatal task began no other was under way, or none was still to come")
    arrived = {task for event, task in kinds if event == "arrived"}
    learned = [when for event, _, when in events if event in ("sees", "notices")]
    seen: dict[str, float] = {
        "others_finish": arrived >= OTHERS,
        "others_die": not arrived >= OTHERS,
        "process_dies": died,
        "caller_notices": bool(learned),
    }
    if what in EXCEPTIONS:
        seen["caller_sees"] = ("sees", "-") in kinds
    if learned:
        seen["seen_after_s"] = learned[0] - events[end][2]
    return seen


def try_to_crash(how: str, what: str) -> dict[str, float]:
    """Three workers, seven tasks; one task is fatal while others are under way and still to come."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(os.path.join(folder, "journal"))
        died = run_program(how, what, journal.path)
        return judge(journal.events(), what, died)


CLAIMED = {(how, "exception") for how in HOWS} | {
    (how, "segmentation fault") for how in ("Thread", "Process", "Pool", "ProcessPoolExecutor")
}
LASTING = ("Pool", "segmentation fault")
"""Whose every trial waits for what never comes, so that more of them run side by side."""
ONLY_ONCE = {("ThreadPoolExecutor", "SIGKILL"), ("asyncio task", "SIGKILL")}
"""What is the same as in a thread: a signal ends the process, whatever runs in it."""
for how in HOWS:
    for what in ENDS:
        if (how, what) not in ONLY_ONCE:
            least = SURE if (how, what) in CLAIMED else 3
            shared = 11 if (how, what) == LASTING else 55
            LAB.case(f"{how}, {what}", trials=max(least, 20), few=least, together=shared, how=how, what=what)(
                try_to_crash
            )
