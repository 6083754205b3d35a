"""The progress of a measuring process, in memory that it shares with its supervisor."""

from __future__ import annotations

import mmap
import os
import struct
from typing import Any

STARTING = "starting"
WAITING = "waiting for the machine-wide lock"
PREPARING = "preparing the block"
TRYING = "running the trials of a lab"
SERVING = "its tasks needed the service"
DONE = "done"
REFUSED = "refused"
UNBOUNDED = (WAITING, TRYING)
"""What may last: nobody knows how long another measurement takes, and trials have bounds of their own."""

STEPS = struct.Struct("Q")
TEXT = 1000
SIZE = 4096


class Deliberate(Exception):
    """An end that is meant: the job fails with this message, and nothing is tried again or left out."""


class Text:
    """A board's text of at most 999 bytes, at a place of its own."""

    def __init__(self, start: int):
        self.start = start

    def __get__(self, board: Any, owner: Any = None) -> str:
        return board.memory[self.start : self.start + TEXT].partition(b"\0")[0].decode(errors="ignore")

    def __set__(self, board: Any, text: str) -> None:
        encoded = text.encode(errors="replace")[: TEXT - 1]
        board.memory[self.start : self.start + TEXT] = encoded.ljust(TEXT, b"\0")


def shared_memory(file: str | None, new: bool) -> mmap.mmap:
    if file is None:
        return mmap.mmap(-1, SIZE)
    with open(file, "w+b" if new else "r+b") as opened:
        if new:
            opened.truncate(SIZE)
        return mmap.mmap(opened.fileno(), SIZE)


class Board:
    """Notes of a process for the one that watches it, and one word back; each is a write to memory, no system call.

    file: lies under the memory, for a process that is not forked; made where it is not there yet.
    phase: a cell's name or one of the phases above. scratch: the folder that must not stay behind.
    reason: why the process gave up, where it could say so.
    """

    phase = Text(64)
    scratch = Text(64 + TEXT)
    reason = Text(64 + 2 * TEXT)

    def __init__(self, file: str | None = None) -> None:
        new = file is None or not os.path.exists(file)
        self.memory: Any = shared_memory(file, new)
        if new:
            self.phase = STARTING

    def let_go(self) -> None:
        """Keep what has been noted, and nothing of the file."""
        noted = bytearray(self.memory)
        self.memory.close()
        self.memory = noted

    @property
    def steps(self) -> int:
        """How many notes there have been."""
        return int(STEPS.unpack_from(self.memory)[0])

    def note(self, phase: str) -> None:
        self.phase = phase
        STEPS.pack_into(self.memory, 0, self.steps + 1)

    @property
    def abandoned(self) -> bool:
        """Whether the parent has said that whoever asked for the measurement is gone."""
        return self.memory[STEPS.size] != 0

    def abandon(self) -> None:
        self.memory[STEPS.size] = 1


BOARD: Board | None = None
"""Of this process, where another one watches over it."""


def use(board: Board) -> None:
    global BOARD
    BOARD = board


def doing(phase: str) -> None:
    """Note what comes next; takes about a microsecond, so it stays outside of what is timed."""
    if BOARD is not None:
        BOARD.note(phase)


def lies_in(folder: str) -> None:
    """Note the folder that holds what tasks write."""
    if BOARD is not None:
        BOARD.scratch = folder


def abandoned() -> bool:
    return BOARD is not None and BOARD.abandoned
