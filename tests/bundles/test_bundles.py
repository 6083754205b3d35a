"""Bundles made and read: all of a run, always the same bytes, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from bundled import (
    LIMITS,
    NOBODY,
    contents_of,
    edited,
    is_sane,
    manifest_of,
    repacked,
    same,
    scaled,
    small_bundle,
    small_results,
)
from gilscope import __version__
from gilscope.analysis.estimates import ESTIMATES
from gilscope.bundles.packing import CannotPack, pack, write_bundle
from gilscope.bundles.reading import Bundle, read_bundle
from gilscope.bundles.several import read_bundles
from synthetic import STARTED


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_results(tmp_path_factory.mktemp("results") / "example-2c")


@pytest.fixture(scope="module")
def packed(results: Path) -> Path:
    target = results.with_name("example-2c.zip")
    pack(results, target, private=NOBODY)
    return target


@pytest.fixture(scope="module")
def bundle(packed: Path) -> Bundle:
    return read_bundle(packed, LIMITS)


def test_a_bundle_holds_what_others_need_and_nothing_else(results: Path, packed: Path) -> None:
    for leftover in ("report.html", "figures/speed.svg", "logs/a.log", "gaps.json.part", "traces/cp311/x.trace.json"):
        (results / leftover).parent.mkdir(parents=True, exist_ok=True)
        (results / leftover).write_text("x")
    stale = results / "raw/cp311/sum_squares/large/round-4.json"
    stale.write_text("{}")
    pack(results, results.with_name("again.zip"), private=NOBODY)
    assert results.with_name("again.zip").read_bytes() == packed.read_bytes()
    names = set(contents_of(packed))
    block = "cp311/sum_squares/large"
    assert names >= {
        "machine.json",
        "config.json",
        "runtimes/cp311.json",
        f"raw/{block}/calibration.json",
        f"raw/{block}/round-3.json",
        f"raw/{block}/round-3.facts.json",
        f"traces/{block}/round-3.json",
        "labs/cp311/startup.json",
        "timings.parquet",
        "summary.csv",
        "verdicts.json",
        "break_even.json",
        "gaps.json",
    }
    assert len(names) == 39
    assert all((results / name).read_bytes() == content for name, content in contents_of(packed).items())


def test_the_manifest_says_what_is_in_it(packed: Path) -> None:
    manifest = manifest_of(packed)
    files = contents_of(packed)
    assert {key: value for key, value in manifest.items() if key != "files"} == {
        "format": "gilscope bundle",
        "manifest": 1,
        "gilscope": __version__,
        "label": "example-2c",
        "measured_from": STARTED,
        "measured_to": STARTED + 15 + 0.9,
        "nodes": 1,
    }
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in files.items()
    }


def test_other_programs_read_it_as_a_zip(packed: Path) -> None:
    with zipfile.ZipFile(packed) as file:
        assert file.testzip() is None
        assert file.namelist() == ["manifest.json", *sorted(contents_of(packed))]
        assert {one.date_time for one in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        before = packed.read_bytes()[: -len(file.comment)]
        assert file.comment.decode() == f"gilscope bundle 1 sha256:{hashlib.sha256(before).hexdigest()}"


def test_the_same_results_give_the_same_bytes(results: Path, packed: Path, tmp_path: Path) -> None:
    """In another folder, with other times and rights of the files, at another time, from another process."""
    copied = tmp_path / "elsewhere" / results.name
    shutil.copytree(results, copied)
    for file in copied.rglob("*"):
        os.utime(file, (1e9, 1e9))
        file.chmod(0o700)
    code = (
        "import sys; from pathlib import Path; from gilscope.bundles.packing import pack; from bundled import NOBODY\n"
    )
    code += "pack(Path(sys.argv[1]), Path(sys.argv[2]), private=NOBODY)"
    tests = Path(__file__).parents[1] / "doubles"
    path = os.pathsep.join((str(tests), str(tests.parents[1] / "workflow/scripts")))
    target = tmp_path / "new" / "example-2c.zip"
    subprocess.run(
        [sys.executable, "-c", code, str(copied), str(target)],
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
        check=True,
        timeout=60,
    )
    assert target.read_bytes() == packed.read_bytes()


def test_the_order_in_which_files_are_given_does_not_matter(packed: Path, tmp_path: Path) -> None:
    about = {key: value for key, value in manifest_of(packed).items() if key not in ("format", "manifest", "files")}
    write_bundle(tmp_path / "turned.zip", about, dict(reversed(contents_of(packed).items())))
    assert (tmp_path / "turned.zip").read_bytes() == packed.read_bytes()


def test_what_is_read_is_what_was_measured(results: Path, packed: Path, bundle: Bundle) -> None:
    assert (bundle.label, bundle.version, bundle.nodes) == ("example-2c", __version__, 1)
    assert bundle.digest == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert bundle.measured_from == STARTED
    written = pd.read_csv(results / "summary.csv").astype({"flags": object}).fillna({"flags": ""})
    assert list(bundle.estimates) == ESTIMATES
    pd.testing.assert_frame_equal(bundle.estimates, written[ESTIMATES], check_dtype=False)
    kinds = {name: bundle.estimates[name].dtype.kind for name in ("tasks", "workers", "rounds", "estimate", "low")}
    assert kinds == {"tasks": "i", "workers": "i", "rounds": "i", "estimate": "f", "low": "f"}
    verdicts = json.loads((results / "verdicts.json").read_text())
    assert [(row["claim"], row["verdict"]) for row in bundle.verdicts] == [
        (row["claim"], row["verdict"]) for row in verdicts
    ]
    assert bundle.break_even == json.loads((results / "break_even.json").read_text())
    assert bundle.scaling == json.loads((results / "scaling.json").read_text())
    assert bundle.config == json.loads((results / "config.json").read_text())
    assert bundle.runtimes["cp311"]["version"] == "3.11.9"
    assert set(bundle.observations["lab"]) == {"startup", "messages"}
    assert is_sane(bundle)


def test_what_a_threshold_was_stays_as_it_was_written(results: Path, bundle: Bundle) -> None:
    """Claims are compared by their thresholds, so that a key more, though it be null, would set two apart."""
    written = json.loads((results / "verdicts.json").read_text())
    thresholds = [case["threshold"] for row in written for case in row["cases"]]
    assert [case["threshold"] for row in bundle.verdicts for case in row["cases"]] == thresholds


def test_a_field_of_the_future_is_passed_over(packed: Path, bundle: Bundle, tmp_path: Path) -> None:
    later = tmp_path / "later.zip"
    later.write_bytes(edited(packed, "machine.json", lambda machine: machine.update(cache_bytes=1 << 20)))
    assert same(read_bundle(later, LIMITS), bundle)


def test_a_file_of_the_future_is_passed_over(packed: Path, bundle: Bundle, tmp_path: Path) -> None:
    later = tmp_path / "later.zip"
    later.write_bytes(repacked(packed, {"energy.json": b"[1, 2]"}))
    assert same(read_bundle(later, LIMITS), bundle)


@pytest.mark.parametrize("name", ["verdicts.json", "machine.json", "raw/cp311/http_fetch/large/round-2.facts.json"])
def test_incomplete_results_make_no_bundle(results: Path, tmp_path: Path, name: str) -> None:
    unfinished = tmp_path / "unfinished"
    shutil.copytree(results, unfinished)
    (unfinished / name).unlink()
    with pytest.raises(CannotPack, match=rf"^{unfinished}: has no {name}.*finish it with make"):
        pack(unfinished, tmp_path / "unfinished.zip", private=NOBODY)
    assert not list(tmp_path.glob("*.zip*"))


def test_results_that_nobody_could_read_make_no_bundle(results: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    shutil.copytree(results, odd)
    (odd / "summary.csv").write_text((odd / "summary.csv").read_text().replace("sum_squares", "Sum Squares"))
    with pytest.raises(CannotPack, match=f"^{odd}: .*summary.csv in it has a workload that is none: 'Sum Squares'"):
        pack(odd, tmp_path / "odd.zip", private=NOBODY)
    assert not list(tmp_path.glob("*.zip*"))


def test_a_full_disk_leaves_the_bundle_that_was_there(results: Path, tmp_path: Path) -> None:
    target = tmp_path / "example-2c.zip"
    target.write_bytes(b"the one before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError):
            pack(results, target, private=NOBODY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert target.read_bytes() == b"the one before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_bundle_scaled_from_another_is_valid(packed: Path, bundle: Bundle, tmp_path: Path) -> None:
    other = read_bundle(scaled(packed, tmp_path / "other.zip", "other-4c", 2.0), LIMITS)
    assert (other.label, set(other.estimates["machine"])) == ("other-4c", {"other-4c"})
    seconds = other.estimates["metric"] == "seconds"
    ratio = other.estimates["estimate"] / bundle.estimates["estimate"]
    assert ratio[seconds].between(1.99, 2.01).all()
    assert ratio[~seconds].between(0.99, 1.01).all()
    assert is_sane(other)


def test_several_are_read_in_their_order_and_folders_stand_for_what_lies_in_them(packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    for label in ("b-2c", "a-2c"):
        scaled(packed, folder / f"{label}.zip", label, 1.5)
    (folder / "notes.txt").write_text("no bundle")
    (tmp_path / "empty").mkdir()
    bundles, left_out, notes = read_bundles([packed, folder, str(tmp_path / "empty")], LIMITS)
    assert [one.label for one in bundles] == ["example-2c", "a-2c", "b-2c"]
    assert [one["reason"] for one in left_out] == [f"{tmp_path.name}/empty: is a folder without .zip files."]
    assert notes == []


def test_the_same_bundle_twice_counts_once_and_one_label_twice_becomes_two(packed: Path, tmp_path: Path) -> None:
    copied = shutil.copy(packed, tmp_path / "copy.zip")
    before = scaled(packed, tmp_path / "before.zip", "example-2c", 1.1)
    third = scaled(packed, tmp_path / "third.zip", "example-2c", 1.2)
    taken = scaled(packed, tmp_path / "taken.zip", "example-2c-2", 1.2)
    bundles, left_out, notes = read_bundles([packed, copied, before, third, taken], LIMITS)
    assert [one.label for one in bundles] == ["example-2c", "example-2c-2", "example-2c-3", "example-2c-2-2"]
    assert left_out == []
    assert len(notes) == 4
    assert "copy.zip is " in notes[0]
    assert "before.zip has the label example-2c, as another has; it is called example-2c-2 here." in notes[1]


def test_a_bad_bundle_is_named_and_the_others_are_read(packed: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(packed.read_bytes()[:-1000])
    bundles, left_out, notes = read_bundles([bad, packed, tmp_path / "gone.zip"], LIMITS)
    assert [one.label for one in bundles] == ["example-2c"]
    assert [one["bundle"].rpartition("/")[2] for one in left_out] == ["bad.zip", "gone.zip"]
    assert all("\n" not in one["reason"] and one["reason"].startswith(one["bundle"]) for one in left_out)
    assert notes == []


def test_a_preset_is_a_part_of_the_label(tmp_path: Path) -> None:
    target = small_bundle(tmp_path, "example-2c-quick")
    assert read_bundle(target, LIMITS).label == "example-2c-quick"


def test_a_table_of_another_order_and_more_columns_reads_alike(packed: Path, bundle: Bundle, tmp_path: Path) -> None:
    table = pd.read_csv(io.BytesIO(contents_of(packed)["summary.csv"]), dtype=str, keep_default_na=False)
    table = table[sorted(table)].assign(energy="7")
    other = tmp_path / "other.zip"
    other.write_bytes(repacked(packed, {"summary.csv": table.to_csv(index=False).encode()}))
    assert same(read_bundle(other, LIMITS), bundle)
