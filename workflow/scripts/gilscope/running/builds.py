"""How an interpreter was built, as far as it tells: two of one version may differ by more than any strategy does."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shlex
import sys
import sysconfig
from collections.abc import Mapping
from typing import Any

FLAGS = ("CONFIG_ARGS", "PY_CORE_CFLAGS", "CFLAGS_NODIST", "PY_LDFLAGS_NODIST")
DIGITS = 8
UNOPTIMISED = ("O0", "Og")


def describe_build() -> dict[str, Any]:
    """The running interpreter's build; None for what it does not tell, as Windows and PyPy do not.

    debug, pgo, tail_calls: whether it has them. optimisation: the compiler's, ``O3``. lto: ``none``, ``thin``, ``full``
    or ``yes``. jit: ``none``, ``off``, ``on`` or ``interpreter``. flags: a digest of what configure and the compiler
    were told, without paths, so that the same recipe gives the same one on another machine.
    """
    told = {name: words(sysconfig.get_config_var(name)) for name in FLAGS}
    arguments = told["CONFIG_ARGS"]
    compiled = (told["PY_CORE_CFLAGS"] or []) + (told["CFLAGS_NODIST"] or [])
    levels = [word[1:] for word in compiled if re.match(r"-O\w*$", word)]
    return {
        "debug": is_debug(),
        "optimisation": levels[-1] if levels else None,
        "lto": lto(arguments, compiled + (told["PY_LDFLAGS_NODIST"] or [])),
        "pgo": None if arguments is None else option(arguments, "--enable-optimizations") not in (None, "no"),
        "jit": jit(arguments),
        "tail_calls": tail_calls(arguments),
        "flags": digest(told),
    }


def words(flags: Any) -> list[str] | None:
    """Flags one by one; None where there are none to be known."""
    if not isinstance(flags, str):
        return None
    try:
        return shlex.split(flags)
    except ValueError:
        return flags.split()


def option(arguments: list[str], name: str) -> str | None:
    """What configure was told for an option: ``""`` where it was named alone, None where it was not named."""
    found = [word.partition("=") for word in arguments if word.partition("=")[0] == name]
    return found[-1][2] if found else None


def is_debug() -> bool | None:
    if platform.python_implementation() == "CPython":
        return hasattr(sys, "gettotalrefcount") or bool(sysconfig.get_config_var("Py_DEBUG"))
    return None


def lto(arguments: list[str] | None, flags: list[str]) -> str | None:
    asked = [word for word in flags if word.startswith("-flto")]
    if asked:
        return "thin" if asked[-1] == "-flto=thin" else "yes"
    if arguments is None:
        return None
    told = option(arguments, "--with-lto")
    return {None: "none", "no": "none", "": "yes"}.get(told, told)


def jit(arguments: list[str] | None) -> str | None:
    """Whether there is a compiler at run time, and whether it works in this process."""
    if platform.python_implementation() == "PyPy":
        return "on" if "pypyjit" in sys.builtin_module_names else "none"
    if hasattr(sys, "_jit"):
        return "none" if not sys._jit.is_available() else "on" if sys._jit.is_enabled() else "off"
    if platform.python_implementation() != "CPython":
        return None
    if is_before((3, 13)):
        return "none"
    return None if arguments is None else jit_of_configure(option(arguments, "--enable-experimental-jit"))


def jit_of_configure(told: str | None) -> str:
    """The same of 3.13, which does not say it itself."""
    if told in (None, "no"):
        return "none"
    if told == "interpreter":
        return told
    return {"0": "off", "1": "on"}.get(os.environ.get("PYTHON_JIT", ""), "off" if told == "yes-off" else "on")


def is_before(version: tuple[int, int]) -> bool:
    return sys.version_info[:2] < version


def tail_calls(arguments: list[str] | None) -> bool | None:
    """Whether the bytecode's interpreter is the one of tail calls, which 3.14 brought."""
    if platform.python_implementation() != "CPython":
        return None
    if is_before((3, 14)):
        return False
    if any(sysconfig.get_config_var(name) for name in ("Py_TAIL_CALL_INTERP", "_Py_TAIL_CALL_INTERP")):
        return True
    return None if arguments is None else option(arguments, "--with-tail-call-interp") not in (None, "no")


def digest(told: Mapping[str, list[str] | None]) -> str | None:
    if not any(told.values()):
        return None
    plain = [
        f"{name} {word}" for name in FLAGS for word in told[name] or () if not re.search(r"[/\\]", word) and word != "."
    ]
    text = "\n".join([platform.python_compiler(), *dict.fromkeys(plain)])
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def in_words(built: Mapping[str, Any] | None) -> str:
    """``debug build, -O0, no PGO, LTO thin, JIT off``; empty where nothing of it is known, as of earlier results."""
    known = built or {}
    level, pgo, link, compiler = (known.get(name) for name in ("optimisation", "pgo", "lto", "jit"))
    parts = [
        "debug build" if known.get("debug") else "",
        f"-{level}" if level else "",
        "" if pgo is None else "PGO" if pgo else "no PGO",
        "" if link is None else {"none": "no LTO", "yes": "LTO"}.get(link, f"LTO {link}"),
        "" if compiler in (None, "none") else f"JIT {compiler}",
        "tail calls" if known.get("tail_calls") else "",
    ]
    return ", ".join(filter(None, parts))


def recipe_in_words(built: Mapping[str, Any] | None) -> str:
    """The same without what one version has and another has not."""
    recipe = ("debug", "optimisation", "pgo", "lto")
    return in_words({name: value for name, value in (built or {}).items() if name in recipe})


def why_slow(built: Mapping[str, Any] | None) -> str | None:
    """Why the times of a build are not those that people have; None where nothing is known against it."""
    known = built or {}
    if known.get("debug"):
        return "it is a debug build, whose checks take much of its time"
    if known.get("optimisation") in UNOPTIMISED:
        return f"it was compiled without optimisation (-{known['optimisation']})"
    return None
