"""The benchmarks still run, in small; what they find is for a quiet machine and docs/evidence.md."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Bench = Callable[..., str]


@pytest.fixture
def bench(root: Path, tmp_path: Path) -> Bench:
    """Runs a benchmark by its name; returns what it printed. The machine-wide lock is the test's own."""

    def call(name: str, *arguments: Any) -> str:
        done = subprocess.run(
            [sys.executable, str(root / "benchmarks" / f"{name}.py"), *map(str, arguments)],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_overhead_compares_every_strategy_with_its_bare_executor(bench: Bench) -> None:
    said = bench("overhead", "--rounds", 3, "--laps", 2)
    found = re.findall(r"^([a-z-]+) +(\d\.\d+) \[(\d\.\d+), (\d+\.\d+)\]$", said, re.MULTILINE)
    assert [name for name, *_ in found] == [
        "sequential",
        "threading",
        "multiprocessing",
        "multiprocessing-pool",
        "asyncio",
    ]
    for _, ratio, low, high in found:
        assert float(low) <= float(ratio) <= float(high)


def test_pairing_compares_every_arm_and_goes_on_where_it_stopped(bench: Bench, tmp_path: Path) -> None:
    values, picture = tmp_path / "pairing.jsonl", tmp_path / "pairing.svg"
    arguments = ("measure", values, "--more", 0, "--seconds", 0.05)
    bench("pairing", *arguments, "--repetitions", 1)
    first = values.read_text()
    values.write_text(first + '{"repetition": 1, "arm": "cut o')
    bench("pairing", *arguments, "--repetitions", 2)
    assert values.read_text().startswith(first)
    said = bench("pairing", "report", values, "--picture", picture)
    assert said.count("2 of 2") + said.count("1 of 2") + said.count("0 of 2") >= 7
    assert "<svg" in picture.read_text()


def test_drift_moves_the_unpaired_estimate_and_not_the_paired(bench: Bench) -> None:
    rows = [line.split() for line in bench("drift", "--sweeps", 60).splitlines() if line.strip()[:2].isdigit()]
    paired, unpaired = (float(rows[-1][place].rstrip("%")) for place in (1, 2))
    assert abs(paired) < 2
    assert abs(unpaired) > 5


def test_two_sweeps_are_compared_case_by_case(bench: Bench, tmp_path: Path) -> None:
    def write(name: str, *cases: tuple[str, str, float]) -> Path:
        (tmp_path / name).mkdir()
        found = [
            {"case": case, "verdict": verdict, "estimate": at, "low": at / 1.1, "high": at * 1.1, "unit": "x"}
            | {"threshold": {"above": 1.2}}
            for case, verdict, at in cases
        ]
        content = [{"runtime": "cp311", "claim": "a-claim", "cases": found}]
        (tmp_path / name / "verdicts.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path / name

    first = write(
        "a",
        ("same", "confirmed", 2),
        ("near", "inconclusive", 1.25),
        ("gone", "confirmed", 2),
        ("over", "confirmed", 2),
    )
    second = write(
        "b", ("same", "confirmed", 1.9), ("near", "confirmed", 1.28), ("gone", "not tested", 1), ("over", "refuted", 1)
    )
    said = bench("repeatability", first, second)
    assert "cp311 / a-claim / near: inconclusive -> confirmed" in said
    assert "clear cp311 / a-claim / over: confirmed -> refuted" in said
    assert "3 cases in both, 2 clear, 1 of those alike, 1 flipped" in said
