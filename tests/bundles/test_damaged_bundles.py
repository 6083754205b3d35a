"""Bundles damaged at random, with and without a seal and checksums that are right for the damage: none is accepted."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bundled import (
    LIMITS,
    contents_of,
    damaged,
    first_of_list,
    is_sane,
    manifest_of,
    nothing_done,
    packed,
    refused,
    repacked,
    resealed,
    same,
    small_bundle,
    spoiled,
)
from gilscope.bundles.archive import SEAL_LENGTH
from gilscope.bundles.manifest import BadBundle
from gilscope.bundles.reading import Bundle, read_bundle
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

CSV = "summary.csv"
LAB = "labs/cp311/startup.json"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_bundle(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def read(good: Path) -> Bundle:
    return read_bundle(good, LIMITS)


def fuzzing(count: int) -> settings:
    spared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=count, deadline=None, suppress_health_check=spared)


def attempt(folder: Path, data: bytes) -> Bundle | None:
    """What is read of these bytes; None where they are refused. Nothing else may happen."""
    file = folder / "bad.zip"
    file.write_bytes(data)
    with nothing_done():
        try:
            return read_bundle(file, LIMITS)
        except BadBundle as bad:
            line = str(bad)
    assert line.isprintable()
    assert len(line) < 500
    return None


def test_the_benchmark_of_damage_runs(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "benchmarks/damage.py", "--cases", "48", "--without-heaviest"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^bytes: 20 refused$", done.stdout, re.MULTILINE)
    assert "48 cases" in done.stdout


@fuzzing(150)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
@example(place=0, bit=0)
@example(place=-1, bit=0)
@example(place=-SEAL_LENGTH, bit=5)
def test_no_damaged_byte_is_accepted(good: Path, tmp_path: Path, place: int, bit: int) -> None:
    data = bytearray(good.read_bytes())
    data[place % len(data)] ^= 1 << bit
    refused(tmp_path, bytes(data))


@fuzzing(100)
@given(seed=st.integers(0, 2**32))
def test_no_damage_is_accepted(good: Path, tmp_path: Path, seed: int) -> None:
    refused(tmp_path, damaged(good.read_bytes(), random.Random(seed)))


@fuzzing(150)
@given(seed=st.integers(0, 2**32), ends=st.booleans())
def test_damage_under_a_new_seal_is_refused_or_changes_nothing(
    good: Path, read: Bundle, tmp_path: Path, seed: int, ends: bool
) -> None:
    data, chance = good.read_bytes(), random.Random(seed)
    at = first_of_list(data) if ends else 0
    found = attempt(tmp_path, resealed(data[:at] + damaged(data[at:-SEAL_LENGTH], chance) + bytes(SEAL_LENGTH)))
    assert found is None or same(found, read)


@fuzzing(150)
@given(
    seed=st.integers(0, 2**32),
    name=st.sampled_from(
        [
            "machine.json",
            "config.json",
            "runtimes/cp311.json",
            "verdicts.json",
            "break_even.json",
            "scaling.json",
            LAB,
            CSV,
        ]
    ),
)
def test_what_others_write_is_refused_or_makes_sense(good: Path, tmp_path: Path, seed: int, name: str) -> None:
    content = spoiled(contents_of(good)[name], random.Random(seed))
    found = attempt(tmp_path, repacked(good, {name: content}))
    assert found is None or is_sane(found)


@fuzzing(60)
@given(seed=st.integers(0, 2**32))
def test_a_spoiled_manifest_is_refused_or_changes_nothing_measured(
    good: Path, read: Bundle, tmp_path: Path, seed: int
) -> None:
    manifest = spoiled(json.dumps(manifest_of(good)).encode(), random.Random(seed))
    found = attempt(tmp_path, packed(contents_of(good), manifest))
    if found:
        assert is_sane(found)
        assert found.estimates.equals(read.estimates)


@fuzzing(100)
@given(data=st.binary(max_size=300))
def test_no_bytes_at_all_crash_it(tmp_path: Path, data: bytes) -> None:
    refused(tmp_path, data)
