"""Talking to the PostgreSQL that the configuration names, without ever telling how it is reached.

Its DSN may hold a password, and libpq repeats what it was given in its messages, so they are cleaned before anyone
sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

CONNECT_TIMEOUT_S = 10
REMEDY = "see services.postgres in config/README.md"


class PostgresError(RuntimeError):
    """What PostgreSQL or its driver complains about, without the address."""


def without_address(message: str, dsn: str) -> str:
    """The message on one line, without what the DSN says and without quotations, which may hold fragments of it."""
    import psycopg

    try:
        parts = psycopg.conninfo.conninfo_to_dict(dsn)
    except psycopg.Error:
        return "the DSN cannot be understood"
    text = re.sub(r'"[^"]*"', '"…"', message.replace(dsn, "…"))
    for part in filter(None, map(str, parts.values())):
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "…", text)
    return " ".join(text.split())


@contextmanager
def address_hidden(dsn: str) -> Iterator[None]:
    """Turns the driver's errors into PostgresError."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise PostgresError(f"PostgreSQL: {without_address(str(error), dsn)}") from None


def connect(dsn: str) -> Any:
    import psycopg

    with address_hidden(dsn):
        return psycopg.connect(dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)


async def connect_async(dsn: str) -> Any:
    import psycopg

    with address_hidden(dsn):
        return await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)


def no_database(dsn: str | None) -> str | None:
    """Why no table can be made there, and what to do about it; None where it can."""
    if dsn is None:
        return "needs a PostgreSQL; set services.postgres to its DSN, see config/README.md"
    if find_spec("psycopg") is None:
        return "needs psycopg, which cannot be imported here: pip install 'psycopg[binary]'"
    try:
        with address_hidden(dsn), connect(dsn) as connection:
            asked = """SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
                       AND current_setting('transaction_read_only') = 'off'"""
            (allowed,) = connection.execute(asked).fetchone()
    except PostgresError as error:
        return f"{error}; {REMEDY}"
    except ImportError as error:
        return f"needs psycopg, which cannot be imported here: {error}"
    return None if allowed else f"PostgreSQL: this user may not make a table there; {REMEDY}"
