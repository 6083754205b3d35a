"""One row per cell and metric: the estimate over rounds, with its interval and the block's noise floor."""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

import numpy as np
import pandas as pd

from gilscope.analysis.intervals import hodges_lehmann, interval
from gilscope.analysis.tables import CELL
from gilscope.cells import SEQUENTIAL
from gilscope.measuring.laps import is_reference

BLOCK = ["machine", "runtime", "workload", "kind", "size", "tasks"]
WARM_UP_LAPS = 1
SIZE = ["runtime", "workload", "size"]
ESTIMATES = [*CELL, "parameter", "unit", "metric", "estimate", "low", "high", "rounds", "noise_floor", "flags"]


def paired(timings: pd.DataFrame) -> pd.DataFrame:
    """Every timed value but the references, with the sequential reference beside it.

    Adds ``reference`` (seconds) and ``log_ratio``, log(reference / seconds). Warm-up laps are left out. A row whose
    strategy is sequential is the probe: sequential against its neighbouring self.
    """
    counted = timings[timings["lap"] > WARM_UP_LAPS]
    is_base = (counted["strategy"] == SEQUENTIAL.strategy) & counted["position"].map(is_reference)
    place = [*BLOCK, "round", "lap"]
    bases = counted.loc[is_base, [*place, "position", "seconds"]].rename(columns={"seconds": "reference"})
    others = counted[~is_base].copy()
    others["beside"] = (others["position"] + 1) // 3 * 3
    pairs = others.merge(bases.rename(columns={"position": "beside"}), on=[*place, "beside"], how="inner")
    pairs["log_ratio"] = np.log(pairs["reference"] / pairs["seconds"])
    return pairs.drop(columns="beside")


def centres(values: pd.DataFrame, column: str, by: list[str]) -> pd.Series:
    """The robust centre of each group's laps, indexed by the group's columns."""
    return values.groupby(by, observed=True)[column].agg(lambda laps: hodges_lehmann(laps.to_numpy()))


def noise_floors(pairs: pd.DataFrame) -> dict[Hashable, float]:
    """Block → the spread of sequential against its neighbour: the normal-consistent median absolute deviation."""
    probes = pairs[pairs["strategy"] == SEQUENTIAL.strategy]
    return {
        block: float(np.expm1(1.4826 * np.median(np.abs(group["log_ratio"]))))
        for block, group in probes.groupby(BLOCK, observed=True)
    }


def summarise(logs: pd.Series, metric: str) -> pd.DataFrame:
    """Intervals over rounds. logs: one centre per cell and round, on the logarithmic scale."""
    rows = []
    for cell, group in logs.groupby(level=CELL, observed=True, sort=False):
        found = interval(group.to_numpy())
        bounds = {"estimate": found.estimate, "low": found.low, "high": found.high, "rounds": found.rounds}
        place = dict(zip(CELL, cast("tuple[Hashable, ...]", cell), strict=True))
        rows.append({**place, "metric": metric, **bounds})
    return pd.DataFrame(rows)


def estimate(timings: pd.DataFrame, traces: pd.DataFrame, rounds: pd.DataFrame) -> pd.DataFrame:
    """All estimates: speedup (the sequential row is the A/A control), seconds per value, effective cores.

    rounds: says what each block's size stands for (``parameter`` in ``unit``).
    """
    by = [*CELL, "round"]
    pairs = paired(timings)
    counted = timings[timings["lap"] > WARM_UP_LAPS].assign(log_seconds=lambda table: np.log(table["seconds"]))
    parts = [
        summarise(centres(pairs, "log_ratio", by), "speedup"),
        summarise(centres(counted, "log_seconds", by), "seconds"),
    ]
    computed = traces[traces["effective_cores"] > 0]
    if not computed.empty:
        parts.append(summarise(np.log(computed.set_index(by)["effective_cores"]), "effective_cores"))
    table = pd.concat([part for part in parts if not part.empty], ignore_index=True)
    floors = noise_floors(pairs)
    table["noise_floor"] = [floors.get(block, np.nan) for block in table[BLOCK].itertuples(index=False, name=None)]
    table["flags"] = ""
    sizes = rounds[[*SIZE, "parameter", "unit"]].drop_duplicates(SIZE)
    table = table.merge(sizes, on=SIZE, how="left")
    return table[ESTIMATES].sort_values([*CELL, "metric"], ignore_index=True)
