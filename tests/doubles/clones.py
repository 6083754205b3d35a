"""Clones of the working tree, and Snakemake run in them as users do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
from apart import apart

TINY = """
preset: tiny
machine: here
budget_minutes: 0
measure: {rounds: 3, seconds: 0.3, min_laps: 2}
sweep:
  claims: false
  workloads:
    - name: sum_squares
      sizes: [small, large]
      strategies: [threading, multiprocessing]
      workers: [1, 2]
    - name: sleep
      sizes: [medium]
      strategies: [threading]
      workers: [4]
labs: {names: [joining]}
parameters:
  sum_squares: {large: 20000}
"""
RESULTS = "results/here-tiny"


def clone(root: Path, to: Path) -> Path:
    """What git has, and would have, of the working tree, in another folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (root / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, to / name)
    (to / "tiny.yaml").write_text(TINY)
    return to


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", *arguments, "--cores", "all", "--configfile", "tiny.yaml"]


def run_in(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    own = {**os.environ, **apart(folder.parent), **(env or {})}
    return subprocess.run(
        command(*arguments), cwd=folder, env=own, capture_output=True, text=True, timeout=600, check=False
    )


def jobs(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The rules that ran, or would run, a name per job."""
    said = (done.stdout + done.stderr).splitlines()
    return [
        line.split()[1].rstrip(":")
        for line in said
        if line.startswith(("rule ", "localrule ", "checkpoint ", "localcheckpoint ")) and "rule all" not in line
    ]


def measuring_processes(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if process.info["cwd"] == str(folder) and any("measure.py" in word for word in process.info["cmdline"] or []):
            found.append(process.pid)
    return found


def unlocked(folder: Path) -> str:
    """What is said where the lock of a run is taken away, if that is dead."""
    command = [sys.executable, "workflow/scripts/unlock.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
