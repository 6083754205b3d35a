"""A folder of one's own for temporary files, whose name is short enough for the sockets that lie there."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 50


def short_folder() -> str:
    """Where temporary files go; the path of a socket that multiprocessing makes there may have 104 bytes at most."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= LONGEST or not os.path.isdir("/tmp") else "/tmp"


def own_folder(token: str) -> str:
    """The name of a folder that nobody else has."""
    return os.path.join(short_folder(), f"gilscope-{token}")


@contextmanager
def temporary_files_apart() -> Iterator[None]:
    """Temporary files of this process, and of all that it starts, lie in a folder that is gone afterwards.

    Where none can be made, or the name of one is no matter, they lie where they always do. A forked process that leaves
    this too removes nothing.
    """
    folder, maker = make_folder(), os.getpid()
    if folder is None:
        yield
        return
    named, usual = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        yield
    finally:
        if os.getpid() == maker:
            shutil.rmtree(folder, ignore_errors=True)
            tempfile.tempdir = usual
            del os.environ["TMPDIR"]
            if named is not None:
                os.environ["TMPDIR"] = named


def make_folder() -> str | None:
    """Not on Windows, which has no such sockets, and whose lock lies among the temporary files."""
    if os.name == "nt":
        return None
    try:
        folder = own_folder(secrets.token_hex(6))
        os.mkdir(folder, 0o700)
    except OSError:
        return None
    return folder
