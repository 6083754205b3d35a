"""Waiting for a process, with a time limit."""

from __future__ import annotations

import subprocess
import threading


def exit_code(process: subprocess.Popen[bytes], limit_s: float) -> int | None:
    """The code that a process ends with, as soon as it does; None where it takes longer and is killed for that.

    ``Popen.wait`` with a timeout would look only every 50 ms, and the core would be woken for each look.
    """
    too_long = threading.Event()

    def kill() -> None:
        too_long.set()
        process.kill()

    alarm = threading.Timer(limit_s, kill)
    alarm.daemon = True
    alarm.start()
    try:
        code = process.wait()
    finally:
        alarm.cancel()
        alarm.join()
    return None if too_long.is_set() else code
