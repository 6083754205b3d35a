"""Several bundles, as files or folders with files: all that can be read, and why the others could not be."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gilscope.bundles.manifest import BadBundle
from gilscope.bundles.reading import Bundle, name_of, read_bundle
from gilscope.configuring.models import BundleLimits


def read_bundles(
    paths: Iterable[str | Path], limits: BundleLimits
) -> tuple[list[Bundle], list[dict[str, str]], list[str]]:
    """All bundles that can be read, in order; what could not, a mapping with ``bundle`` and ``reason`` each; and notes.

    A folder stands for the .zip files in it. No two of the bundles are the same file, nor have they one label.
    """
    bundles: list[Bundle] = []
    left_out: list[dict[str, str]] = []
    notes: list[str] = []
    files: dict[str, str] = {}
    labels: set[str] = set()
    for path in paths:
        for file in expand(path, left_out):
            try:
                bundle = read_bundle(file, limits)
            except BadBundle as bad:
                left_out.append({"bundle": name_of(file), "reason": str(bad)})
                continue
            if bundle.digest in files:
                notes.append(f"{bundle.file} is {files[bundle.digest]} once more, and is counted once.")
                continue
            files[bundle.digest] = bundle.file
            label = free_label(bundle.label, labels)
            if label != bundle.label:
                notes.append(f"{bundle.file} has the label {bundle.label}, as another has; it is called {label} here.")
            labels.add(label)
            bundles.append(replace(bundle, label=label))
    return bundles, left_out, notes


def expand(path: str | Path, left_out: list[dict[str, str]]) -> list[Path]:
    """The files that a path stands for; a folder without any is left out."""
    if not os.path.isdir(path):
        return [Path(path)]
    found = sorted(Path(path).glob("*.zip"))
    if not found:
        left_out.append({"bundle": name_of(path), "reason": f"{name_of(path)}: is a folder without .zip files."})
    return found


def free_label(label: str, taken: set[str]) -> str:
    number = 2
    free = label
    while free in taken:
        free, number = f"{label}-{number}", number + 1
    return free
