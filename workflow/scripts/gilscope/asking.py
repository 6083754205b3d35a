"""What Snakemake was asked for: it tells its targets only when all rules have been read."""

from __future__ import annotations

from collections.abc import Sequence

MEASURES_NOTHING = frozenset({"bundle", "compare", "doctor"})
"""The targets that take what has been measured as it is."""


NEEDS_NOTHING = frozenset({"compare", "doctor"})
"""Those of them that do without results of this run."""


def asks_to_measure(arguments: Sequence[str]) -> bool:
    """Whether a Snakemake command line, without the program, has any target but those that measure nothing."""
    return any_target_beside(MEASURES_NOTHING, arguments)


def asks_for_results(arguments: Sequence[str]) -> bool:
    """Whether it has any target that needs what this run has measured."""
    return any_target_beside(NEEDS_NOTHING, arguments)


def any_target_beside(known: frozenset[str], arguments: Sequence[str]) -> bool:
    """Without any target it is all that is made."""
    if known.isdisjoint(arguments):
        return True
    from snakemake.cli import get_argument_parser

    asked, _ = get_argument_parser().parse_known_args(list(arguments))
    return not asked.targets or not known.issuperset(asked.targets)
