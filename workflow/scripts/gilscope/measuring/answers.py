"""Whether two answers are the same and inputs stay as they were; where not, whose doing it is."""

from __future__ import annotations

import copy
import io
import pickle
import types
import zlib
from collections.abc import Iterable
from typing import Any, Callable

from gilscope.running.plain_text import named, on_one_line
from gilscope.running.progress import Deliberate
from gilscope.running.reasons import reason_of

CONSTANT = (bool, bytes, complex, float, int, range, str, type(None))
DATA = ("array", "builtins", "collections", "datetime", "decimal", "fractions", "numpy", "pandas")
"""The modules whose objects are data."""
SHOWN = 80
REMEDY = "tell how to compare them with same=, (answer, expected) -> bool, in the workload's decorator"


class WrongAnswer(Deliberate):
    """Nothing of a block can be compared: answers differ, or its tasks change. Costs the block, and is tried once."""


def shown(answer: Any) -> str:
    """The beginning of an answer, also of one that cannot be shown."""
    try:
        return on_one_line(f"{answer!r:.{SHOWN}}")
    except Exception:
        return f"<{named(answer)}>"


def compared(same: Callable[[Any, Any], bool], answer: Any, expected: Any) -> bool:
    """Whether they are the same. Raises WrongAnswer where nobody can tell."""
    try:
        return bool(same(answer, expected))
    except MemoryError:
        raise
    except Exception as error:
        raise WrongAnswer(f"its answers cannot be compared ({reason_of(error)}): {REMEDY}") from error


def copied(answer: Any) -> Any:
    """An answer as another process would get it, or else a copy; itself where there can be none."""
    for copy_of in (lambda: pickle.loads(pickle.dumps(answer)), lambda: copy.deepcopy(answer)):
        try:
            return copy_of()
        except Exception:
            continue
    return answer


def fingerprint(item: Any) -> int | None:
    """A number that changes when an input does; None of one that never can, or that cannot be looked into."""
    if is_constant(item):
        return None
    buffers: list[pickle.PickleBuffer] = []
    written = io.BytesIO()
    try:
        PlainPickler(written, protocol=5, buffer_callback=buffers.append).dump(item)
        number = zlib.crc32(written.getbuffer())
        for buffer in buffers:
            number = zlib.crc32(buffer.raw(), number)
    except Exception:
        return None
    return number


class PlainPickler(pickle.Pickler):
    """Takes data alone: an object of any other class may keep what it has found out, and is no other work for that."""

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, (type, types.FunctionType)) or type(thing).__module__.partition(".")[0] in DATA:
            return NotImplemented
        raise TypeError(type(thing))


def is_constant(item: Any) -> bool:
    if type(item) in (tuple, frozenset):
        return all(map(is_constant, item))
    return type(item) in CONSTANT


def fingerprints(items: Iterable[Any]) -> list[int | None]:
    """The fingerprint of each input; of those that several tasks share, made once."""
    known: dict[int, int | None] = {}
    found = []
    for item in items:
        if id(item) not in known:
            known[id(item)] = fingerprint(item)
        found.append(known[id(item)])
    return found
