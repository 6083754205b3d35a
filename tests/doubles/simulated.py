"""Timings of machines whose truth is known: two speeds, drift, disturbed rounds, noise, and cells with a set effect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from gilscope.measuring.laps import lap_order
from gilscope.running.cells import SEQUENTIAL, Cell

SLOW = 1.7
SHORTEST_DWELL, LONGEST_DWELL = 0.1, 10.0
VALUE_S = 0.2
DISTURBED = 1.3


@dataclass
class Machines:
    """Many machines side by side, each at one of two speeds for a while; all work on the same kind of value at once."""

    count: int
    random: np.random.Generator
    two_speeds: bool = True
    drift: float = 0.0
    length: float = 1.0
    clock: np.ndarray = field(init=False)
    slow: np.ndarray = field(init=False)
    left: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.clock = np.zeros(self.count)
        self.slow = self.random.random(self.count) < 0.5
        self.left = self.dwell()

    def dwell(self) -> np.ndarray:
        return np.exp(self.random.uniform(np.log(SHORTEST_DWELL), np.log(LONGEST_DWELL), self.count))

    def work(self, seconds: np.ndarray) -> np.ndarray:
        """How long work lasts that takes ``seconds`` at full speed; a change of speed may fall into it."""
        remaining = seconds * (1 + self.drift * self.clock / self.length)
        lasted = np.zeros(self.count)
        while (remaining > 1e-12).any():
            factor = np.where(self.slow & self.two_speeds, SLOW, 1.0)
            step = np.minimum(self.left, remaining * factor)
            remaining = np.maximum(0.0, remaining - step / factor)
            lasted += step
            self.left = self.left - step
            over = self.left <= 0
            self.slow = self.slow ^ over
            self.left = np.where(over, self.dwell(), self.left)
        self.clock = self.clock + lasted
        return lasted


def simulate(
    speedups: Mapping[str, float],
    *,
    sweeps: int = 1,
    rounds: int = 5,
    laps: int = 8,
    seed: int = 1,
    scatter: float = 0.02,
    drift: float = 0.0,
    two_speeds: bool = True,
    disturbed: float = 0.0,
) -> pd.DataFrame:
    """Sweeps of one block each, as ``collect`` would hand them over; the sweep's name stands in ``workload``.

    speedups: cell → true speedup. scatter: of a round's centre and of a single value. drift: slow-down from start to
    end. disturbed: the share of rounds in which everything is slower and five times as noisy.
    """
    random = np.random.default_rng(seed)
    orders = {
        (number, lap): lap_order(list(speedups), f"{seed}/{number}/{lap}", turned=lap % 2 == 0)
        for number in range(1, rounds + 1)
        for lap in range(1, laps + 1)
    }
    length = sum(map(len, orders.values())) * VALUE_S * (1 + SLOW) / 2
    machines = Machines(sweeps, random, two_speeds, drift, length)
    names = [f"sweep_{sweep}" for sweep in range(sweeps)]
    parts = []
    for number in range(1, rounds + 1):
        bias = {cell: random.normal(0, scatter / 2, sweeps) for cell in speedups}
        bad = random.random(sweeps) < disturbed
        for lap in range(1, laps + 1):
            for position, name in orders[number, lap]:
                noise = random.normal(0, scatter * np.where(bad, 5, 1))
                seconds = VALUE_S / speedups.get(name, 1.0) * np.exp(bias.get(name, 0.0) + noise)
                cell = Cell.parse(name)
                place = {"round": number, "lap": lap, "position": position, "loops": 1}
                own = {"strategy": cell.strategy, "workers": cell.workers, "pool": cell.pool}
                lasted = machines.work(seconds * np.where(bad, DISTURBED, 1.0))
                parts.append(pd.DataFrame({"workload": names, **own, **place, "seconds": lasted}))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(
        machine="simulated",
        runtime="cp311",
        implementation="CPython",
        version="3.11.7",
        gil=True,
        kind="cpu",
        size="large",
        tasks=8,
        flags="",
    )


def stretches(
    speedups: Mapping[str, float], *, sweeps: int, values: int = 40, seed: int = 1, drift: float = 0.0
) -> dict[str, np.ndarray]:
    """Cell → each sweep's unpaired speedup, when every cell is measured in one stretch of so many values."""
    random = np.random.default_rng(seed)
    length = (len(speedups) + 1) * values * VALUE_S * (1 + SLOW) / 2
    machines = Machines(sweeps, random, True, drift, length)
    means = {}
    for name, speedup in {SEQUENTIAL.name: 1.0, **speedups}.items():
        work = [machines.work(np.full(sweeps, VALUE_S / speedup)) for _ in range(values)]
        means[name] = np.mean(work, axis=0)
    return {name: means[SEQUENTIAL.name] / means[name] for name in speedups}


def simulated_timings(speedups: Mapping[str, float], *, workload: str = "sum_squares", **given: float) -> pd.DataFrame:
    """One sweep's block."""
    return simulate(speedups, **given).assign(workload=workload)  # type: ignore[arg-type]


def facts_of(runtime: str, **own: Any) -> dict[str, Any]:
    """What a runtime of this name says about itself."""
    digits = re.findall(r"\d+", runtime)[0]
    version = f"{digits[0]}.{digits[1:]}.1"
    told = {"implementation": "PyPy" if runtime.startswith("pypy") else "CPython", "version": version, "build": "main"}
    free = "t-" in runtime
    return {**told, "compiler": "GCC", "free_threaded": free, "gil": not runtime.endswith("-nogil"), **own}


def simulated_run(
    runtimes: Mapping[str, Mapping[str, float]], speeds: Mapping[str, float], **given: Any
) -> pd.DataFrame:
    """One block in several runtimes: their cells' speedups, and how fast each is one after the other."""
    parts = []
    for number, (runtime, speedups) in enumerate(runtimes.items()):
        seed = given.pop("seed", 1) + number
        own = simulated_timings(speedups, **{"laps": 8, "two_speeds": False, "scatter": 0.01, "seed": seed, **given})
        told = facts_of(runtime)
        named = {"runtime": runtime, "version": told["version"], "implementation": told["implementation"]}
        parts.append(own.assign(**named, gil=told["gil"], seconds=own["seconds"] / speeds.get(runtime, 1.0)))
    return pd.concat(parts, ignore_index=True)
