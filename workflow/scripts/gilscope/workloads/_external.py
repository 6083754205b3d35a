"""Services that the configuration names and nobody here starts: a PostgreSQL. Their addresses may hold passwords.

An address travels in the environment only: not in rules, raw files, logs or the report.
"""

from __future__ import annotations

import os


def variable(service: str) -> str:
    return f"GILSCOPE_SERVICE_{service.upper()}"


def address_of(service: str) -> str | None:
    """How to reach a service of the configuration, None where it names none."""
    return (os.environ.get(variable(service)) or None) if service else None
