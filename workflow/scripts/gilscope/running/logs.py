"""Logs of bounded size: the beginning and the end of what a job prints, and how much was left out between them."""

from __future__ import annotations

import os
import sys

KEPT = 20_000
"""Bytes of the beginning, and of the end."""
ROOM = 1_000_000
"""Bytes that a log may come to before it is emptied."""


class Log:
    """The file behind this process's standard error, and behind both streams of whatever it starts.

    Nobody reads along, so nobody who prints waits, and nothing is measured beside a reader: once a second the file is
    emptied when it has grown. All who write to it share their place in it, and go on at its beginning.
    """

    def __init__(self, path: str):
        self.path = path
        self.owner = os.getpid()
        self.beginning = b""
        self.end = b""
        self.taken = 0

    def empty(self) -> None:
        """Keep the beginning and the end of what has been written, and remove it from the file."""
        size = os.lseek(2, 0, os.SEEK_CUR)
        with open(self.path, "rb") as file:
            if not self.taken:
                self.beginning = file.read(KEPT)
            file.seek(max(0, size - KEPT))
            self.end = (self.end + file.read(KEPT).lstrip(b"\0"))[-KEPT:]
        self.taken += size
        os.lseek(2, 0, os.SEEK_SET)
        os.ftruncate(2, 0)

    def trim(self) -> None:
        if os.lseek(2, 0, os.SEEK_CUR) > ROOM:
            self.empty()

    def finish(self) -> None:
        """Leave what is kept of it in the file, where that is not all; a forked process leaves this to its parent."""
        if os.getpid() != self.owner:
            return
        sys.stderr.flush()
        if self.taken or os.lseek(2, 0, os.SEEK_CUR) > 2 * KEPT:
            self.empty()
            between = self.taken - len(self.beginning) - len(self.end)
            note = f"\n\ngilscope: about {between} bytes of what was printed are left out here\n\n"
            os.write(2, self.beginning + note.encode() + self.end)


def log_at(path: str | None) -> Log | None:
    """The log at a path, if it is this process's standard error; None else, as on a terminal."""
    try:
        return Log(path) if path and os.path.samestat(os.stat(path), os.fstat(2)) else None
    except OSError:
        return None
