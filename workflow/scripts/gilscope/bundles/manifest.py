"""What a bundle says about itself, and the names that its files may have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from gilscope.bundles.values import Facts, Label, Path, PlainFact, Seconds

FORMAT = "gilscope bundle"
VERSION = 1
"""Of the manifest. It rises when a reader of the one before would misunderstand what has changed."""
MANIFEST = "manifest.json"
SHARED = (
    "machine.json",
    "config.json",
    "summary.csv",
    "estimates.parquet",
    "observations.parquet",
    "rounds.parquet",
    "timings.parquet",
    "traces.parquet",
    "across.json",
    "break_even.json",
    "decisions.json",
    "gaps.json",
    "irrefutable.json",
    "scaling.json",
    "verdicts.json",
    "workers.json",
)
"""The files of every run; with them come those of its runtimes, rounds, traces and labs."""
OPTIONAL = ("allocation.json",)
"""Of runs that spend a budget."""
NEEDED = ("machine.json", "config.json", "summary.csv", "verdicts.json")
"""What no bundle can be compared without."""


class BadBundle(ValueError):
    """A bundle that is not read. In one line: which, what is wrong with it, and what to do."""


class Flaw(Exception):
    """What is wrong with a bundle, and what to do, without its name."""


class Entry(Facts):
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: int = Field(ge=0, le=2**40)


class Manifest(Facts):
    """measured_from, measured_to: seconds since the epoch. nodes: how many machines measured; None where unknown."""

    format: Literal["gilscope bundle"]
    manifest: Literal[1]
    gilscope: PlainFact
    label: Label
    measured_from: Seconds | None = None
    measured_to: Seconds | None = None
    nodes: int | None = Field(None, ge=0, le=100_000)
    files: dict[Path, Entry]

    @model_validator(mode="after")
    def in_order(self) -> Manifest:
        if self.measured_from is not None and self.measured_to is not None and self.measured_from > self.measured_to:
            raise ValueError("it was measured up to a time before it began")
        return self


def describe(about: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    """A manifest's content. about: what it says beside the files; contents: path → what the file holds."""
    files = {
        path: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for path, content in sorted(contents.items())
    }
    return {"format": FORMAT, "manifest": VERSION, **about, "files": files}


def check_version(said: Any) -> None:
    """Raises Flaw unless a manifest is of the kind that is read here."""
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise Flaw(f"its {MANIFEST} is not that of a gilscope bundle; make one with: snakemake bundle --cores 1")
    version = said.get("manifest")
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        raise Flaw(newer(version))
    if version != VERSION or isinstance(version, bool):
        raise Flaw(f"its manifest's version is {version!r:.40}, and there is only {VERSION}; ask for another bundle.")


def newer(version: int | str) -> str:
    shown = f"{version!s:.20}" if isinstance(version, str) or version < 10**9 else "beyond a billion"
    return f"was made by a newer gilscope (manifest {shown}, this one reads {VERSION}); update gilscope."


def why_unsafe(path: str) -> str | None:
    """What makes a file's name one that no bundle has; None for a plain relative path in lower or upper case ASCII."""
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,7}", path) and len(path) <= 200:
        return None
    for pattern, words in UNSAFE:
        if re.search(pattern, path, re.DOTALL):
            return words
    return "is not a plain relative path"


UNSAFE = (
    (r"[\x00-\x1f\x7f-\x9f]", "has control characters in it"),
    (r"^[A-Za-z]:", "begins with a drive's letter"),
    (r"\\", "has backslashes in it"),
    (r"^/", "is an absolute path"),
    (r"(?:^|/)\.\.(?:/|$)", "leads out of the bundle"),
    (r"/$", "is a folder"),
)
