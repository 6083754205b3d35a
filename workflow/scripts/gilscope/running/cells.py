"""Cells, the unit of measurement, and blocks, the unit of pairing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

CELL_NAME = re.compile(r"(?P<strategy>[a-z][a-z-]*[a-z])-(?P<workers>\d+)(?P<warm>-warm)?")


@dataclass(frozen=True)
class Cell:
    """One strategy with its worker count and pool, within a block."""

    strategy: str
    workers: int
    pool: str = "cold"

    @property
    def name(self) -> str:
        """The cell's name in raw files: ``threading-2``, ``multiprocessing-2-warm``."""
        return f"{self.strategy}-{self.workers}" + ("-warm" if self.pool == "warm" else "")

    @classmethod
    def parse(cls, name: str) -> Cell:
        """Inverse of ``name``; raises ValueError for anything else."""
        match = CELL_NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is not a cell's name; one looks like threading-2 or threading-2-warm")
        return cls(match["strategy"], int(match["workers"]), "warm" if match["warm"] else "cold")


SEQUENTIAL = Cell("sequential", 1)


@dataclass(frozen=True)
class Block:
    """All cells of one runtime × workload × size, measured together and compared with the same sequential values.

    parameter: what the size stands for, handed to the workload's inputs (steps, rows, seconds …).
    tasks: how many tasks one value does, divided among the workers.
    cells: names of the cells apart from ``sequential-1``, which is in every block.
    seconds: how long one round should last.
    part: a sequential value does one of so many parts of the tasks, and its time counts for all of them.
    seldom: those of the cells that no claim names, which a round takes in its first lap and in every second one.
    always_traced: whether a claim rests on its traces; else those of its first rounds tell what they have to.
    folder: where a user's own workload lies; empty for those in the package.
    external: the outside service that it may use, when the configuration names one; its address is not part of this.
    """

    runtime: str
    workload: str
    size: str
    parameter: Any
    tasks: int
    cells: tuple[str, ...]
    seconds: float
    min_laps: int = 5
    folder: str = ""
    external: str = ""
    seldom: tuple[str, ...] = ()
    part: int = 1
    always_traced: bool = False

    @property
    def path(self) -> str:
        """The block's place below ``raw/`` and ``traces/``."""
        return f"{self.runtime}/{self.workload}/{self.size}"

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Block:
        fields = json.loads(text)
        return cls(**{**fields, "cells": tuple(fields["cells"]), "seldom": tuple(fields["seldom"])})


@dataclass(frozen=True)
class Turn:
    """Which round of a block it is.

    stage: 1 for those that every block gets, 2 and more for those that were added where they decide something.
    only: the cells that it takes; None for all of the block.
    laps: how many it has; None for as many as the block's first round has found out.
    traced: whether each of its cells is traced after its laps.
    """

    number: int
    stage: int = 1
    only: tuple[str, ...] | None = None
    laps: int | None = None
    traced: bool = True

    @property
    def first(self) -> bool:
        return self.number == 1

    def of(self, cells: Iterable[str]) -> list[str]:
        """Those of the cells that this round takes."""
        return [name for name in cells if self.only is None or name in self.only]
