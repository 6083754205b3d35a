"""This process's control groups, found through the mounts that show them, so that no namespace hides a quota."""

from __future__ import annotations

import glob
import os
from typing import NamedTuple

from gilscope.running.node import contents

MEMBERSHIP = "/proc/self/cgroup"
MOUNTS = "/proc/self/mountinfo"
ABOVE = "/.."
"""How a mount's root begins that lies above the cgroup namespace of this process."""


class Mount(NamedTuple):
    """Where a hierarchy is shown. controllers: empty for version 2. root: the cgroup that ``folder`` shows."""

    controllers: tuple[str, ...]
    root: str
    folder: str


def own_cgroups(membership: str = MEMBERSHIP, mounts: str = MOUNTS) -> list[str]:
    """The folders of this process's cgroups with CPU time, version 2 or 1, each followed by those above it.

    Any of them may have a quota. Empty where the system has none, or does not show them.
    """
    folders: list[str] = []
    shown = read_mounts(mounts)
    for _, controllers, path in (line.split(":", 2) for line in lines(membership) if line.count(":") >= 2):
        if not controllers:
            hierarchy = [mount for mount in shown if not mount.controllers]
        elif "cpu" in controllers.split(","):
            hierarchy = [mount for mount in shown if "cpu" in mount.controllers]
        else:
            continue
        folders += located(hierarchy[0], path) if hierarchy else []
    return list(dict.fromkeys(folders))


def read_mounts(path: str = MOUNTS) -> list[Mount]:
    """The cgroup file systems among the mounts, as ``proc(5)`` describes the file."""
    found = []
    for line in lines(path):
        about, _, system = line.partition(" - ")
        fields, types = about.split(" "), system.split(" ")
        if len(fields) < 5 or len(types) < 3 or types[0] not in ("cgroup", "cgroup2"):
            continue
        root, folder = (field.encode().decode("unicode_escape") for field in fields[3:5])
        found.append(Mount(tuple(types[2].split(",")) if types[0] == "cgroup" else (), root, folder))
    return found


def located(mount: Mount, path: str) -> list[str]:
    """The folder of a cgroup below a mount and those above it, up to the mount's own.

    A namespace of one's own hides the names of the cgroups between its root and that of an older mount: there the one
    that lists this process is looked for.
    """
    if mount.root.startswith(ABOVE):
        levels = mount.root.count(ABOVE)
        below = os.path.join(glob.escape(mount.folder), *["*"] * levels, path.strip("/"))
        own = next((folder for folder in glob.glob(below) if holds_this_process(folder)), mount.folder)
    elif mount.root in ("/", path) or path.startswith(mount.root + "/"):
        own = os.path.join(mount.folder, os.path.relpath(path, mount.root))
    else:
        own = mount.folder
    own, top = os.path.normpath(own), os.path.normpath(mount.folder)
    folders = [own]
    while folders[-1] != top:
        folders.append(os.path.dirname(folders[-1]))
    return folders


def lines(path: str) -> list[str]:
    return (contents(path) or "").splitlines()


def holds_this_process(folder: str) -> bool:
    return str(os.getpid()) in lines(os.path.join(folder, "cgroup.procs"))
