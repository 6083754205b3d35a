"""What is private, taken out of texts. The names that results use, and facts about the hardware, stay as they are."""

from __future__ import annotations

import functools
import ipaddress
import json
import re
from collections.abc import Iterable
from typing import Any

from gilscope.bundles.privacy import Private, own_names, own_words
from gilscope.bundles.values import visible

HOME, PATH, HOST, USER, ADDRESS, VALUE = "~", "<path>", "<host>", "<user>", "<address>", "<private>"
LONG = 6
"""Letters of a name from which on it is taken for one inside longer words too."""
NAMES = """
runtime runtimes workload size strategy strategies pool pools kind kind_of metric unit lab case cell cells label
machine name verdict claim claims section state pays against law parameter preset external names sizes workers cpu
architecture os kernel governor virtualisation implementation version build compiler start_method imported
cpu_model_name platform python_implementation python_version perf_version timer date file_system worker packages
format python node gilscope optimisation lto jit
"""
"""Keys whose values are names in results, or facts about hardware and interpreters: a bare word is nobody's there."""
NAMED = frozenset(NAMES.split())
OURS = frozenset({"says", "slide", "explanation", "advice", "task", "talk", "best"})
"""Keys whose texts come from the claims: no names are looked for, so that ``will`` may be a user's."""
KEPT = ("/proc/", "/sys/", "/dev/", "/usr/", "/etc/", "/bin/", "/sbin/", "/lib/", "/lib64/")
"""Where paths may lead that are alike on all machines."""
PART = r"[^\s'\"`:,;()<>\[\]{}|/\\]+"
REST = rf"(?:[/\\]+{PART})*[/\\]*"
GENERAL_HOME = rf"(?:\b[A-Za-z]:)?[/\\]+(?:home|Users)[/\\]+(?:{PART}(?: {PART})*(?=[/\\])|{PART}){REST}"
UNC = rf"(?<![\w\\])\\\\{PART}(?:[/\\]+{PART})+"
DRIVE = rf"\b[A-Za-z]:[/\\]+{PART}{REST}"
ROOTED = rf"(?<![\w.~>/\\:-])(?:file:/{{2}})?/{PART}{REST}"
QUOTED = r"(?<=')(?:/|[A-Za-z]:[/\\]|\\\\)[^'\n]+(?=')|(?<=\")(?:/|[A-Za-z]:[/\\]|\\\\)[^\"\n]+(?=\")"
PATHS = re.compile("|".join((QUOTED, GENERAL_HOME, UNC, DRIVE, ROOTED)))
LOGIN = re.compile(r"(?<=://)[^\s/@'\"]+@")
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f:.]*\d)[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?:\.\d{1,3}){3})?(?:%\w+)?(?![\w:])"
)
HARDWARE = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-])")
BARE = re.compile(r"[^/\\@~]*")
JOINED = frozenset({"cells", "worker", "case"})
"""Keys under which slashes join names: ``cp311/sum_squares/large/threading-2``."""


class Redaction:
    """Takes what is private out of texts. The same texts and private things give the same texts."""

    def __init__(self, private: Private):
        self.private = private
        self.seen: dict[str, str] = {}

    def document(self, content: Any, key: str = "") -> Any:
        """A nested JSON content, clean. key: that under which it stands."""
        if isinstance(content, dict):
            return {self.key(name): self.document(value, name) for name, value in content.items()}
        if isinstance(content, list):
            return [self.document(value, key) for value in content]
        if not isinstance(content, str) or not content:
            return content
        content = visible(content)
        if key == "folder":
            return PATH
        if key in NAMED and is_bare(content, key):
            return content
        return self.patterns(content) if key in OURS else self.text(content)

    def key(self, name: str) -> str:
        return name if is_bare(name) else self.text(name)

    def encoded(self, data: bytes) -> bytes:
        """The bytes of a JSON file, unchanged where nothing in it is private. Raises ValueError where it is none."""
        content = json.loads(data)
        clean = self.document(content)
        if clean == content:
            return data
        indent = 1 if b"\n " in data[:8] else None
        return (json.dumps(clean, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()

    def text(self, text: str) -> str:
        """A text of any origin, as an error message: nothing private in it, nor what looks like it."""
        if text not in self.seen:
            clean = self.patterns(text)
            for pattern, word in self.names:
                clean = pattern.sub(word, clean)
            self.seen[text] = clean
        return self.seen[text]

    def patterns(self, text: str) -> str:
        """A text without paths, addresses and the environment's values."""
        for pattern, word in self.written:
            text = pattern.sub(functools.partial(stand_in, word), text)
        text = LOGIN.sub(USER + "@", text)
        text = PATHS.sub(replace_path, text)
        text = MAIL.sub(ADDRESS, text)
        text = HARDWARE.sub(ADDRESS, text)
        return IPV6.sub(replace_address, IPV4.sub(replace_address, text))

    @functools.cached_property
    def written(self) -> list[tuple[re.Pattern[str], str]]:
        """Patterns for what is private as it is written, the longest first, each with what stands for it."""
        private = self.private
        found = [(value, VALUE, whole(value)) for value in private.values]
        found += [(address, ADDRESS, whole(address)) for address in private.addresses]
        found += [(path, self.standing_for(path), below(path)) for path in private.paths - private.homes]
        found += [(home, HOME, below(home)) for home in private.homes]
        found.sort(key=lambda one: (-len(one[0]), one))
        return [(re.compile(pattern, re.IGNORECASE), word) for _, word, pattern in found]

    def standing_for(self, path: str) -> str:
        at_home = any(path.startswith((f"{home}/", f"{home}\\")) for home in self.private.homes)
        return HOME if at_home else PATH

    @functools.cached_property
    def names(self) -> list[tuple[re.Pattern[str], str]]:
        """Patterns for the names of hosts and users, the longest first, each with what stands for it."""
        found = [(name, HOST) for name in self.private.hosts] + [(name, USER) for name in self.private.users]
        found.sort(key=lambda one: (-len(one[0]), one))
        return [(re.compile(spoken_of(name), re.IGNORECASE), word) for name, word in found]


def stand_in(word: str, found: re.Match[str]) -> str:
    return word + source_file(found[0])


def replace_path(found: re.Match[str]) -> str:
    path = found[0]
    if path.startswith(KEPT) and ".." not in path:
        return path
    home = re.match(r"(?:[A-Za-z]:)?[/\\]+(?:home|Users)[/\\]", path)
    return (HOME if home else PATH) + source_file(path)


def is_bare(text: str, key: str = "") -> bool:
    """Whether a text is a name, or names joined by slashes where its key says so, and neither a path nor an address."""
    joined = key in JOINED and not text.startswith(("/", "."))
    return bool(BARE.fullmatch(text.replace("/", " ") if joined else text))


def whole(text: str) -> str:
    """A pattern for a text that is no part of a longer word."""
    return rf"(?<![^\W_]){re.escape(text)}(?![^\W_])"


def below(folder: str) -> str:
    """A pattern for a folder and everything below it; in quotes its parts may have spaces."""
    path = r"[/\\]+".join(re.escape(part) for part in re.split(r"[/\\]+", folder))
    return rf"(?<=['\"]){path}(?![\w-])[^'\"\n]*(?=['\"])|(?<![\w.~>-]){path}(?![\w-]){REST}"


def source_file(path: str) -> str:
    """The name of a Python file at the end of a path, which says where an error was; nothing for other paths."""
    found = re.search(r"[/\\]([\w-]+\.py)$", path)
    return f"/{found[1]}" if found else ""


def replace_address(found: re.Match[str]) -> str:
    """An address's placeholder; the text itself where it is none, or the loopback's."""
    try:
        address = ipaddress.ip_address(found[0].partition("%")[0])
    except ValueError:
        return found[0]
    return found[0] if address.is_loopback or address.is_unspecified else ADDRESS


def spoken_of(name: str) -> str:
    """A pattern for where a host or user of this name is spoken of.

    A name that is a word of ours too (``root``, ``max``, ``sleep``) means somebody only where the text says so.
    """
    if is_a_word(name):
        return rf"(?:(?<=\b(?:user|host)[ =])|(?<=\b(?:user|host) ['\"])){whole(name)}"
    return re.escape(name) if len(name) >= LONG else whole(name)


def is_a_word(name: str) -> bool:
    return name.lower() in own_names() or name.lower() in own_words()


def in_use(chosen: Iterable[str], private: Private) -> str | None:
    """The first of the names that somebody chose which is that of this host or user, or has it as a part."""
    owners = (*private.hosts, *private.users)
    for name in chosen:
        for owner in owners:
            theirs = hyphenated(owner)
            if hyphenated(name) == theirs or (f"-{theirs}-" in f"-{hyphenated(name)}-" and not is_a_word(owner)):
                return name
    return None


def hyphenated(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
