"""What the findings rest on: figures, machine, gaps, and how to repeat it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from markupsafe import escape

from gilscope import __version__
from gilscope.figures import Results
from gilscope.rendering.markup import (
    EMPTY,
    Html,
    counted,
    facts,
    folded,
    joined,
    missing,
    note,
    number,
    table,
)

ORDER = ("verdicts", "lock", "dial", "scaling", "by_strategy", "by_size", "tax", "speed")
LIBRARIES = ("snakemake", "pyperf", "numpy", "pandas", "scipy", "matplotlib", "seaborn", "papermill", "nbconvert")
SVG = "{http://www.w3.org/2000/svg}"


NO_TABLES: Mapping[str, Html] = {}


def all_pictures(figures: Sequence[str], captions: str, tables: Mapping[str, Html] = NO_TABLES) -> Html:
    """Every figure with its caption and, by its name, its table; what this run could not fill is a line at the end."""
    paths = sorted(
        map(Path, figures), key=lambda path: (ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem)
    )
    drawings = {path: ElementTree.fromstring(path.read_bytes()) for path in paths}
    lacking: dict[str, list[str]] = {}
    shown = []
    for path, drawing in drawings.items():
        if needs := drawing.get("data-needs"):
            lacking.setdefault(needs, []).append(title_of(drawing, path))
        else:
            shown.append(picture(path, drawing, Path(captions) / f"{path.stem}.rst", tables.get(path.stem, EMPTY)))
    if not paths:
        return note("warn", "No figures.", "None has been drawn.")
    return joined(shown) + left_out(lacking)


def left_out(lacking: Mapping[str, Sequence[str]]) -> Html:
    """One line: which figures there would be with what."""
    parts = [f"{' and '.join(f'*{title}*' for title in titles)} with {needs}" for needs, titles in lacking.items()]
    return paragraphs(f"There would also be {', and '.join(parts)}.") if parts else EMPTY


def title_of(drawing: ElementTree.Element, path: Path) -> str:
    return drawing.findtext(f"{SVG}title") or path.stem


def picture(path: Path, drawing: ElementTree.Element, caption: Path, content: Html) -> Html:
    """A drawing with its own title as the heading and its own description for those who do not see it."""
    title = title_of(drawing, path)
    width, height = (round(float(drawing.get(side, "0").removesuffix("pt")) * 4 / 3) for side in ("width", "height"))
    words = paragraphs(caption.read_text(encoding="utf-8")) if caption.is_file() else EMPTY
    return Html(
        '<figure id="figure-{}"><h3>{}</h3><div class="box" tabindex="0" role="group" aria-label="{}">'
        '<img alt="{}" width="{}" height="{}" src="data:image/svg+xml;base64,{}"></div>'
        "<figcaption>{}</figcaption>{}</figure>"
    ).format(
        path.stem,
        title,
        f"Figure: {title}",
        drawing.findtext(f"{SVG}desc") or title,
        width,
        height,
        base64.b64encode(path.read_bytes()).decode(),
        words,
        content,
    )


def paragraphs(text: str) -> Html:
    """Plain reStructuredText, of which captions use paragraphs, ``code`` and *emphasis*, as HTML."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        html = re.sub(r"``(.+?)``", r"<code>\1</code>", str(escape(" ".join(paragraph.split()))))
        found.append(Html("<p>{}</p>").format(Html(re.sub(r"\*(.+?)\*", r"<em>\1</em>", html))))
    return joined(found)


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
    return "the whole runtime", "everything", gap["state"], gap["reason"]


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
