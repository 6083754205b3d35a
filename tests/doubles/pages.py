"""Reports for tests: made as the workflow makes them, and opened in a real browser that has no network."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from gilscope.figures import Results, figure_names, write_figure
from gilscope.figures.comparison import Comparison
from gilscope.rendering.page import render
from gilscope.rendering.templates import Html, environment
from once import made_once
from synthetic import write_results

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = str(ROOT / "workflow/scripts")
USUAL = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
HOSTILE = "<script>alert(1)</script>"
BROKEN = "it <broke> at once"
REPORT = "example/report.html"


def make_report(folder: Path, notebook: Path = ROOT / "report/report.ipynb", names: Iterable[str] = ()) -> Path:
    """Draw the figures and render the report as the workflow does; returns the page. names: draw only these figures."""
    about = {"notebook": str(notebook), "citation": str(ROOT / "CITATION.cff")}
    return make_page(folder, Results, names or figure_names(), ["style.css"], ["report.js"], "report", **about)


def make_comparison(folder: Path) -> Path:
    """The same for the folder of a comparison."""
    styles, scripts = ["style.css", "comparison.css"], ["report.js", "students_t.js", "differences.js"]
    about = {"notebook": str(ROOT / "report/comparison.ipynb")}
    return make_page(folder, Comparison, figure_names(Comparison), styles, scripts, "comparison", **about)


def make_page(
    folder: Path, of: Any, names: Iterable[str], styles: list[str], scripts: list[str], name: str, **about: str
) -> Path:
    figures = [str(folder / "figures" / f"{name}.svg") for name in names]
    for path in figures:
        write_figure(Path(path).stem, folder, path, of)
    with pytest.MonkeyPatch.context() as patch:  # the kernel finds the package as it does in the workflow
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [SCRIPTS, os.environ.get("PYTHONPATH")])))
        render(
            styles=[str(ROOT / "report" / style) for style in styles],
            scripts=[str(ROOT / "report" / script) for script in scripts],
            figures=figures,
            folder=str(folder),
            target=str(folder / f"{name}.html"),
            executed=str(folder / f"{name}.ipynb"),
            log=str(folder / "logs/render.log"),
            **about,
        )
    return folder / f"{name}.html"


def macro(template: str, name: str, *values: Any, **of: Any) -> str:
    """What a macro of a template makes of these values. of: what the template itself needs."""
    return squeezed(getattr(environment().get_template(f"{template}.html").make_module(of), name)(*values))


def squeezed(html: str) -> str:
    return " ".join(html.split())


def tight(html: str) -> str:
    """Without the blanks between elements."""
    return re.sub(r">\s+<", "><", html)


def text_of(html: str) -> str:
    return squeezed(Html(html).striptags())


def hostile_results(folder: Path) -> Path:
    """Results of a machine with a hostile name, 33 claims, three rounds and a quota; returns their folder."""
    write_results(folder, label=HOSTILE, rounds=3, claims=33, quota=1.5)
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    for verdict in verdicts[:7]:
        verdict["says"] = verdict["reason"] = verdict["explanation"] = verdict["advice"] = HOSTILE
        for case in verdict["cases"]:
            case["case"] = HOSTILE
    (folder / "verdicts.json").write_text(json.dumps(verdicts), encoding="utf-8")
    gaps = [{"runtime": "cp311", "workload": "x", "size": "large", "cell": None, "state": "failed", "reason": HOSTILE}]
    (folder / "gaps.json").write_text(json.dumps(gaps), encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "machine": HOSTILE}), encoding="utf-8")
    return folder


def hostile_report(factory: pytest.TempPathFactory) -> Path:
    """The report of ``hostile_results``, made once for all workers."""
    return made_once(factory, "hostile", lambda folder: make_report(hostile_results(folder / "example"))) / REPORT


def report_across(factory: pytest.TempPathFactory) -> Path:
    """A report of four runtimes, made once: one binary with the lock on and off among them, and one that is broken.

    It has the figures that one runtime has not, and three others.
    """
    return made_once(factory, "across", lambda folder: make_report_across(folder / "example")) / REPORT


def make_report_across(folder: Path) -> Path:
    write_results(folder, runtimes=("cp311", "cp313t-gil", "cp313t-nogil", "cp315"), claims=14)
    facts = json.loads((folder / "runtimes/cp315.json").read_text(encoding="utf-8"))
    facts |= {"broken": BROKEN, "missing": {"numpy": HOSTILE}, "name": HOSTILE}
    (folder / "runtimes/cp315.json").write_text(json.dumps(facts), encoding="utf-8")
    return make_report(folder, names=["lock", "tax", "speed", "verdicts", "by_size", "lost_updates"])


def opened(browser: Any, report: Path, fragment: str = "", **options: Any) -> tuple[Any, list[str]]:
    """The page in a browser without network, and everything that it asked for or complained about."""
    context = browser.new_context(offline=True, **{**USUAL, **options})
    page = context.new_page()
    noted: list[str] = []
    page.on("request", lambda request: None if request.url.startswith("data:") else noted.append(request.url))
    page.on("console", lambda message: noted.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: noted.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (noted.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(report.as_uri() + fragment, wait_until="load")
    return page, noted


def until(page: Any, condition: str) -> None:
    """Wait until an expression is true in the page. Playwright's own waiting is what the page's policy forbids."""
    ends = time.monotonic() + 10
    while not page.evaluate(condition):
        assert time.monotonic() < ends, f"not within 10 s: {condition}"
        page.wait_for_timeout(20)
