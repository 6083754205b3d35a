"""The runs of several bundles laid side by side: who they are, and what to know before comparing them.

A side is one runtime of one bundle. The first side is the baseline's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gilscope.analysis.counterparts import CPYTHON, Identity, identify
from gilscope.analysis.estimates import ESTIMATES
from gilscope.analysis.intervals import interval
from gilscope.bundles.reading import name_of
from gilscope.running.builds import in_words, why_slow

if TYPE_CHECKING:
    from gilscope.bundles.reading import Bundle

LABS = {"startup": ("first_s", "later_s"), "messages": ("round_trip_s", "transfer_s", "bytes_per_s")}
"""What is compared of the labs; all of it positive quantities, a value for each trial."""
MOST_BUILDS = 4


class NoBaseline(ValueError):
    """None of the bundles is the one that was named as the baseline."""


def side_name(label: str, runtime: str) -> str:
    return f"{label} · {runtime}"


def baseline_first(bundles: Sequence[Bundle], baseline: str | None) -> list[Bundle]:
    """The bundles with the baseline in front: named by its file or its label, else the first of them.

    A file's path comes before its name alone: two runs of one machine have the same. Raises NoBaseline without any.
    """
    if baseline is None:
        return list(bundles)
    stem = stem_of(baseline.replace("\\", "/"))
    of_file = [one for one in bundles if one.file == name_of(baseline)]
    found = of_file or [one for one in bundles if stem in (one.label, stem_of(one.file))]
    if not found:
        known = ", ".join(one.label for one in bundles)
        raise NoBaseline(f"baseline is {baseline!r}, which is none of the bundles that could be read: {known}.")
    return [found[0], *(one for one in bundles if one is not found[0])]


def stem_of(file: str) -> str:
    return file.rsplit("/", 1)[-1].removesuffix(".zip")


def in_order(runtimes: Mapping[str, Mapping[str, Any]]) -> list[Identity]:
    """The runtimes of a bundle: CPython by version before others; one that did not say how its lock is has it."""
    run = [identify(name, {"gil": True, **facts}) for name, facts in runtimes.items()]
    return sorted(run, key=lambda one: (one.implementation != CPYTHON, one.implementation, one.minor, one.runtime))


def hardware(machine: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two machines alike: the processor and how much of it could be used."""
    return tuple(machine.get(fact) for fact in ("cpu", "architecture", "usable_cores", "quota_cores", "os"))


def hardware_in_words(machine: Mapping[str, Any]) -> str:
    cores = machine.get("usable_cores")
    counted = f"{cores} usable core{'' if cores == 1 else 's'}" if cores else "cores unknown"
    return f"{machine.get('cpu') or 'processor unknown'}, {counted}"


def runtime_in_words(one: Identity) -> str:
    if not one.version:
        return one.runtime
    lock = f" free-threaded, lock {'off' if one.lock_off else 'on'}" if one.free_threaded else ""
    return f"{one.implementation} {one.version}{lock}"


def built_in_words(facts: Mapping[str, Any]) -> str:
    """``GCC 14.2, -O3, PGO, LTO``; the compiler alone in bundles that say no more."""
    return ", ".join(filter(None, (facts.get("compiler"), in_words(facts.get("built")))))


def describe_sides(bundles: Sequence[Bundle]) -> list[dict[str, Any]]:
    """A mapping for each side, in order; see ``Comparison`` for its keys."""
    return [
        {
            "side": side_name(bundle.label, one.runtime),
            "bundle": bundle.label,
            "file": bundle.file,
            "runtime": one.runtime,
            "says": runtime_in_words(one),
            "built": built_in_words(bundle.runtimes[one.runtime]),
            "hardware": hardware_in_words(bundle.machine),
            "machine": dict(bundle.machine),
            "preset": bundle.config.get("preset"),
            "rounds": (bundle.config.get("measure") or {}).get("rounds"),
            "version": bundle.version,
            "measured_from": bundle.measured_from,
            "measured_to": bundle.measured_to,
            "nodes": bundle.nodes,
        }
        for bundle in bundles
        for one in in_order(bundle.runtimes)
    ]


def gather_cells(bundles: Sequence[Bundle]) -> pd.DataFrame:
    """The estimates of all sides in one table, with ``side`` and ``bundle`` in place of ``machine``."""
    parts = [
        bundle.estimates.drop(columns="machine").assign(
            bundle=bundle.label, side=[side_name(bundle.label, runtime) for runtime in bundle.estimates["runtime"]]
        )
        for bundle in bundles
        if len(bundle.estimates)
    ]
    columns = ["side", "bundle", *(name for name in ESTIMATES if name != "machine")]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def gather_labs(bundles: Sequence[Bundle]) -> pd.DataFrame:
    """Start-up and messages: the geometric mean over the trials of each case, with a t interval from three trials."""
    rows = []
    for bundle in bundles:
        seen = bundle.observations
        seen = seen[seen["value"] > 0]
        for (runtime, lab, case, metric, unit), own in seen.groupby(["runtime", "lab", "case", "metric", "unit"]):
            if metric not in LABS.get(str(lab), ()):
                continue
            found = interval(np.log(own["value"].to_numpy(float)))
            bounds = {"estimate": found.estimate, "low": found.low, "high": found.high, "trials": found.rounds}
            place = {"side": side_name(bundle.label, str(runtime)), "lab": lab, "case": case}
            rows.append({**place, "metric": metric, "unit": unit, **bounds})
    return pd.DataFrame(rows, columns=["side", "lab", "case", "metric", "unit", "estimate", "low", "high", "trials"])


def gather_break_even(bundles: Sequence[Bundle]) -> list[dict[str, Any]]:
    """The rows of every bundle's break_even.json, with ``side``."""
    return [{"side": side_name(bundle.label, row["runtime"]), **row} for bundle in bundles for row in bundle.break_even]


def what_to_know(bundles: Sequence[Bundle]) -> list[str]:
    """What sets the runs apart beside machine and runtime, a sentence each; nothing where they are alike."""
    notes = []
    for what, read in (
        ("version of gilscope", lambda bundle: bundle.version),
        ("preset", lambda bundle: bundle.config.get("preset")),
        ("number of rounds", lambda bundle: (bundle.config.get("measure") or {}).get("rounds")),
        ("seconds a round", lambda bundle: (bundle.config.get("measure") or {}).get("seconds")),
        ("parameters", lambda bundle: bundle.config.get("parameters") or None),
    ):
        found: dict[str, list[str]] = {}
        for bundle in bundles:
            found.setdefault(str(read(bundle)), []).append(bundle.label)
        if len(found) > 1:
            told = "; ".join(f"{value} in {shortened(labels)}" for value, labels in found.items())
            notes.append(f"The {what} differs: {told}.")
    return [*notes, *builds_apart(bundles)]


def builds_apart(bundles: Sequence[Bundle]) -> list[str]:
    """A sentence for each runtime that is not built alike in all bundles, and for each build that is no release.

    Where one of the bundles does not say how, the compilers alone are compared; what is not known does not differ.
    """
    notes = []
    for runtime in dict.fromkeys(name for bundle in bundles for name in bundle.runtimes):
        own = {bundle.label: bundle.runtimes[runtime] for bundle in bundles if runtime in bundle.runtimes}
        told = all(facts.get("built") for facts in own.values())
        found: dict[tuple[str, str], list[str]] = {}
        for label, facts in own.items():
            words = built_in_words(facts) if told else facts.get("compiler") or ""
            flags = (facts.get("built") or {}).get("flags") if told else None
            found.setdefault((words, flags or "unknown"), []).append(label)
        if len(found) > 1 and all(words for words, _ in found):
            alike = len({words for words, _ in found}) < len(found)
            parts = [
                words + (f", flags {flags}" if alike else "") + f" in {shortened(labels)}"
                for (words, flags), labels in found.items()
            ]
            rest = f"; and {len(parts) - MOST_BUILDS} other builds" if len(parts) > MOST_BUILDS else ""
            notes.append(f"The build of {runtime} differs: {'; '.join(parts[:MOST_BUILDS])}{rest}.")
        notes += [
            f"{label}: do not take {runtime} for a release: {slow}."
            for label, facts in own.items()
            if (slow := why_slow(facts.get("built")))
        ]
    return notes


def shortened(labels: Sequence[str], most: int = 3) -> str:
    rest = len(labels) - most
    return ", ".join(labels[:most]) + (f" and {rest} more" if rest > 0 else "")
