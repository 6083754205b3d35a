"""What is written of a measurement that could not be done: the usual files, empty, with the reason.

Needs the standard library alone: even pyperf may be missing.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gilscope.running.cells import SEQUENTIAL, Block, Turn
from gilscope.running.gil import gil_enabled
from gilscope.running.identity import runtime_name
from gilscope.running.node import node


def moment() -> dict[str, Any]:
    """A job that took no time, and the node that it was on."""
    now = time.time()
    return {"started": now, "ended": now, "waited_s": 0.0, "node": node()}


def unknown_environment(now: float) -> dict[str, Any]:
    """The readings before and after, of which only the time is known."""
    return {when: {"time": now, "load": None} for when in ("before", "after")}


def calibrated(calibration: Mapping[str, Any]) -> dict[str, Any]:
    """When and where a block was calibrated, for the facts of its rounds."""
    return {key: calibration.get(key) for key in ("started", "ended", "waited_s", "node")}


def empty_calibration(block: Block, left_out: Mapping[str, str], reason: str) -> dict[str, Any]:
    return {"block": asdict(block), **moment(), "failed": dict(left_out), "not_applicable": reason}


def empty_round(
    block: Block, turn: Turn, calibration: Mapping[str, Any], left_out: Mapping[str, str], reason: str
) -> dict[str, Any]:
    """The facts of a round without values; what calibration has found out is kept, its reason before this one."""
    when = moment()
    return {
        "block": asdict(block),
        "round": turn.number,
        "stage": turn.stage,
        "only": None if turn.only is None else list(turn.only),
        "traced": turn.traced,
        **when,
        "laps": 0,
        "calibrated": calibrated(calibration),
        "environment": unknown_environment(when["started"]),
        "gil": gil_enabled(),
        "hidden_threads": None,
        "start_method": multiprocessing.get_start_method(),
        "file_system": calibration.get("file_system"),
        "workers": calibration.get("workers", {}),
        "not_applicable": calibration.get("not_applicable") or reason,
        "wrong": calibration.get("wrong"),
        "skipped": calibration.get("skipped", {}),
        "failed": {**calibration.get("failed", {}), **left_out},
    }


def empty_trace(block: Block, number: int, left_out: Mapping[str, str], reason: str | None) -> dict[str, Any]:
    """A trace of nothing; a reason stands beside the sequential cell, which every block has."""
    failed = {**left_out, SEQUENTIAL.name: reason} if reason else dict(left_out)
    return {"block": asdict(block), "round": number, **moment(), "cells": {}, "failed": failed}


def empty_lab(name: str, small: bool, reason: str) -> dict[str, Any]:
    """A lab that saw nothing: one gap for all of it."""
    when = moment()
    return {
        "lab": name,
        "runtime": runtime_name(),
        "gil": gil_enabled(),
        "small": small,
        "timed": False,
        **when,
        "environment": unknown_environment(when["started"]),
        "observations": [],
        "gaps": [{"case": None, "trial": None, "reason": reason}],
    }
