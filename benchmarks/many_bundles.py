"""How long comparing a hundred bundles takes, and what memory: of all processes of the workflow, on two cores.

python benchmarks/many_bundles.py [BUNDLE] [--count 100] [--keep PAGE]

The bundles are made by scaling a real one, the newest in examples/bundles where none is named. They are compared by
``snakemake compare`` in a copy of the working tree. Ends with 1 where that takes more than is promised.
"""

from __future__ import annotations

import argparse
import math
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow/scripts"), str(ROOT / "tests"), str(ROOT / "tests/doubles")]

import psutil  # noqa: E402
from bundled import scaled  # noqa: E402
from clones import clone  # noqa: E402
from gilscope.bundles.several import read_bundles  # noqa: E402
from gilscope.configuring.models import BundleLimits  # noqa: E402

MOST_SECONDS, MOST_MIB = 60, 1500
INTERVAL_S = 0.2
COMPARE = [sys.executable, "-m", "snakemake", "compare", "--cores", "2", "--config", "bundles=many"]


def newest_example() -> Path | None:
    return max((ROOT / "examples/bundles").glob("*.zip"), key=lambda file: file.stat().st_mtime, default=None)


def make_many(bundle: Path, count: int, folder: Path) -> None:
    """So many machines, each with a pace of its own."""
    chance = random.Random(1)
    for number in range(count):
        label = f"machine-{number:03d}"
        scaled(bundle, folder / f"{label}.zip", label, math.exp(chance.gauss(0, 0.5)))


def watched(process: psutil.Popen) -> tuple[float, float]:
    """Seconds until a process ends, and the most MiB that it and all below it had at once, shared ones counted once."""
    began, most = time.perf_counter(), 0.0
    while process.poll() is None:
        most = max(most, held(process) / 2**20)
        time.sleep(INTERVAL_S)
    return time.perf_counter() - began, most


def held(process: psutil.Process) -> int:
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            try:
                memory = one.memory_full_info()
            except psutil.Error:
                continue
            total += getattr(memory, "pss", memory.uss)
    except psutil.Error:
        pass
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", default=newest_example())
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--keep", type=Path, metavar="PAGE", help="where to leave the page")
    arguments = parser.parse_args()
    if not arguments.bundle or not arguments.bundle.is_file():
        sys.exit("There is no bundle to scale; name one, or make one with: snakemake bundle --cores 1")
    with tempfile.TemporaryDirectory() as folder:
        copy = clone(ROOT, Path(folder) / "clone")
        shutil.rmtree(copy / "examples", ignore_errors=True)
        make_many(arguments.bundle, arguments.count, copy / "many")
        size = sum(file.stat().st_size for file in (copy / "many").iterdir()) / 2**20
        began = time.perf_counter()
        bundles, left_out, _ = read_bundles([copy / "many"], BundleLimits())
        took = time.perf_counter() - began
        print(f"{len(bundles)} bundles, {size:.0f} MiB, read in {took:.1f} s; {len(left_out)} left out")
        log = Path(folder) / "log"
        with log.open("w") as said:
            process = psutil.Popen(COMPARE, cwd=copy, stdout=said, stderr=said)
            seconds, memory = watched(process)
        page = copy / "results/comparison.html"
        if process.returncode or not page.is_file():
            sys.exit(f"{log.read_text()}\nsnakemake compare ended with {process.returncode}")
        print(f"compared in {seconds:.0f} s (at most {MOST_SECONDS}) with {memory:.0f} MiB (at most {MOST_MIB})")
        print(f"the page: {page.stat().st_size / 2**20:.1f} MiB")
        if arguments.keep:
            shutil.copy(page, arguments.keep)
    sys.exit(1 if seconds > MOST_SECONDS or memory > MOST_MIB else 0)


if __name__ == "__main__":
    main()
