"""What was measured, drawn. One file is one figure, and its name is the drawing's.

It holds a ``TITLE``; the ``SECTION`` of the report that it is in; ``SHOWS``, the marks of the claims' cases that it is
about (``lab:race``, ``metric:tax``, ``workload:dial``, ``size:small``); ``draw(results)``; ``alt(results)``, the words
for those who do not see it; and ``data(results)``, the numbers behind it. One that needs more than every run has also
holds ``needs(results)``: what to add to the run, or nothing where it has that. One whose x axis is time has its
``AXIS``: where that begins and ends, in shares of the drawing's width.

Where there is no data it draws ``_grammar.nothing("No …")``. Its colours are ``_look``'s, which follow the reader's
theme; its caption is ``report/captions/<name>.rst``. How one is declared, ``_grammar`` says.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import pandas as pd

from gilscope.analysis.tables import no_formulas, read_table
from gilscope.figures._runtimes import in_order, most_telling
from gilscope.invoking.printing import say
from gilscope.running import files
from gilscope.running.discovery import module_names
from gilscope.running.reasons import reason_of

SIZES = ("small", "medium", "large")
"""The sizes that form a scale, in its order; ``deck``, the talk's own parameters, lies beside it."""

SECTIONS = ("summary", "approach", "claims", "timelines", "scaling", "runtimes", "labs")
"""The parts of the report that figures are in, in its order."""

COLUMNS = {
    "estimates": "machine runtime workload kind size tasks parameter unit strategy workers pool metric estimate "
    "low high rounds noise_floor flags",
    "rounds": "runtime workload size round stage job started ended waited_s laps load_before load_after busy_cores "
    "steal_share throttled_share frequency_mhz governor swap_mib flags",
    "traces": "runtime workload kind size tasks strategy workers pool round wall cpu effective_cores overlap "
    "idle_share voluntary_switches involuntary_switches memory_per_worker",
    "observations": "machine runtime gil lab case trial metric value unit",
}


LISTS = ("scaling", "break_even", "workers", "gaps", "verdicts", "decisions", "irrefutable")
FACTS = ("machine", "config", "across", "allocation")


class Known(Protocol):
    """What figures are drawn of, read from a folder; they lie in the package that it is from."""

    @classmethod
    def read(cls, folder: str | Path) -> Self: ...


@dataclass(frozen=True)
class Results:
    """Everything known about one sweep. What has not been made, or could not be, is empty, never an error."""

    folder: Path
    machine: dict[str, Any] = field(default_factory=dict)
    runtimes: dict[str, dict[str, Any]] = field(default_factory=dict)
    estimates: pd.DataFrame = field(default_factory=pd.DataFrame)
    rounds: pd.DataFrame = field(default_factory=pd.DataFrame)
    traces: pd.DataFrame = field(default_factory=pd.DataFrame)
    observations: pd.DataFrame = field(default_factory=pd.DataFrame)
    scaling: list[dict[str, Any]] = field(default_factory=list)
    break_even: list[dict[str, Any]] = field(default_factory=list)
    workers: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    irrefutable: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    across: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    allocation: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: str | Path) -> Results:
        """What lies under ``results/<machine>``."""
        folder = Path(folder)
        runtimes = {path.stem: read_json(path, {}) for path in (folder / "runtimes").glob("*.json")}
        tables: dict[str, Any] = {
            name: read_columns(folder / f"{name}.parquet", columns) for name, columns in COLUMNS.items()
        }
        lists: dict[str, Any] = {name: read_json(folder / f"{name}.json", []) for name in LISTS}
        facts: dict[str, Any] = {name: read_json(folder / f"{name}.json", {}) for name in FACTS}
        return cls(folder=folder, runtimes=in_order(runtimes), **tables, **lists, **facts)

    @property
    def label(self) -> str:
        return str(self.machine.get("label") or self.folder.name)

    @property
    def timed_rounds(self) -> pd.DataFrame:
        """The rounds that were timed, without the calibrations and traces."""
        return self.rounds[self.rounds["job"] == "measure"]

    @property
    def disturbed_rounds(self) -> pd.DataFrame:
        """The timed rounds, and the labs that time something, with a flag."""
        return self.rounds[self.rounds["flags"].fillna("").astype(str) != ""]

    def traced(self, runtime: str, workload: str, size: str) -> list[dict[str, Any]]:
        """The trace files of a block, round by round: what ``record`` wrote, cells by name with their tasks."""
        folder = self.folder / "traces" / runtime / workload / size
        files = [path for path in folder.glob("round-*.json") if not path.name.endswith(".trace.json")]
        return [read_json(path, {}) for path in sorted(files, key=lambda path: int(path.stem.removeprefix("round-")))]

    def ordered(self, found: Iterable[Any]) -> list[str]:
        """These runtimes, each once, in the order of the run's; one that has not been described comes last."""
        names = set(map(str, found))
        return [name for name in self.runtimes if name in names] + sorted(names - set(self.runtimes))

    def telling(self, found: Iterable[Any], most: int) -> list[str]:
        """Of these runtimes the most telling, as many as there is room for, each once and in the order of the run's."""
        every = self.ordered(found)
        return self.ordered(most_telling({name: self.runtimes.get(name, {}) for name in every})[:most])

    def measured(self, metric: str) -> pd.DataFrame:
        """The estimates of one metric that hold a number."""
        estimates = self.estimates
        return estimates[(estimates["metric"] == metric) & estimates["estimate"].notna()]

    def at_largest_size(self, metric: str) -> pd.DataFrame:
        """One metric of every block of the largest size that its workload was measured at.

        ``deck`` counts only where a workload has no other size, and the dial, which has a figure of its own, only
        where there is nothing else.
        """
        measured = self.measured(metric)
        dial = measured["workload"].astype(str).str.startswith("dial_")
        measured = measured if dial.all() else measured[~dial]
        rank = measured["size"].map(size_rank)
        return measured[rank == rank.groupby([measured["runtime"], measured["workload"]]).transform("max")]


def size_rank(size: str) -> int:
    """The place of a size in their scale; below all of them the talk's own, and one that nobody foresaw."""
    return SIZES.index(size) + 1 if size in SIZES else 0


def read_json(path: Path, otherwise: Any) -> Any:
    return files.read_json(path) if path.is_file() else otherwise


def read_columns(path: Path, names: str) -> pd.DataFrame:
    """A table with at least these columns, empty where there is no such file."""
    table = read_table(path) if path.is_file() else pd.DataFrame()
    return table.reindex(columns=list(dict.fromkeys([*names.split(), *table.columns])))


def figure_names(of: type[Known] = Results) -> list[str]:
    """The figures of a report, or of what else can be drawn, by their files. A package among them has its own."""
    package = importlib.import_module(of.__module__)
    folder = Path(str(package.__file__)).parent
    return [name for name in module_names(of.__module__) if (folder / f"{name}.py").is_file()]


def write_figure(name: str, folder: str | Path, path: str | Path, of: type[Known] = Results) -> None:
    """Draw the figure of this name from what a folder holds into an SVG file, and its data into a CSV beside it.

    of: what the folder holds; its figures lie in the package that it is from. The same results give the same bytes.
    """
    from gilscope.figures._svg import drawing, svg

    module = importlib.import_module(f"{of.__module__}.{name}")
    results = of.read(folder)
    facts = {
        "needs": module.needs(results) if hasattr(module, "needs") else "",
        "section": module.SECTION,
        "shows": " ".join(getattr(module, "SHOWS", ())),
        "axis": " ".join(f"{place:g}" for place in getattr(module, "AXIS", ())),
    }
    with drawing():
        text = svg(module.draw(results), module.TITLE, module.alt(results), facts)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    no_formulas(module.data(results)).to_csv(path.with_suffix(".csv"), index=False)


class NotDrawn(RuntimeError):
    """A figure that could not be drawn, with its name."""


def write_figures(folder: str | Path, target: str | Path, cores: int = 1, of: type[Known] = Results) -> None:
    """Draw every figure, several at a time; raises NotDrawn for the first that fails.

    Where processes cannot be had, or one of them is killed, all are drawn here one by one: the same files.
    """
    paths = {name: Path(target) / f"{name}.svg" for name in figure_names(of)}
    try:
        draw_together(paths, folder, cores, of)
    except (NotDrawn, files.Damaged):
        raise
    except Exception as error:
        say(f"gilscope: the figures are drawn one by one: {reason_of(error)}", file=sys.stderr)
        for name, path in paths.items():
            with named(name):
                write_figure(name, folder, path, of)


def draw_together(paths: Mapping[str, Path], folder: str | Path, cores: int, of: type[Known]) -> None:
    """In processes of their own. Raises NotDrawn for a figure that fails, and what the system says to a pool of them.

    A pool needs semaphores, threads and processes, and a system may refuse each.
    """
    with ProcessPoolExecutor(max(1, min(cores, len(paths)))) as pool:
        drawn = {name: pool.submit(write_figure, name, folder, path, of) for name, path in paths.items()}
        for name, done in drawn.items():
            with named(name):
                done.result()


@contextmanager
def named(name: str) -> Iterator[None]:
    """What goes wrong in here is the figure's fault, unless it is the pool's, or a file's that it is drawn from."""
    try:
        yield
    except (BrokenProcessPool, files.Damaged):
        raise
    except Exception as error:
        raise NotDrawn(f"the figure {name} could not be drawn: {error}") from error
