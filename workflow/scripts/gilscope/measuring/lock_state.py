"""The lock as a fact: whether it is on where it should be and, where it came back, which module brought it.

python -m gilscope.measuring.lock_state      {"modules": …, "path": …} on standard input, the guilty one's name back
"""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from gilscope.running.gil import gil_enabled
from gilscope.running.starting import package_environment

IMPORTS_S = 60.0
LOADING = re.compile(r"enabled to load module '([^']+)'")
"""What the interpreter warns with: PEP 703, "Py_mod_gil slot"."""
FROM_THE_START = "on from the start"


def extension_modules() -> list[str]:
    """The modules of this process that are not Python, in the order in which they were imported."""
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    return [name for name, file in files.items() if file and file.endswith(suffixes)]


def lock_here(expected: bool | None) -> dict[str, Any]:
    """The state of the lock in this process and, where it is on unasked, what is needed to find out why."""
    state: dict[str, Any] = {"gil": gil_enabled()}
    if state["gil"] and expected is False:
        state.update(modules=extension_modules(), path=list(sys.path))
    return state


def lock_objection(states: Iterable[dict[str, Any]], expected: bool | None, where: str) -> str | None:
    """Why processes in these states must not be measured, or None.

    states: answers of ``lock_here``. expected: as ``runtimes.lock_expected``. where: ``in a worker``.
    """
    for state in states:
        if expected is True and not state["gil"]:
            return f"the lock is off {where} where on was asked for"
        if expected is False and state["gil"]:
            return f"the lock {why_on(state['modules'], state['path'], where)}"
    return None


def why_on(modules: Sequence[str], path: Sequence[str], where: str) -> str:
    guilty = find_in_order(tuple(modules), tuple(path))
    if guilty == FROM_THE_START:
        return f"is on {where}, and was so from the start: is PYTHON_GIL or -X gil set?"
    if guilty is None:
        return f"came back {where}; which module turned it on cannot be told"
    return f"came back {where}: the module {guilty} turned it on when it was imported"


@functools.lru_cache
def find_in_order(modules: tuple[str, ...], path: tuple[str, ...]) -> str | None:
    """The first of these modules, or of those that they import, whose import turns the lock on; None where none does.

    They are imported one by one in a new process of the same interpreter, in which the lock is off; it may crash,
    hang, or print whatever it likes. path: where to look for modules.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "gilscope.measuring.lock_state"],
            input=json.dumps({"modules": modules, "path": path}),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=package_environment(),
            timeout=IMPORTS_S,
            check=False,
        )
        return json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, LookupError, subprocess.TimeoutExpired):
        return None


def import_until_locked(modules: Iterable[str]) -> str | None:
    """Import modules until the lock is on; the interpreter's warning names the one, which may lie deeper."""
    if gil_enabled():
        return FROM_THE_START
    for name in modules:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            with suppress(BaseException):
                importlib.import_module(name)
        if gil_enabled():
            named = [found.group(1) for found in (LOADING.search(str(one.message)) for one in warned) if found]
            return named[0] if named else name
    return None


def main() -> None:
    asked = json.load(sys.stdin)
    sys.path[:] = asked["path"]
    print("\n" + json.dumps(import_until_locked(asked["modules"])), flush=True)


if __name__ == "__main__":
    main()
