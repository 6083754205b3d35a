"""The configuration: models that know every key, and the checks that no model can make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gilscope.labs import lab_names
from gilscope.mistakes import Mistakes, blame, key_path, model_mistakes, read_yaml, suggestion
from gilscope.strategies import load_strategies
from gilscope.workloads import expand, workload_names

LABEL = r"[a-z0-9][a-z0-9-]{0,62}"

WorkerCount = Annotated[int, Field(ge=1, le=1024, strict=True)]
Label = Annotated[str, StringConstraints(pattern=f"^{LABEL}$")]
Size = Literal["small", "medium", "large", "deck"]
Pool = Literal["cold", "warm"]


class Strict(BaseModel):
    """A mapping with known keys only. A field's description says what is allowed, in messages and in the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Measure(Strict):
    """How long and how often."""

    rounds: int = Field(5, ge=1, le=100, strict=True, description="a number of rounds is a whole number from 1 to 100")
    seconds: float = Field(
        1.0, ge=0.1, le=3600, description="the seconds that a round of one block lasts are 0.1 to 3600"
    )
    min_laps: int = Field(
        3, ge=2, le=100, strict=True, description="the fewest laps of a round, warm-up included, are 2 to 100"
    )


class Grid(Strict):
    """One workload with the sizes, strategies, worker counts and pools it is swept over."""

    name: str = Field(description="a workload's name, or the path of a .py file that holds one")
    sizes: list[Size] = Field(["large"], min_length=1, description="sizes are a list of small, medium, large, deck")
    strategies: list[str] | None = Field(None, min_length=1, description="strategies are a list of strategies' names")
    workers: Literal["auto"] | list[WorkerCount] | None = Field(
        None, description="workers are auto or a list of worker counts"
    )
    pools: list[Pool] | None = Field(None, min_length=1, description="pools are a list of cold, warm")


class Sweep(Strict):
    """Which cells are measured: those that claims name, and a grid for each workload listed."""

    claims: bool | list[str] = Field(
        True, description="claims are true (measure the cells that all claims name), false, or a list of claims' ids"
    )
    workers: Literal["auto"] | list[WorkerCount] = Field(
        "auto", description="workers are auto or a list of worker counts"
    )
    strategies: list[str] = Field(
        ["threading", "multiprocessing", "asyncio"],
        min_length=1,
        description="strategies are a list of strategies' names",
    )
    pools: list[Pool] = Field(["cold"], min_length=1, description="pools are a list of cold, warm")
    workloads: list[Grid] = Field(default_factory=list, description="workloads are a list of mappings with a name")


class Labs(Strict):
    """Which experiments about behaviour run, and how far their descriptive parts go."""

    names: bool | list[str] = Field(
        True, description="names are true (every lab), false (none), or a list of labs' names"
    )
    descriptive: Literal["small", "full"] = Field(
        "small", description="descriptive, the cases that no claim needs, is small or full"
    )

    def selected(self) -> list[str]:
        if isinstance(self.names, bool):
            return lab_names() if self.names else []
        return self.names


class Services(Strict):
    """Outside services that workloads may use. An address may hold a password: it goes into no file of the results."""

    postgres: str | None = Field(None, min_length=1, description="postgres is a DSN: postgresql://user@host/database")

    def named(self) -> dict[str, str]:
        return {name: address for name, address in self.model_dump().items() if address}


class Limits(Strict):
    """What a round may meet before it counts as disturbed; it is flagged, never repeated and never dropped."""

    busy_cores: float = Field(
        0.25, ge=0, description="the cores that other processes may keep busy during a round are a number from 0"
    )
    steal_share: float = Field(
        0.05, ge=0, le=1, description="the share of the CPU time that the hypervisor may take is a number from 0 to 1"
    )
    throttled_share: float = Field(
        0.0, ge=0, le=1, description="the share of a round that the CPU quota may stop it is a number from 0 to 1"
    )
    frequency_share: float = Field(
        0.9, ge=0, le=1, description="the CPU's frequency, of the run's median, may fall to a share from 0 to 1"
    )
    swap_mib: float = Field(
        16, ge=0, description="the MiB that may move to or from swap in a round are a number from 0"
    )
    load_per_core: float = Field(
        8, ge=0, description="the load average before a round, per usable core, may be a number from 0"
    )


class Config(Strict):
    """gilscope's configuration."""

    preset: Label = Field("default", description="a preset's name is made of a-z, 0-9 and -, at most 63 of them")
    machine: Label = Field(
        "auto", description="a machine's label is auto, or made of a-z, 0-9 and -, at most 63 of them"
    )
    measure: Measure = Field(Measure(), description="measure is a mapping with rounds, seconds, min_laps")
    sweep: Sweep = Field(Sweep(), description="sweep is a mapping with claims, workers, strategies, pools, workloads")
    labs: Labs = Field(Labs(), description="labs is a mapping with names, descriptive")
    services: Services = Field(Services(), description="services is a mapping with postgres")
    limits: Limits = Field(
        Limits(),
        description="limits are a mapping with " + ", ".join(Limits.model_fields),
    )
    parameters: dict[str, dict[Size, int | float]] = Field(
        default_factory=dict,
        description="parameters map a workload to sizes, and a size to a positive number (steps, rows, seconds …)",
    )
    claims: list[str] = Field(["config/claims.yaml"], description="claims are a list of YAML files")
    only_existing: bool = Field(
        False, description="only_existing true reports what has been measured and measures nothing; true or false"
    )

    def shared(self) -> dict[str, Any]:
        """What results may show of the configuration: all but the services' addresses."""
        content = self.model_dump(mode="json")
        return content | {"services": dict.fromkeys(self.services.named(), "configured")}

    def folder(self, label: str) -> str:
        """The results' folder below ``results/``: no two presets share one."""
        return label if self.preset == "default" else f"{label}-{self.preset}"


def name_mistakes(config: Config) -> list[tuple[list[str | int], str]]:
    """Names of strategies and workloads that do not exist, and names given twice, with their places."""
    strategies = [name for name, facts in load_strategies().items() if not facts.control]
    workloads = workload_names()
    found: list[tuple[list[str | int], str]] = []

    def check_names(location: list[str | int], names: Sequence[str], allowed: Sequence[str], what: str) -> None:
        for index, name in enumerate(names):
            if name not in allowed:
                remedy = f"{what} is one of {', '.join(allowed)}.{suggestion(name, allowed)}"
                found.append(([*location, index], f"is {name!r}; {remedy}"))

    def check_once(location: list[str | int], names: Sequence[Any]) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                found.append(([*location, index], f"is {name!r} for the second time; name it once."))

    sweep = config.sweep
    grids: list[tuple[list[str | int], Sweep | Grid]] = [(["sweep"], sweep)]
    grids += [(["sweep", "workloads", index], grid) for index, grid in enumerate(sweep.workloads)]
    for location, grid in grids:
        check_names([*location, "strategies"], grid.strategies or [], strategies, "a strategy")
        for key in ("strategies", "workers", "pools", "sizes"):
            names = getattr(grid, key, None)
            if isinstance(names, list):
                check_once([*location, key], names)
    for index, grid in enumerate(sweep.workloads):
        if not grid.name.endswith(".py") and not expand(grid.name):
            remedy = f"a workload is one of {', '.join(workloads)}, or the path of a .py file."
            found.append(
                (["sweep", "workloads", index, "name"], f"is {grid.name!r}; {remedy}{suggestion(grid.name, workloads)}")
            )
        if grid.name in [earlier.name for earlier in sweep.workloads[:index]]:
            found.append(
                (["sweep", "workloads", index, "name"], f"is {grid.name!r} for the second time; name it once.")
            )
    if isinstance(config.labs.names, list):
        check_names(["labs", "names"], config.labs.names, lab_names(), "a lab")
        check_once(["labs", "names"], config.labs.names)
    files = [Path(grid.name).stem for grid in sweep.workloads if grid.name.endswith(".py")]
    for name, sizes in config.parameters.items():
        if name not in [*workloads, *files]:
            remedy = f"a workload is one of {', '.join(workloads)}.{suggestion(name, workloads)}"
            found.append((["parameters", name], f"is not a workload; {remedy}"))
        for size, parameter in sizes.items():
            if not 0 < parameter < float("inf"):
                found.append((["parameters", name, size], f"is {parameter}; a parameter is a number above 0."))
    return found


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
