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

from gilscope.configuring.mistakes import Mistakes
from gilscope.figures import Results
from gilscope.rendering.markup import Html, joined

KERNEL = "gilscope"
JUPYTER_PATH = "JUPYTER_PATH"
"""The environment variable with the folders that Jupyter looks for kernels in before all others."""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="gilscope">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#report">Skip to the report</a>
<nav aria-label="Contents"><ol>{contents}</ol></nav>
<main id="report">
{body}
</main>
<script>{script}</script>
</body>
</html>
"""


def render(
    *,
    notebook: str,
    style: str,
    script: str,
    citation: str,
    figures: Sequence[str],
    folder: str,
    report: str,
    executed: str,
    log: str,
) -> None:
    """Make the report of a results folder; see ``make_page``."""
    make_page(
        notebook=notebook,
        parameters={**shown(folder, figures, notebook), "citation": citation},
        title=f"gilscope: {Results.read(folder).label}",
        styles=[style],
        scripts=[script],
        target=report,
        executed=executed,
        log=log,
    )


def shown(folder: str, figures: Sequence[str], notebook: str) -> dict[str, object]:
    """What every notebook is told: the folder that it is about, the drawn figures, and where their captions lie."""
    captions = Path(notebook).parent / "captions"
    return {"folder": str(folder), "figures": [str(path) for path in figures], "captions": str(captions)}


def make_page(
    *,
    notebook: str,
    parameters: dict[str, object],
    title: str,
    styles: Sequence[str],
    scripts: Sequence[str],
    target: str,
    executed: str,
    log: str,
) -> None:
    """Execute the notebook with these parameters and write the page and the executed notebook.

    styles, scripts: files, of which the page holds one after the other. The notebook runs beside the log and is moved
    to ``executed`` when all went well: Snakemake deletes the outputs of a failed job, and the cell that failed is then
    still to be seen. The error goes into the log too.
    """
    running = Path(log).with_suffix(".ipynb")
    running.parent.mkdir(parents=True, exist_ok=True)
    running.unlink(missing_ok=True)
    try:
        execute(notebook, running, parameters)
        html = page(body(running), text_of(styles), text_of(scripts), title)
    except Exception:
        left = f"\nThe notebook as far as it got: {running}\n" if running.exists() else ""
        Path(log).write_text(traceback.format_exc() + left, encoding="utf-8")
        raise
    Path(target).write_text(html, encoding="utf-8")
    running.replace(executed)
    Path(log).write_text(f"{target}: {len(html.encode()) / 1e6:.2f} MB\n", encoding="utf-8")


def text_of(files: Sequence[str]) -> str:
    return "".join(Path(file).read_text(encoding="utf-8") for file in files)


def execute(notebook: str, output: Path, parameters: dict[str, object]) -> None:
    """Run the notebook with papermill; raises PapermillExecutionError at the first cell that fails.

    Raises Mistakes where its kernel cannot be talked to. It is written when all has run or a cell has failed: before
    and after each cell takes longer than the cells.
    """
    import papermill

    with own_kernel(output.with_suffix(".kernel").absolute()) as name, which_answers():
        papermill.execute_notebook(
            notebook,
            str(output),
            parameters,
            kernel_name=name,
            progress_bar=False,
            log_output=False,
            request_save_on_cell_execute=False,
        )


@contextmanager
def which_answers() -> Iterator[None]:
    """A kernel that is silent says nothing of why; Jupyter tells that by these words alone."""
    try:
        yield
    except RuntimeError as error:
        if "Kernel didn't respond" not in str(error):
            raise
        needs = (
            "it is talked to over the loopback interface (ip link set lo up) and opens some 60 files (ulimit -n 256)"
        )
        raise Mistakes([f"the report's kernel does not answer: {needs}; mend that, and run again"]) from error


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


def page(content: Html, style: str, script: str, title: str) -> str:
    """One page around the content; its policy allows this style, this script and embedded images, nothing else."""
    content, contents = with_anchors(content)
    policy = (
        f"default-src 'none'; img-src data:; style-src '{digest(style)}'; script-src '{digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Html(PAGE).format(
        policy=policy,
        title=title,
        style=Html(style),
        script=Html(script),
        contents=contents,
        body=content,
    )


def digest(text: str) -> str:
    """What a content security policy calls this text by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def with_anchors(content: Html) -> tuple[Html, Html]:
    """The content with a plain anchor at each heading, and the list of its sections."""
    taken: set[str] = set()
    sections: list[tuple[str, str]] = []

    def anchored(heading: re.Match[str]) -> str:
        level, words = heading[1], heading[2].strip()
        anchor = re.sub(r"[^a-z0-9]+", "-", re.sub(r"<[^>]+>|&[^;]+;", "", words).lower()).strip("-")
        if level == "2":
            sections.append((anchor, words))
        if anchor in taken:
            return f"<h{level}>{words}</h{level}>"
        taken.add(anchor)
        return f'<h{level} id="{anchor}">{words}</h{level}>'

    text = re.sub(r"<h([23])\b[^>]*>(.*?)</h\1>", anchored, str(content), flags=re.DOTALL)
    items = (Html('<li><a href="#{}">{}</a></li>').format(anchor, Html(words)) for anchor, words in sections)
    return Html(text), joined(items)
