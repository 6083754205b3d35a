"""The environment variables and segment names by which a lab's processes and shared memory are found."""

from __future__ import annotations

import os

MARK = "GILSCOPE_LAB"
TRIAL = "GILSCOPE_TRIAL"
"""The environment variables by which every process of a lab, and of a trial, is known, whoever its parent is now."""
SEGMENTS, SEGMENT = "/dev/shm", "gil"
"""Where shared memory lies as files, and how the names of a lab's begin."""


def segment_name(number: int) -> str:
    """A name for a shared-memory segment by which the keeper can find it; macOS takes 30 letters at most."""
    return f"{SEGMENT}-{os.environ.get(MARK, 'alone')}-{os.getpid():x}-{number:x}"
