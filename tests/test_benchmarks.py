"""The benchmarks still run, in small; what they find is for a quiet machine and docs/evidence.md."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from apart import apart
from bundled import small_results

Bench = Callable[..., str]


@pytest.fixture
def bench(root: Path, tmp_path: Path) -> Bench:
    """Runs a benchmark by its name; returns what it printed. The machine-wide lock is the test's own."""

    def call(name: str, *arguments: Any) -> str:
        done = subprocess.run(
            [sys.executable, str(root / "benchmarks" / f"{name}.py"), *map(str, arguments)],
            env={**os.environ, **apart(tmp_path)},
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


def test_selfcheck_counts_the_intervals_that_hold_1_and_goes_on_where_it_stopped(bench: Bench, tmp_path: Path) -> None:
    values = tmp_path / "selfcheck.jsonl"
    arguments = (values, "--seconds", 0.02, "--steps", 2_000)
    bench("selfcheck", *arguments, "--repetitions", 2)
    first = values.read_text()
    values.write_text(first + '{"repetition": 3, "round": 1, "cut o')
    said = bench("selfcheck", *arguments, "--repetitions", 3)
    assert values.read_text().startswith(first)
    assert len(values.read_text().splitlines()) == 15
    assert re.search(r"^A/A intervals that hold 1: [0-3] of 3: .* 1 to 3 expected$", said, re.MULTILINE)
    assert re.findall(r"^median half-width, ([a-z-]+\d): ±\d", said, re.MULTILINE) == [
        "sequential-1",
        "threading-2",
        "multiprocessing-2",
    ]


def test_selfcheck_does_not_hold_1_where_a_value_follows_its_reference_at_another_speed(
    bench: Bench, tmp_path: Path
) -> None:
    values = tmp_path / "selfcheck.jsonl"
    arguments = (values, "--seconds", 0.02, "--steps", 2_000, "--repetitions", 1)
    bench("selfcheck", *arguments)
    rows = [json.loads(line) for line in values.read_text().splitlines()]
    for row in rows:
        for value in row["values"]:
            name, lap, position, _ = value
            value[3] = (1 + (lap + row["round"]) % 2 / 1000) * (0.9 if name == "sequential-1" and position % 3 else 1)
    values.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert "A/A intervals that hold 1: 0 of 1" in bench("selfcheck", *arguments)


def test_precision_tells_for_each_way_when_it_knew_and_whether_it_was_right(bench: Bench) -> None:
    small = ("--cap", 0.5, "--truth", 0.1, "--round-seconds", 0.02, "--steps", 2_000, "--runs", 2)
    said = bench("precision", *small, "--pyperf=-p 2 -n 2 -w 0 --min-time 0.001")
    rows = [line.strip("| ").split(" | ") for line in said.splitlines() if line.startswith("|")][2:]
    ways = ["ours", "pyperf"] if "hyperfine: left out" in said else ["ours", "pyperf", "hyperfine"]
    assert [tuple(row[:2]) for row in rows] == [
        (way, cell) for way in ways for cell in ("threading-2", "multiprocessing-2")
    ]
    for _, _, took, found, reference, holds in rows:
        assert re.fullmatch(r"\d+|> 0\.5, reached ±\d+\.\d %", took)
        _, low, high = (float(bound) for bound in re.findall(r"\d+\.\d+", found))
        assert holds == ("yes" if low <= float(reference.split()[0]) <= high else "no")


LARGE = [("threading", 2, "cold"), ("multiprocessing", 2, "warm"), ("sequential", 1, "cold"), ("ceiling", 2, "warm")]


def finished_run(folder: Path, *, half_width: float, seconds: float, verdicts: list[str]) -> Path:
    """What a sweep leaves of what is compared: two large blocks, whose rounds last 10 s of a run of so many."""
    small_results(folder)
    cells = [(workload, "large", *cell) for workload in ("sum_squares", "matmul") for cell in LARGE]
    cells += [("sum_squares", "large", "multiprocessing", 2, "cold"), ("matmul", "deck", "multiprocessing", 2, "cold")]
    rows = [dict(zip(("workload", "size", "strategy", "workers", "pool"), cell, strict=True)) for cell in cells]
    bounds = {"estimate": 1.5, "low": 1.5 / (1 + half_width), "high": 1.5 * (1 + half_width)}
    estimates = pd.DataFrame(rows).assign(runtime="cp311", kind="cpu", metric="speedup", **bounds)
    estimates.to_parquet(folder / "estimates.parquet")
    jobs = [("measure", 100, 110), ("observe", 110, 130), ("observe", 120, 140), ("record", 140, 160)]
    rounds = pd.DataFrame(jobs, columns=["job", "started", "ended"])
    rounds.to_parquet(folder / "rounds.parquet")
    timings = pd.DataFrame({"lap": [1, 2, 3], "loops": [1, 2, 1], "seconds": [1.0, 1.0, 1.0]})
    timings.to_parquet(folder / "timings.parquet")
    found = [
        {"runtime": "cp311", "claim": f"claim-{number}", "verdict": verdict, "cases": []}
        for number, verdict in enumerate(verdicts)
    ]
    (folder / "verdicts.json").write_text(json.dumps(found))
    (folder / "machine.json").write_text('{"usable_cores": 2}')
    facts = {"started": 90, "ended": 90 + seconds, "commit": "0123abc", "warm_up_laps": 1, "blocks": []}
    (folder / "sharpness.json").write_text(json.dumps(facts))
    return folder


def test_sharpness_compares_the_kept_runs_of_two_builds(bench: Bench, tmp_path: Path) -> None:
    finished_run(tmp_path / "old-1", half_width=0.08, seconds=100, verdicts=["inconclusive", "confirmed", "confirmed"])
    finished_run(tmp_path / "old-2", half_width=0.08, seconds=100, verdicts=["inconclusive", "confirmed", "refuted"])
    finished_run(tmp_path / "new-1", half_width=0.02, seconds=50, verdicts=["confirmed", "confirmed", "refuted"])
    finished_run(tmp_path / "new-2", half_width=0.02, seconds=50, verdicts=["refuted", "confirmed", "not tested"])
    said = bench("sharpness", "--report-only", "--folder", tmp_path)
    ratio = f"{math.log(1.02) / math.log(1.08):.2f}"
    for kind in ("threads", "processes, warm", "ceiling", "sequential (A/A)"):
        row = f"| half-width, {kind} (2 cells of 2 blocks) | ±8.0 % | ±2.0 % | {ratio} [{ratio}, {ratio}] |"
        assert row in said
    assert "| half-width, processes, cold, deck too (2 cells of 2 blocks) | ±8.0 % |" in said
    assert "| wall time | 1.7 min | 0.8 min | 0.50 [0.50, 0.50] |" in said
    # 3 s of the 70 s to the last measuring job's end, less the 30 s in which labs ran.
    assert "| time in counted values | 8 % | 8 % |" in said
    assert "| undecided claims | 1, 1 | 0, 0 | 0.00 [0.00, 0.00] |" in said
    assert "of the new build: cp311 / claim-0." in said
    assert "Of the old and of the new build: cp311 / claim-2." in said
    assert str(tmp_path) not in said


FAKE_BUILD = """
setup:
\tmkdir -p .venv/bin && ln -sf "$(TRUE_PYTHON)" .venv/bin/python
run:
\ttest ! -e results
\tmkdir results && cp -R "$(FINISHED)" results/machine && rm results/machine/sharpness.json
\techo '$(ARGS)' > results/machine/asked
"""


def test_sharpness_runs_both_builds_in_turn_each_from_no_results(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = finished_run(tmp_path / "finished", half_width=0.05, seconds=1, verdicts=["confirmed"])
    monkeypatch.setenv("FINISHED", str(finished))
    monkeypatch.setenv("TRUE_PYTHON", sys.executable)
    repository, kept = tmp_path / "repository", tmp_path / "kept"
    estimates = repository / "workflow/scripts/gilscope/analysis/estimates.py"
    estimates.parent.mkdir(parents=True)
    (repository / "Makefile").write_text(FAKE_BUILD)

    def git(*arguments: str) -> None:
        me = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *me, *arguments], cwd=repository, check=True, capture_output=True)

    git("init")
    for warm_up in (1, 0):
        estimates.write_text(f"WARM_UP_LAPS = {warm_up}")
        git("add", ".")
        git("commit", "-m", "a build")
    arguments = ("--against", "HEAD~1", "--repository", repository, "--folder", kept, "--blocks", "sum_squares/small")
    assert "| wall time |" in bench("sharpness", *arguments, "--runs", 1)
    first = (kept / "old-1/sharpness.json").read_text()
    bench("sharpness", *arguments, "--runs", 2)
    assert (kept / "old-1/sharpness.json").read_text() == first
    facts = {name: json.loads((kept / name / "sharpness.json").read_text()) for name in sorted_runs(kept)}
    assert list(facts) == ["old-1", "new-1", "old-2", "new-2"]
    assert [one["warm_up_laps"] for one in facts.values()] == [1, 0, 1, 0]
    assert "sharpness.yaml" in (kept / "new-1/asked").read_text()


def sorted_runs(kept: Path) -> list[str]:
    """The names of the kept runs in the order in which they were measured."""
    found = {path.parent.name: json.loads(path.read_text())["started"] for path in kept.glob("*/sharpness.json")}
    return sorted(found, key=lambda name: found[name])
