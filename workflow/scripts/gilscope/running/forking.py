"""Where a process may fork, and where it must not."""

from __future__ import annotations

import os
import sys


def why_no_fork() -> str | None:
    """Why nothing is forked here, or None.

    macOS can, but its own libraries may start threads, which a copy lacks; multiprocessing spawns there as well. The
    server of ``forkserver`` is a small process without such threads, and may.
    """
    if sys.platform == "darwin":
        return "fork is not safe on macOS: its system libraries may start threads, and a forked process lacks them"
    return None if hasattr(os, "fork") else "this platform cannot fork a process"
