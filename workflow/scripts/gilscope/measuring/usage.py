"""What the operating system has charged a process with: CPU time and context switches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Usage:
    """CPU seconds and context switches: voluntary ones wait for something, involuntary ones had to make room."""

    cpu: float = 0.0
    voluntary: int = 0
    involuntary: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other))))

    def __sub__(self, other: Usage) -> Usage:
        return Usage(*(mine - theirs for mine, theirs in zip(astuple(self), astuple(other))))


NOTHING = Usage()


def own_usage() -> Usage | None:
    """This process since it began, all its threads together, ended ones too; None where no system call tells."""
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:
        return None
    used = getrusage(RUSAGE_SELF)
    return Usage(used.ru_utime + used.ru_stime, used.ru_nvcsw, used.ru_nivcsw)


def cpu_with_children() -> float | None:
    """CPU seconds of this process and of those of its descendants that have been waited for."""
    try:
        from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
    except ImportError:
        return None
    return sum(used.ru_utime + used.ru_stime for used in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


def total(usages: Iterable[Usage]) -> Usage:
    return sum(usages, NOTHING)
