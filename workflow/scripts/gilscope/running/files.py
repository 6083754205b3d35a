"""Atomic writes: a file is there whole or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gilscope.running.plain_text import words_of
from gilscope.running.progress import Deliberate

EMPTY_SUITE = {"version": "1.0", "benchmarks": []}
"""What pyperf would write for a suite without benchmarks, could it have one."""


class NotWritten(Deliberate):
    """A file cannot be written: no measurement is to blame, and none of it is kept."""

    def __init__(self, path: str, error: OSError):
        super().__init__(f"{path} cannot be written: {error.strerror}; make room for it, and run again")


@contextmanager
def written_whole(path: str) -> Iterator[Any]:
    """A text file that appears under its name only when it is complete and on the disk. Raises NotWritten."""
    partial = f"{path}.part"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(partial, "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(partial)
        if isinstance(error, OSError):
            raise NotWritten(path, error) from error
        raise


def write_json(path: str, content: Any) -> None:
    """Write JSON that every parser reads: what is no finite number, which JSON does not know, becomes null."""
    with written_whole(path) as file:
        json.dump(without_nan(content), file, indent=1, sort_keys=True, allow_nan=False)
        file.write("\n")


def without_nan(content: Any) -> Any:
    """The same with None for every number that is not finite, and Python's own numbers for numpy's."""
    if isinstance(content, dict):
        return {key: without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [without_nan(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content.item() if hasattr(content, "item") else content


class Damaged(Deliberate, ValueError):
    """A file of the results that is not what was written: cut short, or changed since."""

    def __init__(self, path: Any, error: BaseException | str):
        words = error if isinstance(error, str) else words_of(error)
        super().__init__(f"{path} is damaged ({words}); delete it, and the next run makes it again")
        self.about = (path, words)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.about


@contextmanager
def making_sense_of(path: Any) -> Iterator[None]:
    """What is done with a file's content: raises Damaged where that lacks something, or has it in another form."""
    try:
        yield
    except Damaged:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(path, f"{type(error).__name__}: {words_of(error)}") from error


def read_json(path: Any) -> Any:
    """A JSON file's content. Raises Damaged where it has none, and for numbers that are not finite."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise Damaged(path, error) from error


def no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")
