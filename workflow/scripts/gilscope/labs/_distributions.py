"""How durations are spread, as counts: how many of them lie beyond each of a few limits."""

from __future__ import annotations

from collections.abc import Iterable

LIMITS_MS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def beyond_metrics(name: str) -> dict[str, str]:
    """The metrics that ``beyond`` returns under this name → their unit, as a lab declares them."""
    return {f"{name}_beyond_{limit:g}_ms": "count" for limit in LIMITS_MS}


def beyond(name: str, seconds: Iterable[float]) -> dict[str, int]:
    """How many durations are longer than each limit: counts of several trials add up, as percentiles do not."""
    values = list(seconds)
    return {
        metric: sum(1000 * value > limit for value in values) for metric, limit in zip(beyond_metrics(name), LIMITS_MS)
    }
