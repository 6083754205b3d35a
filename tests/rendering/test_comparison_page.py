"""The comparison's page: what it says, and in a real browser without network, wide, narrow, printed and without script."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from balance import unbalanced
from browsers import A4, CHROMIUM, PHONE, severe, unfold
from comparisons import EVIL, MACHINES, make_hostile, many, write_comparison
from gilscope.figures.comparison import Comparison
from gilscope.rendering.bars import forest
from gilscope.rendering.comparison.claims import claims, counts
from gilscope.rendering.comparison.differences import differences, gate, unmatched
from gilscope.rendering.comparison.embedded import embedded, for_script
from gilscope.rendering.comparison.opening import opening, sides, warnings
from gilscope.rendering.comparison.tables import break_even, speeds
from pages import macro, make_comparison, opened, tight, until
from scipy import stats
from synthetic import write_results

CROWD = 15
MOST_BYTES = {"page": 1_000_000, "hostile": 1_200_000, "crowd": 2_000_000}
LEFT_OUT = [{"bundle": "broken.zip", "reason": "broken.zip: not a zip file; make it again"}]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, headless; skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("r") / "r", runtimes=("cp311", "cp313t-nogil"), claims=8)


@pytest.fixture(scope="module")
def few(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three machines of which one has two runtimes; a bundle is left out, and there is a gate."""
    machines = [MACHINES[0], *(replace(one, runtimes=("cp311",)) for one in MACHINES[1:])]
    folder = tmp_path_factory.mktemp("c") / "few"
    return write_comparison(folder, results, machines, left_out=LEFT_OUT, baseline="example-2c")


@pytest.fixture(scope="module")
def page(few: Path) -> Path:
    return make_comparison(few)


@pytest.fixture(scope="module")
def hostile(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("c") / "hostile"
    write_comparison(folder, results, MACHINES, left_out=LEFT_OUT, baseline="example-2c")
    return make_comparison(make_hostile(folder))


@pytest.fixture(scope="module")
def crowd(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    machines = [replace(one, runtimes=("cp311",)) for one in many(CROWD)]
    return make_comparison(write_comparison(tmp_path_factory.mktemp("c") / "crowd", results, machines))


@pytest.mark.parametrize("which", ["page", "hostile", "crowd"])
def test_it_is_one_file_with_its_own_script_and_no_outside_address(which: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(which)
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < MOST_BYTES[which]
    assert re.findall(r"<script[^>]*>", text) == ['<script id="cells" type="application/json">', "<script>"]
    assert not re.search(r"<[^>]* style=", text), "the policy forbids it"
    assert set(re.findall(r'(?:src|href)="([^"#]{1,19})', text)) == {"data:image/svg+xml;"}
    ids = re.findall(r'<[^>]*\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert unbalanced(text) == []
    assert "page.claims" not in text


def test_its_sections_are_linked_in_order(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    sections = re.findall(r'<h2 id="([^"]+)"', text)
    assert sections == [
        "did-it-get-worse",
        "what-lies-side-by-side",
        "claims-on-every-side",
        "speed-of-a-task-alone",
        "scaling-and-ceiling",
        "when-does-it-pay",
        "messages-and-start-up",
        "any-two-sides-cell-by-cell",
        "what-could-not-be-compared",
        "how-machines-are-compared",
        "how-to-compare-your-own",
    ]
    contents = text[text.index("<nav") : text.index("</nav>")]
    assert re.findall(r'<a href="#([^"]+)"', contents) == sections
    for command in ("snakemake bundle --cores 1", "--config bundles=a.zip,b.zip", "--config baseline=before.zip"):
        assert command in text


def test_its_first_screen_says_what_is_compared_and_how_it_came_out(few: Path) -> None:
    comparison = Comparison.read(few)
    said = opening(comparison).striptags()
    assert "3 bundles" in said
    assert "3 kinds of machine" in said
    assert "2 runtimes" in said
    assert "22 November 2025" in said
    found = Counter(claim["outcome"] for claim in comparison.claims)
    assert found["machine"]
    assert found["alike"]
    for outcome in ("machine", "alike"):
        tile = re.search(rf'<li class="by-{outcome}"><a href="#claims-{outcome}"><b>(\d+)</b>', counts(comparison))
        assert int(tile[1]) == found[outcome]
    assert 'href="#claims-run"' not in counts(comparison), "a count of none leads nowhere"
    told = warnings(comparison)
    assert "1 bundle left out." in told
    assert "<code>broken.zip</code>: not a zip file" in told


def test_every_bundle_is_described(few: Path) -> None:
    comparison = Comparison.read(few)
    comparison.sides[-1]["machine"]["core_kinds"] = {"performance": 6, "efficiency": 2}
    rows = sides(comparison).split("<tr")[2:]
    first, *_, last = [re.sub(r"<[^>]+>", "|", row) for row in rows]
    assert len(rows) == 3
    assert "baseline" in first
    assert "baseline" not in last
    for told in ("2 usable cores · Linux · kvm", "CPython 3.13.7 free-threaded, lock off (cp313t-nogil)", "5 rounds"):
        assert told in first
    for told in ("Pear P3", "8 usable cores · 6 performance, 2 efficiency · Darwin", "gilscope 1.0.0", "on 1 node"):
        assert told in last


def test_what_is_not_known_of_a_bundle_says_so(tmp_path: Path) -> None:
    about = {"bundle": "b", "runtime": "r", "says": "r", "measured_from": 1e300, "measured_to": None, "nodes": None}
    said = sides(Comparison(tmp_path, sides=[{**about, "side": "b · r", "machine": {}}])).striptags()
    for told in ("processor unknown", "cores unknown", "gilscope unknown", "unknown"):
        assert told in said


def test_of_many_bundles_the_list_is_folded(crowd: Path) -> None:
    assert sides(Comparison.read(crowd.parent)).startswith("<details><summary>The 15 bundles")


def test_one_run_has_nothing_to_be_compared_with(results: Path, tmp_path: Path) -> None:
    machine = replace(MACHINES[0], runtimes=("cp311",))
    comparison = Comparison.read(write_comparison(tmp_path, results, [machine]))
    assert "Only one run." in warnings(comparison)
    assert counts(comparison) == ""
    assert "needs two sides" in differences(comparison)
    assert "one side only" in unmatched(comparison)
    assert claims(comparison).count("<tr id=") == 8
    assert speeds(comparison) == ""


def test_no_bundle_at_all_still_makes_a_page(tmp_path: Path) -> None:
    empty = replace(Comparison.read(tmp_path), left_out=[*LEFT_OUT, {"bundle": "b.zip", "reason": "too large"}])
    assert "No bundle could be read." in warnings(empty)
    assert "2 bundles left out." in warnings(empty)
    assert "No verdicts." in claims(empty)
    assert "gilscope comparison" in opening(empty)
    assert (gate(empty), speeds(empty), break_even(empty)) == ("", "", "")


def test_claims_that_something_changes_come_first_and_others_are_folded(few: Path) -> None:
    found = claims(Comparison.read(few))
    order = re.findall(r'<(section|details) id="claims-(\w+)"', found)
    assert order[0] == ("section", "machine")
    assert ("details", "alike") in order
    assert order.index(("section", "machine")) < order.index(("details", "alike"))


def test_a_sign_has_its_words_and_a_claim_its_numbers(few: Path) -> None:
    comparison = Comparison.read(few)
    claim = next(one for one in comparison.claims if one["outcome"] == "machine")
    found = tight(claims(comparison))
    row, behind = re.search(
        rf'<tr id="claim-{claim["claim"]}">(.*?)</tr><tr class="behind">(.*?)</tr>', found, re.DOTALL
    ).groups()
    for side, told in claim["sides"].items():
        assert f'title="{side}: {told["verdict"]}, ' in row
        assert side in behind
    assert len(set(re.findall(r'class="sign ([a-z-]+)"', row))) > 1
    assert behind.count('class="bar ') == sum(one["case"] is not None for one in claim["sides"].values())


def test_a_crowd_has_counts_and_one_drawing_for_a_claim(crowd: Path) -> None:
    comparison = Comparison.read(crowd.parent)
    claim = next(one for one in comparison.claims if one["outcome"] == "machine")
    found = claims(comparison)
    row = found[found.index(f'<tr id="claim-{claim["claim"]}"') :]
    row = row[: row.index('<tr class="behind">')]
    verdicts = Counter(told["verdict"] for told in claim["sides"].values())
    for verdict, count in verdicts.items():
        assert f'aria-label="{count} {verdict}"' in row
    assert found.count('class="forest"') == sum(len(forest(one["sides"])) > 0 for one in comparison.claims) > 2
    assert "Each of 15 sides" in found


def test_a_forest_is_of_the_cases_that_share_an_axis() -> None:
    case = {"case": "a", "metric": "speedup", "unit": "x", "low": 1.8, "high": 2.2, "threshold": {"above": 1.5}}
    places = [{**case, "estimate": 2 + number / 10} for number in range(3)]
    told = {f"side {number}": {"verdict": "confirmed", "case": one} for number, one in enumerate(places)}
    case["estimate"] = 2.0
    told["other"] = {"verdict": "refuted", "case": {**case, "case": "b"}}
    told["endless"] = {"verdict": "refuted", "case": {**case, "high": None}}
    drawn = macro("comparison/claims", "forest", forest(told), claims=[], outcomes={})
    assert drawn.count('<path class="confirmed"') == 3
    assert "refuted" not in drawn
    assert "3 sides, from <span" in drawn
    assert "on side 2. Claimed above 1.5" in drawn
    assert forest(dict(list(told.items())[:1])) == []


def test_the_gate_says_what_got_worse_or_that_nothing_did(few: Path, tmp_path: Path) -> None:
    comparison = Comparison.read(few)
    found = comparison.gate
    assert found["compared"]
    worse = comparison.differences.head(25).to_dict("records")
    said = gate(replace(comparison, gate={**found, "worse": [{**row, "q": 1e-5} for row in worse]}))
    assert f"Time of 25 of {found['compared']} cells is worse" in said
    assert "by more than 5 %" in said
    assert "5 more cells" in said
    assert said.count("&lt; 0.001") == 25
    nothing = gate(replace(comparison, gate={**found, "worse": []}))
    assert f"Of {found['compared']} cells none has a time that is worse" in nothing
    assert "Not known." in gate(replace(comparison, gate={**found, "worse": [], "compared": 0}))


def test_what_could_not_be_compared_is_grouped_by_its_reason(few: Path) -> None:
    comparison = Comparison.read(few)
    assert comparison.unmatched
    counts_of = Counter[str]()
    for row in comparison.unmatched:
        counts_of[row["reason"]] += row["count"]
    found = tight(unmatched(comparison))
    for reason, count in counts_of.items():
        assert re.search(rf'<th scope="row">{re.escape(reason)}</th><td data-label="[^"]*">{count:,}</td>', found)
    assert "Nothing." in unmatched(replace(comparison, unmatched=[]))


def test_the_data_of_the_script_is_small_whole_and_safe(few: Path, hostile: Path) -> None:
    comparison = Comparison.read(few)
    data = for_script(comparison)
    compared = comparison.cells["metric"].isin(data["metrics"])
    alone = (comparison.cells["strategy"] == "sequential") & (comparison.cells["metric"] != "seconds")
    assert sum(len(side["value"]) for side in data["sides"]) == (compared & ~alone).sum()
    assert all(len(side["value"]) == len(side["error"]) == len(side["at"]) for side in data["sides"])
    inside = embedded(Comparison.read(hostile.parent))
    assert not re.search("[<>&]", inside)
    assert EVIL in json.loads(inside)["sides"][0]["name"]


def test_nothing_runs_that_a_bundle_brought(browser: Any, hostile: Path) -> None:
    opened_page, noted = opened(browser, hostile)
    assert noted == [hostile.as_uri()], "no dialog, no complaint, nothing asked for"
    assert opened_page.locator("script").count() == 2
    assert opened_page.locator("[data-differences] select[name=here] option").nth(1).inner_text().startswith(EVIL)
    opened_page.locator("[data-differences] select[name=here]").select_option("2")
    assert EVIL in opened_page.locator("[data-differences] tbody th").first.inner_text()
    assert noted == [hostile.as_uri()]


def test_its_policy_lets_no_other_script_run(browser: Any, page: Path) -> None:
    opened_page, noted = opened(browser, page)
    opened_page.evaluate(
        "() => { const more = document.createElement('script'); more.textContent = 'window.ran = true'; "
        "document.body.append(more); }"
    )
    assert opened_page.evaluate("window.ran") is None
    assert any("Content Security Policy" in line for line in noted)


def test_students_t_is_that_of_scipy(browser: Any, page: Path) -> None:
    opened_page, _ = opened(browser, page)
    freedoms = [1, 1.01, 1.5, 2, 2.345, 3, 4, 5.5, 7.77, 10, 29.3, 100, 250.25, 1e3, 1e5]
    shares = [0.5001, 0.6, 0.75, 0.9, 0.95, 0.975, 0.99, 0.999, 0.99995]
    found = opened_page.evaluate("([fs, ps]) => fs.map(f => ps.map(p => quantile(p, f)))", [freedoms, shares])
    wanted = [[stats.t.ppf(share, freedom) for share in shares] for freedom in freedoms]
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-7)
    far = [0, 0.01, 0.5, 1, 2.5, 8, 40, 1e4]
    found = opened_page.evaluate("([fs, ts]) => fs.map(f => ts.map(t => twoSided(t, f)))", [freedoms, far])
    wanted = [[2 * stats.t.sf(t, freedom) for t in far] for freedom in freedoms]
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-290)


COMPARE = """([there, here]) => {
  const data = JSON.parse(document.getElementById("cells").textContent);
  const side = (name) => data.sides.find((one) => one.name === name);
  return compareSides(data, side(there), side(here));
}"""


def test_the_browser_finds_what_the_analysis_found(browser: Any, page: Path, few: Path) -> None:
    comparison = Comparison.read(few)
    opened_page, _ = opened(browser, page)
    for side, own in comparison.differences.groupby("side"):
        against = own["against"].iloc[0]
        found = opened_page.evaluate(COMPARE, [against, side])
        rows = pd.DataFrame(found["rows"]).sort_values(["metric", "cell"], ignore_index=True)
        named = own.assign(cell=[cell_of(row) for row in own.to_dict("records")])
        named = named.sort_values(["metric", "cell"], ignore_index=True)
        assert list(rows["cell"]) == list(named["cell"])
        for column in ("there", "here", "estimate", "low", "high"):
            np.testing.assert_allclose(rows[column], named[column], rtol=2e-3)
        assert list(rows["outcome"]) == list(named["outcome"])
        left = sum(row["count"] for row in comparison.unmatched if (row["side"], row["against"]) == (side, against))
        assert len(found["left"]) == left


def cell_of(row: dict[str, Any]) -> str:
    workers = "" if row["strategy"] == "sequential" else f" × {row['workers']}"
    return f"{row['workload']}, {row['size']}: {row['strategy']}{workers}" + ", warm" * (row["pool"] == "warm")


def test_without_an_interval_nothing_is_better_or_worse(browser: Any, page: Path, few: Path, tmp_path: Path) -> None:
    comparison = Comparison.read(few)
    first, second = comparison.names[:2]
    cells = comparison.cells.assign(low=np.nan, high=np.nan, rounds=2)
    data = for_script(replace(comparison, cells=cells))
    opened_page, _ = opened(browser, page)
    rows = opened_page.evaluate("(data) => compareSides(data, data.sides[0], data.sides[1]).rows", data)
    assert rows
    assert {row["outcome"] for row in rows} == {"unknown"}
    assert {first, second} <= {side["name"] for side in data["sides"]}


def lines(opened_page: Any) -> list[list[str]]:
    return opened_page.eval_on_selector_all(
        "[data-differences] tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )


def test_any_two_sides_are_compared_filtered_and_sorted(browser: Any, page: Path, few: Path) -> None:
    comparison = Comparison.read(few)
    opened_page, noted = opened(browser, page)
    place = opened_page.locator("[data-differences]")
    place.locator("select[name=there]").select_option(label=comparison.names[1])
    place.locator("select[name=here]").select_option(label=comparison.names[3])
    place.locator("select[name=metric]").select_option("seconds")
    whole = lines(opened_page)
    assert len(whole) > 10
    assert any("tasks on A" in item for item in place.locator(".uncompared li").all_inner_texts())
    beyond = [float(row[4].split()[0].replace(",", "")) for row in whole if row[4].endswith("%")]
    assert beyond == sorted(beyond, reverse=True)
    place.locator("input[name=filter]").fill("MATMUL thread")
    assert {"matmul" in row[0] and "threading" in row[0] for row in lines(opened_page)} == {True}
    assert re.match(rf"\d of {len(whole)} cells compared", place.locator("output").inner_text())
    place.locator("input[name=filter]").fill("no such cell")
    assert "No cell has all of these words." in place.inner_text()
    place.locator("input[name=filter]").fill("")
    place.get_by_role("button", name="Cell").click()
    names = [row[0] for row in lines(opened_page)]
    assert names == opened_page.evaluate("names => [...names].sort((a, b) => a.localeCompare(b))", names)
    assert place.locator("th[aria-sort=ascending]").inner_text() == "Cell"
    place.get_by_role("button", name="Cell").click()
    assert [row[0] for row in lines(opened_page)] == names[::-1]
    assert opened_page.evaluate("document.activeElement.textContent") == "Cell"
    assert len(noted) == 1


def test_a_count_leads_to_its_claims_and_unfolds_them(browser: Any, page: Path) -> None:
    opened_page, _ = opened(browser, page)
    opened_page.locator(".by-alike a").click()
    until(opened_page, "document.querySelector('#claims-alike').open")


def test_a_claim_opens_to_what_was_measured(browser: Any, page: Path) -> None:
    for script in (True, False):
        opened_page, _ = opened(browser, page, java_script_enabled=script)
        behind = opened_page.locator("#claims-machine .behind").first
        assert behind.is_hidden()
        opened_page.locator("#claims-machine summary").first.click()
        assert behind.is_visible()
        assert behind.locator(".bar").first.is_visible()


def test_without_its_script_it_has_plain_tables(browser: Any, page: Path, few: Path) -> None:
    opened_page, _ = opened(browser, page, java_script_enabled=False)
    assert opened_page.locator("[data-differences]").is_hidden()
    comparison = Comparison.read(few)
    folds = opened_page.locator("details:has(table.differences)")
    assert folds.count() == comparison.differences["side"].nunique()
    folds.first.locator("summary").click()
    assert folds.first.locator("tbody tr").first.is_visible()


@pytest.mark.parametrize("which", ["page", "hostile", "crowd"])
def test_a_phone_never_scrolls_the_page_sideways(browser: Any, which: str, request: pytest.FixtureRequest) -> None:
    opened_page, _ = opened(browser, request.getfixturevalue(which), viewport=PHONE)
    unfold(opened_page)
    assert opened_page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_names_of_claims_stay_while_a_crowd_scrolls(browser: Any, crowd: Path) -> None:
    opened_page, _ = opened(browser, crowd, viewport=PHONE)
    box = opened_page.locator("#claims-machine .box")
    name = box.locator("tbody th").first
    before = name.bounding_box()
    assert box.evaluate("one => { one.scrollLeft = 300; return one.scrollLeft; }") == 300
    assert name.bounding_box()["x"] == pytest.approx(before["x"], abs=2)


@pytest.mark.parametrize(("which", "scheme"), [("page", "dark"), ("crowd", "light")])
def test_axe_finds_nothing_serious(browser: Any, which: str, scheme: str, request: pytest.FixtureRequest) -> None:
    opened_page, _ = opened(browser, request.getfixturevalue(which), color_scheme=scheme)
    if which == "page":  # the tables of numbers under the figures are the report's too, and tested there
        opened_page.eval_on_selector_all("details:not(figure *)", "all => all.forEach(one => one.open = true)")
    assert severe(opened_page) == []


@pytest.mark.parametrize("which", ["page", "crowd"])
def test_print_fits_a4(browser: Any, which: str, request: pytest.FixtureRequest) -> None:
    opened_page, _ = opened(browser, request.getfixturevalue(which), viewport=A4)
    opened_page.emulate_media(media="print")
    assert opened_page.locator("[data-differences]").is_hidden()
    assert opened_page.evaluate("document.documentElement.scrollWidth") <= A4["width"]
    wide = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML.slice(0, 160))"
    assert opened_page.eval_on_selector_all(".box", wide) == [], "what would have to be scrolled is cut off on paper"
