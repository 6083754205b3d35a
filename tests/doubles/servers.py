"""Real servers for the tests: a PostgreSQL and a display, from the system's packages, gone afterwards."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PASSWORD = "tell-Nobody"
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


class Missing(Exception):
    """The server is not installed here."""


def postgres_programs() -> Path:
    """The folder of initdb and pg_ctl, the newest where there are several. Debian keeps them off PATH."""
    found = [Path(program).parent for program in [shutil.which("initdb")] if program]
    found += sorted(DEBIAN_POSTGRES.glob("*/bin"), key=lambda folder: float(folder.parent.name))
    if not found:
        raise Missing("no PostgreSQL here; on Debian apt-get install postgresql")
    return found[-1]


@contextmanager
def running_postgres() -> Iterator[str]:
    """A PostgreSQL that nobody reaches from outside, and that wants a password; yields its DSN."""
    programs = postgres_programs()
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    user: dict[str, Any] = {"user": "postgres", "group": "postgres"} if as_root else {}
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))

    def call(program: str, *arguments: Any) -> None:
        subprocess.run(
            [programs / program, "--pgdata", folder / "data", *arguments],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
            **user,
        )

    try:
        (folder / "password").write_text(PASSWORD)
        if as_root:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres", "postgres")
        account = ("--username=gilscope", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256")
        call("initdb", "--no-sync", *account)
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        call("pg_ctl", "start", "--silent", "--wait", "--log", folder / "log", "--options", options)
        try:
            yield f"postgresql://gilscope:{PASSWORD}@/postgres?host={folder}"
        finally:
            call("pg_ctl", "stop", "--silent", "--mode=immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_display() -> Iterator[str]:
    """An X display in memory; yields its name."""
    if shutil.which("Xvfb") is None:
        raise Missing("no Xvfb here; on Debian apt-get install xvfb")
    reading, writing = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1000x800x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            number = re.fullmatch(r"\d+", answer.readline().strip())
        if number is None:
            raise Missing("Xvfb does not start here")
        yield f":{number[0]}"
    finally:
        process.terminate()
        process.wait(10)
