"""What is printed, on terminals of every kind."""

from __future__ import annotations

import io
import sys


def print_anything() -> None:
    """Have standard output replace what its encoding lacks, as that of the C locale does ``×``, and not fail for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
