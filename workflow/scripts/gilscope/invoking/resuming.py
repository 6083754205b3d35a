"""Whether a run that was killed is really dead, and its lock on the results may be removed."""

from __future__ import annotations

from pathlib import Path

import psutil


def living_runs(folder: Path) -> list[int]:
    """Process ids of Snakemake runs whose working directory is this folder."""
    runs = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        programs = [Path(word).name for word in process.info["cmdline"] or []]
        if "snakemake" in programs and process.info["cwd"] == str(folder):
            runs.append(process.info["pid"])
    return runs


def is_locked(folder: Path) -> bool:
    """Whether a run left, or holds, Snakemake's lock."""
    locks = folder / ".snakemake/locks"
    return locks.is_dir() and any(locks.iterdir())
