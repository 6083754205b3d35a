"""What the findings rest on: the machine, what is missing, how to repeat it and how to cite it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import ValidationError

from gilscope import __version__
from gilscope.configuring.files import merge_files
from gilscope.configuring.machines import CURRENT
from gilscope.configuring.mistakes import Mistakes
from gilscope.configuring.models import Config
from gilscope.figures import Results
from gilscope.rendering.quantities import dates
from gilscope.rendering.templates import Html, filled

CLONE = Path(__file__).resolve().parents[4]
LIBRARIES = ("snakemake", "pyperf", "numpy", "pandas", "scipy", "matplotlib", "seaborn", "papermill", "nbconvert")


def machine(results: Results) -> Html:
    return filled("machine", machine=results.machine, nodes=nodes_in_words(results.timed_rounds))


def nodes_in_words(rounds: pd.DataFrame) -> str | None:
    """On how many nodes the timed rounds were, and how many on each; what was measured earlier does not say."""
    counts = rounds["node"].value_counts() if "node" in rounds else ()
    if len(counts) > 1:
        return f"{len(counts)} of this type, with {', '.join(map(str, counts))} of the timed rounds"
    return "1" if len(counts) else None


def gaps(results: Results) -> Html:
    """What was skipped, failed or does not apply, and why; the same gap of several runtimes once."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for gap in results.gaps:
        found.setdefault(gap_in_words(gap), []).append(gap["runtime"])
    return filled("gaps", gaps=found)


def gap_in_words(gap: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What is missing, which part of it, its state, and why."""
    if "lab" in gap:
        trial = "not applicable" if gap["trial"] is None else f"trial {gap['trial'] + 1} gave no answer"
        return f"lab {gap['lab']}", gap["case"] or "all cases", trial, gap["reason"]
    if "workload" in gap:
        return gap["workload"], f"{gap['size']}, {gap.get('cell') or 'all cells'}", gap["state"], gap["reason"]
    return "the whole runtime", ", ".join(gap.get("claims") or ["everything"]), gap["state"], gap["reason"]


def reproduce(results: Results) -> Html:
    """The command that gave these results, and the versions that made the report.

    It measures the same again in a clone: with a preset where that has all that the run had, else with the run's own
    file. A run may have had several of the user's and values from its command line; ``config.json`` holds them all.
    """
    config, preset = results.config, shipped(results.config)
    return filled(
        "reproduce",
        file=f"results/{results.folder.resolve().name}/config.json" if preset is None else preset,
        own=preset is None,
        private=what_it_leaves_out(config),
        configuration=yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False, allow_unicode=True),
        versions={"gilscope": __version__, **{name: installed(name) for name in LIBRARIES}},
    )


def shipped(config: Mapping[str, Any]) -> str | None:
    """The preset, below the clone, that is this configuration; ``""`` for the default, None for one of the user's.

    What somebody has called the machine is no part of it.
    """
    if not config:
        return ""
    name = config.get("preset", "default")
    file = "" if name == "default" else f"config/presets/{name}.yaml"
    files = ["config/config.yaml", *([file] if file else [])]
    try:
        said = Config.model_validate(merge_files([str(CLONE / one) for one in files])).shared()
    except (Mistakes, ValidationError):
        return None
    return file if all(config.get(key) == value for key, value in said.items() if key != "machine") else None


def what_it_leaves_out(config: Mapping[str, Any]) -> list[str]:
    """What a file of the run's own does not hold, since nobody else shall read it."""
    services = ["the addresses of services"] if config.get("services") else []
    named = any(one.get("python") != CURRENT for one in config.get("runtimes") or [])
    return [*services, *(["the folders of interpreters"] if named else [])]


def cite(results: Results, citation: str) -> Html:
    """How to cite gilscope, and this run of it. citation: the path of a CITATION.cff."""
    known = yaml.safe_load(Path(citation).read_text(encoding="utf-8"))
    return filled("cite", known=known, label=results.label, measured=dates([results.rounds["ended"].max()]))


def installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
