"""Configuration files, read and merged; and the checks that no model can make: whether what they name exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gilscope.configuring.mistakes import Mistakes, blame, key_path, model_mistakes, read_yaml, suggestion
from gilscope.configuring.models import AUTO, Config, Grid, Sweep
from gilscope.labs import lab_names
from gilscope.strategies import load_strategies
from gilscope.workloads import expand, workload_names

Place = tuple[str | int, ...]
Mistake = tuple[Place, str]

RESERVED = {
    AUTO: "auto stands for a label made of this computer's hardware",
    "comparison": "results/comparison is where several machines are laid side by side",
}
"""What no machine may be called, and why."""


def unknown(place: Place, names: Sequence[str], allowed: Sequence[str], what: str) -> Iterator[Mistake]:
    """A mistake for each name that does not exist."""
    for index, name in enumerate(names):
        if name not in allowed:
            remedy = f"{what} is one of {', '.join(allowed)}.{suggestion(name, allowed)}"
            yield (*place, index), f"is {name!r}; {remedy}"


def repeated(place: Place, names: Sequence[Any]) -> Iterator[Mistake]:
    """A mistake for each name that is there for the second time."""
    for index, name in enumerate(names):
        if name in names[:index]:
            yield (*place, index), f"is {name!r} for the second time; name it once."


def grid_mistakes(place: Place, grid: Sweep | Grid) -> Iterator[Mistake]:
    strategies = [name for name, facts in load_strategies().items() if not facts.control]
    yield from unknown((*place, "strategies"), grid.strategies or [], strategies, "a strategy")
    for key in ("strategies", "workers", "pools", "sizes"):
        names = getattr(grid, key, None)
        if isinstance(names, list):
            yield from repeated((*place, key), names)


def sweep_mistakes(sweep: Sweep) -> Iterator[Mistake]:
    workloads = workload_names()
    yield from grid_mistakes(("sweep",), sweep)
    for index, grid in enumerate(sweep.workloads):
        place: Place = ("sweep", "workloads", index)
        yield from grid_mistakes(place, grid)
        if not grid.name.endswith(".py") and not expand(grid.name):
            remedy = f"a workload is one of {', '.join(workloads)}, or the path of a .py file."
            yield (*place, "name"), f"is {grid.name!r}; {remedy}{suggestion(grid.name, workloads)}"
        if grid.name in [earlier.name for earlier in sweep.workloads[:index]]:
            yield (*place, "name"), f"is {grid.name!r} for the second time; name it once."


def runtime_mistakes(config: Config) -> Iterator[Mistake]:
    labels = [request.label for request in config.runtimes]
    for index, label in enumerate(labels):
        if label in labels[:index]:
            yield ("runtimes", index), f"is {label!r} for the second time; give it a name of its own."
        yield from repeated(("runtimes", index, "claims"), config.runtimes[index].claims or [])
    for index, lock in enumerate(config.environments.locks):
        if not Path(lock).is_file():
            yield ("environments", "locks", index), f"is {lock!r}; there is no such file."


def lab_mistakes(config: Config) -> Iterator[Mistake]:
    if isinstance(config.labs.names, list):
        yield from unknown(("labs", "names"), config.labs.names, lab_names(), "a lab")
        yield from repeated(("labs", "names"), config.labs.names)


def parameter_mistakes(config: Config) -> Iterator[Mistake]:
    workloads = workload_names()
    files = [Path(grid.name).stem for grid in config.sweep.workloads if grid.name.endswith(".py")]
    for name, sizes in config.parameters.items():
        if name not in [*workloads, *files]:
            remedy = f"a workload is one of {', '.join(workloads)}.{suggestion(name, workloads)}"
            yield ("parameters", name), f"is not a workload; {remedy}"
        for size, parameter in sizes.items():
            if not 0 < parameter < float("inf"):
                yield ("parameters", name, size), f"is {parameter}; a parameter is a number above 0."


def machine_mistakes(config: Config) -> Iterator[Mistake]:
    for label in config.machines:
        if label in RESERVED:
            yield ("machines", label), f"cannot be: {RESERVED[label]}; choose another label."
    if config.machine != AUTO and config.machine in RESERVED:
        yield ("machine",), f"cannot be {config.machine!r}: {RESERVED[config.machine]}; choose another label."
    elif config.machines and config.machine not in (AUTO, *config.machines):
        labels = list(config.machines)
        remedy = f"name one of them to measure it alone, or leave machine out.{suggestion(config.machine, labels)}"
        yield ("machine",), f"is {config.machine!r}, beside machines: {', '.join(labels)}; {remedy}"


def brace_mistakes(config: Config) -> Iterator[Mistake]:
    """A mistake for each file whose name Snakemake would take for a pattern of its own."""
    files: list[tuple[Place, str]] = [(("claims", index), name) for index, name in enumerate(config.claims)]
    files += [(("environments", "locks", index), name) for index, name in enumerate(config.environments.locks)]
    files += [(("sweep", "workloads", index, "name"), grid.name) for index, grid in enumerate(config.sweep.workloads)]
    for place, name in files:
        if "{" in name or "}" in name:
            yield place, f"is {name!r}; Snakemake takes braces in the name of a file for its own: rename it."


def name_mistakes(config: Config) -> list[Mistake]:
    """What does not exist, or is named twice, with its place."""
    found = (
        machine_mistakes(config),
        sweep_mistakes(config.sweep),
        runtime_mistakes(config),
        lab_mistakes(config),
        parameter_mistakes(config),
        brace_mistakes(config),
    )
    return [mistake for part in found for mistake in part]


def read_config(merged: Mapping[str, Any], files: Sequence[str], overrides: Mapping[str, Any] | None = None) -> Config:
    """Check the merged configuration. files: the YAML files it was merged from, later ones overriding earlier ones.

    Raises Mistakes with one line per mistake: file, key path, what is wrong, what is allowed.
    """
    origin: dict[str, Any] = {}
    unreadable: list[str] = []
    for file in files:
        try:
            origin[file] = read_yaml(file)
        except Mistakes as mistakes:
            unreadable += mistakes.lines
    if unreadable:
        raise Mistakes(unreadable)
    if overrides:
        origin["--config"] = overrides
    try:
        config = Config.model_validate(dict(merged))
    except ValidationError as problem:
        raise Mistakes(model_mistakes(problem, Config, merged, origin)) from problem
    wrong = name_mistakes(config)
    if wrong:
        raise Mistakes([f"{blame(place, origin)}: {key_path(place)} {text}" for place, text in wrong])
    return config


def merge_files(files: Sequence[str], assignments: Sequence[str] = ()) -> dict[str, Any]:
    """The files merged as Snakemake does (mappings merge, lists are replaced), then ``key=value`` assignments."""
    merged: dict[str, Any] = {}

    def merge(into: dict[str, Any], content: Mapping[str, Any]) -> None:
        for key, value in content.items():
            if isinstance(value, Mapping) and isinstance(into.get(key), dict):
                merge(into[key], value)
            else:
                into[key] = dict(value) if isinstance(value, Mapping) else value

    for file in files:
        merge(merged, read_yaml(file))
    for assignment in assignments:
        key, _, value = assignment.partition("=")
        merge(merged, {key: yaml.safe_load(value)})
    return merged
