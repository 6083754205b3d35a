"""Watching a process from outside: it is ended when it hangs, together with all that it has started."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Callable

from gilscope.running import lock, progress
from gilscope.running.logs import Log
from gilscope.running.marked import KILL, end_all, marked
from gilscope.running.plain_text import on_one_line, plain
from gilscope.running.progress import Board, Deliberate

TICK_S = 1.0
PATIENCE_S = 5.0
"""How long a process that shall end has to tidy up."""
HELPERS_S = 2.0
"""How long multiprocessing's helpers have to remove what their processes have left."""
"""On Windows SIGTERM is as deadly."""
ALARM = [signal.SIGALRM] if hasattr(signal, "setitimer") else []
"""What wakes up the process that watches; Windows has none."""
PASSED_ON = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
FOLDERS = re.compile(r"(?:[A-Za-z]:)?[/\\](?:[^\s/\\:'\"]+[/\\])+")


Surroundings = Callable[[], AbstractContextManager[None]]
"""What there is while a process lives, and for it."""


def run_apart(
    work: Callable[[], None], limit_s: float, log: Log | None = None, surroundings: Surroundings = nullcontext
) -> tuple[str, str | None]:
    """Do work in a forked process; returns what it was doing last, and why it did not come to its end, else None.

    limit_s: seconds without a note (``progress.doing``) after which it counts as hanging. log: where all that it prints
    goes. A deliberate end, and a signal, end this process too.
    """
    board = Board()
    sys.stdout.flush()
    watch = Watch(board, limit_s, log)
    reading, writing = os.pipe()
    parent = os.getpid()
    with watch.listening(), surroundings():
        watch.pid = os.fork()
        if watch.pid == 0:
            watch.listen_no_more()
            os.close(writing)
            lock.belong_to(parent)
            progress.use(board)
            os.setsid()
            end_with_writer_of(reading)
            if log:
                os.dup2(2, 1)
            sys.exit(do(work, board))
        os.close(reading)
        code = watch.wait()
        watch.tidy_up()
    os.close(writing)
    watch.follow()
    return conclude(board, code, watch.killed or why_ended(code))


def conclude(board: Board, code: int, outer: str | None) -> tuple[str, str | None]:
    """Phase and reason, from what the process has noted and from what was seen of it outside."""
    if board.phase == progress.REFUSED:
        sys.exit(code if code > 0 else 1)
    return board.phase, None if board.phase == progress.DONE else board.reason or outer


def do(work: Callable[[], None], board: Board) -> int:
    """Do the work and note how it ended; returns the exit code for its process."""
    try:
        work()
    except Deliberate as error:
        board.note(progress.REFUSED)
        print(plain(f"gilscope: {error}"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        board.note(progress.REFUSED)
        return 128 + signal.SIGINT
    except BaseException as error:
        board.reason = last_line(error)
        traceback.print_exc()
        return 1
    board.note(progress.DONE)
    return 0


def last_line(error: BaseException) -> str:
    """What a traceback ends with, without folders: reasons go into files that are shared."""
    return on_one_line(FOLDERS.sub("", traceback.format_exception_only(type(error), error)[-1]))


def why_ended(code: int) -> str:
    """In words, how a process ended. code: negative for a signal; on Windows a large one tells of a crash."""
    if code < 0:
        known = {number.value: number.name for number in signal.Signals}
        return f"its process ended with signal {known.get(-code, -code)}"
    return f"its process ended with exit code {code if code < 256 else hex(code)}"


def end_with_writer_of(reading: int) -> None:
    """End this process group, without a word, once nobody can write to the pipe any more: the watching process is gone.

    The kernel sees to it, also where a process hangs in C code or holds the lock. Linux tells the end of a pipe so;
    elsewhere the group ends when it next looks at its parent.
    """
    if sys.platform == "linux":
        import fcntl

        fcntl.fcntl(reading, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(reading, fcntl.F_SETFL, fcntl.fcntl(reading, fcntl.F_GETFL) | os.O_ASYNC)
    lock.check_parent()


class Watch:
    """Waits for a process, blocked but for a look at its notes once a second.

    Seconds are counted in looks: those in which the machine, or this process, was stopped are nobody's.
    told: the signal that this process was told to end with. killed: why it has ended the other one.
    """

    def __init__(self, board: Board, limit_s: float, log: Log | None = None):
        self.board = board
        self.limit_s = limit_s
        self.log = log
        self.said = False
        self.pid = 0
        self.told = 0
        self.killed: str | None = None
        self.steps = 0
        self.still_s = 0.0
        self.orphaned = False
        self.usual: dict[int, Any] = {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Pass on the signals that mean an end, but for those that whoever started this process wants it to ignore."""
        self.usual = {number: signal.getsignal(number) for number in [*ALARM, *PASSED_ON]}
        for number in PASSED_ON:
            if self.usual[number] != signal.SIG_IGN:
                signal.signal(number, self.pass_on)
        if ALARM:
            signal.signal(signal.SIGALRM, self.look)
            signal.setitimer(signal.ITIMER_REAL, TICK_S, TICK_S)
        try:
            yield
        finally:
            self.listen_no_more()

    def listen_no_more(self) -> None:
        if ALARM:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, usual in self.usual.items():
            signal.signal(number, usual)

    def pass_on(self, number: int, frame: Any) -> None:
        self.told, self.still_s = number, 0.0
        self.send(number)

    def look(self, number: int, frame: Any) -> None:
        """Count how long nothing has moved, and end the process when that is too long; keep its log small."""
        if self.log:
            self.log.trim()
            self.say_what_is_waited_for()
        if not (self.told or self.orphaned):
            self.look_for_parent()
            if self.board.steps != self.steps:
                self.steps, self.still_s = self.board.steps, 0.0
        self.still_s += TICK_S
        limit_s = self.allowed_s()
        if limit_s is not None and self.still_s > limit_s:
            self.killed = f"no answer within {self.limit_s:g} s"
            self.send(KILL, everywhere=False)

    def say_what_is_waited_for(self) -> None:
        """Where the user sees it, who does not see the log."""
        if self.board.phase == progress.WAITING and not self.said:
            print(plain(f"{lock.WAITED_FOR} ({lock.LOCK_FILE})"), flush=True)
            self.said = True

    def allowed_s(self) -> float | None:
        """How long nothing may move now; None for as long as it takes."""
        phase = self.board.phase
        if self.told or self.orphaned or self.board.reason or phase in (progress.DONE, progress.REFUSED):
            return PATIENCE_S
        return None if phase in progress.UNBOUNDED else self.limit_s

    def look_for_parent(self) -> None:
        """Where whoever asked for this is gone, say so; the process ends itself between two values."""
        try:
            lock.check_parent()
        except lock.Orphaned:
            self.orphaned, self.still_s = True, 0.0
            self.board.abandon()

    def send(self, number: int, everywhere: bool = True) -> bool:
        """Send a signal to the process and, ``everywhere``, to all that it has started; False where nobody is left."""
        if not self.pid:
            return False
        try:
            (os.killpg if everywhere else os.kill)(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def wait(self) -> int:
        """Wait for the process; returns its exit code, negative for a signal."""
        if self.told:
            self.send(self.told, everywhere=False)
        _, status = os.waitpid(self.pid, 0)
        return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

    def tidy_up(self) -> None:
        """End what the process has left: workers at once; helpers, which do not hear SIGTERM, when they are done.

        And then what has left the group.
        """
        began, number = time.monotonic(), int(signal.SIGTERM)
        while self.send(number) and time.monotonic() < began + 2 * HELPERS_S:
            number = 0 if time.monotonic() < began + HELPERS_S else int(KILL)
            time.sleep(0.01)
        end_all(marked)
        self.remove_scratch()

    def remove_scratch(self) -> None:
        if self.board.scratch:
            shutil.rmtree(self.board.scratch, ignore_errors=True)

    def follow(self) -> None:
        """End as the process was told to, or because nobody wants to know any more."""
        if self.told:
            if self.log:
                self.log.finish()
            signal.signal(self.told, signal.SIG_DFL)
            os.kill(os.getpid(), self.told)
        if self.orphaned and self.board.phase != progress.REFUSED:
            sys.exit("gilscope: the run that asked for this measurement is gone; it ends here")
