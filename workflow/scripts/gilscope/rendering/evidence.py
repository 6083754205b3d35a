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
from gilscope.rendering.markup import (
    EMPTY,
    Html,
    counted,
    day,
    facts,
    folded,
    missing,
    note,
    number,
    table,
)

CLONE = Path(__file__).resolve().parents[4]
LIBRARIES = ("snakemake", "pyperf", "numpy", "pandas", "scipy", "matplotlib", "seaborn", "papermill", "nbconvert")


def machine(results: Results) -> Html:
    known = results.machine
    memory = known.get("memory_bytes")
    switch: dict[Any, str] = {True: "on", False: "off"}
    return facts(
        [
            ("CPU", known.get("cpu")),
            ("Physical cores", known.get("physical_cores")),
            ("Logical cores", known.get("logical_cores")),
            ("Usable cores", known.get("usable_cores")),
            ("Nodes", nodes_in_words(results.timed_rounds)),
            ("Kinds of cores", kinds_in_words(known.get("core_kinds"))),
            ("Quota in cores", known.get("quota_cores") or ("none" if quota_is_known(known) else None)),
            ("Memory", f"{memory / 2**30:.3g} GiB" if memory else None),
            ("System", " ".join(str(known[name]) for name in ("os", "kernel") if known.get(name)) or None),
            ("Governor", known.get("governor")),
            ("Turbo", switch.get(known.get("turbo"), known.get("turbo"))),
            ("Simultaneous multithreading", switch.get(known.get("smt"), known.get("smt"))),
            ("Virtualisation", known.get("virtualisation")),
            ("Load before the run", None if missing(known.get("load")) else number_or_text(known["load"])),
        ]
    )


def nodes_in_words(rounds: pd.DataFrame) -> str | None:
    """On how many nodes the timed rounds were, and how many on each; what was measured earlier does not say."""
    counts = rounds["node"].value_counts() if "node" in rounds else ()
    if len(counts) > 1:
        return f"{len(counts)} of this type, with {', '.join(map(str, counts))} of the timed rounds"
    return "1" if len(counts) else None


def kinds_in_words(kinds: Any) -> str | None:
    """``4 performance, 6 efficiency``; what was measured earlier, or elsewhere, does not say it."""
    return ", ".join(f"{cores} {kind}" for kind, cores in kinds.items()) if isinstance(kinds, dict) else None


def quota_is_known(known: Mapping[str, Any]) -> bool:
    """Whether a quota that was not found is none: Windows has quotas that nothing here can read."""
    return "quota_cores" in known and known.get("os") != "Windows"


def number_or_text(value: Any) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)


def gaps(results: Results) -> Html:
    """What was skipped, failed or does not apply, and why; the same gap of several runtimes once."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for gap in results.gaps:
        found.setdefault(gap_in_words(gap), []).append(gap["runtime"])
    rows = [
        (what, where, ", ".join(dict.fromkeys(names)), state, reason)
        for (what, where, state, reason), names in found.items()
    ]
    if not rows:
        return note("good", "Nothing.", "Every cell of the sweep was measured, and every trial gave an answer.")
    content = table(("Workload or lab", "Cell or case", "Runtime", "State", "Reason"), rows, "cards")
    return content if len(rows) <= 12 else folded(counted(len(rows), "gap"), content)


def gap_in_words(gap: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What is missing, which part of it, its state, and why."""
    if "lab" in gap:
        trial = "not applicable" if gap["trial"] is None else f"trial {gap['trial'] + 1} gave no answer"
        return f"lab {gap['lab']}", gap["case"] or "all cases", trial, gap["reason"]
    if "workload" in gap:
        return gap["workload"], f"{gap['size']}, {gap.get('cell') or 'all cells'}", gap["state"], gap["reason"]
    return "the whole runtime", ", ".join(gap.get("claims") or ["everything"]), gap["state"], gap["reason"]


def reproduce(results: Results) -> Html:
    """The command that gave these results, and the versions that made the report."""
    versions = {"gilscope": __version__, **{name: installed(name) for name in LIBRARIES}}
    return Html(
        '<pre tabindex="0"><code>{}</code></pre>{}'
        "<p>The files under <code>raw/</code> beside it are pyperf suites: <code>python -m pyperf stats</code>, "
        "<code>hist</code> and <code>compare_to</code> read them.</p>{}{}"
    ).format(
        command(results),
        what_it_leaves_out(results),
        folded("The configuration of this run, complete", configuration(results)),
        folded("Versions that made this report", facts(versions.items())),
    )


def command(results: Results) -> str:
    """What measures the same again in a clone: with a preset where it has all that the run had, else with its own file.

    A run may have had several files of the user's and values from its command line; ``config.json`` holds them all.
    """
    file = shipped(results.config)
    if file is None:
        file = f"results/{results.folder.resolve().name}/config.json"
    return "snakemake --cores all" + (f" --configfile {file}" if file else "")


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


def what_it_leaves_out(results: Results) -> Html:
    """What a file of the run's own does not hold, since nobody else shall read it."""
    config = results.config
    if shipped(config) is not None:
        return EMPTY
    text = "<p><code>config.json</code> lies beside this report, and in a bundle of these results.{}</p>"
    missing = ["the addresses of services"] if config.get("services") else []
    if any(one.get("python") != CURRENT for one in config.get("runtimes") or []):
        missing.append("the folders of interpreters")
    words = f" It does without {' and '.join(missing)}: put in your own." if missing else ""
    return Html(text).format(words)


def configuration(results: Results) -> Html:
    """The configuration as a file that the run could be started with."""
    text = yaml.safe_dump(json.loads(json.dumps(results.config)), sort_keys=False, allow_unicode=True)
    return Html('<pre tabindex="0"><code>{}</code></pre>').format(text)


def cite(results: Results, citation: str) -> Html:
    """How to cite gilscope, and this run of it. citation: the path of a CITATION.cff."""
    known = yaml.safe_load(Path(citation).read_text(encoding="utf-8"))
    authors = ", ".join(author.get("name", "") for author in known["authors"])
    ended = results.rounds["ended"]
    when = f", {day(ended.max())}" if ended.notna().any() else ""
    return Html("<p>{}: <em>{}</em> Version {}. Measured on <code>{}</code>{}.</p>").format(
        authors, known["title"], known["version"], results.label, when
    )


def installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
