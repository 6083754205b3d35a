"""Records of what jobs have made, by size and digest, so that later damage or change is noticed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from gilscope.running.files import NotWritten, write_json

RECORDS = "made"
"""A folder of the results: a file for each job, at the place of its first output or under the name of its rule."""


def seen(path: Any) -> dict[str, Any]:
    """A file's size and digest."""
    with open(path, "rb") as file:
        content = file.read()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def write_record(path: Any, folder: Any, files: Iterable[Any]) -> None:
    """Put on record what files are now. folder: of the results, which their names are relative to."""
    write_json(str(path), {os.path.relpath(file, folder): seen(file) for file in files})


class Record:
    """What a measuring job has made, once all of it is there; nothing where it does not lie with its machine.json."""

    def __init__(self, machine: str, first: str):
        self.folder = os.path.dirname(machine)
        place = os.path.relpath(first, self.folder)
        self.path = None if place.startswith(os.pardir) else os.path.join(self.folder, RECORDS, place)

    def forget(self) -> None:
        """Before anything is written anew: half of it is not what was made."""
        if self.path:
            with suppress(FileNotFoundError):
                os.unlink(self.path)

    def write(self, files: Iterable[str]) -> None:
        """Where there is no room for it there is none: what was measured is worth more."""
        if self.path:
            with suppress(NotWritten):
                write_record(self.path, self.folder, files)
