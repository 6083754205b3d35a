"""The report, made by real papermill and nbconvert, and opened in a real browser that has no network."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from gilscope.figures import Results, figure_names, write_figure
from gilscope.rendering import render
from gilscope.rendering.bars import interval_bar
from gilscope.rendering.claims import by_claim, case_in_words, claim, claims_not_tested, claims_tested, threshold
from gilscope.rendering.evidence import gaps, paragraphs, reproduce
from gilscope.rendering.findings import counts, decisions, opening, warnings
from gilscope.rendering.markup import Html, interval, joined, number, table
from gilscope.rendering.runtimes import lock
from synthetic import write_results

ROOT = Path(__file__).parent.parent
SCRIPTS = str(ROOT / "workflow/scripts")
HOSTILE = "<script>alert(1)</script>"
NEED_MORE = {"lock", "tax", "speed", "dial"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def make_report(folder: Path, notebook: Path = ROOT / "report/report.ipynb", names: Iterable[str] = ()) -> Path:
    """Draw the figures and render the page as the workflow does; returns the page. names: draw only these figures."""
    figures = [str(folder / "figures" / f"{name}.svg") for name in names or figure_names()]
    for path in figures:
        write_figure(Path(path).stem, folder, path)
    render(
        notebook=str(notebook),
        style=str(ROOT / "report/style.css"),
        figures=figures,
        folder=str(folder),
        report=str(folder / "report.html"),
        executed=str(folder / "report.ipynb"),
        log=str(folder / "logs/render.log"),
    )
    return folder / "report.html"


@pytest.fixture(scope="module", autouse=True)
def kernel_path() -> Iterator[None]:
    """The kernel finds the package as it does in the workflow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [SCRIPTS, os.environ.get("PYTHONPATH")])))
        yield


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a hostile machine with 33 claims, three rounds and a quota."""
    folder = write_results(tmp_path_factory.mktemp("r") / "example", label=HOSTILE, rounds=3, claims=33, quota=1.5)
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    for verdict in verdicts[:7]:
        verdict["says"] = verdict["reason"] = HOSTILE
        for case in verdict["cases"]:
            case["case"] = HOSTILE
    (folder / "verdicts.json").write_text(json.dumps(verdicts), encoding="utf-8")
    gaps = [{"runtime": "cp311", "workload": "x", "size": "large", "cell": None, "state": "failed", "reason": HOSTILE}]
    (folder / "gaps.json").write_text(json.dumps(gaps), encoding="utf-8")
    return make_report(folder)


@pytest.fixture(scope="module")
def text(report: Path) -> str:
    return report.read_text(encoding="utf-8")


def test_the_page_is_one_file_without_scripts_or_outside_addresses(report: Path, text: str) -> None:
    assert report.stat().st_size < 5_000_000
    assert "<script" not in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert {source.split(":")[0][:1] if source.startswith("#") else source[:19] for source in sources} == {
        "#",
        "data:image/svg+xml;b"[:19],
    }


def test_text_from_outside_is_escaped(text: str) -> None:
    assert HOSTILE not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 10


def test_no_code_is_shown(text: str) -> None:
    assert "Results.read" not in text
    assert "rendering." not in text


def test_sections_come_in_order_and_are_linked(text: str) -> None:
    sections = re.findall(r'<h2 id="([^"]+)"', text)
    assert sections == [
        "verdicts-in-plain-words",
        "which-approach-should-i-use",
        "figures",
        "method",
        "controls",
        "traces-and-scaling-laws",
        "the-data-behind-the-verdicts",
        "machine-and-runtimes",
        "skipped-and-failed",
        "how-to-reproduce",
    ]
    assert re.findall(r'<li><a href="#([^"]+)"', text) == sections


def test_ids_are_unique_and_elements_closed(text: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert unbalanced(text) == []


def unbalanced(text: str) -> list[str]:
    """Elements that are opened and not closed, or the other way round."""
    open_elements: list[str] = []
    wrong: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in {"meta", "img", "br", "link", "hr"}:
                open_elements.append(tag)

        def handle_startendtag(self, tag: str, attrs: Any) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            if not open_elements or open_elements.pop() != tag:
                wrong.append(tag)

    Reader().feed(text)
    return wrong + open_elements


def test_what_to_know_first_is_said_first(text: str) -> None:
    before_verdicts = text[: text.index('id="verdicts-in-plain-words"')]
    assert "Provisional." in before_verdicts
    assert "1.5 of 2 cores" in before_verdicts


def test_the_executed_notebook_lies_beside_the_page(report: Path) -> None:
    executed = json.loads((report.parent / "report.ipynb").read_text(encoding="utf-8"))
    assert all(cell.get("execution_count") for cell in executed["cells"] if cell["cell_type"] == "code")
    assert not (report.parent / "logs/render.ipynb").exists()


def test_a_failing_notebook_is_kept_in_the_logs(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "example")
    broken = json.loads((ROOT / "report/report.ipynb").read_text(encoding="utf-8"))
    broken["cells"][2]["source"] = ["raise ArithmeticError('on purpose')"]
    (tmp_path / "broken.ipynb").write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(Exception, match="on purpose"):
        make_report(folder, tmp_path / "broken.ipynb")
    assert "on purpose" in (folder / "logs/render.ipynb").read_text(encoding="utf-8")
    assert "ArithmeticError" in (folder / "logs/render.log").read_text(encoding="utf-8")
    assert not (folder / "report.html").exists()


def test_a_folder_with_nothing_in_it_still_gives_a_report(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    page = make_report(tmp_path / "empty").read_text(encoding="utf-8")
    assert "Nothing has been measured." in page
    assert unbalanced(page) == []


CASE = {
    "case": "sum_squares", "verdict": "confirmed", "reason": "", "metric": "speedup", "estimate": 1.0234, "low": 0.99,
    "high": 1.0512, "unit": "x", "threshold": {"below": 1.15}, "q_holds": 0.0301, "q_fails": 0.9, "cells": [],
}  # fmt: skip


def plain(html: Html) -> str:
    return " ".join(html.striptags().split())


def test_a_case_is_said_with_interval_threshold_and_q() -> None:
    assert plain(case_in_words(CASE)) == "✓ sum_squares 1.02 × [0.99, 1.05] claimed below 1.15 · speedup, q = 0.03"


def test_a_case_without_a_number_gives_its_reason() -> None:
    said = plain(case_in_words(CASE | {"estimate": None, "reason": "needs two cores"}))
    assert said == "✓ sum_squares needs two cores"


def test_the_bar_shades_the_side_on_which_the_claim_holds() -> None:
    def shaded(limits: dict[str, Any]) -> tuple[float, float]:
        found = re.search(
            r'class="holds" x="([\d.]+)" y="1" width="([\d.]+)"', interval_bar(CASE | {"threshold": limits})
        )
        assert found
        return float(found[1]), float(found[1]) + float(found[2])

    assert shaded({"below": 1.15}) == (0, 66)
    assert shaded({"above": 1.15}) == (66, 132)
    left, right = shaded({"within": [0.9, 1.1]})
    assert 0 < left < 66 < right < 132
    assert interval_bar(CASE | {"low": None}) == ""


@pytest.mark.parametrize(
    ("limits", "said"),
    [({"above": 1.15}, "above 1.15"), ({"below": 0.98}, "below 0.98"), ({"within": [0.9, 1.1]}, "between 0.9 and 1.1")],
)
def test_thresholds_in_words(limits: dict[str, Any], said: str) -> None:
    assert threshold(limits) == said


def test_an_estimate_never_stands_without_its_interval() -> None:
    assert plain(interval(1.5, float("nan"), None, "x")) == "1.50 × no interval"
    assert plain(interval(1234.5, 1200, 1300)) == "1,234 [1,200, 1,300]"
    assert number(float("nan")) == "–"


def test_refuted_claims_come_first(tmp_path: Path) -> None:
    html = str(claims_tested(Results.read(write_results(tmp_path / "example"))))
    places = [html.index(heading) for heading in ("Not so on", "It depends", "True on", "do not decide")]
    assert places == sorted(places)


def test_a_full_run_on_a_whole_machine_has_no_warning(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path / "example", quota=2.0))
    assert warnings(replace(results, rounds=results.rounds.assign(flags=""))) == ""
    assert "Disturbed.</strong> 1 of" in warnings(results)


def test_the_command_names_the_preset(tmp_path: Path) -> None:
    assert "config/presets/quick.yaml" in reproduce(Results.read(write_results(tmp_path / "quick", rounds=3)))
    assert "--configfile" not in reproduce(Results.read(write_results(tmp_path / "default")))


def test_tables_escape_and_join() -> None:
    assert HOSTILE not in table(("a", HOSTILE), [(HOSTILE, HOSTILE)])
    assert joined([HOSTILE, Html("<b>")]) == "&lt;script&gt;alert(1)&lt;/script&gt;<b>"
    assert table(("a",), []) == ""


def test_captions_are_plain_text_that_both_reports_read() -> None:
    captions = {path.stem for path in (ROOT / "report/captions").glob("*.rst")}
    # figure.rst serves every figure in Snakemake's own report, whose captions know no wildcards in their paths.
    assert captions == {*figure_names(), "figure", "report"}
    assert paragraphs("*One* ``<a>``\nline.\n\nTwo.") == "<p><em>One</em> <code>&lt;a&gt;</code> line.</p><p>Two.</p>"


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = json.loads((ROOT / "report/report.ipynb").read_text(encoding="utf-8"))
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])
    assert notebook["cells"][0]["metadata"]["tags"] == ["parameters"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, headless; skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    switches = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=switches)
        yield chromium
        chromium.close()


def opened(browser: Any, report: Path, **options: Any) -> tuple[Any, list[str]]:
    """The page in a browser without network, and everything that it asked for or complained about."""
    context = browser.new_context(offline=True, **options)
    page = context.new_page()
    noted: list[str] = []
    page.on("request", lambda request: None if request.url.startswith("data:") else noted.append(request.url))
    page.on("console", lambda message: noted.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: noted.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (noted.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(report.as_uri(), wait_until="load")
    return page, noted


def test_the_browser_asks_for_nothing_and_complains_about_nothing(browser: Any, report: Path) -> None:
    page, noted = opened(browser, report, viewport={"width": 1280, "height": 900})
    sizes = page.eval_on_selector_all(
        "img", "images => images.map(i => [i.naturalWidth, i.naturalHeight, i.alt.length])"
    )
    assert len(sizes) == len(set(figure_names()) - NEED_MORE)
    assert all(width > 0 and height > 0 and alt > 20 for width, height, alt in sizes)
    assert noted == [report.as_uri()]
    assert HOSTILE in page.title()
    assert page.locator("h1").count() == 1
    assert page.get_by_text("speedup, q").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_the_page_sideways(browser: Any, report: Path, scheme: str) -> None:
    page, noted = opened(browser, report, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.eval_on_selector_all("details", "folded => folded.forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert noted == [report.as_uri()]


def test_dark_pages_are_dark_with_their_figures(browser: Any, report: Path) -> None:
    ink = {}
    for scheme in ("light", "dark"):
        page, _ = opened(browser, report, viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        page.locator("img").first.scroll_into_view_if_needed()
        ink[scheme] = page.locator("img").first.screenshot(), page.evaluate("getComputedStyle(document.body).color")
    assert ink["light"][0] != ink["dark"][0]
    assert ink["dark"][1] == "rgb(233, 237, 241)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_it_stands_on(browser: Any, report: Path, scheme: str) -> None:
    page, _ = opened(browser, report, viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    assert page.evaluate(CONTRAST) == []


CONTRAST = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(c => linear(c / 255))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = parts(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('main *, nav *')) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())) continue;
    const [one, other] = [light(parts(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5) poor.push(element.outerHTML.slice(0, 120));
  }
  return poor;
}"""


def test_from_a_claim_it_is_two_clicks_to_its_data(text: str) -> None:
    links = set(re.findall(r'<a class="data" href="#([^"]+)">', text))
    folded = set(re.findall(r'<details id="([^"]+)"', text))
    assert links
    assert links <= folded, "a link leads to the table that unfolds with the second click"
    assert "raw/cp311/sum_squares/large/round-*.json" in text


def test_what_labs_saw_is_told_in_counts_and_units(text: str) -> None:
    assert "19 of 20" in text
    assert "25 % to 75 %" in text
    assert "100 µs" in text
    assert "labs/cp311/race.json" in text
    assert "&lt;fork&gt;" in text


def test_a_verdict_is_explained(text: str) -> None:
    assert "So it is, &lt;since 3.10&gt;." in text


WITH_PAIR = ("cp311", "cp313t-gil", "cp313t-nogil")
BROKEN = "it <broke> at once"


@pytest.fixture(scope="module")
def across(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of three runtimes, one binary with the lock on and off among them, and of one that is broken."""
    folder = write_results(tmp_path_factory.mktemp("r") / "example", runtimes=(*WITH_PAIR, "cp315"), claims=14)
    facts = json.loads((folder / "runtimes/cp315.json").read_text(encoding="utf-8"))
    facts |= {"broken": BROKEN, "missing": {"numpy": HOSTILE}, "name": HOSTILE}
    (folder / "runtimes/cp315.json").write_text(json.dumps(facts), encoding="utf-8")
    return make_report(folder, names=["lock", "tax", "speed", "verdicts"])


@pytest.fixture(scope="module")
def across_text(across: Path) -> str:
    return across.read_text(encoding="utf-8")


def test_each_sign_leads_to_its_verdict(across_text: str) -> None:
    assert '<h2 id="claims-by-runtime">' in across_text
    signs = re.findall(r'<a aria-label="([^:]+): ([^"]+)" class="sign ([a-z-]+)" href="#([^"]+)">', across_text)
    ids = re.findall(r'\sid="([^"]+)"', across_text)
    assert len(ids) == len(set(ids))
    assert unbalanced(across_text) == []
    assert len(signs) >= 4 * 10
    assert {target for _, _, _, target in signs} <= set(ids)
    assert all(target.endswith(f"-{runtime}") for runtime, _, _, target in signs)
    assert all(kind == verdict.replace(" ", "-") for _, verdict, kind, _ in signs)


def test_a_claim_has_one_row_with_all_its_runtimes(across: Path) -> None:
    results = Results.read(across.parent)
    html = str(claims_tested(results)) + str(claims_not_tested(results))
    for name in {verdict["claim"] for verdict in results.verdicts}:
        assert html.count(f"<code>{name}</code>") == 1
        assert all(html.count(f'id="claim-{name}-{runtime}"') == 1 for runtime in results.runtimes)


def test_a_meaning_carries_its_sign_where_the_runtimes_differ(across: Path) -> None:
    results = Results.read(across.parent)
    for rows in by_claim(results):
        tested = {row["verdict"] for row in rows} - {"not tested"}
        assert str(claim(rows)).count('aria-label="confirmed"') == (len(tested) > 1 and "confirmed" in tested)


def test_claims_are_counted_once_over_all_runtimes(across: Path) -> None:
    results = Results.read(across.parent)
    shown = counts(results)
    assert sum(map(int, re.findall(r"<b>(\d+)</b>", shown))) == 14
    assert "Over 4 runtimes; mixed where they differ." in shown
    assert "runtimes" not in counts(Results.read(write_results(across.parent.parent / "alone", claims=14)))


def test_the_opening_names_every_runtime_with_its_lock(across: Path) -> None:
    said = plain(opening(Results.read(across.parent)))
    assert "CPython 3.11.9 and 3.15.5" in said
    assert "CPython 3.13.7 free-threaded, lock on" in said
    assert "CPython 3.13.7 free-threaded, lock off" in said


def test_runtimes_say_what_they_lack(across_text: str) -> None:
    assert "Nothing could run on cp315:</strong> it &lt;broke&gt; at once" in across_text
    assert "1 gap among the libraries" in across_text
    assert "not to be had" in across_text
    assert "no &lt;build&gt; of 3.15 for this platform" in across_text
    assert HOSTILE not in across_text


def test_the_tax_is_told_in_numbers_beside_its_figure(across_text: str) -> None:
    figure = across_text[across_text.index('id="figure-tax"') :]
    assert "The figure in numbers" in figure[: figure.index("</figure>")]
    assert "There would also be" not in across_text


def test_one_runtime_shows_no_empty_figure_but_says_what_there_would_be(text: str) -> None:
    assert not any(f'id="figure-{name}"' in text for name in NEED_MORE)
    assert "There would also be <em>The same binary with the lock on and off</em>" in text
    assert "<code>--configfile config/presets/gil.yaml</code>" in text
    assert "Claims by runtime" not in text
    assert "The lock</h3>" not in text


def test_the_lock_is_read_back_in_the_workers(across: Path) -> None:
    results = Results.read(across.parent)
    right = plain(lock(results))
    assert "The lock was as it was set" in right
    assert "cp313t-gil on, cp313t-nogil off" in right
    cell = next(row for row in results.workers if row["runtime"] == "cp313t-nogil")
    wrong = lock(replace(results, workers=[*results.workers, {**cell, "gil": True}]))
    assert "note bad" in wrong
    assert f"{cell['workload']} {cell['cell']} on cp313t-nogil" in wrong


def test_the_same_gap_of_several_runtimes_is_told_once() -> None:
    gap = {"workload": "fetch_csv", "size": "large", "cell": None, "state": "not applicable", "reason": "no pandas"}
    shown = gaps(Results(Path("none"), gaps=[{**gap, "runtime": name} for name in ("cp39", "pypy39")]))
    assert shown.count("no pandas") == 1
    assert "cp39, pypy39" in shown


def test_where_another_strategy_wins_the_decisions_say_so(across: Path) -> None:
    said = plain(decisions(Results.read(across.parent)))
    assert "On cp313t-nogil: another strategy was fastest in 1 of 3 rows" in said
    assert "The same strategies were fastest on cp313t-gil, cp315." in said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_claims_by_runtime_are_read_on_a_phone(browser: Any, across: Path, scheme: str) -> None:
    page, noted = opened(browser, across, viewport={"width": 390, "height": 740}, color_scheme=scheme)
    page.eval_on_selector_all("details", "folded => folded.forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(CONTRAST) == []
    sign = page.get_by_label("cp313t-nogil: refuted").first
    sign.click()
    assert "-cp313t-nogil" in page.url
    assert noted == [across.as_uri()]
