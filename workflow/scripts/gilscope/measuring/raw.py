"""Raw files: valid pyperf suites, one benchmark per cell, one run per lap; a round has warmed up before."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

import pyperf

from gilscope.measuring.laps import Value
from gilscope.running.files import EMPTY_SUITE, Damaged, read_json, written_whole

SHARED_METADATA = (
    "cpu_count",
    "cpu_model_name",
    "date",
    "perf_version",
    "platform",
    "python_implementation",
    "python_version",
    "timer",
)


def shared_metadata() -> dict[str, object]:
    """What pyperf knows of machine and interpreter, without host name and paths. Takes some 6 ms: once a round."""
    collected = pyperf.Run([1.0]).get_metadata()
    return {name: collected[name] for name in SHARED_METADATA if name in collected}


def suite(values: Iterable[Value]) -> pyperf.BenchmarkSuite:
    """The values of a round as a suite."""
    metadata = shared_metadata()
    runs: dict[str, list[pyperf.Run]] = {}
    for value in values:
        facts = {**metadata, "name": value.cell, "unit": "second", "loops": value.loops}
        facts.update(lap=value.lap, position=value.position)
        run = pyperf.Run([value.seconds], metadata=facts, collect_metadata=False)
        runs.setdefault(value.cell, []).append(run)
    return pyperf.BenchmarkSuite([pyperf.Benchmark(runs[cell]) for cell in sorted(runs)])


def write_suite(path: str, values: list[Value]) -> None:
    """Write a round's raw file; a block that could not run at all leaves a suite without benchmarks."""
    with written_whole(path) as file:
        if values:
            suite(values).dump(file)
        else:
            json.dump(EMPTY_SUITE, file)


def read_values(path: str) -> list[Value]:
    """The values of a raw file in the order taken. Raises Damaged where it is none."""
    try:
        if read_json(path) == EMPTY_SUITE:
            return []
        found = pyperf.BenchmarkSuite.load(path).get_benchmarks()
        values = [value_of(one.get_name(), run) for one in found for run in one.get_runs()]
    except Damaged:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise Damaged(path, error) from error
    return sorted(values, key=lambda value: (value.lap, value.position))


def value_of(cell: str, run: pyperf.Run) -> Value:
    """Raises ValueError and LookupError for a run of somebody else's, or one that is no measurement."""
    facts = run.get_metadata()
    (seconds,) = run.values
    if not math.isfinite(seconds):
        raise ValueError(f"{seconds} is no number of seconds")
    return Value(cell, facts["lap"], facts["position"], facts["loops"], seconds)
