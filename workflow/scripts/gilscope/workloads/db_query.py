from __future__ import annotations

import hashlib
import os
import platform
import sqlite3
import sys
import threading
import weakref
from collections.abc import Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Callable

from gilscope.workloads import Site, workload
from gilscope.workloads._postgres import PostgresError, address_hidden, connect, connect_async, no_database

PLACES = 20
QUESTION = "SELECT count(*), sum(amount), max(amount) FROM {table} WHERE place <> {place}"
"""There is no index, and hardly a row that does not count: a full scan."""

_own = threading.local()


class Opened:
    """A connection of one thread, closed when that ends. A forked child has it too, and must not say goodbye on it."""

    def __init__(self, address: str, connection: Any):
        self.address = address
        self.process = os.getpid()
        self.connection = connection
        weakref.finalize(self, close, connection, self.process)


def close(connection: Any, process: int) -> None:
    if process == os.getpid():
        connection.close()


def own_connection(address: str, connect_to: Callable[[str], Any]) -> Any:
    """This worker's connection, whether a thread or a process; opened when it is first needed."""
    opened = getattr(_own, "opened", None)
    if opened is None or (opened.address, opened.process) != (address, os.getpid()):
        opened = _own.opened = Opened(address, connect_to(address))
    return opened.connection


def close_connection() -> None:
    """Forget the calling thread's connection; those of other threads have gone with them."""
    _own.opened = None


def open_file(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)


def sales_file(rows: int, tasks: int, site: Site) -> Sequence[Any]:
    """A file with a table of so many rows; (path, place) for each task."""
    path = os.path.join(site.folder, "sales.sqlite")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("DROP TABLE IF EXISTS sales")
        database.execute("CREATE TABLE sales (place INTEGER NOT NULL, amount INTEGER NOT NULL)")
        database.execute(
            f"""WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {rows})
                INSERT INTO sales SELECT n % {PLACES}, n * 7919 % 1009 FROM numbers"""
        )
    return [(path, task % PLACES) for task in range(tasks)]


@workload(
    kind="io",
    sizes={"small": 1_000, "medium": 18_000, "large": 120_000, "deck": 600_000},
    unit="rows",
    seconds=lambda rows: rows / 12e6,
    inputs=sales_file,
    fresh=close_connection,
)
def db_query(item: Any) -> tuple[int, int, int]:
    """Asks an SQLite file for an aggregate over a full scan, which computes, without the GIL, and does not wait."""
    path, place = item
    question = QUESTION.format(table="sales", place="?")
    return own_connection(path, open_file).execute(question, (place,)).fetchone()


def table_of(site: Site) -> str:
    """A name that no other block has: the folder's is random, and machines may share a server."""
    return "gilscope_" + hashlib.sha256(f"{platform.node()} {site.folder}".encode()).hexdigest()[:16]


def sales_table(rows: int, tasks: int, site: Site) -> Sequence[Any]:
    """A table of so many rows in the configured PostgreSQL; (DSN, table, place) for each task.

    It is scanned by one process of the server: several would be hidden parallelism.
    """
    assert site.external
    table = table_of(site)
    with address_hidden(site.external), connect(site.external) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(
            f"CREATE UNLOGGED TABLE {table} (place int NOT NULL, amount int NOT NULL) WITH (parallel_workers = 0)"
        )
        connection.execute(
            f"""INSERT INTO {table} SELECT n % {PLACES}, n * 7919 % 1009
                FROM generate_series(0, {rows}::bigint - 1) AS numbers (n)"""
        )
        connection.execute(f"VACUUM ANALYZE {table}")
    return [(site.external, table, task % PLACES) for task in range(tasks)]


def drop_table(site: Site) -> None:
    if site.external is None:
        return
    try:
        with address_hidden(site.external), connect(site.external) as connection:
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(f"DROP TABLE IF EXISTS {table_of(site)}")
    except PostgresError as error:
        print(f"the table {table_of(site)} could not be dropped: {error}", file=sys.stderr)


def no_postgres(site: Site) -> str | None:
    return no_database(site.external)


@asynccontextmanager
async def asking(offload):
    """A connection for each task in flight, used again by the next."""
    opened: list[Any] = []
    idle: list[Any] = []

    async def ask(item):
        dsn, table, place = item
        if not idle:
            opened.append(await connect_async(dsn))
            idle.append(opened[-1])
        connection = idle.pop()
        with address_hidden(dsn):
            cursor = await connection.execute(QUESTION.format(table=table, place="%s"), (place,))
            answer = await cursor.fetchone()
        idle.append(connection)
        return answer

    try:
        yield ask
    finally:
        for connection in opened:
            await connection.close()


@workload(
    kind="io",
    sizes={"small": 1_000, "medium": 18_000, "large": 120_000, "deck": 600_000},
    unit="rows",
    seconds=lambda rows: rows / 12e6,
    libraries=("psycopg[binary]",),
    inputs=sales_table,
    finish=drop_table,
    coroutine=asking,
    external="postgres",
    unavailable=no_postgres,
    fresh=close_connection,
)
def db_query_postgres(item: Any) -> tuple[int, int, int]:
    """Asks a PostgreSQL server for an aggregate over a full scan, and waits for its answer."""
    dsn, table, place = item
    with address_hidden(dsn):
        return own_connection(dsn, connect).execute(QUESTION.format(table=table, place="%s"), (place,)).fetchone()
