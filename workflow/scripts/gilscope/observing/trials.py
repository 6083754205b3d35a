"""A lab, run: its trials in processes of their own, each bounded in time and output, none left behind."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Callable

import psutil

from gilscope.labs import Case, Lab, load_lab
from gilscope.measuring.environment import read_environment
from gilscope.observing.keeper import Nest, kept
from gilscope.running.gil import gil_enabled
from gilscope.running.hidden import default_threads
from gilscope.running.identity import runtime_name
from gilscope.running.lock import check_parent, machine_lock
from gilscope.running.marked import carriers, end_all
from gilscope.running.marks import MARK, TRIAL
from gilscope.running.node import node
from gilscope.running.plain_text import on_one_line, words_of
from gilscope.running.progress import TRYING, doing
from gilscope.running.reasons import from_outside
from gilscope.running.starting import read_capped
from gilscope.running.waiting import exit_code
from gilscope.running.watching import why_ended

START_S = 20.0
READER_S = 2.0
FULL = 10
"""How much longer than the small form of a lab its full form may take."""
WORKER_BYTES = 100e6
"""What a trial and its processes may take at most, to tell how many fit side by side."""


@dataclass(frozen=True)
class Chunk:
    """Trials of one case that share a process."""

    case: Case
    first: int
    count: int


@dataclass
class Seen:
    """What a lab saw: a row for each observation, a row for each case or trial that gave none, with the reason."""

    observations: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    gil: set[bool] = field(default_factory=set)


def plan_chunks(lab: Lab, small: bool) -> list[Chunk]:
    """All trials in order: those that claims need first; then trial by trial.

    The cases within each come in random order where time is measured, else in the lab's own.
    """
    chunks = [
        Chunk(case, first, min(case.together, trials - first))
        for case in lab.cases.values()
        for trials in [case.few if small else case.trials]
        for first in range(0, trials, case.together)
    ]
    if lab.timed:
        random.Random(0).shuffle(chunks)
    return sorted(chunks, key=lambda chunk: (chunk.case.descriptive, chunk.first))


def why(code: int | None, limit_s: float, printed: bytes) -> str:
    """Why a process gave no answer. code: None when it was ended from outside."""
    lines = printed.decode(errors="replace").strip().splitlines()
    if code is None or any(line.startswith("Timeout (") for line in lines):
        return f"no answer within {limit_s:g} s"
    return why_ended(code) + (f": {on_one_line(lines[-1], 200)}" if lines else "")


def run_process(name: str, chunk: Chunk, nest: Nest) -> tuple[list[dict[str, Any]], str | None]:
    """The answers to a chunk's trials, in order, and, where some are missing, why the next one gave none."""
    trial, case = f"{nest.token}-{time.monotonic_ns()}-{threading.get_ident()}", chunk.case
    path = os.path.join(nest.folder, f"answers-{trial}")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gilscope.observing.trial_host"),
            *(name, case.name, str(chunk.first), str(chunk.count), path),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**nest.environment, TRIAL: trial},
        start_new_session=True,
    )
    assert process.stdout is not None
    printed = bytearray()
    reader = threading.Thread(target=read_capped, args=(process.stdout, printed), daemon=True)
    reader.start()
    code: int | None = None
    try:
        code = exit_code(process, START_S + case.limit_s * (chunk.count + 1))
    finally:
        end_all(lambda: carriers(TRIAL, trial))
        process.wait()
        reader.join(READER_S)
        if not reader.is_alive():
            process.stdout.close()
    answers = read_answers(path)
    return answers, why(code, case.limit_s, bytes(printed)) if len(answers) < chunk.count else None


def read_answers(path: str) -> list[dict[str, Any]]:
    """The complete lines of a trial process's file; none where it did not come to write one."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if line.endswith("\n")]
        os.unlink(path)
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def run_chunk(name: str, chunk: Chunk, nest: Nest, why_stop: Callable[[], str | None]) -> Iterator[dict[str, Any]]:
    """An answer to each trial of a chunk; after a trial that took its process down a new one goes on.

    A trial whose process somebody has killed has another try.
    """
    first, end, killed = chunk.first, chunk.first + chunk.count, -1
    while first < end:
        over = why_stop()
        if over:
            yield from ({"trial": trial, "error": over} for trial in range(first, end))
            return
        answers, reason = run_process(name, Chunk(chunk.case, first, end - first), nest)
        yield from answers
        first += len(answers)
        if reason is None:
            continue
        if from_outside(reason) and killed != first:
            killed = first
            continue
        yield {"trial": first, "error": reason}
        first += 1


def note(seen: Seen, lab: Lab, case: Case, answers: Iterable[dict[str, Any]]) -> None:
    for answer in answers:
        if "error" in answer:
            seen.gaps.append({"case": case.name, "trial": answer["trial"], "reason": answer["error"]})
            continue
        seen.gil.add(answer["gil"])
        for metric, value in answer["seen"].items():
            row = {"case": case.name, "trial": answer["trial"], "metric": metric, "value": value}
            seen.observations.append({**row, "unit": lab.metrics[metric]})


def at_once(lab: Lab) -> int:
    """How many trial processes run side by side: one where time is measured, else as many as cores and memory allow."""
    if lab.timed:
        return 1
    wanted, cores = lab.side_by_side or default_threads(), default_threads()
    return max(1, min(wanted, max(cores, int(psutil.virtual_memory().available / WORKER_BYTES))))


def run_chunks(name: str, chunks: Sequence[Chunk], nest: Nest, seen: Seen, *, small: bool) -> None:
    """Run chunks; what would begin after the lab's time is up is a gap."""
    lab = load_lab(name)
    limit_s = lab.limit_s * (1 if small else FULL)
    deadline = time.monotonic() + limit_s
    stopped = threading.Event()

    def why_stop() -> str | None:
        over = stopped.is_set() or time.monotonic() > deadline
        return f"the lab's {limit_s:g} s were over" if over else None

    def one(chunk: Chunk) -> list[dict[str, Any]]:
        check_parent()
        return list(run_chunk(name, chunk, nest, why_stop))

    with ThreadPoolExecutor(at_once(lab)) as pool:
        try:
            for chunk, answers in zip(chunks, pool.map(one, chunks)):
                note(seen, lab, chunk.case, answers)
        except BaseException:
            stopped.set()
            end_all(lambda: carriers(MARK, nest.token))
            raise


def applicable(lab: Lab, small: bool, seen: Seen) -> list[Chunk]:
    """The chunks of the cases that can run here; the others become gaps with their reason."""
    whole = lab.unavailable()
    reasons = {name: whole or case.unavailable() for name, case in lab.cases.items()}
    seen.gaps += [{"case": name, "trial": None, "reason": reason} for name, reason in reasons.items() if reason]
    return [chunk for chunk in plan_chunks(lab, small) if not reasons[chunk.case.name]]


def observe(name: str, small: bool) -> dict[str, Any]:
    """Run one lab, alone on the machine; returns its observations with the facts about the run.

    small: whether descriptive cases run in their small form.
    """
    seen = Seen()
    with machine_lock() as waited:
        started, before, timed = time.time(), read_environment(), False
        try:
            lab = load_lab(name)
        except ImportError as error:
            seen.gaps.append({"case": None, "trial": None, "reason": f"cannot be imported here: {words_of(error)}"})
        else:
            timed = lab.timed
            chunks = applicable(lab, small, seen)
            with kept() as nest:
                doing(TRYING)
                run_chunks(name, chunks, nest, seen, small=small)
        after, ended = read_environment(), time.time()
    order = {case: place for place, case in enumerate(dict.fromkeys(row["case"] for row in seen.observations))}
    return {
        "lab": name,
        "runtime": runtime_name(),
        "gil": any(seen.gil) if seen.gil else gil_enabled(),
        "small": small,
        "timed": timed,
        "started": started,
        "ended": ended,
        "waited_s": waited,
        "node": node(),
        "environment": {"before": before, "after": after},
        "observations": sorted(seen.observations, key=lambda row: (order[row["case"]], row["trial"])),
        "gaps": seen.gaps,
    }
