"""A temporary folder of its own for each round, with a path short enough for Unix sockets."""

from __future__ import annotations

import glob
import os
import platform
import secrets
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gilscope.running.lock import try_lock

LONGEST = 43
ALIVE = ".alive"
"""The file that whoever has made a folder keeps locked; a process that was killed does not."""


def short_folder() -> str:
    """Where temporary files go; the path of a socket that multiprocessing makes there may have 104 bytes at most."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= LONGEST or not os.path.isdir("/tmp") else "/tmp"


def own_folder(token: str) -> str:
    """The name of a folder that nobody else has."""
    return os.path.join(short_folder(), f"gilscope-{token}")


def of_this_node() -> str:
    """How the names of this computer's folders begin: on a shared disk others' locks may not be seen."""
    return f"{zlib.crc32(platform.node().encode()):08x}"[:6]


@contextmanager
def temporary_files_apart() -> Iterator[None]:
    """Temporary files of this process, and of all that it starts, lie in a folder that is gone afterwards.

    Where none can be made, or the name of one is no matter, they lie where they always do. A forked process that leaves
    this too removes nothing.
    """
    made, maker = make_folder(), os.getpid()
    if made is None:
        yield
        return
    folder, alive = made
    named, usual = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        yield
    finally:
        if os.getpid() == maker:
            os.close(alive)
            shutil.rmtree(folder, ignore_errors=True)
            tempfile.tempdir = usual
            del os.environ["TMPDIR"]
            if named is not None:
                os.environ["TMPDIR"] = named


def make_folder() -> tuple[str, int] | None:
    """A folder, and the descriptor that tells that it is in use.

    Not on Windows, which has no such sockets, and whose lock lies among the temporary files.
    """
    if os.name == "nt":
        return None
    remove_abandoned()
    folder = own_folder(f"{of_this_node()}-{secrets.token_hex(6)}")
    # Under its name, by which others look for abandoned ones, only when it is locked.
    unnamed = f"{folder}.new"
    try:
        os.mkdir(unnamed, 0o700)
    except OSError:
        return None
    try:
        alive = hold(unnamed)
        os.rename(unnamed, folder)
        return folder, alive
    except OSError:
        shutil.rmtree(unnamed, ignore_errors=True)
        return None


def hold(folder: str) -> int:
    """Lock the file that tells that a folder is in use; returns its descriptor."""
    descriptor = os.open(os.path.join(folder, ALIVE), os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(OSError):
        try_lock(descriptor)
    return descriptor


def remove_abandoned() -> None:
    """Remove the folders of those that were killed."""
    for alive in glob.glob(os.path.join(glob.escape(short_folder()), f"gilscope-{of_this_node()}-????????????", ALIVE)):
        with suppress(OSError):
            descriptor = os.open(alive, os.O_RDWR | os.O_NOFOLLOW)
            try:
                if try_lock(descriptor):
                    shutil.rmtree(os.path.dirname(alive), ignore_errors=True)
            finally:
                os.close(descriptor)
