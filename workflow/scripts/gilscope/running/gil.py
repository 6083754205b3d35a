"""Whether the GIL is on in this process; cheap to import, since a trial's process has little else to do."""

from __future__ import annotations

import sys


def gil_enabled() -> bool:
    """Whether the lock is on in this process, as it runs."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())
