"""What of this machine and its user no shared file may say: names, paths, addresses, the environment's values."""

from __future__ import annotations

import contextlib
import functools
import getpass
import os
import platform
import re
import socket
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import psutil

from gilscope.running.discovery import module_names
from gilscope.workloads import KINDS, SIZES

PACKAGE = Path(__file__).resolve().parents[1]
SERVICE = "GILSCOPE_SERVICE_"
SHORTEST_VALUE = 6
SHORTEST_NAME = 2
SHORTEST_PART = 4
SHORTEST_PATH = 5
EVERYWHERE = ("/usr", "/usr/local", "/home", "/Users", "/tmp", "/var/tmp", "/bin/sh", "/bin/bash", "C:\\Windows")
"""Folders that are alike on all machines."""
NOBODYS = frozenset(("localhost", "localdomain", "local", "none", "home", "lan"))
ADDRESS_PARTS = re.compile(r"[\s=:/@?&,;'\"]+")
NUMERIC = re.compile(r"\d{1,8}|v?\d+(?:\.\d+){1,3}")


@dataclass(frozen=True)
class Private:
    """hosts, users: names. homes, paths: folders. addresses: of network interfaces. values: of the environment."""

    hosts: frozenset[str] = field(default_factory=frozenset)
    users: frozenset[str] = field(default_factory=frozenset)
    homes: frozenset[str] = field(default_factory=frozenset)
    paths: frozenset[str] = field(default_factory=frozenset)
    addresses: frozenset[str] = field(default_factory=frozenset)
    values: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ) -> Private:
        """What is private where this runs. The names of other nodes of a cluster are not known here."""
        hosts, users, homes = host_names(), user_names(environment), with_real(home_folders(environment))
        folders = [os.getcwd(), str(PACKAGE.parents[2]), sys.prefix, sys.base_prefix, tempfile.gettempdir()]
        paths = with_real(folders)
        named = {name.lower() for name in (*hosts, *users, *homes, *paths)}
        return cls(
            hosts=frozenset(hosts),
            users=frozenset(users),
            homes=homes,
            paths=paths,
            addresses=frozenset(own_addresses()),
            values=frozenset(value for value in private_values(environment) if value.lower() not in named),
        )

    def and_paths(self, folders: Iterable[str]) -> Private:
        return replace(self, paths=self.paths | with_real(folders))


def host_names() -> set[str]:
    """This machine's names, short and with their domains, and the domains."""
    found = {platform.node(), socket.gethostname()}
    with contextlib.suppress(OSError):
        found.add(socket.getfqdn())
    for name in list(found):
        short, _, domain = name.partition(".")
        found |= {short, domain if "." in domain else ""}
    return {name for name in found if len(name) >= SHORTEST_NAME and name.lower() not in NOBODYS}


def user_names(environment: Mapping[str, str]) -> set[str]:
    """The user's names for this machine, and the name that it shows for them."""
    found = {environment.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "LNAME", "SUDO_USER")}
    with contextlib.suppress(OSError, KeyError, ImportError):
        found.add(getpass.getuser())
    with contextlib.suppress(ImportError, KeyError):
        import pwd

        entry = pwd.getpwuid(os.getuid())
        found |= {entry.pw_name, entry.pw_gecos.partition(",")[0]}
    return {name for name in found if len(name) >= SHORTEST_NAME}


def home_folders(environment: Mapping[str, str]) -> list[str]:
    found = [environment.get("HOME", ""), environment.get("USERPROFILE", "")]
    with contextlib.suppress(RuntimeError):
        found.append(str(Path.home()))
    with contextlib.suppress(ImportError, KeyError):
        import pwd

        found.append(pwd.getpwuid(os.getuid()).pw_dir)
    return found


def with_real(folders: Iterable[str]) -> frozenset[str]:
    """The folders that tell something, as they are named, as they are without links, and as a URL has them."""
    found = {folder.rstrip("/\\") for folder in folders if os.path.isabs(folder)}
    found |= {os.path.realpath(folder) for folder in found}
    found |= {quote(folder) for folder in found}
    return frozenset(folder for folder in found if len(folder) >= SHORTEST_PATH and folder not in EVERYWHERE)


def own_addresses() -> set[str]:
    """Of every interface: IP and hardware addresses, but not those of the loopback."""
    found = {address.address.partition("%")[0] for addresses in psutil.net_if_addrs().values() for address in addresses}
    loopback = re.compile(r"127\.|::1$|0\.0\.0\.0$|(?:00[:-]){5}00$")
    return {address for address in found if len(address) >= SHORTEST_VALUE and not loopback.match(address)}


def private_values(environment: Mapping[str, str]) -> set[str]:
    """Values of the environment, whole and line by line, and the parts of services' addresses.

    Not those that say nothing by themselves: short ones, numbers and versions, and what is made of words of ours, which
    results are full of.
    """
    found: set[str] = set()
    for name, value in environment.items():
        found |= {text for text in map(str.strip, [value, *value.splitlines()]) if len(text) >= SHORTEST_VALUE}
        if name.startswith(SERVICE):
            found |= {part for part in ADDRESS_PARTS.split(value) if len(part) >= SHORTEST_PART}
    return {value for value in found if not NUMERIC.fullmatch(value) and not of_ours(value) and value not in EVERYWHERE}


def of_ours(text: str) -> bool:
    """Whether a text consists of words that gilscope's own files use, such as ``never`` or ``C.UTF-8``."""
    parts = re.split(r"[\s_.:/-]+", text.lower())
    known = {"", "x86", "64", "8", "gnu", "utf", "en", "us", platform.machine().lower(), platform.system().lower()}
    return all(part in own_words() or part in known for part in parts)


@functools.cache
def own_words() -> frozenset[str]:
    """The words in gilscope's own source and claims, in lower case."""
    files = [*PACKAGE.rglob("*.py"), PACKAGE.parents[2] / "config/claims.yaml"]
    found: set[str] = set()
    for file in files:
        with contextlib.suppress(OSError):
            found.update(re.findall(r"[a-z]+", file.read_text(encoding="utf-8").lower()))
    return frozenset(found)


@functools.cache
def own_names() -> frozenset[str]:
    """Names that stand in results: workloads, strategies, labs, sizes and kinds."""
    folders = [f"gilscope.{name}" for name in ("workloads", "strategies", "labs")]
    return frozenset((*KINDS, *SIZES, *(name for folder in folders for name in module_names(folder))))
