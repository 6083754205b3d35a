"""The targets that Snakemake was asked for; it tells them only when all rules have been read."""

from __future__ import annotations

from collections.abc import Sequence

MEASURES_NOTHING = frozenset({"bundle", "compare", "doctor"})
"""The targets that take what has been measured as it is."""


NEEDS_NOTHING = frozenset({"compare", "doctor"})
"""Those of them that do without results of this run."""


LOOKS = (
    "dryrun",
    "dag",
    "rulegraph",
    "filegraph",
    "d3dag",
    "summary",
    "detailed_summary",
    "list_rules",
    "list_target_rules",
    "list_changes",
    "list_input_changes",
    "list_params_changes",
    "list_untracked",
    "lint",
    "report",
    "touch",
    "unlock",
    "cleanup_metadata",
    "print_compilation",
    "archive",
    "cleanup_shadow",
    "conda_cleanup_envs",
    "conda_create_envs_only",
    "containerize",
    "delete_all_output",
    "delete_temp_output",
    "generate_unit_tests",
    "list_conda_envs",
)
"""The options of Snakemake, as it calls them, with which no job is run."""


def asks_to_measure(arguments: Sequence[str]) -> bool:
    """Whether a Snakemake command line, without the program, has any target but those that measure nothing."""
    return any_target_beside(MEASURES_NOTHING, arguments)


def asks_for_results(arguments: Sequence[str]) -> bool:
    """Whether it has any target that needs what this run has measured."""
    return any_target_beside(NEEDS_NOTHING, arguments)


def asks_to_look(arguments: Sequence[str]) -> bool:
    """Whether it makes nothing, as with ``--dry-run`` and ``--summary``, and so may change nothing either."""
    from snakemake.cli import get_argument_parser

    asked, _ = get_argument_parser().parse_known_args(list(arguments))
    return any(getattr(asked, name, None) for name in LOOKS)


def any_target_beside(known: frozenset[str], arguments: Sequence[str]) -> bool:
    """Without any target it is all that is made."""
    if known.isdisjoint(arguments):
        return True
    from snakemake.cli import get_argument_parser

    asked, _ = get_argument_parser().parse_known_args(list(arguments))
    return not asked.targets or not known.issuperset(asked.targets)
