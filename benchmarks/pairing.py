"""For the same time on a noisy machine: what do stretches, rounds and laps make of sequential against itself?

    python benchmarks/pairing.py measure FILE.jsonl     about half an hour; go on with the same command after a stop
    python benchmarks/pairing.py report FILE.jsonl      the tables, and docs/pairing.svg

Every arm spends the same time on the same four cells: ``sequential``, ``sequential`` once more (A/A), ``threading-2``
and ``multiprocessing-2``, in five processes. They differ in the order alone, and two of them in how long a value
lasts.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow/scripts"))

REFERENCE = "sequential-1"
TWIN = "twin"
CELLS = (TWIN, "threading-2", "multiprocessing-2")
PROCESSES = 5
FEWEST_FOR_AN_INTERVAL = 10
STEPS = {"5 ms": 20_000, "20 ms": 80_000, "80 ms": 320_000}
TASKS = 8


@dataclass(frozen=True)
class Arm:
    """One way to spend the time. reference_every: how often a lap has a sequential reference, 0 for one a lap."""

    name: str
    order: str
    value: str = "20 ms"
    reference_every: int = 3


OURS = Arm("laps, a reference every third value", "laps")
ARMS = (
    Arm("each cell in one stretch (pyperf's way)", "stretches"),
    Arm("rounds: each cell in a stretch of every process", "rounds"),
    Arm("laps, one reference a lap", "laps", reference_every=0),
    OURS,
    Arm("laps, a reference on both sides", "laps", reference_every=2),
    Arm("laps as ours, values of 5 ms", "laps", value="5 ms"),
    Arm("laps as ours, values of 80 ms", "laps", value="80 ms"),
)


def lap(arm: Arm, cells: list[str], number: int, seed: str) -> list[tuple[int, str]]:
    """(position, cell) of one lap: ours as the package takes it, its probe being the twin; else as the arm says."""
    from gilscope.measuring.laps import is_reference, lap_order

    seed = f"{seed}/{number}"
    if arm.reference_every == OURS.reference_every:
        order = lap_order([cell for cell in cells if cell != TWIN], seed, turned=number % 2 == 0)
        return [(at, TWIN if name == REFERENCE and not is_reference(at) else name) for at, name in order]
    shuffled = random.Random(seed).sample(cells, len(cells))
    if arm.reference_every == 0:
        return list(enumerate([REFERENCE, *shuffled]))
    return list(enumerate([REFERENCE, *(name for cell in shuffled for name in (cell, REFERENCE))]))


def run_process(name: str, cells: list[str], seconds: float, seed: str) -> list[list[Any]]:
    """In a process of its own: [lap, position, cell, seconds] of every value; the first lap, a warm-up, is left out."""
    from gilscope.measuring.job import prepared
    from gilscope.measuring.laps import time_value
    from gilscope.running.cells import Block

    arm = next(arm for arm in ARMS if arm.name == name)
    block = Block("here", "sum_squares", "large", STEPS[arm.value], TASKS, tuple(CELLS), seconds)
    values: list[list[Any]] = []
    with tempfile.TemporaryDirectory() as folder, prepared(block, folder) as job:

        def take(number: int, position: int, cell: str) -> None:
            taken = time_value(job, REFERENCE if cell == TWIN else cell)
            if number > 0:
                values.append([number, position, cell, taken])

        for position, cell in enumerate([REFERENCE, *cells]):
            take(0, position, cell)
        if arm.order == "laps":
            ends = time.perf_counter() + seconds
            number = 0
            while time.perf_counter() < ends or number < 2:
                number += 1
                for position, cell in lap(arm, cells, number, seed):
                    take(number, position, cell)
        else:
            for cell in cells:
                ends = time.perf_counter() + seconds / len(cells)
                number = 0
                while time.perf_counter() < ends or number < 2:
                    number += 1
                    take(number, 0, cell)
    return values


def start_process(arm: Arm, cells: list[str], seconds: float, seed: str) -> list[list[Any]]:
    task = [arm.name, cells, seconds, seed]
    answer = subprocess.run(
        [sys.executable, __file__, "process", json.dumps(task)], capture_output=True, text=True, check=True
    )
    return json.loads(answer.stdout)


def measure_arm(arm: Arm, seconds: float, seed: str) -> list[list[list[Any]]]:
    """The values of an arm's processes. The time of a process is the same in all arms."""
    everything = [REFERENCE, *CELLS]
    if arm.order == "stretches":
        single = [[cell] for cell in random.Random(seed).sample(everything, len(everything)) for _ in range(PROCESSES)]
        return [start_process(arm, cells, seconds / len(everything), seed) for cells in single]
    rounds = []
    for number in range(PROCESSES):
        cells = list(CELLS) if arm.order == "laps" else everything
        random.Random(f"{seed}/{number}").shuffle(cells)
        rounds.append(start_process(arm, cells, seconds, f"{seed}/{number}"))
    return rounds


def measure(path: Path, repetitions: int, more: int, seconds: float) -> None:
    """Append an interval's worth of values of each arm in turn, then ``more`` of ours alone."""
    from gilscope.running.hidden import turn_off_hidden_threads
    from gilscope.running.lock import machine_lock

    turn_off_hidden_threads()
    plan = [(number, arm) for number in range(repetitions) for arm in random.Random(number).sample(ARMS, len(ARMS))]
    plan += [(repetitions + number, OURS) for number in range(more)]
    done = {(row["repetition"], row["arm"]) for row in kept(path)}
    with machine_lock():
        for number, arm in plan:
            if (number, arm.name) in done:
                continue
            rounds = measure_arm(arm, seconds, f"{number}/{arm.name}")
            append(path, {"repetition": number, "arm": arm.name, "rounds": rounds})
            print(f"{number + 1} of {repetitions + more}: {arm.name}", file=sys.stderr)


def kept(path: Path) -> list[dict[str, Any]]:
    """What an earlier start has measured; the file is made where there is none, and ends with a whole line."""
    rows = read(path) if path.exists() else []
    whole = path.with_suffix(".part")
    whole.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    whole.replace(path)
    return rows


def append(path: Path, row: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(row)}\n")


def read(path: Path) -> list[dict[str, Any]]:
    """The measured intervals' values; a last line that a stop cut off is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def log_ratios(arm: Arm, values: list[list[Any]], cell: str) -> list[float]:
    """log(sequential / cell) of one process's laps, the reference being what the arm has beside the cell."""
    from gilscope.measuring.laps import reference_beside

    ratios = []
    laps: dict[int, dict[int, tuple[str, float]]] = {}
    for number, position, name, seconds in values:
        laps.setdefault(number, {})[position] = (name, seconds)
    for order in laps.values():
        for position, (name, seconds) in order.items():
            if name != cell:
                continue
            if arm.reference_every == 0:
                beside = [0]
            elif arm.reference_every == 2:
                beside = [position - 1, position + 1]
            else:
                beside = [reference_beside(position)]
            references = [math.log(order[place][1]) for place in beside]
            ratios.append(sum(references) / len(references) - math.log(seconds))
    return ratios


def centre_of(name: str, values: Any) -> float:
    import numpy as np
    from gilscope.analysis.intervals import centre

    values = np.asarray(values)
    first, second = np.triu_indices(len(values))
    known = {"median": centre, "mean": np.mean, "Hodges–Lehmann": np.median}
    return float(known[name]((values[first] + values[second]) / 2 if name == "Hodges–Lehmann" else values))


def arm_interval(arm: Arm, rounds: list[list[list[Any]]], cell: str, centre: str) -> tuple[float, float, float]:
    """Estimate, low and high of one interval's log(sequential / cell)."""
    import numpy as np
    from gilscope.analysis.intervals import interval
    from scipy import stats

    if arm.order == "laps":
        found = interval(np.array([centre_of(centre, log_ratios(arm, values, cell)) for values in rounds]))
        return tuple(map(math.log, (found.estimate, found.low, found.high)))  # type: ignore[return-value]
    centres: dict[str, list[float]] = {}
    for values in rounds:
        for name in {name for *_, name, _ in values}:
            logs = [math.log(seconds) for *_, other, seconds in values if other == name]
            centres.setdefault(name, []).append(centre_of(centre, logs))
    base, own = np.array(centres[REFERENCE]), np.array(centres[cell])
    if arm.order == "rounds":
        found = interval(base - own)
        return tuple(map(math.log, (found.estimate, found.low, found.high)))  # type: ignore[return-value]
    welch = stats.ttest_ind(base, own, equal_var=False).confidence_interval(0.95)
    return float(base.mean() - own.mean()), float(welch.low), float(welch.high)


def intervals_table(rows: list[dict[str, Any]], centre: str = "median", laps: int | None = None) -> Any:
    """A row per arm, repetition and cell: estimate, low, high, logarithms. laps: only the first so many of a round."""
    import pandas as pd

    arms = {arm.name: arm for arm in ARMS}
    found = []
    for row in rows:
        arm = arms[row["arm"]]
        rounds = row["rounds"]
        if laps is not None:
            rounds = [[value for value in values if value[0] <= laps] for values in rounds]
        for cell in CELLS:
            estimate, low, high = arm_interval(arm, rounds, cell, centre)
            found.append((arm.name, row["repetition"], cell, estimate, low, high))
    return pd.DataFrame(found, columns=["arm", "repetition", "cell", "estimate", "low", "high"])


def middle(widths: Any) -> str:
    """The median half-width with its bootstrap interval: ``±2.5 % [2.2, 2.9]``."""
    from gilscope.analysis.intervals import bootstrap_interval

    if widths.nunique() < FEWEST_FOR_AN_INTERVAL:
        return f"±{100 * widths.median():.1f} %"
    import numpy as np

    median, low, high = (100 * bound for bound in bootstrap_interval(np.median, widths.to_numpy()))
    return f"±{median:.1f} % [{low:.1f}, {high:.1f}]"


def summary(table: Any) -> Any:
    """Per arm: median half-width of each cell's interval, and the share of A/A intervals that cover 1."""
    import numpy as np
    import pandas as pd

    found = []
    for arm in [arm.name for arm in ARMS]:
        own = table[table["arm"] == arm]
        if own.empty:
            continue
        half = np.expm1((own["high"] - own["low"]) / 2)
        twins = own[own["cell"] == TWIN]
        covered = int(((twins["low"] <= 0) & (twins["high"] >= 0)).sum())
        widths = {cell: middle(half[own["cell"] == cell]) for cell in CELLS}
        found.append({"arm": arm, **widths, "A/A covers 1": share_of(covered, len(twins))})
    return pd.DataFrame(found)


def share_of(successes: int, trials: int) -> str:
    """``190 of 200: 95 % [91, 98]``, with the exact interval."""
    from gilscope.analysis.intervals import share_interval

    share, low, high = (round(100 * bound) for bound in share_interval(successes, trials))
    return f"{successes} of {trials}: {share} % [{low}, {high}]"


def report(path: Path, picture: Path) -> None:
    """Print the tables that docs/evidence.md quotes, and draw the figure of docs/method.md."""
    rows = read(path)
    table = intervals_table(rows)
    print(summary(table).to_string(index=False))
    ours = [row for row in rows if row["arm"] == OURS.name]
    for centre in ("Hodges–Lehmann", "mean"):
        print(f"\nours, centre: {centre}\n{summary(intervals_table(ours, centre)).to_string(index=False)}")
    for laps in (2, 3, 4, 6):
        print(f"\nours, {laps} laps a round\n{summary(intervals_table(ours, laps=laps)).to_string(index=False)}")
    draw(table, picture)


def draw(table: Any, picture: Path) -> None:
    """Half-widths of every interval, an arm a row, and what share of the A/A intervals covers 1."""
    import numpy as np
    import seaborn
    from gilscope.figures._svg import drawing, svg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    names = {TWIN: "sequential (A/A)", "threading-2": "threading, 2", "multiprocessing-2": "multiprocessing, 2"}
    shown = table.assign(half=100 * np.expm1((table["high"] - table["low"]) / 2), measured=table["cell"].map(names))
    arms = [arm.name for arm in ARMS if arm.name in set(table["arm"])]
    with drawing():
        figure = Figure(figsize=(7.6, 0.62 * len(arms) + 1.4), layout="constrained")
        axes = figure.subplots()
        seaborn.boxplot(
            shown,
            x="half",
            y="arm",
            hue="measured",
            order=arms,
            hue_order=list(names.values()),
            ax=axes,
            fliersize=1.5,
            linewidth=0.8,
            palette="colorblind",
        )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"±{value:g} %"))
        axes.set(xlabel="half-width of the 95 % interval, the same time for each", ylabel="")
        axes.legend(title="", frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.35, 1.0))
        title = "What the same time gives in stretches, in rounds and in laps"
        words = "; ".join(f"{row['arm']}: {row[TWIN]} for A/A" for _, row in summary(table).iterrows())
        picture.write_text(
            svg(figure, title, f"Box plots of interval half-widths. Medians: {words}."), encoding="utf-8"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["measure", "report", "process"])
    parser.add_argument("file", help="where the values lie, a line an interval")
    parser.add_argument("--repetitions", type=int, default=36)
    parser.add_argument("--more", type=int, default=170, help="A/A intervals of our own arm beyond the repetitions")
    parser.add_argument("--seconds", type=float, default=0.8, help="measuring time of each of an arm's five processes")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs/pairing.svg")
    arguments = parser.parse_args()
    if arguments.action == "process":
        print(json.dumps(run_process(*json.loads(arguments.file))))
    elif arguments.action == "measure":
        measure(Path(arguments.file), arguments.repetitions, arguments.more, arguments.seconds)
    else:
        report(Path(arguments.file), arguments.picture)


if __name__ == "__main__":
    main()
