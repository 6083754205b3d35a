"""Whether the lock is on, for the processes of trials.

As ``runtimes.gil_enabled``, but that comes with all that is known about a runtime, and importing it would be half of
what a trial's process takes to start.
"""

from __future__ import annotations

import sys


def gil_enabled() -> bool:
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())
