"""Machines on which something is missing, small, or not allowed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from faults.places import Ended, Holding, Place, honest, told, tracebacks

NOBODY = 61234
"""A user that no system has."""
READING = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
"""The interpreter may lie in the home of somebody who lets nobody in."""


class NotHere(Exception):
    """This cannot be done to this machine, for the reason given."""


@dataclass(frozen=True)
class Surrounding:
    """A way to run a sweep. says: what a run that fails has to say, a regular expression; None where it must not fail."""

    run: Callable[[Place], Ended]
    says: str | None = None


def in_shell(line: str, **changed: str) -> Callable[[Place], Ended]:
    """A run by a shell that does something before; ``exec "$@"`` is the run."""
    return lambda place: place.run(["bash", "-c", line + '\nexec "$@"', "bash", *place.command()], **changed)


def as_root_of_mounts(line: str) -> Callable[[Place], Ended]:
    """The same where the shell may mount, and nobody else sees it."""

    def run(place: Place) -> Ended:
        if os.geteuid() != 0 or not shutil.which("unshare"):
            raise NotHere("only root may mount")
        whole = line.format(place=place.folder, results=place.clone / place.results)
        return place.run(["unshare", "-m", "bash", "-ec", whole + '\nexec "$@"', "bash", *place.command()])

    return run


def without_loopback(place: Place) -> Ended:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise NotHere("only root may have another network")
    return place.run(["unshare", "-n", *place.command()])


def with_temporary_folder(length: int) -> Callable[[Place], Ended]:
    def run(place: Place) -> Ended:
        folder = place.temporary / ("long" * length)[: max(1, length - len(str(place.temporary)) - 1)]
        folder.mkdir()
        ended = place.run(TMPDIR=str(folder))
        shutil.rmtree(folder)
        return ended

    return run


def as_somebody(*words: str, **changed: str) -> Callable[[Place], Ended]:
    """As a user without a name, of a system that lends it the clone. words: before the run, as of ``env``."""

    def run(place: Place) -> Ended:
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            raise NotHere("only root can become somebody else")
        for folder in (place.folder, *place.folder.rglob("*")):
            os.chown(folder, NOBODY, NOBODY, follow_symlinks=False)
        for folder in place.folder.parents:
            folder.chmod(folder.stat().st_mode | 0o011)
        given = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", *READING, "env", *words]
        return place.run([*given, *place.command()], **changed)

    return run


FULL_DISK = """
mkdir -p {results}
mount -t tmpfs -o size={size} tmpfs {results}
"""

SURROUNDINGS = {
    "a full disk": Surrounding(as_root_of_mounts(FULL_DISK.replace("{size}", "200k")), "make room|No space"),
    "files of 3 kB at most": Surrounding(in_shell("ulimit -f 6"), "File too large|make room"),
    "results that are read-only": Surrounding(
        as_root_of_mounts("mkdir -p {results}\nmount -t tmpfs -o ro tmpfs {results}"), "Read-only"
    ),
    "28 open files": Surrounding(in_shell("ulimit -n 28"), "ulimit -n|Too many open files"),
    "4 GiB of addresses": Surrounding(in_shell("ulimit -v 4000000")),
    "no shared memory": Surrounding(as_root_of_mounts("mount -t tmpfs -o ro,mode=0555 tmpfs /dev/shm")),
    "no loopback": Surrounding(without_loopback, "loopback"),
    "a temporary folder of 100 characters": Surrounding(with_temporary_folder(100)),
    "no HOME": Surrounding(in_shell("unset HOME USER LOGNAME")),
    "a HOME that is not there": Surrounding(in_shell("export HOME=$PWD/nowhere")),
    "a user without a name": Surrounding(as_somebody("-u", "HOME", "-u", "USER", "-u", "LOGNAME")),
    "a user without a name who may write no HOME": Surrounding(as_somebody("HOME=/")),
    "one core of several": Surrounding(in_shell("taskset -p -c 0 $$ >/dev/null")),
    "a terminal of ASCII": Surrounding(in_shell("export LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0")),
    "somebody's matplotlibrc": Surrounding(in_shell('echo "text.usetex: true" > matplotlibrc')),
    "somebody's PYTHONPATH": Surrounding(
        in_shell('mkdir -p other; echo "theirs = True" > other/aiohttp.py; export PYTHONPATH=$PWD/other')
    ),
    "a clock that is a day behind": Surrounding(in_shell("touch -d '+1 day' config/config.yaml")),
}


def what_became_in(name: str, place: Place, undisturbed: Holding) -> list[str]:
    """Run a sweep in a surrounding, then plainly: what is amiss, in words. Raises NotHere."""
    surrounding = SURROUNDINGS[name]
    ended = surrounding.run(place)
    whole = place.is_whole(undisturbed)
    complaints = tracebacks(ended) + place.left_behind()
    if ended.status == 0 and whole:
        # What cannot be measured there is told, and not forgotten.
        complaints += told(ended, "missing|again")
    elif ended.status != 0:
        complaints += honest(ended, whole) + told(ended, surrounding.says or "^$ a run that ends with 0")
    again = place.run()
    return complaints + honest(again, lacks := place.is_whole(undisturbed)) + lacks[:3] + place.left_behind()
