"""Files of a finished run that are not as they were written."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from faults.places import Holding, Place, honest, tracebacks

KINDS = {
    "machine": "machine.json",
    "runtime": "runtimes/*.json",
    "configuration": "config.json",
    "raw file": "raw/*/*/*/round-2.json",
    "facts": "raw/*/*/*/round-2.facts.json",
    "calibration": "raw/*/*/*/calibration.json",
    "trace": "traces/*/*/*/round-2.json",
    "trace events": "traces/*/*/*/round-2.trace.json",
    "lab": "labs/*/*.json",
    "timings": "timings.parquet",
    "traces": "traces.parquet",
    "rounds": "rounds.parquet",
    "observations": "observations.parquet",
    "workers": "workers.json",
    "gaps": "gaps.json",
    "estimates": "estimates.parquet",
    "summary": "summary.csv",
    "scaling": "scaling.json",
    "break-even": "break_even.json",
    "decisions": "decisions.json",
    "verdicts": "verdicts.json",
    "runtimes side by side": "across.json",
    "irrefutable": "irrefutable.json",
    "figure": "figures/scaling.svg",
    "figure's data": "figures/*.csv",
    "notebook": "report.ipynb",
    "report": "report.html",
}


def emptied(content: bytes, chance: random.Random) -> bytes:
    return b""


def halved(content: bytes, chance: random.Random) -> bytes:
    return content[: len(content) // 2]


def zeroed(content: bytes, chance: random.Random) -> bytes:
    """As after a power failure: the length is right."""
    return bytes(len(content))


def flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


WAYS: dict[str, Callable[[bytes, random.Random], bytes] | None] = {
    "deleted": None,
    "emptied": emptied,
    "halved": halved,
    "zeroed": zeroed,
    "a bit flipped": flipped,
}


def harm(place: Place, kind: str, way: str, chance: random.Random) -> Path:
    """Damage one file of a kind; returns it."""
    path = chance.choice(sorted((place.clone / place.results).glob(KINDS[kind])))
    change = WAYS[way]
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes(), chance))
    return path


def recovers(place: Place, undisturbed: Holding, files: Sequence[Path]) -> list[str]:
    """Run until all is whole, as a user would: where a run ends with a file's name and a cure, that is done.

    files: those that are damaged. Returns what is amiss, in words.
    """
    damaged = {path: path.read_bytes() for path in files if path.exists()}
    names = {path: str(path.relative_to(place.clone)) for path in files}
    for _ in range(2 + len(files)):
        ended = place.run()
        complaints = honest(ended, place.is_whole(undisturbed)) + tracebacks(ended)
        if ended.status == 0 or complaints:
            break
        named = [path for path, name in names.items() if re.search(rf"{re.escape(name)}.* delete it", ended.said)]
        if not named:
            return [f"it ended with {ended.status} and names no file to delete: {' / '.join(ended.lines[-3:])}"]
        for path in named:
            path.unlink(missing_ok=True)
    if ended.status != 0:
        complaints.append("it is not whole after all that it named was deleted")
    kept = [names[path] for path, content in damaged.items() if path.exists() and path.read_bytes() == content]
    return complaints + [f"{name} is as damaged as before" for name in kept] + place.left_behind()
