"""Printing on terminals of every encoding."""

from __future__ import annotations

import io
import sys
from typing import Any, TextIO

from gilscope.running.plain_text import plain


def print_anything() -> None:
    """Have standard output replace what its encoding lacks, as that of the C locale does ``×``, and not fail for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: Any, file: TextIO | None = None) -> None:
    """Print what may hold a name or a message from elsewhere: the terminal shows all of it, and obeys none."""
    print(plain(str(text)), file=file)
