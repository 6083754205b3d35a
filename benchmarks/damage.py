"""Thousands of damaged and made-up bundles: does reading one ever crash, accept damage, write or run anything?

python benchmarks/damage.py [--cases 12000] [--seed 1]

Of every case in twelve, five are damaged bytes, three are damaged and sealed anew, three are whole bundles in one file
of which something else is written, and one has another manifest. Ends with 1 where anything is amiss.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow/scripts"), str(ROOT / "tests"), str(ROOT / "tests/doubles")]

from bundled import (  # noqa: E402
    LIMITS,
    contents_of,
    damaged,
    is_sane,
    manifest_of,
    nothing_done,
    packed,
    repacked,
    resealed,
    same,
    small_bundle,
    spoiled,
)
from gilscope.bundles.archive import END, SEAL_LENGTH  # noqa: E402
from gilscope.bundles.manifest import BadBundle  # noqa: E402
from gilscope.bundles.reading import is_read, read_bundle  # noqa: E402

TURNS = ("bytes",) * 5 + ("sealed anew",) * 3 + ("another content",) * 3 + ("another manifest",)
MIB = 2**20
Case = tuple[str, bytes]


def cases(good: Path, count: int, chance: random.Random) -> Iterator[Case]:
    """So many bundles that are not as they were, each with its kind."""
    data, files, manifest = good.read_bytes(), contents_of(good), json.dumps(manifest_of(good)).encode()
    body, read = data[:-SEAL_LENGTH], [name for name in files if is_read(name)]
    start = END.unpack_from(body, len(body) - END.size)[6]
    for number in range(count):
        kind = TURNS[number % len(TURNS)]
        if kind == "bytes":
            yield kind, damaged(data, chance)
        elif kind == "sealed anew":
            kept = chance.choice((0, start, len(body) - END.size))
            yield kind, resealed(body[:kept] + damaged(body[kept:], chance) + bytes(SEAL_LENGTH))
        elif kind == "another content":
            name = chance.choice(read)
            yield kind, repacked(good, {name: spoiled(files[name], chance)})
        else:
            yield kind, packed(files, spoiled(manifest, chance))


def heaviest(good: Path) -> dict[str, bytes]:
    """What takes most memory or time of all that stays below the limits."""
    objects = b"[" + b",".join(b'{"a":[],"b":{}}' for _ in range(8 * MIB // 17)) + b"]"
    rows = contents_of(good)["summary.csv"].splitlines()
    return {
        "8 MiB of empty lists": repacked(good, {"verdicts.json": b"[" + b"[]," * (8 * MIB // 3 - 2) + b"[]]"}),
        "8 MiB of small objects": repacked(good, {"config.json": objects}),
        "8 MiB of wrong rows": repacked(
            good, {"labs/cp311/startup.json": b'{"observations":[' + b"0," * (3 * MIB) + b"0]}"}
        ),
        "32 MiB of rows": repacked(
            good, {"summary.csv": b"\n".join([rows[0], *[rows[1]] * (31 * MIB // len(rows[1]))])}
        ),
        "1000 MiB of zeros": repacked(good, {f"raw-{number}.json": bytes(100 * MIB) for number in range(10)}),
    }


def judge(kind: str, data: bytes, file: Path, good: Path) -> str:
    """What came of one case: ``refused``, ``unchanged``, ``sensible``, or what must not be."""
    file.write_bytes(data)
    before = sorted(file.parent.iterdir())
    try:
        with nothing_done():
            found = read_bundle(file, LIMITS)
    except BadBundle as bad:
        outcome = "refused" if str(bad).isprintable() and len(str(bad)) < 500 else "BADLY TOLD"
    except BaseException as error:
        traceback.print_exc()
        outcome = "DID SOMETHING" if isinstance(error, AssertionError) else "CRASHED"
    else:
        if kind != "bytes" and same(found, read_bundle(good, LIMITS)):
            outcome = "unchanged"
        else:
            outcome = "sensible" if kind.startswith("another") and is_sane(found) else "ACCEPTED DAMAGED"
    return outcome if sorted(file.parent.iterdir()) == before else "WROTE SOMETHING"


def read_apart(file: Path) -> tuple[str, float, float]:
    """What comes of reading a bundle in a process of its own, in how many seconds, and with how many MiB more."""
    done = subprocess.run([sys.executable, __file__, "--read", str(file)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr)
        return "CRASHED", 0, 0
    outcome, seconds, memory = done.stdout.split()
    return outcome, float(seconds), float(memory)


def read(file: str) -> None:
    held, began = highest_memory(), time.perf_counter()
    try:
        read_bundle(file, LIMITS)
        outcome = "read"
    except BadBundle:
        outcome = "refused"
    print(outcome, time.perf_counter() - began, highest_memory() - held)


def highest_memory() -> float:
    """Of this process, in MiB. (Linux counts that of its parent for ``ru_maxrss``.)"""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-heaviest", action="store_true", help="leave out what takes much memory to make")
    parser.add_argument("--read", help="only read this bundle, and say what that took")
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.read)
        return
    found: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        good = small_bundle(Path(folder))
        tried = Path(folder) / "tried"
        tried.mkdir()
        began = time.perf_counter()
        for kind, data in cases(good, arguments.cases, random.Random(arguments.seed)):
            found[kind, judge(kind, data, tried / "case.zip", good)] += 1
        seconds = time.perf_counter() - began
        for kind in dict.fromkeys(TURNS):
            outcomes = ", ".join(f"{number} {how}" for (of, how), number in sorted(found.items()) if of == kind)
            print(f"{kind}: {outcomes}")
        for name, data in {} if arguments.without_heaviest else heaviest(good).items():
            (tried / "case.zip").write_bytes(data)
            outcome, took, memory = read_apart(tried / "case.zip")
            found["heavy", outcome] += 1
            print(f"{name}: {outcome} in {took:.1f} s, with {memory:.0f} MiB more than before")
    amiss = {how: number for (_, how), number in found.items() if how.isupper()}
    well = "none crashed, none was accepted damaged, nothing was written or run"
    print(f"{sum(found.values())} cases, {seconds:.0f} s: {amiss or well}")
    sys.exit(1 if amiss else 0)


if __name__ == "__main__":
    main()
