"""How the workflow's own scripts make files: whole and on record, or not at all and with one line that says why."""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gilscope.asking import asks_to_look
from gilscope.mistakes import Mistakes
from gilscope.printing import say
from gilscope.running.files import Damaged, NotWritten, read_json, write_json
from gilscope.running.plain_text import plain

RECORDS = "made"
"""A folder beside the logs: a file for each rule, with the size and digest of what it made."""
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
    try:
        yield
    except (*TELLING, *telling) as mistake:  # type: ignore[misc]
        lines = "\n".join(f"gilscope: {line}" for line in str(mistake).splitlines())
        log.write_text(f"{plain(lines)}\n", encoding="utf-8")
        sys.exit(plain(lines))
    except Exception:
        with log.open("a", encoding="utf-8") as file:
            file.write(traceback.format_exc())
        raise
    write_json(str(record), {os.path.relpath(path, log.parents[1]): seen(path) for path in job.output})


def seen(path: str | Path) -> dict[str, Any]:
    """A file's size and digest."""
    content = Path(path).read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def changed(folder: str | Path) -> list[Path]:
    """The files below a folder of results that are no longer what was made; what is missing is not among them."""
    found = []
    for record in sorted(Path(folder, RECORDS).glob("*.json")):
        for name, before in made_by(record).items():
            path = Path(os.path.normpath(Path(folder, name)))
            if path.is_file() and seen(path) != before:
                found.append(path)
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

    arguments: those that Snakemake was started with. Where it makes nothing, nothing is deleted.
    """
    found = [path for folder in folders for path in changed(folder)]
    if not found:
        return
    looks = asks_to_look(arguments)
    for path in found:
        if not looks:
            path.unlink(missing_ok=True)
        does = "the next run makes it again" if looks else "deleted, to be made again"
        say(f"gilscope: {path} is not what was made, but damaged or changed since; {does}", file=sys.stderr)
