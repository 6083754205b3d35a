"""Retries across runs: what failed because of the machine is noted, and measured again by the next run."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gilscope.running.files import NotWritten
from gilscope.running.reasons import for_the_machines_sake

SUFFIX = ".again"
TRIES = 2
"""How often the next run tries again what has failed alike."""


def note_lacks(path: str, reasons: Iterable[str | None]) -> None:
    """Add those of the reasons that are the machine's doing to the note beside a result. Raises NotWritten.

    None more than TRIES times: a lack that lasts, or a task that kills itself, is not tried for good.
    """
    note = note_of(path)
    before = noted(note)
    lacks = [
        reason
        for reason in dict.fromkeys(reasons)
        if reason and for_the_machines_sake(reason) and before.count(reason) < TRIES
    ]
    if not lacks:
        return
    try:
        os.makedirs(os.path.dirname(note), exist_ok=True)
        with open(note, "a", encoding="utf-8", errors="replace") as file:
            file.write("".join(f"{lack}\n" for lack in lacks))
    except OSError as error:
        raise NotWritten(note, error) from error


def noted(note: str) -> list[str]:
    try:
        with open(note, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def note_of(path: str) -> str:
    """``raw/…/.round-2.again`` for ``raw/…/round-2.json``."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{os.path.splitext(name)[0]}{SUFFIX}")


def noted_lacks(folder: str | Path) -> dict[str, int]:
    """Note, below a run's folder → its length: it only grows, so that another one means that there was a new lack."""
    root = Path(folder)
    notes = [*root.glob(f"raw/*/*/*/.*{SUFFIX}"), *root.glob(f"labs/*/.*{SUFFIX}")]
    return {note.relative_to(root).as_posix(): note.stat().st_size for note in notes}
