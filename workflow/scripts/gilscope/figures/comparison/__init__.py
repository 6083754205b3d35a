"""Several runs laid side by side, drawn. One file is one figure, as in the package above, of a ``Comparison``.

``SECTION`` is one of the comparison page's; ``SHOWS`` and ``AXIS`` are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gilscope.figures import read_columns, read_json

SECTIONS = ("claims", "speed", "scaling", "break-even", "labs")
"""The parts of the page that figures are in, in its order."""

CELLS = (
    "side bundle runtime workload kind size tasks parameter unit strategy workers pool metric estimate low high rounds "
    "noise_floor flags"
)
SPEEDS = "side against workload size parameter unit estimate low high rounds"
LABS = "side lab case metric unit estimate low high trials"
DIFFERENCES = "side against workload size strategy workers pool metric there here estimate low high q outcome"


@dataclass(frozen=True)
class Comparison:
    """Everything known about several runs side by side. A side is one runtime of one bundle; the first is the baseline.

    sides: a mapping each, with ``side`` (its name, ``amd-epyc-2c-a23b · cp311``), ``bundle`` (its label), ``file``,
    ``runtime``, ``says`` (``CPython 3.11.7``), ``built`` (``GCC 14.2, -O3, PGO, LTO``), ``hardware`` (``AMD EPYC, 2
    usable cores``), ``machine`` (machine.json), ``preset``, ``rounds``, ``version`` (gilscope's), ``measured_from`` and
    ``measured_to`` (seconds since the epoch).
    left_out: ``bundle`` and ``reason`` of those that could not be read. notes: what to know beforehand, a line each.
    claims: a mapping each, with ``claim``, ``says``, ``section``, ``demonstration``, ``outcome`` and ``sides``: side →
    ``verdict``, ``reason`` and the telling ``case`` (as in verdicts.json, or None). outcome: ``alike``, ``machine``,
    ``runtime`` or ``run`` (what changes the answer), ``open`` (fewer than two sides decided), ``untested``.
    cells: the estimates of all sides. speeds: sequential time of a task there (``against``) / here, above 1 is faster.
    break_even: the rows of break_even.json with ``side``. labs: geometric means of start-up and messages over trials.
    differences: of each side against the baseline, cell by cell; ``estimate`` is here / there, ``outcome`` is
    ``better``, ``worse`` or ``alike`` after correction at 5 %. unmatched: ``side``, ``against``, ``count``, ``what``,
    ``reason`` of what could not be compared. gate: ``metric``, ``tolerance``, and ``worse``, rows of differences.
    """

    folder: Path
    sides: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    speeds: pd.DataFrame = field(default_factory=pd.DataFrame)
    break_even: list[dict[str, Any]] = field(default_factory=list)
    labs: pd.DataFrame = field(default_factory=pd.DataFrame)
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    unmatched: list[dict[str, Any]] = field(default_factory=list)
    gate: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: str | Path) -> Comparison:
        """What lies under ``results/comparison``."""
        folder = Path(folder)
        return cls(
            folder=folder,
            **read_json(folder / "sides.json", {}),
            claims=read_json(folder / "claims.json", []),
            cells=read_columns(folder / "cells.parquet", CELLS),
            speeds=read_columns(folder / "speeds.parquet", SPEEDS),
            break_even=read_json(folder / "break_even.json", []),
            labs=read_columns(folder / "labs.parquet", LABS),
            differences=read_columns(folder / "differences.parquet", DIFFERENCES),
            unmatched=read_json(folder / "unmatched.json", []),
            gate=read_json(folder / "gate.json", {}),
        )

    @property
    def names(self) -> list[str]:
        """The sides in their order."""
        return [side["side"] for side in self.sides]
