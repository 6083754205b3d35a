"""Bundles made and compared as their users do it: a real Snakemake, and what its exit code and last lines say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from bundled import scaled, small_bundle
from clones import clone

GATE = Path(__file__).parents[2] / "workflow/scripts/gate.py"


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", *arguments[:1], "--cores", "1", *arguments[1:]]
    return subprocess.run(
        command, cwd=folder, env={**os.environ}, capture_output=True, text=True, timeout=240, check=False
    )


def files_in(folder: Path) -> set[str]:
    ignored = (".snakemake", "__pycache__")
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not set(ignored) & set(path.parts)
    }


@pytest.fixture(scope="module")
def compared(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str], set[str]]:
    """A clone in which three bundles were compared with the first: one is half as fast, one is damaged."""
    folder = clone(root, tmp_path_factory.mktemp("shared") / "clone")
    before = small_bundle(folder, "before")
    scaled(before, folder / "slower.zip", "slower", 2.0)
    (folder / "damaged.zip").write_bytes(before.read_bytes()[:-200])
    there = files_in(folder)
    done = snakemake(
        folder, "compare", "--config", "bundles=slower.zip,damaged.zip", "baseline=before.zip", "gate={metric: seconds}"
    )
    return folder, done, files_in(folder) - there


def test_the_page_is_made_and_the_gate_closed(compared: tuple[Path, Any, Any]) -> None:
    folder, done, _ = compared
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "cells are worse in seconds by more than 5%" in said
    assert "worse: slower · cp311 sum_squares/large" in said
    page = (folder / "results/comparison.html").read_text(encoding="utf-8")
    assert "before" in page
    assert "slower" in page


def test_a_bad_bundle_costs_a_line_and_not_the_comparison(compared: tuple[Path, Any, Any]) -> None:
    folder, done, _ = compared
    lines = [line for line in done.stdout.splitlines() if line.startswith("left out: ")]
    assert len(lines) == 1
    assert lines[0].startswith("left out: damaged.zip: ")
    assert "Traceback" not in done.stdout + done.stderr
    assert "damaged.zip" in (folder / "results/comparison.html").read_text(encoding="utf-8")


def test_nothing_is_written_but_the_comparison(compared: tuple[Path, Any, Any]) -> None:
    _, _, new = compared
    assert new
    assert all(name == "results/comparison.html" or name.startswith("results/comparison/") for name in new), new


def test_with_nothing_readable_there_is_one_line_and_no_page(compared: tuple[Path, Any, Any]) -> None:
    folder, _, _ = compared
    done = snakemake(folder, "compare", "--config", "bundles=nowhere.zip")
    assert done.returncode != 0
    assert "gilscope: nowhere.zip: is not there" in done.stderr
    assert "gilscope: there is no bundle to compare; make one with: snakemake bundle --cores 1" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_without_results_there_is_nothing_to_bundle(compared: tuple[Path, Any, Any]) -> None:
    folder, _, _ = compared
    done = snakemake(folder, "bundle", "--config", "machine=elsewhere")
    assert done.returncode != 0
    assert "results/elsewhere: nothing has been measured yet; make, or snakemake --cores all, does." in done.stderr
    assert not list((folder / "results").glob("elsewhere*"))


@pytest.mark.parametrize(
    ("gate", "left_out", "ends"),
    [
        ({}, [], None),
        ({}, [{"bundle": "a.zip", "reason": "a.zip: is empty"}], None),
        ({"compared": 8, "worse": []}, [], None),
        ({"compared": 0, "worse": []}, [], "no cell's speedup could be compared"),
        ({"compared": 8, "worse": []}, [{"bundle": "a.zip", "reason": "a.zip: is empty"}], "could not be read"),
        ({"compared": 8, "worse": [{}]}, [], "1 of 8 cells are worse in speedup by more than 5%"),
        ({"compared": 8, "worse": [{"estimate": None, "low": None}]}, [], "1 of 8 cells are worse"),
    ],
)
def test_when_the_gate_ends_with_one(
    tmp_path: Path, gate: Mapping[str, Any], left_out: list[dict[str, str]], ends: str | None
) -> None:
    cell = {"side": "b · cp311", "workload": "sleep", "size": "large", "strategy": "threading", "workers": 2}
    values = {"pool": "cold", "here": 1.0, "there": 2.0, "estimate": 0.5, "low": 0.4, "high": 0.6, "q": 0.001}
    worse = [{**cell, **values, **row} for row in gate.get("worse", [])]
    found = {**gate, "metric": "speedup", "tolerance": 0.05, "worse": worse} if gate else {}
    (tmp_path / "gate.json").write_text(json.dumps(found))
    (tmp_path / "sides.json").write_text(
        json.dumps({"sides": [{"bundle": "a"}], "left_out": left_out, "notes": ["b.zip is called a-2."]})
    )
    done = subprocess.run(
        [sys.executable, GATE, tmp_path, "page.html"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == (1 if ends else 0), done.stderr
    assert (ends or "") in done.stderr
    assert "comparison of 1 bundle: page.html" in done.stdout
    assert "note: b.zip is called a-2." in done.stdout
