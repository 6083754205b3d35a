"""What another round of a block costs, as far as its rounds so far tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from gilscope.analysis.estimates import SIZE
from gilscope.measuring.laps import lap_order
from gilscope.measuring.lengths import MOST_LAPS
from gilscope.planning.outlook import JOB_S
from gilscope.running.cells import SEQUENTIAL, Block, Cell

ADDED_S = 1.0
"""What an added round lasts at least, whatever its block's rounds last: to start it takes half of that."""


@dataclass(frozen=True)
class Costs:
    """What rounds take, from those that there were.

    values: block and cell → the seconds of a value; the sequential cell of every block is among them. aside: block →
    the seconds of a round that are no values: its warm-up, the starts of workers.
    """

    values: Mapping[tuple[str, str], float]
    aside: Mapping[str, float]

    def lap(self, block: Block, cells: Iterable[str]) -> float:
        known = [name for name in cells if (block.path, name) in self.values]
        return sum(
            self.values[block.path, name] / (block.part if name == SEQUENTIAL.name else 1)
            for _, name in lap_order(known, "")
        )

    def laps(self, block: Block, cells: Iterable[str]) -> int:
        """How many laps over these cells fit into an added round."""
        return max(block.min_laps, min(MOST_LAPS, int(max(block.seconds, ADDED_S) / self.lap(block, cells))))

    def round(self, block: Block, cells: Sequence[str], traced: bool = False) -> float:
        """Seconds of a round over these cells, with their share of what lies aside; traced, it takes a lap more."""
        aside = self.aside[block.path] * (len(cells) + 1) / (len(block.cells) + 1)
        return aside + JOB_S + (self.laps(block, cells) + traced) * self.lap(block, cells)


def costs_of(timings: pd.DataFrame, rounds: pd.DataFrame) -> Costs:
    """What the rounds so far have taken."""
    spent = (timings["seconds"] * timings["loops"]).groupby([timings[name] for name in (*SIZE, "round")]).sum()
    values = (timings["seconds"] * timings["loops"]).groupby(
        [timings[name] for name in (*SIZE, "strategy", "workers", "pool")]
    )
    timed = rounds[rounds["job"] == "measure"].set_index([*SIZE, "round"])
    left = ((timed["ended"] - timed["started"]) - spent).dropna().clip(lower=0).groupby(level=SIZE).median()
    return Costs(
        {
            ("/".join(block), Cell(strategy, int(workers), pool).name): float(seconds)
            for (*block, strategy, workers, pool), seconds in cast("Any", values.mean().items())
        },
        {"/".join(cast("Any", place)): float(seconds) for place, seconds in left.items()},
    )
