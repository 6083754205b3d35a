"""A run's results made into a bundle: what others need to check or compare it, and nothing that tells whose it is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gilscope import __version__
from gilscope.analysis.tables import read_table
from gilscope.bundles.archive import zipped
from gilscope.bundles.manifest import MANIFEST, OPTIONAL, SHARED, Flaw, describe, why_unsafe
from gilscope.bundles.privacy import PACKAGE, Private
from gilscope.bundles.reading import understand
from gilscope.bundles.redaction import Redaction, in_use
from gilscope.configuring.machines import LABEL
from gilscope.configuring.models import BundleLimits
from gilscope.running.files import making_sense_of, read_json

ANYTHING = BundleLimits(file_mib=65536, unpacked_mib=65536, files=65000, rows=10**9)
FILES = {
    "measure": (
        "raw/{runtime}/{workload}/{size}/round-{round}.json",
        "raw/{runtime}/{workload}/{size}/round-{round}.facts.json",
    ),
    "record": ("traces/{runtime}/{workload}/{size}/round-{round}.json",),
    "calibrate": ("raw/{runtime}/{workload}/{size}/calibration.json",),
    "observe": ("labs/{runtime}/{workload}.json",),
}
"""Job → the files that it has left, as its row in rounds.parquet tells."""


class CannotPack(ValueError):
    """Why there is no bundle of these results, and what to do, in one line."""


def pack(folder: Path, target: Path, *, private: Private | None = None, version: str = __version__) -> None:
    """Write the bundle of a results folder, whole or not at all; the same results give the same bytes.

    private: what of this machine no file may say, found out where None. version: gilscope's. Raises CannotPack for
    results that are incomplete, or named after this machine or its user.
    """
    rounds = read_rounds(folder)
    names = listed(folder, rounds)
    private = private or Private.here()
    redaction = Redaction(with_folders(private, folder, names))
    refuse_own_names(folder, names, private)
    contents = {name: clean(folder / name, name, redaction) for name in names}
    about = {
        "gilscope": version,
        "label": folder.name,
        "measured_from": float(rounds["started"].min()) if len(rounds) else None,
        "measured_to": float(rounds["ended"].max()) if len(rounds) else None,
        "nodes": count_nodes(contents),
    }
    try:
        write_bundle(target, about, contents)
    except Flaw as flaw:
        raise CannotPack(f"{folder}: no reader would take their bundle: {flaw}") from flaw


def write_bundle(target: Path, about: Mapping[str, Any], contents: Mapping[str, bytes]) -> None:
    """Write a bundle of these files; about: what the manifest says beside them. Raises Flaw if nobody could read it."""
    manifest = json.dumps(describe(about, contents), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    data = zipped({MANIFEST: manifest.encode(), **dict(sorted(contents.items()))})
    understand(target.name, data, ANYTHING)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    try:
        with open(partial, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def read_rounds(folder: Path) -> pd.DataFrame:
    """The table of what was measured. Raises CannotPack where the run has not come to its end."""
    for name in SHARED:
        if not (folder / name).is_file():
            raise incomplete(folder, name)
    return read_table(folder / "rounds.parquet")


def incomplete(folder: Path, name: str) -> CannotPack:
    return CannotPack(f"{folder}: has no {name}, so the run is incomplete; finish it with make, then bundle it again.")


def listed(folder: Path, rounds: pd.DataFrame) -> list[str]:
    """The files that belong to the results, and none that an earlier run of another configuration left there."""
    names = set(SHARED) | {name for name in OPTIONAL if (folder / name).is_file()}
    names |= {f"runtimes/{runtime}.json" for runtime in rounds["runtime"].unique()}
    for row in rounds.to_dict("records"):
        names |= {pattern.format_map(row) for pattern in FILES[row["job"]]}
    for name in sorted(names):
        if not (folder / name).is_file():
            raise incomplete(folder, name)
        if why_unsafe(name):
            raise CannotPack(f"{folder}: the name of {name!r} may hold only letters, digits, _, . and - in a bundle.")
    return sorted(names)


def clean(file: Path, name: str, redaction: Redaction) -> bytes:
    """A file's bytes without anything private. Raises CannotPack where that is in a table."""
    if name.endswith(".json"):
        with making_sense_of(file):
            return redaction.encoded(file.read_bytes())
    with making_sense_of(file):
        csv = name.endswith(".csv")
        table = pd.read_csv(file, dtype=str, keep_default_na=False) if csv else read_table(file)
    for column in table.select_dtypes(include=["object", "string"]):
        for text in table[column].dropna().unique():
            if redaction.patterns(str(text)) != text:
                raise CannotPack(
                    f"{file}: its column {column} holds a path, an address or a value of the environment; "
                    "rename what it comes from, and measure it again."
                )
    return file.read_bytes()


def blocks(folder: Path, names: Iterable[str]) -> list[dict[str, Any]]:
    """What was measured, as the calibrations hold it."""
    found = [read_json(folder / name) for name in names if name.endswith("/calibration.json")]
    return [content["block"] for content in found]


def with_folders(private: Private, folder: Path, names: Iterable[str]) -> Private:
    """What is private, with the folders of the user's own workloads and of the results."""
    return private.and_paths([str(folder.absolute()), *(block["folder"] for block in blocks(folder, names))])


def refuse_own_names(folder: Path, names: Iterable[str], private: Private) -> None:
    """Raises CannotPack where somebody has named these results, or a part of them, after the machine or the user."""
    config = read_json(folder / "config.json")
    shipped = {"default", *(file.stem for file in (PACKAGE.parents[2] / "config/presets").glob("*.yaml"))}
    machine, preset = str(config.get("machine", "auto")), str(config.get("preset", "default"))
    label = read_json(folder / "machine.json")["label"]
    chosen = {
        "machine: label": [label] if machine != "auto" or not re.fullmatch(LABEL, label) else [],
        "preset": [preset] if preset not in shipped else [],
        "name for the runtime": [one["name"] for one in config.get("runtimes", []) if one.get("name")],
        "name for the workload's file": [block["workload"] for block in blocks(folder, names) if block["folder"]],
    }
    for what, words in chosen.items():
        if in_use(words, private):
            raise CannotPack(
                f"{folder}: is named after this machine or its user, whom no bundle names; choose another {what}."
            )


def count_nodes(contents: Mapping[str, bytes]) -> int | None:
    """How many machines measured, from the rounds' facts; None where they do not say."""
    found = [json.loads(content).get("node") for name, content in contents.items() if name.endswith(".facts.json")]
    known = {node for node in found if node}
    return len(known) or None
