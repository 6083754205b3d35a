"""A block made ready to run: its workload, the inputs, the service it talks to, the answers to expect."""

from __future__ import annotations

import gc
import glob
import os
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from gilscope.measuring.answers import REMEDY, WrongAnswer, compared, copied, fingerprints, shown
from gilscope.measuring.environment import file_system
from gilscope.measuring.services import NotApplicable, optional_service
from gilscope.running.cells import SEQUENTIAL, Block
from gilscope.running.identity import why_missing
from gilscope.running.progress import lies_in
from gilscope.strategies import Strategy, load_strategies
from gilscope.workloads import Site, Workload, load_workload
from gilscope.workloads._external import address_of


@dataclass(frozen=True)
class Job:
    """A prepared block.

    expected: the answers of its first sequential value, once that is done. unchecked: those of cells before it.
    inputs: their fingerprints before any task was done, where somebody looks for changes.
    """

    block: Block
    workload: Workload
    strategies: dict[str, Strategy]
    site: Site
    items: Sequence[Any]
    expected: list[Any] = field(default_factory=list)
    unchecked: list[tuple[str, Sequence[Any]]] = field(default_factory=list)
    inputs: list[int | None] = field(default_factory=list)

    def expect(self) -> None:
        """Find out all answers where a sequential value gives only a part of them."""
        if self.block.part > 1:
            self.expected.extend(map(self.workload.function, self.items))

    def watch_inputs(self) -> None:
        """Remember what the inputs are like, before any task."""
        self.inputs.extend(fingerprints(self.items))

    def check_inputs(self) -> None:
        """Raise WrongAnswer where a task has changed its input since they were watched."""
        if not self.inputs:
            return
        for task, (before, now) in enumerate(zip(self.inputs, fingerprints(self.items))):
            if before is not None and before != now:
                raise WrongAnswer(
                    f"the task changes its input (task {task}), so that whoever does it next has other work to do; "
                    "let it work on a copy"
                )

    def check(self, cell: str, answers: Sequence[Any]) -> None:
        """Raise WrongAnswer, with the reason, unless the answers equal the sequential ones.

        The answers of the first sequential value are the ones to expect; what comes before it is checked then.
        """
        if not self.expected:
            if cell != SEQUENTIAL.name:
                self.unchecked.append((cell, answers))
                return
            self.expected.extend(answers)
            for earlier in self.unchecked:
                self.check(*earlier)
        partial = self.block.part > 1 and cell == SEQUENTIAL.name
        wanted = self.expected[: len(answers)] if partial else self.expected
        if len(answers) != len(wanted):
            raise WrongAnswer(f"{cell}: {len(answers)} answers to {len(wanted)} tasks")
        for task, (answer, expected) in enumerate(zip(answers, wanted)):
            if not compared(self.workload.same, answer, expected):
                self.check_inputs()
                raise WrongAnswer(self.why_unlike(cell, task, answer, expected))

    def why_unlike(self, cell: str, task: int, answer: Any, expected: Any) -> str:
        """Whether the workload itself is to blame for an answer that is not the expected one, or the cell."""
        same = self.workload.same
        for one in (answer, expected):
            if not compared(same, copied(one), one):
                return (
                    f"task {task} answered {shown(one)}, which is not equal to its own copy, as NaN is not, nor what "
                    f"has no __eq__: {REMEDY}"
                )
        then = answer if cell == SEQUENTIAL.name else self.once_more(task)
        if not compared(same, then, expected):
            return f"two sequential runs differ already: task {task} answered {shown(expected)}, then {shown(then)}"
        return f"{cell}: task {task} answered {shown(answer)}, sequentially {shown(expected)}"

    def once_more(self, task: int) -> Any:
        """The answer of a task that is done again, here and now; the expected one where it fails."""
        try:
            return self.workload.function(self.items[task])
        except Exception:
            return self.expected[task]


@contextmanager
def scratch_folder(beside: str, number: int = 0) -> Iterator[str]:
    """A folder for the tasks' files, on the file system that holds the results, gone afterwards.

    number: of the round. One that this round has left there when it was killed goes first; a cluster may be measuring
    other rounds of the block at the same time.
    """
    os.makedirs(beside, exist_ok=True)
    begins = os.path.join(os.path.abspath(beside), f".scratch-{number}-")
    for left in glob.glob(f"{glob.escape(begins)}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = begins + secrets.token_hex(6)
    lies_in(folder)
    os.mkdir(folder, 0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def old_objects_aside() -> Iterator[None]:
    """Let the garbage collector pass over what exists now: a collection before each value then takes no 40 ms.

    A free-threaded build stops counting references to functions that all threads share when the first thread starts,
    but only to those that its collector still sees: one starts here, or threads would contend for ``math.sqrt``.
    """
    if not hasattr(gc, "freeze"):
        yield
        return
    first = threading.Thread(target=gc.collect)
    first.start()
    first.join()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def prepared(block: Block, beside: str, number: int = 0) -> Iterator[Job]:
    """Build a block's inputs and start its service, before any clock starts.

    beside: the folder whose file system the tasks shall use. number: of the round. Raises NotApplicable where the
    block cannot run.
    """
    try:
        facts = load_workload(block.workload, block.folder)
    except ImportError as error:
        raise NotApplicable(f"{block.workload} cannot be imported here: {why_missing(error)}") from error
    with scratch_folder(beside, number) as folder:
        site = Site(folder, None, file_system(folder), address_of(block.external))
        reason = facts.unavailable(site)
        if reason:
            raise NotApplicable(reason)
        with optional_service(facts.service) as address:
            site = replace(site, address=address)
            try:
                items = facts.inputs(block.parameter, block.tasks, site)
                with old_objects_aside():
                    yield Job(block, facts, load_strategies(), site, items)
            finally:
                facts.finish(site)
