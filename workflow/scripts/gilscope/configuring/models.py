"""The configuration: models that know every key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from gilscope.labs import lab_names

LABEL = r"[a-z0-9][a-z0-9-]{0,62}"
SLURM_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.,-]*$"
SLURM_CONSTRAINT = r"^[A-Za-z0-9_][A-Za-z0-9_.,:&|*()\[\] -]*$"

MOST_WORKERS = 1024
WorkerCount = Annotated[int, Field(ge=1, le=MOST_WORKERS, strict=True)]
Label = Annotated[str, StringConstraints(pattern=f"^{LABEL}$")]
Size = Literal["small", "medium", "large", "deck"]
Pool = Literal["cold", "warm"]
CURRENT = "current"
"""The interpreter that runs the workflow, as a runtime to measure."""
AUTO = "auto"
"""The label of a machine that is made of its hardware."""


class Strict(BaseModel):
    """A mapping with known keys only. A field's description says what is allowed, in messages and in the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class RuntimeRequest(Strict):
    """One interpreter that the sweep shall run in."""

    python: str = Field(
        CURRENT,
        min_length=1,
        description="python is current, the path of an interpreter, or a version in quotes such as '3.14t'",
    )
    name: Label | None = Field(None, description="a runtime's name is made of a-z, 0-9 and -, at most 63 of them")
    gil: bool | None = Field(None, description="gil is true or false where the build leaves a choice, else left out")
    optional: bool = Field(
        False, description="optional is true (leave the runtime out where it is not to be had) or false"
    )
    downloads: bool | None = Field(
        None, description="downloads is true (uv may fetch it) or false; left out it is what environments.downloads is"
    )
    claims: list[str] | None = Field(
        None, min_length=1, description="a runtime's claims are a list of claims' ids; left out it measures everything"
    )

    @property
    def label(self) -> str:
        """What messages and the report call it."""
        return self.name or self.python


class Environments(Strict):
    """How the runtimes beside the current one are come by, and what their environments are made of."""

    downloads: bool = Field(True, description="downloads is true (uv may fetch interpreters) or false")
    from_source: list[str] = Field(
        ["psutil"], description="from_source is a list of libraries that may be built where they have no wheel"
    )
    locks: list[str] = Field(
        ["workflow/envs/runtimes.lock"], min_length=1, description="locks are a list of files that uv pip compile made"
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


def separated(value: Any) -> Any:
    """A list written as one text with commas, as on a command line."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class NodeType(Strict):
    """Where a cluster has a machine of this label, and what the sweep may use of it: the plan is made elsewhere."""

    cores: int = Field(
        ge=1, le=4096, strict=True, description="cores, those of one node that a program may use, are 1 to 4096"
    )
    memory_gib: float | None = Field(None, gt=0, description="memory_gib, that of one node, is a number above 0")
    partition: str | None = Field(
        None, pattern=SLURM_NAME, description="partition is the name of a partition, or several with commas"
    )
    constraint: str | None = Field(
        None,
        pattern=SLURM_CONSTRAINT,
        description="constraint is a feature of the nodes, as sbatch --constraint takes it",
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
