"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

EMPTY_SUITE = {"version": "1.0", "benchmarks": []}
"""What pyperf would write for a suite without benchmarks, could it have one."""


@contextmanager
def written_whole(path: str) -> Iterator[Any]:
    """A text file that appears under its name only when it is complete and on the disk."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    partial = f"{path}.part"
    try:
        with open(partial, "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise


def write_json(path: str, content: Any) -> None:
    with written_whole(path) as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.write("\n")


def read_json(path: str) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)
