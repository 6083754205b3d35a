"""A bundle, read: every byte checked, nothing unpacked to disk, and nothing of it run."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gilscope.bundles.archive import AGAIN, MIB, REMAKE, TRUST, Member, members, shown
from gilscope.bundles.checking import LARGEST as LARGEST_JSON
from gilscope.bundles.checking import checked, configured, only_once, parse, rows
from gilscope.bundles.content import BreakEven, Claimed, Lab, Machine, RuntimeFacts, Scaling
from gilscope.bundles.estimates import FILE as ESTIMATES_FILE
from gilscope.bundles.estimates import LARGEST as LARGEST_TABLE
from gilscope.bundles.estimates import read_estimates
from gilscope.bundles.manifest import MANIFEST, NEEDED, BadBundle, Flaw, Manifest, check_version
from gilscope.configuring.models import BundleLimits

LABS = ("startup", "messages")
OBSERVATIONS = ["runtime", "lab", "case", "trial", "metric", "value", "unit"]
RUNTIME_FILE = re.compile(r"runtimes/([a-z][a-z0-9-]*)\.json")
LAB_FILE = re.compile(rf"labs/([a-z][a-z0-9-]*)/({'|'.join(LABS)})\.json")


@dataclass(frozen=True)
class Bundle:
    """A run that somebody shared.

    file: its name for messages. digest: SHA-256 of the whole file. label: the results' folder; version: gilscope's.
    measured_from, measured_to: seconds since the epoch. nodes: how many machines measured; None where unknown.
    estimates: as ``analysis.estimates.estimate`` makes them. observations: a row per runtime, lab, case, trial and
    metric of the labs that are compared.
    """

    file: str
    digest: str
    label: str
    version: str
    measured_from: float | None
    measured_to: float | None
    nodes: int | None
    machine: dict[str, Any]
    runtimes: dict[str, dict[str, Any]]
    config: dict[str, Any]
    estimates: pd.DataFrame
    verdicts: list[dict[str, Any]]
    break_even: list[dict[str, Any]]
    scaling: list[dict[str, Any]]
    observations: pd.DataFrame


def name_of(path: str | Path) -> str:
    """What messages call a file: relative to here, or with its folder's name, always on one line."""
    path = Path(path)
    absolute = Path(os.path.abspath(path))
    here = Path.cwd()
    near = absolute.relative_to(here) if absolute.is_relative_to(here) else Path(*absolute.parts[-2:])
    return shown(near.as_posix())[1:-1]


def read_bundle(path: str | Path, limits: BundleLimits) -> Bundle:
    """The bundle in a file. Raises BadBundle, and nothing else, for one that is not as ``pack`` made it."""
    name = name_of(path)
    try:
        data = read_file(path, limits)
        return understand(name, data, limits)
    except Flaw as flaw:
        raise BadBundle(f"{name}: {flaw}") from flaw
    except MemoryError as error:
        raise BadBundle(f"{name}: does not fit into memory; lower bundle_limits to keep such ones out.") from error


def read_file(path: str | Path, limits: BundleLimits) -> bytes:
    """A file's bytes, never more than the limit. Raises Flaw."""
    most = int(limits.file_mib * MIB)
    try:
        kind = os.stat(path).st_mode
        if stat.S_ISDIR(kind):
            raise Flaw("is a folder; name the .zip file in it.")
        if not stat.S_ISREG(kind):
            raise Flaw("is not a plain file; name a .zip file.")
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(size + 1) if size <= most else None
    except FileNotFoundError as error:
        raise Flaw("is not there; make one with: snakemake bundle --cores 1") from error
    except (OSError, ValueError) as error:
        raise Flaw(f"cannot be read: {getattr(error, 'strerror', None) or 'it has no valid name'}.") from error
    if data is None or len(data) > size:
        raise Flaw(f"has more than the {limits.file_mib:g} MiB that bundle_limits.file_mib allows; {TRUST}")
    return data


def unpack(data: bytes, limits: BundleLimits) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest, and the files that are read, after checking all of them against it. Raises Flaw."""
    manifest_file, *files = members(data, limits)
    said = parse(MANIFEST, content_of(manifest_file, data))
    check_version(said)
    manifest: Manifest = checked(Manifest, said, MANIFEST)
    there = {member.name for member in files}
    if extra := sorted(there - set(manifest.files)):
        raise Flaw(f"{extra[0]} in it is not in its {MANIFEST}; {REMAKE}")
    if missing := sorted(set(manifest.files) - there):
        raise Flaw(f"{shown(missing[0])[1:-1]} is in its {MANIFEST}, but not in it; {AGAIN}")
    kept = {}
    for member in files:
        entry = manifest.files[member.name]
        if member.size != entry.bytes:
            raise Flaw(f"{member.name} in it has {member.size} bytes, and its {MANIFEST} says {entry.bytes}; {AGAIN}")
        if is_read(member.name):
            kept[member.name] = content_of(member, data)
        digest = hashlib.sha256()
        for piece in [kept[member.name]] if member.name in kept else member.unpacked(data):
            digest.update(piece)
        if digest.hexdigest() != entry.sha256:
            raise Flaw(f"{member.name} in it has another SHA-256 than its {MANIFEST} says; {AGAIN}")
    if lacking := [name for name in NEEDED if name not in kept]:
        raise Flaw(f"there is no {lacking[0]} in it; {REMAKE}")
    return manifest, kept


def content_of(member: Member, data: bytes) -> bytes:
    """The content of a file that is parsed. Raises Flaw for one that is too large for that."""
    most = LARGEST_TABLE if member.name == ESTIMATES_FILE else LARGEST_JSON
    if member.size > most:
        size = f"{member.size / MIB:.0f} MiB, more than the {most // MIB} that are read"
        raise Flaw(f"{member.name} in it has {size}; {REMAKE}")
    return b"".join(member.unpacked(data))


def is_read(name: str) -> bool:
    return name in (*NEEDED, "break_even.json", "scaling.json") or bool(
        RUNTIME_FILE.fullmatch(name) or LAB_FILE.fullmatch(name)
    )


def understand(name: str, data: bytes, limits: BundleLimits) -> Bundle:
    """A bundle's bytes as what they say. Raises Flaw where they say what cannot be, or contradict each other."""
    manifest, files = unpack(data, limits)
    parsed = {file: parse(file, content) for file, content in files.items() if file != ESTIMATES_FILE}
    machine = checked(Machine, parsed["machine.json"], "machine.json").model_dump()
    runtimes = read_runtimes(parsed)
    estimates = read_estimates(files[ESTIMATES_FILE], limits.rows)
    verdicts, break_even, scaling = (
        rows(kind, parsed.get(file, []), file, limits.rows)
        for file, kind in (("verdicts.json", Claimed), ("break_even.json", BreakEven), ("scaling.json", Scaling))
    )
    observations = read_observations(parsed, limits.rows)
    only_once(((row["claim"], row["runtime"]) for row in verdicts), "a claim", "verdicts.json")
    only_once((tuple(row[key] for key in KEY) for row in break_even), "a row", "break_even.json")
    for file, named in (
        (ESTIMATES_FILE, estimates["runtime"].unique()),
        ("verdicts.json", {row["runtime"] for row in verdicts}),
        ("break_even.json", {row["runtime"] for row in break_even}),
        ("scaling.json", {row["runtime"] for row in scaling}),
        ("labs", observations["runtime"].unique()),
    ):
        if unknown := sorted(set(named) - set(runtimes)):
            raise Flaw(f"{file} in it is about the runtime {unknown[0]}, of which it has no facts; {REMAKE}")
    if strangers := sorted(set(estimates["machine"]) - {machine["label"]}):
        raise Flaw(f"{ESTIMATES_FILE} in it is about {strangers[0]}, not about {machine['label']}; {REMAKE}")
    return Bundle(
        file=name,
        digest=hashlib.sha256(data).hexdigest(),
        label=manifest.label,
        version=manifest.gilscope,
        measured_from=manifest.measured_from,
        measured_to=manifest.measured_to,
        nodes=manifest.nodes,
        machine=machine,
        runtimes=runtimes,
        config=configured(parsed["config.json"], "config.json"),
        estimates=estimates,
        verdicts=verdicts,
        break_even=break_even,
        scaling=scaling,
        observations=observations,
    )


KEY = ("runtime", "workload", "strategy", "workers", "pool")


def read_runtimes(parsed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Runtime → its facts. Raises Flaw."""
    found = {}
    for file, content in parsed.items():
        if match := RUNTIME_FILE.fullmatch(file):
            facts = checked(RuntimeFacts, content, file).model_dump()
            if facts["runtime"] != match[1]:
                raise Flaw(f"{file} in it is about {facts['runtime']}; {REMAKE}")
            found[match[1]] = facts
    if not found:
        raise Flaw(f"there are no facts about a runtime in it; {REMAKE}")
    return found


def read_observations(parsed: Mapping[str, Any], limit: int) -> pd.DataFrame:
    """What the labs saw that are compared. Raises Flaw. limit: the observations that one may hold."""
    found: list[dict[str, Any]] = []
    for file, content in parsed.items():
        if match := LAB_FILE.fullmatch(file):
            seen = content.get("observations") if isinstance(content, dict) else None
            if isinstance(seen, list) and len(seen) > limit:
                raise Flaw(f"{file} in it has more rows than the {limit} that bundle_limits.rows allows; {TRUST}")
            lab: Lab = checked(Lab, content, file)
            if (lab.runtime, lab.lab) != match.groups():
                raise Flaw(f"{file} in it is about {lab.runtime}/{lab.lab}; {REMAKE}")
            only_once(((one.case, one.trial, one.metric) for one in lab.observations), "a trial", file)
            found += [{"runtime": lab.runtime, "lab": lab.lab, **one.model_dump()} for one in lab.observations]
    return pd.DataFrame(found, columns=OBSERVATIONS)
