"""A round: one new process that measures one block; and the calibration that all rounds of the block share."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gilscope.cells import SEQUENTIAL, Block, Cell
from gilscope.measuring.environment import read_environment
from gilscope.measuring.hidden import read_hidden_threads
from gilscope.measuring.job import Job, NotApplicable, prepared
from gilscope.measuring.laps import (
    Laps,
    Value,
    forget_helpers,
    laps_for,
    loops_for,
    nothing_to_decide,
    time_value,
)
from gilscope.measuring.probing import ask_workers, lost_here, lost_meanwhile, probe_workers
from gilscope.running.files import write_json
from gilscope.running.lock import machine_lock
from gilscope.running.node import node
from gilscope.running.surrendering import calibrated
from gilscope.runtimes import gil_enabled


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


def decide_length(job: Job, laps: Laps) -> tuple[dict[str, int], int]:
    """How many loops the values of each cell hold, and how many laps a round has."""
    block = job.block
    sequential = time_value(job, SEQUENTIAL.name)
    if nothing_to_decide(sequential, laps.cells, block.seconds, block.min_laps):
        return dict.fromkeys([SEQUENTIAL.name, *laps.cells], 1), block.min_laps
    began = time.perf_counter()
    values = laps.take(0, "calibration")
    laps.loops = loops_for(values)
    if max(laps.loops.values()) > 1:
        began = time.perf_counter()
        values += laps.take(1, "calibration")
    return loops_for(values), laps_for(block.seconds, time.perf_counter() - began, block.min_laps)


def calibrate(block: Block, path: str, left_out: Mapping[str, str] | None = None) -> None:
    """Decide how many loops a value and how many laps a round of this block has; write it for the rounds to share.

    A sequential task comes first: what fails or hangs everywhere shall cost its time once, and not once a cell. Then
    the first lap finds the loops, the second, with them, the time that a lap takes; neither where a single sequential
    value tells both. Cells that fail here are left out; where the sequential one does, all fail with it, and no round
    takes a lap. left_out: cells known to fail, each with the reason.
    """
    with machine_lock() as waited:
        started = time.time()
        try:
            with prepared(block, os.path.dirname(path)) as job:
                able, skipped = applicable(job)
                runnable = [name for name in able if name not in (left_out or {})]
                ask_workers(job, SEQUENTIAL.name)
                workers, refused, failed = probe_workers(job, runnable)
                skipped.update(refused)
                runnable = [name for name in runnable if name not in refused]
                cells = [name for name in runnable if name not in failed]
                laps = Laps(job, cells, {})
                loops, number = decide_length(job, laps)
                lost = lost_here(block, [SEQUENTIAL.name, *runnable])
                forget_helpers()
        except NotApplicable as reason:
            result: dict[str, Any] = {"not_applicable": str(reason)}
        else:
            failed = {**(left_out or {}), **failed, **laps.failed, **lost}
            result = {
                "cells": [name for name in runnable if name not in failed],
                "skipped": skipped,
                "failed": failed,
                "workers": workers,
                "loops": loops,
                "laps": 0 if lost else number,
                "file_system": job.site.file_system,
            }
        when = {"started": started, "ended": time.time(), "waited_s": waited, "node": node()}
    write_json(path, {"block": asdict(block), **when, **result})


def measure_round(
    block: Block, number: int, calibration: dict[str, Any], folder: str, left_out: Mapping[str, str] | None = None
) -> tuple[list[Value], dict[str, Any]]:
    """Measure one round; returns its values in the order taken, and the facts about it.

    folder: where the round's files will lie. left_out: cells that are not measured, each with the reason. Raises
    WrongAnswer when a cell's answers are not the sequential ones. A cell that loses its lock loses its values.
    """
    with machine_lock() as waited:
        before = read_environment()
        values: list[Value] = []
        failed = dict(left_out or {})
        if "not_applicable" not in calibration and calibration["laps"]:
            with prepared(block, folder) as job:
                laps = Laps(job, [name for name in calibration["cells"] if name not in failed], calibration["loops"])
                for lap in range(1, calibration["laps"] + 1):
                    values += laps.take(lap, f"{block.path}/{number}")
                lost = lost_meanwhile(job, laps.cells)
            failed.update({**laps.failed, **lost})
            values = [value for value in values if value.cell not in lost]
            forget_helpers()
        after = read_environment()
    return values, {
        "block": asdict(block),
        "round": number,
        "started": before["time"],
        "ended": after["time"],
        "waited_s": waited,
        "node": node(),
        "laps": calibration.get("laps", 0),
        "calibrated": calibrated(calibration),
        "environment": {"before": before, "after": after},
        "gil": gil_enabled(),
        "hidden_threads": read_hidden_threads(),
        "start_method": multiprocessing.get_start_method(),
        "file_system": calibration.get("file_system"),
        "workers": calibration.get("workers", {}),
        "not_applicable": calibration.get("not_applicable"),
        "skipped": calibration.get("skipped", {}),
        "failed": {**calibration.get("failed", {}), **failed},
    }
