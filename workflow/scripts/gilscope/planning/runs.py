"""From a configuration to runs, one for each machine: checked, the claims loaded, the blocks laid out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gilscope.configuring.claim_files import read_claims
from gilscope.configuring.claims import Claim, ClaimsFile
from gilscope.configuring.files import read_config
from gilscope.configuring.mistakes import Mistakes
from gilscope.configuring.models import Config
from gilscope.interpreters.resolving import Runtime, resolve
from gilscope.labs import load_lab
from gilscope.planning.destinations import Destination, destinations
from gilscope.planning.fitting import Fitted, fit
from gilscope.planning.needs import libraries_of, memory_mistakes
from gilscope.planning.run import Run, labs_of
from gilscope.planning.sweep import restricted_sweep, side_by_side
from gilscope.planning.wanted import known_workloads, selected_claims, wanted_runtimes
from gilscope.running.again import noted_lacks
from gilscope.running.cells import Block
from gilscope.running.reasons import reason_of
from gilscope.workloads import Workload


def plan_runs(
    merged: Mapping[str, Any],
    files: Sequence[str],
    overrides: Mapping[str, Any] | None = None,
    *,
    measures: bool = True,
) -> dict[str, Run]:
    """Plan a run for each machine, by its results' folder, from the merged configuration.

    measures: whether what has not been measured is to be, unless the configuration wants existing results only. Raises
    Mistakes, all of them at once, before anything is measured.
    """
    config = read_config(merged, files, overrides)
    check_labs(config)
    workloads = known_workloads(config)
    claims = read_claims(config.claims, {name: facts for name, (facts, _) in workloads.items()})
    planned = {config.folder(to.label): to for to in destinations(config)}
    wanted = wanted_runtimes(config, claims.claims)
    sweeps = lay_out(config, claims, workloads, planned, files[-1] if files else "config")
    runtimes, absent = resolve(wanted, downloads=config.environments.downloads)
    measures = measures and not config.only_existing
    if not measures:
        runtimes = [runtime for runtime in runtimes if runtime.claims is None or is_described(runtime, planned)]
    runs = {}
    for folder, destination in planned.items():
        fitted = sweeps[folder]
        blocks = blocks_of(runtimes, fitted, config, claims.claims, workloads, cores=destination.usable_cores)
        runs[folder] = Run(
            config=config,
            measures=measures,
            rounds=fitted.rounds,
            left_out=fitted.left_out,
            claims=claims,
            destination=destination,
            runtimes=tuple(runtimes),
            absent=tuple(absent),
            folder=folder,
            workloads={name: place for name, (_, place) in workloads.items()},
            blocks=tuple(blocks),
            libraries=libraries_needed(runtimes, blocks, config, claims.claims),
            lacks=noted_lacks(f"results/{folder}"),
        )
    return runs


def is_described(runtime: Runtime, folders: Iterable[str]) -> bool:
    """Whether a runtime is part of what was measured; an interpreter may have come to this machine since."""
    return any(Path(f"results/{folder}/runtimes/{runtime.id}.json").is_file() for folder in folders)


def blocks_of(
    runtimes: Sequence[Runtime],
    whole: Fitted,
    config: Config,
    claims: Sequence[Claim],
    workloads: Mapping[str, tuple[Workload, str]],
    *,
    cores: int,
) -> list[Block]:
    """The blocks of all runtimes on one machine. whole: those of a runtime that measures everything."""
    selected = selected_claims(config, claims)
    sweeps: list[tuple[str, Sequence[Block]]] = []
    for runtime in runtimes:
        only = None if runtime.claims is None else [claim for claim in selected if claim.id in runtime.claims]
        blocks: Sequence[Block] = whole.blocks
        if only is not None:
            blocks = restricted_sweep(whole.blocks, config, only, workloads, cores, cut=whole.cut)
        sweeps.append((runtime.id, blocks))
    return side_by_side(sweeps)


def libraries_needed(
    runtimes: Sequence[Runtime], blocks: Sequence[Block], config: Config, claims: Sequence[Claim]
) -> dict[str, tuple[str, ...]]:
    """Environment → what the blocks and labs of the runtimes that it is for import."""
    needed: dict[str, set[str]] = {}
    for runtime in runtimes:
        own = [block for block in blocks if block.runtime == runtime.id]
        libraries = libraries_of(own, labs_of(runtime, config, claims))
        needed.setdefault(runtime.environment, set()).update(libraries)
    return {environment: tuple(sorted(libraries)) for environment, libraries in needed.items()}


def check_measured(runs: Mapping[str, Run]) -> None:
    """Raise Mistakes for each run that is to measure nothing and has nothing to show."""
    empty = [
        folder
        for folder, run in runs.items()
        if not run.measures and not Path(f"results/{folder}/machine.json").is_file()
    ]
    if empty:
        raise Mistakes(
            [
                f"results/{folder}: nothing has been measured yet; make, or snakemake --cores all, does."
                for folder in empty
            ]
        )


def lay_out(
    config: Config,
    claims: ClaimsFile,
    workloads: Mapping[str, tuple[Workload, str]],
    planned: Mapping[str, Destination],
    file: str,
) -> dict[str, Fitted]:
    """The sweep of one runtime on each machine. Raises Mistakes, blamed on ``file``, where they need too much memory.

    Of a machine whose memory nobody has told nothing is too much.
    """
    sweeps = {folder: fit(config, claims.claims, workloads, to.usable_cores) for folder, to in planned.items()}
    too_large = [
        f"{file}: {to.label}: {line}"
        for folder, to in planned.items()
        if to.memory_bytes is not None
        for line in memory_mistakes(sweeps[folder].blocks, to.memory_bytes)
    ]
    if too_large:
        raise Mistakes(too_large)
    return sweeps


def check_labs(config: Config) -> None:
    """Raise Mistakes for a lab that cannot be imported."""
    for lab in config.labs.selected():
        try:
            load_lab(lab)
        except Exception as error:
            raise Mistakes([f"labs.names: the lab {lab} cannot be imported: {reason_of(error)}."]) from error


def seen_from_here(file: str) -> str:
    """A file's path relative to this folder; as it is where there is none, as between two drives of Windows."""
    try:
        return os.path.relpath(file)
    except ValueError:
        return str(file)
