"""Bundles for tests: small ones of made-up results, others made from real ones, and ways to damage them."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import random
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from gilscope.analysis.break_even import break_even
from gilscope.analysis.tables import TIMINGS, write_json, write_table
from gilscope.bundles.archive import END, SEAL_LENGTH, sealed
from gilscope.bundles.manifest import MANIFEST, BadBundle
from gilscope.bundles.packing import pack, write_bundle
from gilscope.bundles.privacy import Private
from gilscope.bundles.reading import Bundle, read_bundle
from gilscope.configuring.models import BundleLimits
from gilscope.running.cells import Block
from synthetic import OBSERVED, STARTED, write_results

LIMITS = BundleLimits()
NOBODY = Private()
"""A machine that has nothing to hide."""
BLOCKS = (("sum_squares", "large", 300_000), ("http_fetch", "large", 0.02))
CELLS = ("threading-2", "multiprocessing-2-warm")
RUNTIME = "cp311"
KEPT = ("sum_squares", "http_fetch")


def small_results(folder: Path, label: str = "example-2c", *, rounds: int = 3, claims: int = 6) -> Path:
    """A results folder with every file that a finished run leaves, of two blocks; returns it."""
    write_results(folder, label=label, rounds=rounds, claims=claims)
    estimates = pd.read_parquet(folder / "estimates.parquet")
    estimates = estimates[estimates["workload"].isin(KEPT)].reset_index(drop=True)
    write_table(estimates, folder / "estimates.parquet")
    write_table(estimates, folder / "summary.csv")
    write_json(break_even(estimates), folder / "break_even.json")
    write_json([scaling(label)], folder / "scaling.json")
    write_json(["Concurrency is a tool, not a goal."], folder / "irrefutable.json")
    write_table(pd.DataFrame(columns=TIMINGS), folder / "timings.parquet")
    rows = []
    for job, workload, size, number, content in jobs(rounds):
        place = {"runtime": RUNTIME, "workload": workload, "size": size, "round": number, "job": job}
        rows.append({**place, "started": STARTED + len(rows), "ended": STARTED + len(rows) + 0.9})
        for name, text in content.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(text), encoding="utf-8")
    write_table(pd.DataFrame(rows), folder / "rounds.parquet")
    config = {"preset": "default", "machine": "auto", "measure": {"rounds": rounds, "seconds": 1.0}, "parameters": {}}
    write_json(config, folder / "config.json")
    return folder


def scaling(label: str) -> dict[str, Any]:
    curve = {
        "machine": label,
        "runtime": RUNTIME,
        "workload": "sum_squares",
        "kind": "cpu",
        "size": "large",
        "tasks": 8,
    }
    return {
        **curve,
        "strategy": "threading",
        "pool": "cold",
        "counts": [1, 2],
        "reason": "2 worker counts; 5 are needed",
    }


def jobs(rounds: int) -> list[tuple[str, str, str, int, dict[str, Any]]]:
    """Job, workload, size, round and files of all that was measured."""
    found: list[tuple[str, str, str, int, dict[str, Any]]] = []
    for workload, size, parameter in BLOCKS:
        block = Block(RUNTIME, workload, size, parameter, 8, CELLS, 1.0, 3)
        place, about = f"raw/{block.path}", {"block": asdict(block), "skipped": {}, "failed": {}}
        found.append(("calibrate", workload, size, 0, {f"{place}/calibration.json": {**about, "laps": 3}}))
        for number in range(1, rounds + 1):
            raw = {"version": "1.0", "benchmarks": []}
            facts = {**about, "round": number, "node": "0123456789ab", "file_system": "ext4"}
            files = {f"{place}/round-{number}.json": raw, f"{place}/round-{number}.facts.json": facts}
            found.append(("measure", workload, size, number, files))
            trace = {f"traces/{block.path}/round-{number}.json": {**about, "round": number, "cells": {}}}
            found.append(("record", workload, size, number, trace))
    real = pd.read_parquet(OBSERVED)
    for lab in ("startup", "messages"):
        seen = real[(real["runtime"] == RUNTIME) & (real["lab"] == lab) & (real["trial"] < 3)]
        observed = seen[["case", "trial", "metric", "value", "unit"]].to_dict("records")
        content = {"lab": lab, "runtime": RUNTIME, "gil": True, "gaps": [], "observations": observed}
        found.append(("observe", lab, "", 0, {f"labs/{RUNTIME}/{lab}.json": content}))
    return found


def small_bundle(folder: Path, label: str = "example-2c") -> Path:
    """A small valid bundle in a folder; returns its file."""
    target = folder / f"{label}.zip"
    pack(small_results(folder / label, label), target, private=NOBODY)
    return target


def contents_of(bundle: Path) -> dict[str, bytes]:
    """The files of a bundle but its manifest, as they were packed."""
    with zipfile.ZipFile(bundle) as file:
        return {name: file.read(name) for name in file.namelist() if name != MANIFEST}


def manifest_of(bundle: Path) -> dict[str, Any]:
    with zipfile.ZipFile(bundle) as file:
        return dict(json.loads(file.read(MANIFEST)))


def scaled(bundle: Path, target: Path, label: str, factor: float) -> Path:
    """A new valid bundle of another label whose tasks take ``factor`` times as long: what is compared, not the raw files."""
    files, manifest = contents_of(bundle), manifest_of(bundle)
    machine = {**json.loads(files["machine.json"]), "label": label}
    config = {**json.loads(files["config.json"]), "preset": "default"}
    table = pd.read_csv(io.BytesIO(files["summary.csv"])).assign(machine=label)
    times = table["metric"] == "seconds"
    table.loc[times, ["estimate", "low", "high"]] *= factor
    curves = [{**row, "machine": label} for row in json.loads(files["scaling.json"])]
    breaks = json.loads(files["break_even.json"])
    for row in breaks:
        row.update({key: row[key] * factor for key in ("estimate", "low", "high", "smallest", "largest") if row[key]})
    changed = {"machine.json": machine, "config.json": config, "scaling.json": curves, "break_even.json": breaks}
    for name in files:
        if name.startswith("labs/") and name.endswith(("/startup.json", "/messages.json")):
            lab = json.loads(files[name])
            for seen in lab["observations"]:
                seen["value"] *= {"s": factor, "1/s": 1 / factor}.get(seen["unit"], 1)
            changed[name] = lab
    files |= {name: json.dumps(content, indent=1).encode() for name, content in changed.items()}
    files["summary.csv"] = table.to_csv(index=False, float_format="%.6g").encode()
    about = {key: manifest[key] for key in ("gilscope", "measured_from", "measured_to", "nodes")}
    write_bundle(target, {**about, "label": label}, files)
    return target


def packed(files: Mapping[str, bytes], manifest: Any) -> bytes:
    """A sealed zip of these files and this manifest, whatever they say; in it the files as a bundle has them."""
    told = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return zipped([(MANIFEST, told), *files.items()])


def zipped(files: list[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A sealed zip with these files, which may be anything that zipfile can write."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in files:
            file.writestr(name if isinstance(name, zipfile.ZipInfo) else plain(name, method), content)
        file.comment = bytes(SEAL_LENGTH)
    return sealed(buffer.getvalue()[:-SEAL_LENGTH])


def plain(name: str, method: int = zipfile.ZIP_DEFLATED, mode: int = 0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr, info.compress_type = 3, mode << 16, method
    return info


def listed(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """The part of a manifest that lists files, true for these."""
    return {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in files.items()
    }


def resealed(data: bytes) -> bytes:
    """Changed bytes of a bundle with a seal that is right for them."""
    return sealed(data[:-SEAL_LENGTH])


def repacked(bundle: Path, changes: Mapping[str, bytes | None], about: Mapping[str, Any] | None = None) -> bytes:
    """A bundle with some files changed, added or (None) left out, whose manifest and seal are right for them.

    about: what the manifest shall say instead.
    """
    files = {name: content for name, content in {**contents_of(bundle), **changes}.items() if content is not None}
    return packed(files, {**manifest_of(bundle), "files": listed(files), **(about or {})})


def edited(bundle: Path, name: str, edit: Callable[[Any], Any]) -> bytes:
    """A bundle of which one JSON file says something else."""
    content = json.loads(contents_of(bundle)[name])
    changed = edit(content)
    return repacked(bundle, {name: json.dumps(content if changed is None else changed).encode()})


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Other bytes than these: some flipped, cut off, put in, taken out, repeated or blotted out."""
    place = chance.randrange(len(data))
    length = chance.choice((1, 1, 1, 2, 8, 100, 4096))
    junk = chance.randbytes(length)
    changed = chance.choice(
        (
            lambda: data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :],
            lambda: data[:place] + junk + data[place + length :],
            lambda: data[:place] + junk + data[place:],
            lambda: data[:place] + data[place + length :],
            lambda: data[:place],
            lambda: data[: place + length] + data[place:],
            lambda: data[:place] + bytes(length) + data[place + length :],
            lambda: data + junk,
        )
    )()
    return changed if changed != data else damaged(data, chance)


INSTEAD = (
    "NaN", "Infinity", "-Infinity", "-1", "0", "1e999", "-1e308", "1" * 5000, "9" * 300, "1e17", "null", "true", "[]", "{}",
    '""', '"<script>alert(1)</script>"', '"=1+1"', '"@SUM(A1)"', '"a\\u0000b"', '"\\ud800"', '"\\u202e"', '"../../x"', "nan",
    "inf", "1_0", "0x10", "٣", "[" * 3000, '{"a":' * 3000, '"' + "x" * 9000 + '"', "-", "", ",", "\n", '"', "1.5", "2", "101",
)  # fmt: skip
"""What somebody could write where a bundle has something else."""


def spoiled(text: bytes, chance: random.Random) -> bytes:
    """A JSON or CSV text in which something stands for something else, or bytes are damaged."""
    if chance.random() < 0.25:
        return damaged(text, chance)
    separators = [place for place, byte in enumerate(text) if byte in b',:[]{}\n"']
    start = chance.choice(separators or [0])
    end = next((place for place in separators if place > start), len(text))
    end = chance.choice((end, end, end, start, chance.choice(separators or [0])))
    first, last = sorted((start, end))
    return text[: first + 1] + chance.choice(INSTEAD).encode("utf-8", "surrogatepass") + text[last:]


def is_sane(bundle: Bundle) -> bool:
    """Whether a bundle says only what a measurement can: asked of those that were accepted after a change."""
    table, seen = bundle.estimates, bundle.observations
    numbers = table[["estimate", "low", "high", "parameter", "noise_floor"]].abs().max().max()
    names = [*table["workload"], *table["strategy"], *bundle.runtimes, bundle.label, *seen["case"]]
    names += [row["claim"] for row in bundle.verdicts]
    intervals = [case for row in bundle.verdicts for case in row["cases"]] + bundle.break_even
    known = [value for row in intervals for value in (row["estimate"], row["low"], row["high"]) if value is not None]
    return (
        not numbers > 1e18
        and bool((table.loc[table["metric"].isin(["speedup", "seconds"]), "estimate"] > 0).all())
        and bool(table["rounds"].between(1, 100).all() and table["workers"].between(1, 1024).all())
        and bool((table["low"].fillna(0) <= table["high"].fillna(math.inf)).all())
        and bool((seen["value"] >= 0).all())
        and all(math.isfinite(value) for value in known)
        and not any(letter in name for name in names for letter in "<>=@\n\0")
        and 1 <= bundle.machine["usable_cores"] <= 4096
        and not table.duplicated(["runtime", "workload", "size", "strategy", "workers", "pool", "metric"]).any()
    )


def same(one: Bundle, other: Bundle) -> bool:
    """Whether two bundles say the same, whatever their files are called and how they are packed."""
    tables = ("estimates", "observations")
    plain_fields = set(Bundle.__dataclass_fields__) - {"file", "digest", *tables}
    return all(getattr(one, name) == getattr(other, name) for name in plain_fields) and all(
        getattr(one, name).equals(getattr(other, name)) for name in tables
    )


DEEDS: list[str] = []
"""What has been done while it was watched."""
WATCHED: list[bool] = []
HOOKS: list[Callable[..., None]] = []
FORBIDDEN = ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.system")
FORBIDDEN += ("os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "pickle.find_class", "shutil.rmtree")


def take_down(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook, which cannot be taken away again."""
    if not WATCHED:
        return
    writing = (
        event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    )
    if writing or event in FORBIDDEN:
        DEEDS.append(f"{event} {arguments[:1]}")


@contextmanager
def nothing_done() -> Iterator[None]:
    """Fails if, within, this process opens a file for writing, changes a folder, starts a program or unpickles anything."""
    if take_down not in HOOKS:
        sys.addaudithook(take_down)
        HOOKS.append(take_down)
    DEEDS.clear()
    WATCHED.append(True)
    try:
        yield
    finally:
        WATCHED.pop()
    assert not DEEDS, DEEDS


def first_of_list(data: bytes) -> int:
    return int(END.unpack_from(data, len(data) - SEAL_LENGTH - END.size)[6])


def refusal(file: Path, limits: BundleLimits = LIMITS) -> str:
    """The line that a bad bundle is refused with, without its name."""
    with nothing_done(), pytest.raises(BadBundle) as caught:
        read_bundle(file, limits)
    line = str(caught.value)
    assert line.isprintable(), line
    assert len(line) < 500
    assert line.endswith((".", "--cores 1")), line
    name, _, said = line.partition(": ")
    assert name == "/".join(file.absolute().parts[-2:])
    return said


def refused(folder: Path, data: bytes, limits: BundleLimits = LIMITS) -> str:
    file = folder / "bad.zip"
    file.write_bytes(data)
    return refusal(file, limits)
