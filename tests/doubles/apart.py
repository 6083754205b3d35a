"""Measuring apart from whatever else is measured on this machine."""

from __future__ import annotations

from pathlib import Path

LOCK = "gilscope-measuring.lock"


def apart(folder: Path) -> dict[str, str]:
    """The variables that give a run temporary files, and a lock, of its own: it waits for nobody."""
    return {"TMPDIR": str(folder), "GILSCOPE_LOCK": str(folder / LOCK)}
