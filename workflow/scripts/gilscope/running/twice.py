"""One retry for failures that may be somebody else's: a worker that was killed, a moment without memory."""

from __future__ import annotations

from typing import Callable, TypeVar

from gilscope.running.progress import Deliberate

Result = TypeVar("Result")


def twice(work: Callable[[], Result]) -> Result:
    """What work gives at its first or its second try, or raises at that; no deliberate end is tried again."""
    try:
        return work()
    except (Deliberate, MemoryError):
        raise
    except Exception:
        # What the first try has left is let go of before the second one begins.
        pass
    return work()
