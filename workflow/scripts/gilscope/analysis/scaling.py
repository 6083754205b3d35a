"""Scaling laws: what serial share, and what cost of keeping in step, would bend the measured curve as it is bent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from gilscope.analysis.estimates import centres, paired, told_apart
from gilscope.analysis.intervals import FEWEST_ROUNDS, plain_interval
from gilscope.analysis.tables import CELL

FEWEST_COUNTS = 5
CURVE = [name for name in CELL if name != "workers"]
LAWS = {"amdahl": ("serial_share",), "usl": ("contention", "coherence")}


def amdahl(workers: np.ndarray, serial_share: float) -> np.ndarray:
    """Speedup when a share of the work cannot be divided. Amdahl, AFIPS Spring Joint Computer Conf. 1967, 483-485."""
    return 1 / (serial_share + (1 - serial_share) / workers)


def usl(workers: np.ndarray, contention: float, coherence: float) -> np.ndarray:
    """Amdahl's law with a cost of all workers talking to each other. Gunther, Guerrilla Capacity Planning (2007)."""
    return workers / (1 + contention * (workers - 1) + coherence * workers * (workers - 1))


def serial_share(speedup: float, workers: int) -> float:
    """The serial share that a single speedup implies. Karp & Flatt, Communications of the ACM 33 (1990), 539-543."""
    return (1 / speedup - 1 / workers) / (1 - 1 / workers)


def fit(law: str, workers: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """The law's parameters that come nearest to log speedups in the least-squares sense; unbounded, so unbiased at 0.

    workers, logs: shape (counts,). Both laws are linear in their parameters for workers / speedup - 1, which is where
    the search begins.
    """
    model: Callable[..., np.ndarray] = amdahl if law == "amdahl" else usl
    excess = workers / np.exp(logs) - 1
    terms = [workers - 1] + ([workers * (workers - 1)] if law == "usl" else [])
    start, *_ = np.linalg.lstsq(np.stack(terms, axis=1).astype(float), excess, rcond=None)

    def residuals(parameters: np.ndarray) -> np.ndarray:
        return logs - np.log(np.maximum(model(workers, *parameters), 1e-9))

    return np.asarray(optimize.least_squares(residuals, start).x)


def fit_rounds(law: str, workers: np.ndarray, rounds: np.ndarray) -> list[dict[str, Any]]:
    """Each parameter with a t interval over rounds, every round being fitted by itself.

    rounds: shape (rounds, counts), log speedups.
    """
    fitted = np.array([fit(law, workers, logs) for logs in rounds])
    found = [(name, plain_interval(values)) for name, values in zip(LAWS[law], fitted.T, strict=True)]
    return [
        {"law": law, "parameter": name, "estimate": its.estimate, "low": its.low, "high": its.high}
        for name, its in found
    ]


def traced_share(traces: pd.DataFrame, curve: Mapping[str, Any], workers: int) -> float | None:
    """The serial share that the traces show at this worker count: Karp and Flatt's, of the effective cores."""
    mask = traces["workers"] == workers
    for name, value in curve.items():
        mask &= traces[name] == value
    cores = traces.loc[mask, "effective_cores"]
    cores = cores[cores > 0]
    return serial_share(float(np.exp(np.log(cores).mean())), workers) if len(cores) else None


def fit_scaling(timings: pd.DataFrame, traces: pd.DataFrame, cores: int) -> list[dict[str, Any]]:
    """A row per curve (runtime × workload × size × strategy × pool), law and parameter.

    A curve needs at least five worker counts up to the usable cores, and three rounds; one that falls short has a row
    with ``reason`` and no law. ``traced`` is the serial share that the traces show, beside the fitted one.
    """
    pairs = paired(told_apart(timings, traces))
    swept = pairs[(pairs["strategy"] != "sequential") & (pairs["workers"] <= cores)]
    rows: list[dict[str, Any]] = []
    for key, group in centres(swept, "log_ratio", [*CELL, "round"]).groupby(level=CURVE, observed=True, sort=True):
        curve = dict(zip(CURVE, key, strict=True))  # type: ignore[arg-type]
        table = group.unstack("workers").dropna()
        table.columns = table.columns.get_level_values(-1)
        counts = np.array(sorted(table.columns), dtype=float)
        named = {**curve, "counts": [int(count) for count in counts]}
        if len(counts) < FEWEST_COUNTS:
            if len(counts) > 1:
                reason = f"{len(counts)} worker counts up to the {cores} usable cores; a law needs {FEWEST_COUNTS}"
                rows.append({**named, "reason": reason})
            continue
        if len(table) < FEWEST_ROUNDS:
            rows.append({**named, "reason": f"{len(table)} rounds; a fit needs {FEWEST_ROUNDS}"})
            continue
        rounds = table[[int(count) for count in counts]].to_numpy(float)
        traced = traced_share(traces, curve, int(counts[-1]))
        for law in LAWS:
            rows += [{**named, **found, "traced": traced} for found in fit_rounds(law, counts, rounds)]
    return rows
