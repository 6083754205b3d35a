"""One row per cell and metric: the estimate over rounds, with its interval and the block's noise floor."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd

from gilscope.analysis.disturbances import SEPARATOR, summarise_flags
from gilscope.analysis.drift import flag_drift
from gilscope.analysis.intervals import Interval, interval, plain_interval
from gilscope.analysis.tables import CELL
from gilscope.measuring.laps import is_reference, reference_beside
from gilscope.running.cells import SEQUENTIAL

BLOCK = ["machine", "runtime", "workload", "kind", "size", "tasks"]
WARM_UP_LAPS = 0
"""Laps of a round that do not count; a round warms up before its first."""
SEVERAL_CORES = 1.3
"""Effective cores from which a cell's workers count as filling more than one core."""
SIZE = ["runtime", "workload", "size"]
Estimator = Callable[[np.ndarray], Interval]
ESTIMATES = [*CELL, "parameter", "unit", "metric", "estimate", "low", "high", "rounds", "noise_floor", "flags"]


def told_apart(timings: pd.DataFrame, traces: pd.DataFrame) -> pd.DataFrame:
    """The timings with ``several``: whether a cell's workers fill several cores, as its traces tell.

    A cell on one core goes at either of two speeds, as its reference does, and the median passes over the few ratios in
    which the two differ. Several cores are as fast as the slower one, in every mixture, and the mean is the steadier.
    """
    found = traces[traces["effective_cores"] > 0]
    logs = found["effective_cores"].astype(float).map(math.log)
    cores = np.exp(logs.groupby([found[name] for name in CELL], observed=True).mean())
    filled = cores.index[cores > SEVERAL_CORES]
    return timings.assign(several=pd.MultiIndex.from_frame(timings[CELL]).isin(filled))


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
    others["beside"] = reference_beside(others["position"])
    pairs = others.merge(bases.rename(columns={"position": "beside"}), on=[*place, "beside"], how="inner")
    pairs["log_ratio"] = np.log(pairs["reference"] / pairs["seconds"])
    return pairs.drop(columns="beside")


def centres(values: pd.DataFrame, column: str, by: list[str]) -> pd.Series:
    """The centre of each group's laps, indexed by the group's columns: the median, or the mean, see ``told_apart``."""
    groups = values.groupby(by, observed=True)
    middles = groups[column].median()
    if "several" not in values:
        return middles
    return middles.where(~groups["several"].any(), groups[column].mean())


def noise_floors(pairs: pd.DataFrame) -> dict[Hashable, float]:
    """Block → the spread of sequential against its neighbour: the normal-consistent median absolute deviation."""
    probes = pairs[pairs["strategy"] == SEQUENTIAL.strategy]
    return {
        block: float(np.expm1(1.4826 * np.median(np.abs(group["log_ratio"]))))
        for block, group in probes.groupby(BLOCK, observed=True)
    }


def summarise(values: pd.Series, metric: str, estimate_of: Estimator = interval) -> pd.DataFrame:
    """Intervals over rounds. values: one per cell and round, on the scale that ``estimate_of`` takes."""
    rows = []
    for cell, group in values.groupby(level=CELL, observed=True, sort=False):
        found = estimate_of(group.to_numpy())
        bounds = {"estimate": found.estimate, "low": found.low, "high": found.high, "rounds": found.rounds}
        place = dict(zip(CELL, cast("tuple[Hashable, ...]", cell), strict=True))
        rows.append({**place, "metric": metric, **bounds})
    return pd.DataFrame(rows)


def traced(traces: pd.DataFrame) -> list[pd.DataFrame]:
    """What the traces say, one value per cell and round: ratios by their logarithms, shares and bytes as they are."""
    by_round = traces.set_index([*CELL, "round"])
    parts = []
    for metric in ("effective_cores", "overlap"):
        ratios = by_round[metric].dropna()
        parts.append(summarise(np.log(ratios[ratios > 0]), metric))
    for metric in ("idle_share", "memory_per_worker"):
        parts.append(summarise(by_round[metric].dropna().astype(float), metric, plain_interval))
    return parts


def flags_of(pairs: pd.DataFrame, counted: pd.DataFrame, rounds: pd.DataFrame) -> Callable[[Mapping[Any, Any]], str]:
    """A function that says what is to be known of a row: its block's disturbed rounds, its cell's warm-up and drift."""
    timed = rounds[rounds["job"] == "measure"]
    disturbed = summarise_flags(
        {block: list(group["flags"].astype(object).fillna("")) for block, group in timed.groupby(SIZE)}
    )
    drifting = {
        "speedup": flag_drift(pairs, "log_ratio", CELL),
        "seconds": flag_drift(counted, "log_seconds", CELL),
    }

    def flags(row: Mapping[Any, Any]) -> str:
        own = drifting.get(row["metric"], {}).get(tuple(row[name] for name in CELL), "")
        return SEPARATOR.join(filter(None, [disturbed.get(tuple(row[name] for name in SIZE), ""), own]))

    return flags


def estimate(timings: pd.DataFrame, traces: pd.DataFrame, rounds: pd.DataFrame) -> pd.DataFrame:
    """All estimates: speedup (the sequential row is the A/A control), seconds per value, and what the traces say.

    rounds: says what each block's size stands for (``parameter`` in ``unit``), and which rounds were disturbed.
    """
    by = [*CELL, "round"]
    timings = told_apart(timings, traces)
    pairs = paired(timings)
    counted = timings[timings["lap"] > WARM_UP_LAPS].assign(log_seconds=lambda table: np.log(table["seconds"]))
    parts = [
        summarise(centres(pairs, "log_ratio", by), "speedup"),
        summarise(centres(counted, "log_seconds", by), "seconds"),
        *traced(traces),
    ]
    filled = [part for part in parts if not part.empty]
    if not filled:
        return pd.DataFrame(columns=ESTIMATES)
    table = pd.concat(filled, ignore_index=True)
    floors = noise_floors(pairs)
    table["noise_floor"] = [floors.get(block, np.nan) for block in table[BLOCK].itertuples(index=False, name=None)]
    sizes = rounds[[*SIZE, "parameter", "unit"]].drop_duplicates(SIZE)
    table = table.merge(sizes, on=SIZE, how="left")
    flags = flags_of(pairs, counted, rounds)
    table["flags"] = [flags(row) for row in table.to_dict("records")]
    return table[ESTIMATES].sort_values([*CELL, "metric"], ignore_index=True)
