from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gilscope.strategies import Spread, strategy


@strategy("sequential", pools=("cold",), fixed_workers=1)
@contextmanager
def sequential(workers: int) -> Iterator[Spread]:
    """One task after the other in the calling thread: what everything else is compared with."""
    yield lambda function, items: [function(item) for item in items]
