"""A round: one new process that measures one block, and traces it; the first also decides what all of them share."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from gilscope.measuring.answers import WrongAnswer
from gilscope.measuring.environment import read_environment
from gilscope.measuring.helpers import remember_own
from gilscope.measuring.job import Job, prepared
from gilscope.measuring.laps import Laps, Value, time_value
from gilscope.measuring.lengths import how_long
from gilscope.measuring.memory import MemorySampler, memory_sampler
from gilscope.measuring.probing import ask_workers, lost_here, lost_meanwhile, probe_workers
from gilscope.measuring.services import NotApplicable
from gilscope.measuring.tracing import trace_cells
from gilscope.running.cells import SEQUENTIAL, Block, Cell, Turn
from gilscope.running.gil import gil_enabled
from gilscope.running.hidden import read_hidden_threads
from gilscope.running.lock import machine_lock
from gilscope.running.node import node
from gilscope.running.progress import Deliberate
from gilscope.running.surrendering import calibrated, empty_trace


@dataclass(frozen=True)
class Taken:
    """What a round found: what its block's rounds share, its values in the order taken, facts about it, its traces."""

    calibration: dict[str, Any]
    values: list[Value]
    facts: dict[str, Any]
    trace: dict[str, Any]


def applicable(job: Job) -> tuple[list[str], dict[str, str]]:
    """The cells of a job that can run here, and the reason for each that cannot."""
    runnable, skipped = [], {}
    for name in job.block.cells:
        cell = Cell.parse(name)
        strategy = job.strategies.get(cell.strategy)
        reason = "no such strategy" if strategy is None else strategy.unavailable()
        if reason:
            skipped[name] = reason
        else:
            runnable.append(name)
    return runnable, skipped


def seed_of(block: Block, turn: Turn) -> str:
    """What decides the order of the cells in each lap of a round."""
    return f"{block.path}/{turn.number}"


def survey(job: Job, left_out: Mapping[str, str]) -> dict[str, Any]:
    """What the workers of each cell say, and which cells can be timed.

    A sequential task comes first: what fails or hangs everywhere shall cost its time once, and not once a cell. Cells
    that fail here are left out. left_out: cells known to fail, each with the reason.
    """
    able, skipped = applicable(job)
    runnable = [name for name in able if name not in left_out]
    ask_workers(job, SEQUENTIAL.name)
    workers, refused, failed = probe_workers(job, runnable)
    failed = {**left_out, **failed}
    return {
        "cells": [name for name in runnable if name not in refused and name not in failed],
        "skipped": {**skipped, **refused},
        "failed": failed,
        "workers": workers,
        "file_system": job.site.file_system,
    }


def calibrate(job: Job, turn: Turn, surveyed: Mapping[str, Any]) -> tuple[dict[str, Any], list[Value]]:
    """How many loops a value and how many laps a round of this block has, and this round's first lap.

    A lap finds that out, where a single sequential value does not; it is the round's first, if it was one as all others
    are. Cells that fail here are left out; where the sequential one loses its lock, all fail, and no round takes a lap.
    """
    laps = Laps(job, surveyed["cells"], {})
    sequential = time_value(job, SEQUENTIAL.name)
    job.check_inputs()
    length = how_long(laps, sequential, seed_of(job.block, turn))
    lost = lost_here(job.block, [SEQUENTIAL.name, *surveyed["cells"], *surveyed["failed"]])
    failed = {**surveyed["failed"], **laps.failed, **lost}
    cells = [name for name in surveyed["cells"] if name not in failed]
    found = {"cells": cells, "failed": failed, "loops": length.loops, "laps": 0 if lost else length.laps}
    return {**surveyed, **found}, [value for value in length.first if value.cell not in failed]


def take_laps(
    job: Job, turn: Turn, calibration: Mapping[str, Any], left_out: Mapping[str, str], first: Iterable[Value] = ()
) -> tuple[list[Value], dict[str, str]]:
    """A round's values in the order taken, and the cells that failed, with the reason.

    first: the values of its first lap, where that has been taken. Raises WrongAnswer when a cell's answers are not the
    sequential ones. A cell that loses its lock loses its values.
    """
    cells = [name for name in turn.of(calibration["cells"]) if name not in left_out]
    laps, values = Laps(job, cells, calibration["loops"]), [*first]
    if not turn.first:
        laps.warm_up()
    count = turn.laps or calibration["laps"]
    for lap in range(2 if values else 1, count + 1):
        values += laps.take(lap, seed_of(job.block, turn), before=(turn.number - 1) * count)
    lost = lost_meanwhile(job, laps.cells)
    return [value for value in values if value.cell not in lost], {**left_out, **laps.failed, **lost}


def take_round(
    block: Block,
    turn: Turn,
    folder: str,
    calibration: dict[str, Any] | None = None,
    left_out: Mapping[str, str] | None = None,
) -> Taken:
    """Measure one round, then trace each of its cells once, if it is to be traced.

    A wrong answer leaves nothing of it but the reason, under ``wrong``.

    folder: where the round's files will lie. calibration: what the block's first round has found out; without it this
    one does. left_out: cells that are not measured, each with the reason.
    """
    left_out = left_out or {}
    values: list[Value] = []
    failed = dict(left_out)
    with machine_lock() as waiting:
        before, waited = read_environment(), waiting
        trace = empty_trace(block, turn.number, {}, None)
        try:
            if calibration is not None and not calibration.get("laps"):
                raise_again(calibration)
            with (
                sampling(turn.traced) as sampler,
                prepared(block, folder, turn.number) as job,
                blaming_changed_inputs(job),
            ):
                remember_own()
                if calibration is None:
                    job.watch_inputs()
                job.expect()
                first: list[Value] = []
                if calibration is None:
                    surveyed = {**survey(job, left_out), **span(before["time"], waited)}
                    waited = 0.0
                if sampler:
                    sampler.ready()
                before = read_environment()
                if calibration is None:
                    calibration, first = calibrate(job, turn, surveyed)
                if calibration.get("laps"):
                    values, failed = take_laps(job, turn, calibration, left_out, first)
                    job.check_inputs()
                after = read_environment()
                trace["failed"] = dict(failed)
                if sampler and values:
                    cells = [SEQUENTIAL.name, *turn.of(calibration["cells"])]
                    found = trace_cells(job, cells, {**calibration["failed"], **failed}, sampler)
                    trace["failed"].update(found["failed"])
                    trace.update(cells=found["cells"], **span(after["time"], 0.0))
        except NotApplicable as reason:
            after = read_environment()
            calibration = calibration or {"not_applicable": str(reason), **span(before["time"], waited)}
        except WrongAnswer as reason:
            print(f"gilscope: {block.path}: {reason}", file=sys.stderr)
            after, values = read_environment(), []
            calibration = {**(calibration or span(before["time"], waited)), "wrong": str(reason), "laps": 0}
            trace = empty_trace(block, turn.number, failed, str(reason))
        facts = facts_of(block, turn, calibration, {"before": before, "after": after}, waited)
    facts["failed"] = {**facts["failed"], **failed}
    return Taken({"block": asdict(block), **calibration}, values, facts, trace)


def raise_again(calibration: Mapping[str, Any]) -> NoReturn:
    """Raise what has kept a block's first round from being measured."""
    if calibration.get("wrong"):
        raise WrongAnswer(calibration["wrong"])
    raise NotApplicable(calibration.get("not_applicable") or "")


@contextmanager
def blaming_changed_inputs(job: Job) -> Iterator[None]:
    """Where something fails after a task has changed its input, that is the reason."""
    try:
        yield
    except Deliberate:
        raise
    except Exception:
        job.check_inputs()
        raise


def sampling(wanted: bool) -> AbstractContextManager[MemorySampler | None]:
    """A sampling process, started while the block is prepared, where its memory is to be traced."""
    return memory_sampler() if wanted else nullcontext()


def span(started: float, waited: float) -> dict[str, Any]:
    """When and where a part of the round was done that ends now."""
    return {"started": started, "ended": time.time(), "waited_s": waited, "node": node()}


def facts_of(
    block: Block, turn: Turn, calibration: Mapping[str, Any], environment: Mapping[str, Any], waited: float
) -> dict[str, Any]:
    """What pyperf's metadata cannot hold of a round."""
    return {
        "block": asdict(block),
        "round": turn.number,
        "stage": turn.stage,
        "only": None if turn.only is None else list(turn.only),
        "traced": turn.traced,
        "started": environment["before"]["time"],
        "ended": environment["after"]["time"],
        "waited_s": waited,
        "node": node(),
        "laps": 0 if calibration.get("wrong") else turn.laps or calibration.get("laps", 0),
        "calibrated": calibrated(calibration),
        "environment": environment,
        "gil": gil_enabled(),
        "hidden_threads": read_hidden_threads(),
        "start_method": multiprocessing.get_start_method(),
        "file_system": calibration.get("file_system"),
        "workers": calibration.get("workers", {}),
        "not_applicable": calibration.get("not_applicable"),
        "wrong": calibration.get("wrong"),
        "skipped": calibration.get("skipped", {}),
        "failed": calibration.get("failed", {}),
    }
