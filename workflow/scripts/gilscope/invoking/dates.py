"""Files dated in the future, because a clock was wrong: Snakemake fails jobs that use them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from gilscope.configuring.mistakes import Mistakes

STEP_NS = 1000
"""Between two dates that differed; Snakemake reads them as seconds in floating point, which tells no less apart."""


def bring_back(files: Iterable[Path]) -> str | None:
    """Date files from the future to just now, in the order that they have; a line about it, where there are any.

    What was newer than another file still is, and so nothing is made again, or left alone, that would not have been.
    Raises Mistakes for those that belong to somebody else.
    """
    now = time.time_ns()
    ahead = {file: date for file in set(files) if (date := dated(file)) > now}
    later = sorted(set(ahead.values()), reverse=True)
    places = {date: place for place, date in enumerate(later, start=1)}
    refused = []
    for file, date in ahead.items():
        try:
            os.utime(file, ns=(now, now - places[date] * STEP_NS))
        except OSError as error:
            why = f"and cannot be dated anew: {error.strerror}"
            refused.append(f"{file}: dated in the future, {why}; touch it as its owner.")
    if refused:
        raise Mistakes(sorted(refused))
    if not ahead:
        return None
    names = ", ".join(sorted(map(str, ahead))[:3]) + (" …" if len(ahead) > 3 else "")
    return f"gilscope: dated to now, since the future would stop the run: {len(ahead)} files, {names}"


def dated(file: Path) -> int:
    """When a file was last changed, in nanoseconds since the epoch; 0 where there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
