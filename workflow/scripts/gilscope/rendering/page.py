"""From the notebook to one page that needs nothing else: executed by papermill, turned into HTML by nbconvert."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gilscope.configuring.mistakes import Mistakes
from gilscope.figures import Results
from gilscope.figures.comparison import Comparison
from gilscope.rendering.quantities import counted
from gilscope.rendering.templates import Html, filled

KERNEL = "gilscope"
JUPYTER_PATH = "JUPYTER_PATH"
"""The environment variable with the folders that Jupyter looks for kernels in before all others."""
HEADING = re.compile(r"<(h[23])\b[^>]*>(.*?)</\1>", re.DOTALL)


def render(
    *,
    notebook: str,
    styles: Sequence[str],
    scripts: Sequence[str],
    figures: Sequence[str],
    folder: str,
    target: str,
    executed: str,
    log: str,
    **more: str,
) -> None:
    """Make the page of a results folder, or of a comparison's: write it and the executed notebook.

    styles, scripts: files, of which the page holds one after the other. more: what else the notebook is told.
    It runs beside the log and is moved to ``executed`` when all went well: Snakemake deletes the outputs of a failed
    job, and the cell that failed is then still to be seen. The error goes into the log too.
    """
    captions = Path(notebook).parent / "captions"
    running = Path(log).with_suffix(".ipynb")
    running.parent.mkdir(parents=True, exist_ok=True)
    running.unlink(missing_ok=True)
    try:
        execute(notebook, running, {"folder": folder, "figures": list(figures), "captions": str(captions), **more})
        style, script = ("".join(Path(file).read_text(encoding="utf-8") for file in of) for of in (styles, scripts))
        html = page(body(running), style, script, title_of(folder))
    except Exception:
        left = f"\nThe notebook as far as it got: {running}\n" if running.exists() else ""
        Path(log).write_text(traceback.format_exc() + left, encoding="utf-8")
        raise
    Path(target).write_text(html, encoding="utf-8")
    running.replace(executed)
    Path(log).write_text(f"{target}: {len(html.encode()) / 1e6:.2f} MB\n", encoding="utf-8")


def title_of(folder: str) -> str:
    """``gilscope: example-2c`` or ``gilscope: comparison of 3 bundles``."""
    if not (Path(folder) / "sides.json").is_file():
        return f"gilscope: {Results.read(folder).label}"
    bundles = {side["bundle"] for side in Comparison.read(folder).sides}
    return f"gilscope: comparison of {counted(len(bundles), 'bundle')}"


def execute(notebook: str, output: Path, parameters: dict[str, object]) -> None:
    """Run the notebook with papermill; raises PapermillExecutionError at the first cell that fails.

    Raises Mistakes where its kernel cannot be talked to. It is written when all has run or a cell has failed: before
    and after each cell takes longer than the cells.
    """
    import papermill

    try:
        with own_kernel(output.with_suffix(".kernel").absolute()) as name:
            papermill.execute_notebook(
                notebook,
                str(output),
                parameters,
                kernel_name=name,
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
            )
    except RuntimeError as error:
        # A kernel that is silent says nothing of why; Jupyter tells that by these words alone.
        if "Kernel didn't respond" not in str(error):
            raise
        needs = "is talked to over the loopback interface (ip link set lo up) and opens some 60 files (ulimit -n 256)"
        raise Mistakes([f"the report's kernel does not answer: it {needs}; mend that, and run again"]) from error


@contextmanager
def own_kernel(folder: Path) -> Iterator[str]:
    """The name of a Jupyter kernel that is this interpreter, whatever kernels somebody has installed for notebooks.

    folder: for all that Jupyter writes beside the notebook; what one that was killed has left there goes first.
    """
    starts = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    before, temporary = os.environ.get(JUPYTER_PATH), tempfile.tempdir
    shutil.rmtree(folder, ignore_errors=True)
    place = folder / "kernels" / KERNEL
    place.mkdir(parents=True)
    about = {"argv": starts, "display_name": KERNEL, "language": "python"}
    (place / "kernel.json").write_text(json.dumps(about), encoding="utf-8")
    os.environ[JUPYTER_PATH] = os.pathsep.join(filter(None, (str(folder), before)))
    tempfile.tempdir = str(folder)
    try:
        yield KERNEL
    finally:
        tempfile.tempdir = temporary
        if before is None:
            del os.environ[JUPYTER_PATH]
        else:
            os.environ[JUPYTER_PATH] = before
        shutil.rmtree(folder, ignore_errors=True)


def body(notebook: Path) -> Html:
    """The notebook's text and outputs, without any code."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    content, _ = exporter.from_notebook_node(nbformat.read(notebook, as_version=4))
    return Html(content)


def page(content: Html, style: str, script: str, title: str) -> Html:
    """One page around the content; its policy allows this style, this script and embedded images, nothing else."""
    start, *sections = parts_of(content)
    return filled(
        "page",
        start=start.text,
        parts=sections,
        title=title,
        style=Html(style),
        script=Html(script),
        style_digest=digest(style),
        script_digest=digest(script),
    )


def digest(text: str) -> str:
    """What a content security policy calls this text by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


class Part(NamedTuple):
    """A heading (``h2``, ``h3``; none at the start) and what follows it. taken: its anchor is an earlier one's."""

    level: str
    words: Html
    anchor: str
    taken: bool
    text: Html


def parts_of(content: Html) -> Iterator[Part]:
    """The content cut at its headings, each with a plain anchor."""
    taken: set[str] = set()
    found = ["", "", *HEADING.split(content)]
    for level, words, text in zip(found[::3], found[1::3], found[2::3], strict=True):
        anchor = re.sub(r"[^a-z0-9]+", "-", re.sub(r"<[^>]+>|&[^;]+;", "", words).lower()).strip("-")
        yield Part(level, Html(words.strip()), anchor, anchor in taken, Html(text))
        taken.add(anchor)
