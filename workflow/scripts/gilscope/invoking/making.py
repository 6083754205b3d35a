"""How the workflow's own scripts make files: whole and on record, or not at all and with one line that says why."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gilscope.configuring.mistakes import Mistakes
from gilscope.invoking.asking import asks_to_look
from gilscope.invoking.printing import say
from gilscope.invoking.resuming import living_runs
from gilscope.running.files import Damaged, NotWritten, read_json
from gilscope.running.plain_text import plain
from gilscope.running.records import RECORDS, seen, write_record

MEASURED = ("raw", "labs", "runtimes", "machine.json", "allocate.json")
"""The records of what was measured or found out, and cannot be made of anything else."""
TELLING = (Damaged, NotWritten, Mistakes)
"""What says by itself what is wrong, where, and what to do."""


@contextmanager
def making(job: Any, *telling: type[Exception]) -> Iterator[None]:
    """What a script does to make its rule's outputs. job: Snakemake's own ``snakemake``.

    Where it raises what tells all there is to know, that line goes to the log and to the terminal, and the script ends
    with 1; telling: what else does. The traceback of anything else goes to the log too.
    """
    log = Path(job.log[0])
    record = log.parents[1] / RECORDS / f"{job.rule}.json"
    record.unlink(missing_ok=True)
    # A bundle is its own record, and one that somebody else has made may come to lie there.
    made = [path for path in job.output if not path.endswith(".zip")]
    try:
        yield
        write_record(record, log.parents[1], made)
    except (*TELLING, *telling) as mistake:  # type: ignore[misc]
        lines = "\n".join(f"gilscope: {line}" for line in str(mistake).splitlines())
        log.write_text(f"{plain(lines)}\n", encoding="utf-8")
        sys.exit(plain(lines))
    except Exception:
        with log.open("a", encoding="utf-8") as file:
            file.write(traceback.format_exc())
        raise


def changed(folder: str | Path) -> dict[Path, bool]:
    """The files below a folder of results that are no longer what was made, and whether each was measured.

    What is missing is not among them.
    """
    found, records = {}, Path(folder, RECORDS)
    for record in sorted(records.rglob("*.json")):
        measured = record.relative_to(records).parts[0] in MEASURED
        for name, before in made_by(record).items():
            path = Path(os.path.normpath(Path(folder, name)))
            if path.is_file() and seen(path) != before:
                found[path] = measured
    return found


def made_by(record: Path) -> dict[str, Any]:
    """A record's content; one that is damaged itself says nothing."""
    try:
        content = read_json(record)
    except Damaged:
        return {}
    return content if isinstance(content, dict) else {}


def discard_changed(folders: Iterable[str | Path], arguments: Sequence[str]) -> None:
    """Delete files that are no longer what was made, so that they are missing and made again, and say so.

    arguments: those that Snakemake was started with. Where it makes nothing, or another run in this folder may be
    making it just now, nothing is deleted. Raises Mistakes for what was measured: that is not ours to delete.
    """
    found = {path: measured for folder in folders for path, measured in changed(folder).items()}
    if not found:
        return
    others = [run for run in living_runs(Path.cwd()) if run != os.getpid()]
    if others:
        return
    looks = asks_to_look(arguments)
    damaged = [str(Damaged(path, "it is not what was measured")) for path, measured in found.items() if measured]
    if damaged and not looks:
        raise Mistakes(damaged)
    for path, measured in found.items():
        if not looks:
            path.unlink(missing_ok=True)
        later = "delete it, and the next run makes it again" if measured else "the next run makes it again"
        does = later if looks else "deleted, to be made again"
        say(f"gilscope: {path} is not what was made, but damaged or changed since; {does}", file=sys.stderr)
