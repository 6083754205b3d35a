"""Why the findings can be believed, and how far: figures, noise, order, machine, gaps, how to repeat it."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
from markupsafe import escape

from gilscope import __version__
from gilscope.figures import Results
from gilscope.rendering.bars import order_strip
from gilscope.rendering.findings import rounds_planned
from gilscope.rendering.markup import (
    EMPTY,
    Html,
    counted,
    duration,
    facts,
    folded,
    interval,
    joined,
    missing,
    note,
    number,
    table,
)

ORDER = ("verdicts", "scaling", "by_strategy", "by_size")
LIBRARIES = ("snakemake", "pyperf", "numpy", "pandas", "scipy", "matplotlib", "seaborn", "papermill", "nbconvert")
SVG = "{http://www.w3.org/2000/svg}"


def all_pictures(figures: Sequence[str], captions: str) -> Html:
    """Every figure with its caption, inside the page."""
    paths = sorted(
        map(Path, figures), key=lambda path: (ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem)
    )
    return joined(picture(path, Path(captions) / f"{path.stem}.rst") for path in paths) or note(
        "warn", "No figures.", "None has been drawn."
    )


def picture(path: Path, caption: Path) -> Html:
    """A drawing with its own title as the heading and its own description for those who do not see it."""
    content = path.read_bytes()
    drawing = ElementTree.fromstring(content)
    title = drawing.findtext(f"{SVG}title") or path.stem
    width, height = (round(float(drawing.get(side, "0").removesuffix("pt")) * 4 / 3) for side in ("width", "height"))
    words = paragraphs(caption.read_text(encoding="utf-8")) if caption.is_file() else EMPTY
    return Html(
        '<figure id="figure-{}"><h3>{}</h3><div class="box" tabindex="0" role="group" aria-label="{}">'
        '<img alt="{}" width="{}" height="{}" src="data:image/svg+xml;base64,{}"></div>'
        "<figcaption>{}</figcaption></figure>"
    ).format(
        path.stem,
        title,
        f"Figure: {title}",
        drawing.findtext(f"{SVG}desc") or title,
        width,
        height,
        base64.b64encode(content).decode(),
        words,
    )


def paragraphs(text: str) -> Html:
    """Plain reStructuredText, of which captions use paragraphs, ``code`` and *emphasis*, as HTML."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        html = re.sub(r"``(.+?)``", r"<code>\1</code>", str(escape(" ".join(paragraph.split()))))
        found.append(Html("<p>{}</p>").format(Html(re.sub(r"\*(.+?)\*", r"<em>\1</em>", html))))
    return joined(found)


def rounds_in_words(results: Results) -> Html:
    """This run's numbers for the method: rounds, laps, time spent."""
    rounds = results.rounds
    if rounds.empty:
        return note("warn", "No rounds.", "Nothing has been measured, so there are no numbers to give.")
    blocks = rounds[["runtime", "workload", "size"]].drop_duplicates()
    laps, spent = rounds["laps"].dropna(), (rounds["ended"] - rounds["started"]).sum()
    flags = flagged(rounds)
    return facts(
        [
            ("Blocks", counted(len(blocks), "block")),
            ("Rounds of each", rounds_planned(results)),
            (
                "Laps in a round",
                f"{laps.min():.0f} to {laps.max():.0f}, median {laps.median():.0f}" if len(laps) else None,
            ),
            ("Time spent measuring", duration(spent)),
            ("Cells", counted(len(results.measured("speedup")), "cell")),
            ("Disturbed rounds", f"{len(flags)} of {len(rounds)}"),
        ]
    )


def flagged(rounds: pd.DataFrame) -> pd.DataFrame:
    return rounds[rounds["flags"].fillna("").astype(str) != ""]


def noise(results: Results) -> Html:
    """Sequential against its neighbouring self in every block: 1 apart from noise."""
    speedups = results.measured("speedup")
    controls = speedups[speedups["strategy"] == "sequential"]
    rows = [
        (
            row["workload"],
            *([row["runtime"]] if len(results.runtimes) > 1 else []),
            row["size"],
            f"{number(row['parameter'])} {row['unit'] or ''}" if not missing(row["parameter"]) else "–",
            interval(row["estimate"], row["low"], row["high"], "x"),
            "–" if missing(row["noise_floor"]) else f"{100 * row['noise_floor']:.2g} %",
            f"{row['rounds']:.0f}",
            row["flags"] or "",
        )
        for _, row in controls.sort_values(["runtime", "workload", "parameter"]).iterrows()
    ]
    if not rows:
        return note("warn", "No controls.", "No block has a sequential cell to compare with itself.")
    middle = (controls["estimate"] - 1).abs().median()
    headings = [
        "Workload",
        *(["Runtime"] if len(results.runtimes) > 1 else []),
        "Size",
        "One task",
        "A/A ratio",
        "Noise floor",
    ]
    said = Html("<p>In the median block, sequential differs from itself by <strong>{}</strong>.</p>").format(
        f"{100 * middle:.2g} %"
    )
    return said + folded(
        f"A/A ratio and noise floor of {counted(len(rows), 'block')}", table([*headings, "Rounds", "Flags"], rows)
    )


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
            ("Quota in cores", known.get("quota_cores") or ("none" if "quota_cores" in known else None)),
            ("Memory", f"{memory / 2**30:.3g} GiB" if memory else None),
            ("System", " ".join(str(known[name]) for name in ("os", "kernel") if known.get(name)) or None),
            ("Governor", known.get("governor")),
            ("Turbo", switch.get(known.get("turbo"), known.get("turbo"))),
            ("Simultaneous multithreading", switch.get(known.get("smt"), known.get("smt"))),
            ("Virtualisation", known.get("virtualisation")),
            ("Load before the run", None if missing(known.get("load")) else number_or_text(known["load"])),
        ]
    )


def number_or_text(value: Any) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)


def runtimes(results: Results) -> Html:
    """Each runtime by what it reported, with its packages folded away."""
    state: dict[Any, str] = {True: "on", False: "off"}
    answer: dict[Any, str] = {True: "yes", False: "no"}
    rows = [
        (
            name,
            f"{known.get('implementation') or ''} {known.get('version') or 'unknown'}",
            known.get("build") or "unknown",
            state.get(known.get("gil"), "unknown"),
            answer.get(known.get("free_threaded"), "unknown"),
            known.get("start_method") or "unknown",
        )
        for name, known in results.runtimes.items()
    ]
    headings = ("Runtime", "Version", "Build", "GIL", "Free-threaded build", "Default start method")
    packages = [
        folded(f"Packages of {name}", facts(sorted((known.get("packages") or {}).items())))
        for name, known in results.runtimes.items()
        if known.get("packages")
    ]
    return (table(headings, rows) or note("warn", "Unknown.", "No runtime has been recorded.")) + joined(packages)


def order_of_measurement(results: Results) -> Html:
    """Whether any two rounds ran at the same time, from the times that they recorded."""
    rounds = results.rounds.dropna(subset=["started", "ended"]).sort_values("started")
    if rounds.empty:
        return note("warn", "No times.", "No round has recorded when it ran.")
    busy_until = rounds["ended"].cummax().shift()
    overlaps = int((rounds["started"] < busy_until).sum())
    first, last = rounds["started"].min(), rounds["ended"].max()
    whole = max(last - first, 1e-9)
    disturbed = set(flagged(rounds.reset_index(drop=True)).index)
    strip = order_strip(
        [
            (
                (row["started"] - first) / whole,
                (row["ended"] - first) / whole,
                "disturbed" if place in disturbed else f"turn-{int(row['round']) % 2}",
            )
            for place, row in enumerate(rounds.to_dict("records"))
        ]
    )
    gap = (rounds["started"] - busy_until).min()
    spoken = f"{counted(len(rounds), 'round')} in {duration(whole)}"
    if overlaps:
        verdict = note(
            "bad",
            "Rounds overlapped.",
            f"{overlaps} of {spoken} began before another had ended. Do not trust this run.",
        )
    elif len(rounds) == 1:
        verdict = note("good", "One round.", "There was no other that it could have met.")
    else:
        verdict = note(
            "good", "No two rounds overlapped.", f"{spoken}; the shortest pause between two was {duration(gap)}."
        )
    key = "Each bar is a round, in the order measured. Shades alternate: round 1 of all blocks, then round 2 of all."
    key += " Marked bars were disturbed." if disturbed else ""
    waited = rounds["waited_s"].fillna(0).sum()
    key += f" Waiting for the machine-wide lock: {duration(waited)} in all."
    return verdict + strip + Html('<p class="small">{}</p>').format(key)


def gaps(results: Results) -> Html:
    """What was skipped, failed or does not apply, and why."""
    rows = [
        (
            gap["workload"],
            f"{gap['size']}, {gap.get('cell') or 'all cells'}",
            gap["runtime"],
            gap["state"],
            gap["reason"],
        )
        for gap in results.gaps
    ]
    if not rows:
        return note("good", "Nothing.", "Every cell of the sweep was measured.")
    content = table(("Workload", "Cell", "Runtime", "State", "Reason"), rows, "cards")
    return content if len(rows) <= 12 else folded(counted(len(rows), "gap"), content)


def reproduce(results: Results) -> Html:
    """The command that gave these results, and the versions that made the report."""
    preset = results.config.get("preset")
    plain = not preset or preset == "default"
    command = "snakemake --cores all" + ("" if plain else f" --configfile config/presets/{preset}.yaml")
    versions = {"gilscope": __version__, **{name: installed(name) for name in LIBRARIES}}
    return Html(
        '<pre tabindex="0"><code>{}</code></pre>'
        "<p>The configuration of this run, complete, is <code>config.json</code> beside the report. The files under "
        "<code>raw/</code> are pyperf suites: <code>python -m pyperf stats</code>, <code>hist</code> and "
        "<code>compare_to</code> read them.</p>{}"
    ).format(command, folded("Versions that made this report", facts(versions.items())))


def installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
