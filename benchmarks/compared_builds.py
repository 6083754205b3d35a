"""What two builds' kept results have in common and where they differ, as a Markdown table; see ``sharpness.py``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from repeatability import cases

BUILDS = ("old", "new")
FACTS = "sharpness.json"
RESAMPLES = 2000
CELL = ["runtime", "workload", "size", "strategy", "workers", "pool"]
BLOCK = CELL[:3]
FLIP = {"confirmed", "refuted"}


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Run:
    """What one sweep left behind. widths: log half-width by cell; claims: verdict by runtime and claim."""

    name: str
    commit: str
    wall: float
    counted_share: float
    widths: pd.Series
    cores: int
    kinds: dict[tuple[str, ...], str]
    claims: dict[tuple[str, str], str]
    cases: dict[Any, str]

    @property
    def build(self) -> str:
        return self.name.partition("-")[0]


def read_run(folder: Path) -> Run:
    facts = read_json(folder / FACTS)
    estimates = pd.read_parquet(folder / "estimates.parquet")
    speedups = estimates[estimates["metric"] == "speedup"].set_index(CELL)
    widths = ((np.log(speedups["high"]) - np.log(speedups["low"])) / 2).dropna()
    verdicts = read_json(folder / "verdicts.json")
    return Run(
        name=folder.name,
        commit=facts["commit"],
        wall=facts["ended"] - facts["started"],
        counted_share=counted_share(folder, facts),
        widths=widths,
        cores=read_json(folder / "machine.json")["usable_cores"],
        kinds={tuple(row[name] for name in BLOCK): row["kind"] for row in estimates.to_dict("records")},
        claims={(row["runtime"], row["claim"]): row["verdict"] for row in verdicts},
        cases={name: case["verdict"] for name, case in cases(folder).items()},
    )


def counted_share(folder: Path, facts: dict[str, Any]) -> float:
    """The part of the time from the command to the last measuring job's end, labs apart, that is in counted values."""
    timings, rounds = pd.read_parquet(folder / "timings.parquet"), pd.read_parquet(folder / "rounds.parquet")
    counted = timings[timings["lap"] > facts["warm_up_laps"]]
    labs = rounds[rounds["job"] == "observe"]
    measuring = rounds["ended"].max() - facts["started"] - covered(labs[["started", "ended"]].to_numpy())
    return float((counted["seconds"] * counted["loops"]).sum() / measuring)


def covered(spans: Iterable[Sequence[float]]) -> float:
    """The seconds that lie in at least one of the spans."""
    total, reached = 0.0, -math.inf
    for start, end in sorted(map(tuple, spans)):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


@dataclass(frozen=True)
class Kind:
    """Cells whose intervals are looked at together."""

    name: str
    strategy: str
    pool: str | None = None
    sizes: tuple[str, ...] = ("large",)

    def holds(self, cell: tuple[Any, ...], cores: int) -> bool:
        _, _, size, strategy, workers, pool = cell
        counts = range(1, 2) if strategy == "sequential" else range(2, cores + 1)
        if strategy == "ceiling":
            counts = range(cores, cores + 1)
        return strategy == self.strategy and workers in counts and size in self.sizes and self.pool in (None, pool)


KINDS = (
    Kind("threads", "threading"),
    Kind("processes, cold", "multiprocessing", "cold"),
    Kind("processes, warm", "multiprocessing", "warm"),
    Kind("ceiling", "ceiling", "warm"),
    Kind("sequential (A/A)", "sequential"),
)


def cells_of(kind: Kind, runs: Sequence[Run]) -> list[tuple[Any, ...]]:
    """The cells of this kind in computing blocks, that every run knows with an interval."""
    common = set.intersection(*(set(run.widths.index) for run in runs))
    one = runs[0]
    return sorted(cell for cell in common if one.kinds[cell[:3]] == "cpu" and kind.holds(cell, one.cores))


def widened(kind: Kind, runs: Sequence[Run]) -> tuple[Kind, list[tuple[Any, ...]]]:
    """Where one large block alone has such cells, those of the talk's size as well."""
    found = cells_of(kind, runs)
    if len({cell[:3] for cell in found}) > 1:
        return kind, found
    wider = Kind(f"{kind.name}, deck too", kind.strategy, kind.pool, (*kind.sizes, "deck"))
    with_deck = cells_of(wider, runs)
    return (wider, with_deck) if len(with_deck) > len(found) else (kind, found)


def medians(kind: Kind, runs: Sequence[Run]) -> tuple[str, dict[str, float], tuple[float, float, float]]:
    """Name, median half-width of each build, and new / old with its interval over blocks and runs."""
    kind, cells = widened(kind, runs)
    if not cells:
        return f"{kind.name}: no such cell", dict.fromkeys(BUILDS, math.nan), (math.nan,) * 3
    blocks = sorted({cell[:3] for cell in cells})
    places = [[at for at, cell in enumerate(cells) if cell[:3] == block] for block in blocks]
    widths = {build: np.array([run.widths.loc[cells] for run in runs if run.build == build]) for build in BUILDS}

    def ratio(chance: np.random.Generator) -> float:
        drawn = [at for block in chance.integers(len(blocks), size=len(blocks)) for at in places[block]]
        middle = {
            build: np.median(table[chance.integers(len(table), size=len(table))][:, drawn])
            for build, table in widths.items()
        }
        return float(middle["new"] / middle["old"])

    middle = {build: float(np.median(table)) for build, table in widths.items()}
    name = f"{kind.name} ({len(cells)} cells of {len(blocks)} blocks)"
    return name, middle, (middle["new"] / middle["old"], *bootstrapped(ratio))


def bootstrapped(statistic: Callable[[np.random.Generator], float]) -> tuple[float, float]:
    """The percentile interval of a statistic that draws its own sample."""
    chance = np.random.default_rng(1)
    low, high = np.percentile([statistic(chance) for _ in range(RESAMPLES)], [2.5, 97.5])
    return float(low), float(high)


def means(runs: Sequence[Run], value: Callable[[Run], float]) -> tuple[dict[str, float], tuple[float, float, float]]:
    """The mean of a run's value for each build, and new / old with its interval over runs."""
    values = {build: np.array([value(run) for run in runs if run.build == build], dtype=float) for build in BUILDS}
    middle = {build: float(own.mean()) for build, own in values.items()}
    if not middle["old"] or any(len(own) < 2 for own in values.values()):
        return middle, (middle["new"] / middle["old"] if middle["old"] else math.nan, math.nan, math.nan)

    def ratio(chance: np.random.Generator) -> float:
        drawn = {build: chance.choice(own, len(own)).mean() for build, own in values.items()}
        return float(drawn["new"] / drawn["old"]) if drawn["old"] else math.inf

    return middle, (middle["new"] / middle["old"], *bootstrapped(ratio))


def flips(pairs: Iterable[tuple[Run, Run]]) -> list[str]:
    """The claims that one run of a pair confirms and the other refutes, each once."""
    found = {
        name
        for one, other in pairs
        for name in one.claims.keys() & other.claims.keys()
        if {one.claims[name], other.claims[name]} == FLIP
    }
    return sorted(" / ".join(name) for name in found)


def in_words(bounds: tuple[float, float, float]) -> str:
    ratio, low, high = bounds
    if math.isnan(ratio):
        return "–"
    return f"{ratio:.2f}" if math.isnan(low) else f"{ratio:.2f} [{low:.2f}, {high:.2f}]"


def counts(runs: Sequence[Run], name: str, value: Callable[[Run], int]) -> list[str]:
    """A row with the number that each run gave."""
    shown = [", ".join(str(value(run)) for run in runs if run.build == build) for build in BUILDS]
    return [name, *shown, in_words(means(runs, value)[1])]


def rows(runs: Sequence[Run]) -> list[list[str]]:
    wall, walls = means(runs, lambda run: run.wall / 60)
    found = [["wall time", *(f"{wall[build]:.1f} min" for build in BUILDS), in_words(walls)]]
    for kind in KINDS:
        name, middle, bounds = medians(kind, runs)
        widths = ["–" if math.isnan(middle[build]) else f"±{100 * math.expm1(middle[build]):.1f} %" for build in BUILDS]
        found.append([f"half-width, {name}", *widths, in_words(bounds)])
    share, shares = means(runs, lambda run: run.counted_share)
    found.append(["time in counted values", *(f"{100 * share[build]:.0f} %" for build in BUILDS), in_words(shares)])
    found.append(counts(runs, "undecided claims", lambda run: list(run.claims.values()).count("inconclusive")))
    found.append(counts(runs, "undecided cases", lambda run: list(run.cases.values()).count("inconclusive")))
    found.append(counts(runs, "claims tested", lambda run: sum(one != "not tested" for one in run.claims.values())))
    found.append(counts(runs, "cases tested", lambda run: len(run.cases)))
    return found


def report(folder: Path) -> None:
    """Print the table of all finished runs, and which claims flipped."""
    finished = sorted(path.parent for path in folder.glob(f"*-*/{FACTS}"))
    runs = [read_run(path) for path in finished if path.name.partition("-")[0] in BUILDS]
    own = {build: [run for run in runs if run.build == build] for build in BUILDS}
    if not all(own.values()):
        sys.exit("there is no finished run of each build yet; run without --report-only.")
    heads = [f"{build} ({', '.join(sorted({run.commit for run in own[build]}))})" for build in BUILDS]
    print(f"| | {' | '.join(heads)} | new / old |\n|---|---|---|---|")
    for row in rows(runs):
        print(f"| {' | '.join(row)} |")
    print(
        f"\n{len(own['old'])} and {len(own['new'])} runs in turn. Half-widths are medians over cells and runs, counts"
    )
    print("one number a run; in brackets 95 % bootstrap intervals: over runs and, for half-widths, blocks.\n")
    within, between = flips(combinations(own["new"], 2)), flips(product(own["old"], own["new"]))
    print(f"Claims confirmed by one run and refuted by another, of the new build: {', '.join(within) or 'none'}.")
    print(f"Of the old and of the new build: {', '.join(between) or 'none'}.")
