"""The servers that workloads need, started for a job and ended with it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gilscope.running.progress import SERVING, Deliberate, doing
from gilscope.running.reasons import from_outside
from gilscope.running.starting import let_end, package_environment
from gilscope.running.watching import why_ended

SERVICE_START_S = 30.0


class NotApplicable(Exception):
    """The block cannot run here, for the reason given; a fact, not a failure."""


@contextmanager
def running_service(module: str) -> Iterator[str]:
    """Start a service as a process of its own; yields its address. It ends when its standard input does.

    Raises RuntimeError where it has ended before that: then it is to blame for what has failed, and not a cell.
    """
    process, address = start_service(module)
    try:
        yield address
        check_service(module, process)
    except Deliberate:
        raise
    except Exception:
        check_service(module, process)
        raise
    finally:
        let_end(process)


def start_service(module: str, again: bool = True) -> tuple[subprocess.Popen[str], str]:
    """A service's process and address. again: whether it has another try where somebody ends it."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=package_environment(*sys.path[:1]),
    )
    assert process.stdout is not None
    late = threading.Event()

    def give_up() -> None:
        late.set()
        process.kill()

    alarm = threading.Timer(SERVICE_START_S, give_up)
    alarm.start()
    try:
        address = process.stdout.readline().strip()
    finally:
        alarm.cancel()
        alarm.join()
    if address:
        return process, address
    let_end(process)
    if late.is_set():
        raise NotApplicable(f"the service {module} did not start within {SERVICE_START_S:.0f} s")
    reason = f"the service {module} did not start: {why_ended(process.returncode)}"
    if not from_outside(reason):
        raise NotApplicable(reason)
    if again:
        return start_service(module, again=False)
    raise RuntimeError(reason)


def check_service(module: str, process: subprocess.Popen[str]) -> None:
    """Raise RuntimeError, which no cell is blamed for, where a service is not there any more."""
    code = process.poll()
    if code is not None:
        doing(SERVING)
        raise RuntimeError(f"the service {module} is gone: {why_ended(code)}")


@contextmanager
def optional_service(module: str | None) -> Iterator[str | None]:
    if module is None:
        yield None
    else:
        with running_service(module) as address:
            yield address
