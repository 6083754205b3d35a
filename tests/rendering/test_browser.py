"""The report as people meet it: in a real browser without network, wide, narrow, dark, printed and without its script."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import A4, CHROMIUM, PHONE, severe, unfold
from pages import HOSTILE, ROOT, hostile_report, opened, report_across, until

SHOWN = ".claims tbody > tr:not([hidden])"


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


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of one runtime, with a hostile text in every place that comes from outside."""
    return hostile_report(tmp_path_factory)


@pytest.fixture(scope="module")
def across(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of four runtimes, one binary with the lock on and off among them."""
    return report_across(tmp_path_factory)


def leave_out_what_is_alike(page: Any) -> None:
    """Keep two of the rows, items and folded parts beside each other that differ in words and numbers alone.

    They have the same elements, classes and attributes, and axe would say the same of each, after minutes.
    """
    page.evaluate(r"""() => {
      const known = new WeakMap();
      const look = one => one.outerHTML.replace(/>[^<]+/g, '>x').replace(/\b(?!class)([a-z-]+)="[^"]*"/g, '$1');
      for (const one of [...document.querySelectorAll('tr, li, dl > div, details')].reverse()) {
        const beside = known.get(one.parentNode) ?? new Map();
        known.set(one.parentNode, beside);
        const alike = beside.get(look(one)) ?? 0;
        beside.set(look(one), alike + 1);
        if (alike >= 2) one.remove();
      }
    }""")


def test_it_asks_for_nothing_and_complains_about_nothing(browser: Any, report: Path) -> None:
    page, noted = opened(browser, report)
    sizes = page.eval_on_selector_all(
        "img", "images => images.map(i => [i.naturalWidth, i.naturalHeight, i.alt.length])"
    )
    drawn = [path.read_text(encoding="utf-8") for path in (report.parent / "figures").glob("*.svg")]
    assert len(sizes) == sum("data-needs=" not in drawing for drawing in drawn) > 3
    assert all(width > 0 and height > 0 and alt > 20 for width, height, alt in sizes)
    assert noted == [report.as_uri()]
    assert HOSTILE in page.title()
    assert page.locator("h1").count() == 1


def test_its_policy_lets_no_other_script_run(browser: Any, report: Path) -> None:
    page, noted = opened(browser, report)
    page.evaluate(
        "() => { const more = document.createElement('script'); more.textContent = 'window.ran = true'; "
        "document.body.append(more); }"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in line for line in noted)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["report", "across"])
def test_a_phone_never_scrolls_the_page_sideways(
    browser: Any, which: str, scheme: str, request: pytest.FixtureRequest
) -> None:
    page, noted = opened(browser, request.getfixturevalue(which), viewport=PHONE, color_scheme=scheme)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert len(noted) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["report", "across"])
def test_axe_finds_nothing_serious(browser: Any, which: str, scheme: str, request: pytest.FixtureRequest) -> None:
    page, _ = opened(browser, request.getfixturevalue(which), color_scheme=scheme)
    unfold(page)
    leave_out_what_is_alike(page)
    assert page.locator("table").count() > 20
    assert severe(page) == []


def test_dark_pages_are_dark_with_their_figures(browser: Any, report: Path) -> None:
    ink = {}
    for scheme in ("light", "dark"):
        page, _ = opened(browser, report, color_scheme=scheme)
        page.locator("img").first.scroll_into_view_if_needed()
        ink[scheme] = page.locator("img").first.screenshot(), page.evaluate("getComputedStyle(document.body).color")
    assert ink["light"][0] != ink["dark"][0]
    assert ink["dark"][1] == "rgb(233, 237, 241)"


def outcomes(page: Any) -> list[str]:
    return page.eval_on_selector_all(SHOWN, "rows => rows.map(row => row.dataset.verdict)")


def test_filters_show_what_they_say_and_keep_it_in_the_address(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    assert len(outcomes(page)) == 33
    page.get_by_label("refuted", exact=False).first.check()
    assert set(outcomes(page)) == {"refuted"}
    assert page.url.endswith("#claims:verdict=refuted")
    page.get_by_label("mixed", exact=False).first.check()
    assert set(outcomes(page)) == {"refuted", "mixed"}
    shown = len(outcomes(page))
    assert page.locator("form output").inner_text() == f"{shown} of 33 claims"

    again, _ = opened(browser, report, page.url[page.url.index("#") :])
    assert outcomes(again) == outcomes(page)
    assert again.get_by_label("mixed", exact=False).first.is_checked()
    again.get_by_role("button", name="Show all").click()
    until(again, "document.querySelector('form output').textContent === '33 of 33 claims'")
    assert again.url.endswith("#claims")


def test_search_and_sorting(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    page.get_by_label("Search").fill("CLAIM-number-9")
    assert page.locator(SHOWN).count() == 1
    page.get_by_label("Search").fill("nothing like it")
    assert page.locator(SHOWN).count() == 0
    assert page.locator("form output").inner_text() == "0 of 33 claims"
    page.get_by_label("Search").fill("")
    page.get_by_label("Sort").select_option("talk")
    places = page.eval_on_selector_all(SHOWN, "rows => rows.map(row => Number(row.dataset.place))")
    assert places == sorted(places)
    page.get_by_label("Sort").select_option("surprise")
    far = page.eval_on_selector_all(SHOWN, "rows => rows.map(row => Number(row.dataset.surprise))")
    assert far == sorted(far, reverse=True)


def test_slides_and_runtimes(browser: Any, across: Path) -> None:
    page, _ = opened(browser, across)
    page.locator("select[name=slide]").select_option("takeaways")
    assert len(outcomes(page)) == 14
    page.locator("select[name=runtime]").select_option("cp313t-nogil")
    page.get_by_label("confirmed", exact=False).first.check()
    found = page.eval_on_selector_all(
        SHOWN, "rows => rows.map(row => JSON.parse(row.dataset.verdicts)['cp313t-nogil'])"
    )
    assert found
    assert set(found) == {"confirmed"}
    lines = page.locator(f"{SHOWN} [data-runtime]:visible")
    assert set(lines.evaluate_all("all => all.map(one => one.dataset.runtime)")) == {"cp313t-nogil"}


def test_a_count_on_the_first_screen_leads_to_its_claims(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    page.locator(".tiles a").nth(1).click()
    until(page, "location.hash.startsWith('#claims:')")
    assert set(outcomes(page)) == {"refuted"}


def test_a_link_leads_to_one_claim_whatever_is_filtered(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report, "#claim-claim-number-20-about-threads")
    assert page.locator("#claim-claim-number-20-about-threads").evaluate(IN_VIEW)
    page.evaluate("location.hash = 'claims:search=number-3-'")
    until(page, f"document.querySelectorAll('{SHOWN}').length === 1")
    page.evaluate("location.hash = 'claim-claim-number-20-about-threads'")
    until(page, f"document.querySelectorAll('{SHOWN}').length === 33")
    assert page.locator("#claim-claim-number-20-about-threads").evaluate(IN_VIEW)


IN_VIEW = "one => { const box = one.getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight; }"


def test_a_link_to_data_unfolds_it(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    link = page.locator(".links a[href^='#data-']").first
    target = link.get_attribute("href")
    link.click()
    until(page, f"document.querySelector('{target}').open")


@pytest.mark.parametrize(
    "fragment", ["#claims:verdict=<b>&sort=nothing&slide=%00", "#claims:%", "#%E0%A4%A", "#x'\"><b>"]
)
def test_an_address_that_somebody_made_up_breaks_nothing(browser: Any, report: Path, fragment: str) -> None:
    page, noted = opened(browser, report, fragment)
    assert not [line for line in noted if line.startswith(("error", "console", "dialog"))]
    assert page.locator("form.filters").is_visible()


def test_without_its_script_it_is_a_plain_table(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report, java_script_enabled=False)
    assert page.locator("form.filters").is_hidden()
    assert page.locator(SHOWN).count() == 33
    assert page.locator(".scrub").count() == 0


def test_a_timeline_is_drawn_aside_by_hand_and_whole_in_print(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    moment = page.get_by_label("Moment on the time axis")
    curtain = page.locator(".curtain")
    assert curtain.is_hidden()
    moment.evaluate("one => { one.value = 500; one.dispatchEvent(new Event('input')); }")
    assert curtain.is_visible()
    drawing, half = (page.locator(which).first.bounding_box() for which in (".drawing[data-axis]", ".curtain"))
    begin, end = map(float, page.locator(".drawing[data-axis]").first.get_attribute("data-axis").split())
    assert half["x"] - drawing["x"] == pytest.approx(drawing["width"] * (begin + end) / 2, abs=2)
    page.emulate_media(media="print")
    assert curtain.is_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Play").click()
    until(page, "Number(document.querySelector('.scrub input').value) > 510")


def test_print_fits_a4_and_leaves_out_what_only_a_screen_needs(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report, viewport=A4)
    page.emulate_media(media="print")
    for screen_only in ("nav", "form.filters", ".scrub", ".skip"):
        assert page.locator(screen_only).first.is_hidden(), screen_only
    assert page.evaluate("document.documentElement.scrollWidth") <= A4["width"]
    wide = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML.slice(0, 160))"
    assert page.eval_on_selector_all(".box", wide) == [], "what would have to be scrolled is cut off on paper"
    assert page.pdf(format="A4")[:5] == b"%PDF-"


def test_every_control_is_reached_by_the_keyboard(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    reached = set()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.name || document.activeElement.tagName"))
    assert {"verdict", "slide", "sort", "search", "A", "SUMMARY"} <= reached


def test_signs_of_runtimes_lead_to_their_verdicts(browser: Any, across: Path) -> None:
    page, _ = opened(browser, across)
    page.get_by_label("cp313t-nogil: refuted").first.click()
    assert "-cp313t-nogil" in page.url


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_pictures_of_a_report_are_taken(report: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs/take_screenshots.py", report, tmp_path], check=True, timeout=120)
    taken = {path.stem: struct.unpack(">II", path.read_bytes()[16:24]) for path in tmp_path.glob("*.png")}
    assert set(taken) == {path.stem for path in (ROOT / "docs").glob("report-*.png")}
    assert taken["report-desktop"] == taken["report-dark"] == (1280, 1000)
    assert taken["report-phone"] == (2 * 390, 2 * 844)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_benchmark_of_opening_it_tells_both_times(report: Path) -> None:
    program = f"import opening, pathlib; opening.TIMES = 2; opening.main(pathlib.Path({str(report)!r}))"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'benchmarks')!r}); {program}"]
    said = subprocess.run(command, check=True, timeout=120, capture_output=True, text=True).stdout
    assert re.search(r"first paint: median \d+ ms", said)
    assert re.search(r"longest task: median \d+ ms", said)
