"""Which node of a cluster this is, and its CPU: facts that name nobody. What cannot be read is None, never a guess."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import subprocess
import sys
from typing import Any, Callable, TypeVar

from gilscope.running.plain_text import plain

CPUINFO = "/proc/cpuinfo"
MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
BOOT_ID = "/proc/sys/kernel/random/boot_id"
PROCESSOR = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
CRYPTOGRAPHY = r"SOFTWARE\Microsoft\Cryptography"
PURPOSE = b"gilscope: tell the nodes of a cluster apart"
DIGITS = 12
ANSWER_S = 10
ARM = ("CPU implementer", "CPU part", "CPU variant")
"""What Linux tells of an ARM core that has no name; a machine with several kinds of cores has several of each."""

Known = TypeVar("Known")


def cpu_model() -> str | None:
    """The CPU's marketing name; on Linux on ARM, which tells none, the numbers of its maker and its kinds of cores."""
    if sys.platform == "win32":
        return registered(PROCESSOR, "ProcessorNameString")
    if sys.platform == "darwin":
        return printed("sysctl", "-n", "machdep.cpu.brand_string")
    about = contents(CPUINFO) or ""
    found = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(\S.*)$", about, re.MULTILINE)
    return found[1].strip() if found else arm_cores(about)


def arm_cores(about: str) -> str | None:
    """``ARM implementer 0x41 part 0xd0c variant 0x3``, one for each kind of core; None where one of them is missing."""
    numbers = [re.findall(rf"^{name}\s*:\s*(\S+)$", about, re.MULTILINE) for name in ARM]
    kinds = sorted({*zip(*numbers)})
    words = [name.split()[-1] for name in ARM]
    said = [" ".join(f"{word} {number}" for word, number in zip(words, kind)) for kind in kinds]
    return f"ARM {' + '.join(said)}" if said else None


def affinity_cores() -> int | None:
    """How many logical cores this process may run on; None where the system does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def node() -> str | None:
    """12 hex digits that are another machine's on another machine, and stay the same on one.

    A keyed hash of a constant, the key being the random number that the system gave itself when it was installed, or
    when it booted where it has none: no list of host names, addresses or hardware can be tried on it.
    """
    key = machine_id() or hexadecimal(contents(BOOT_ID))
    return hmac.new(key.encode(), PURPOSE, hashlib.sha256).hexdigest()[:DIGITS] if key else None


def machine_id() -> str | None:
    """The system's own identity, which must not leave this file."""
    if sys.platform == "win32":
        return hexadecimal(registered(CRYPTOGRAPHY, "MachineGuid"))
    if sys.platform == "darwin":
        answer = printed("ioreg", "-rd1", "-c", "IOPlatformExpertDevice") or ""
        found = re.search(r'"IOPlatformUUID"\s*=\s*"([^"]+)"', answer)
        return hexadecimal(found[1]) if found else None
    return next(filter(None, (hexadecimal(contents(path)) for path in MACHINE_IDS)), None)


def hexadecimal(identity: str | None) -> str | None:
    """Its 32 digits without hyphens; None for what is no identity, as an image's ``uninitialized`` or all zeros."""
    digits = (identity or "").replace("-", "").lower()
    return digits if re.fullmatch(r"[0-9a-f]{32}", digits) and digits.strip("0") else None


def told(sensor: Callable[[], Known]) -> Known | None:
    """What a sensor says; None where it fails, whatever the reason: none is worth a measurement, or ends one."""
    try:
        return sensor()
    except Exception:
        return None


def contents(path: str) -> str | None:
    """A file's text without the white space around it; None where it is empty or cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return plain(file.read().strip()) or None
    except OSError:
        return None


def printed(*command: str) -> str | None:
    """What a program prints; None where it is not there, refuses or prints nothing."""
    try:
        answer = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=ANSWER_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return plain(answer.stdout.decode(errors="replace").strip()) or None if answer.returncode == 0 else None


def registered(key: str, name: str) -> str | None:
    """A text from Windows' registry of the local machine; None where there is none."""
    try:
        import winreg
    except ImportError:
        return None
    registry: Any = winreg
    try:
        access = registry.KEY_READ | registry.KEY_WOW64_64KEY
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, key, 0, access) as opened:
            text, _ = registry.QueryValueEx(opened, name)
    except OSError:
        return None
    return plain(text.strip()) or None if isinstance(text, str) else None
