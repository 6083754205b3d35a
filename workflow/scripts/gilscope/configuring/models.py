"""The configuration: models that know every key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gilscope.configuring.machines import (
    Environments,
    Label,
    NodeType,
    Pool,
    RuntimeRequest,
    Services,
    Size,
    Strict,
    separated,
)
from gilscope.labs import lab_names

MOST_WORKERS = 1024
WorkerCount = Annotated[int, Field(ge=1, le=MOST_WORKERS, strict=True)]
AUTO = "auto"
"""The label of a machine that is made of its hardware."""


class Measure(Strict):
    """How long and how often."""

    rounds: int = Field(
        7, ge=1, le=100, strict=True, description="the rounds that every block gets are a whole number from 1 to 100"
    )
    seconds: float = Field(
        0.8, ge=0.1, le=3600, description="the seconds that a round of one block lasts are 0.1 to 3600"
    )
    min_laps: int = Field(1, ge=1, le=100, strict=True, description="the fewest laps of a round are 1 to 100")
    limit_s: int = Field(
        120, ge=5, le=86400, strict=True, description="the seconds after which a value counts as hanging are 5 to 86400"
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


class Gate(Strict):
    """When a comparison with a baseline fails."""

    metric: Literal["speedup", "seconds", "memory_per_worker"] = Field(
        "speedup", description="a gate's metric is speedup, seconds or memory_per_worker"
    )
    tolerance: float = Field(
        0.05, ge=0, le=10, description="a gate's tolerance, the share by which a cell may get worse, is 0 to 10"
    )


class BundleLimits(Strict):
    """What a bundle may hold; one that holds more is not read."""

    file_mib: float = Field(64, gt=0, le=65536, description="the MiB that a bundle may have are a number above 0")
    unpacked_mib: float = Field(
        1024, gt=0, le=65536, description="the MiB that a bundle may hold unpacked are a number above 0"
    )
    files: int = Field(
        20000, ge=1, le=65000, strict=True, description="the files that a bundle may hold are 1 to 65000"
    )
    rows: int = Field(
        1_000_000, ge=1, strict=True, description="the rows that a table in a bundle may have are a whole number from 1"
    )


class Config(Strict):
    """gilscope's configuration."""

    preset: Label = Field("default", description="a preset's name is made of a-z, 0-9 and -, at most 63 of them")
    machine: Label = Field(AUTO, description="a machine's label is auto, or made of a-z, 0-9 and -, at most 63 of them")
    machines: dict[Label, NodeType] = Field(
        default_factory=dict,
        description="machines map a label (a-z, 0-9 and -) to the cores, partition and constraint of a cluster's nodes",
    )
    budget_minutes: float = Field(
        12,
        ge=0,
        le=10_000,
        description="budget_minutes, what a sweep may take, is a number up to 10000, or 0 for the fixed rounds alone",
    )
    measure: Measure = Field(Measure(), description="measure is a mapping with rounds, seconds, min_laps, limit_s")
    runtimes: list[RuntimeRequest] = Field(
        [RuntimeRequest()], min_length=1, description="runtimes are a list of mappings with python"
    )
    environments: Environments = Field(
        Environments(), description="environments is a mapping with downloads, from_source, locks"
    )
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
    bundles: Annotated[list[str], BeforeValidator(separated)] = Field(
        default_factory=list, description="bundles are files, or folders with files, to compare: a list, or with commas"
    )
    baseline: str | None = Field(
        None,
        min_length=1,
        description="baseline is the bundle that the others are compared with: its file or its label",
    )
    gate: Gate = Field(Gate(), description="gate is a mapping with metric, tolerance")
    bundle_limits: BundleLimits = Field(
        BundleLimits(), description="bundle_limits are a mapping with " + ", ".join(BundleLimits.model_fields)
    )

    def shared(self) -> dict[str, Any]:
        """What results may show of the configuration: neither the services' addresses nor where interpreters lie.

        How machines are reached, what is compared afterwards, and whether anything is still to be measured, says
        nothing of the measurement. A run can be started with it as a file.
        """
        beside = {"machines", "only_existing", "bundles", "baseline", "gate", "bundle_limits"}
        content = self.model_dump(mode="json", exclude=beside)
        for runtime in content["runtimes"]:
            if "/" in runtime["python"] or "\\" in runtime["python"]:
                runtime["python"] = Path(runtime["python"]).name
        return content | {"services": dict.fromkeys(self.services.named(), "configured")}

    def folder(self, label: str) -> str:
        """The results' folder below ``results/``: no two presets share one."""
        return label if self.preset == "default" else f"{label}-{self.preset}"
