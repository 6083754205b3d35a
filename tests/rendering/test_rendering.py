"""The report, made by real papermill and nbconvert."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from balance import unbalanced
from gilscope.configuring.files import merge_files
from gilscope.configuring.models import Config
from gilscope.figures import Results, figure_names
from gilscope.figures.comparison import Comparison
from gilscope.rendering.cases import threshold
from gilscope.rendering.claims import all_claims, claims, claims_by_runtime
from gilscope.rendering.decisions import decisions
from gilscope.rendering.evidence import cite, gaps, nodes_in_words, reproduce
from gilscope.rendering.opening import counts, opening, surprises, warnings
from gilscope.rendering.page import execute
from gilscope.rendering.pictures import paragraphs
from gilscope.rendering.quantities import duration, interval, number, quantity
from gilscope.rendering.runtimes import lock
from nbclient.exceptions import DeadKernelError
from pages import HOSTILE, ROOT, hostile_report, macro, make_report, report_across, text_of
from synthetic import write_results

NEED_MORE = {"lock", "tax", "speed", "dial"}


def test_somebodys_kernel_is_not_the_one_that_makes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("python3", "gilscope"):
        place = tmp_path / "theirs/kernels" / name
        place.mkdir(parents=True)
        about = {"argv": ["/bin/false", "{connection_file}"], "display_name": name, "language": "python"}
        (place / "kernel.json").write_text(json.dumps(about))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "theirs"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    cells = [nbformat.v4.new_code_cell("import sys; print(sys.executable)")]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}}), tmp_path / "one.ipynb"
    )
    execute(str(tmp_path / "one.ipynb"), tmp_path / "done.ipynb", {})
    (cell,) = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells
    assert cell.outputs[0].text.strip() == sys.executable
    assert os.environ["JUPYTER_PATH"] == str(tmp_path / "theirs")


def test_all_that_jupyter_leaves_lies_beside_the_notebook_and_goes_with_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / "done.kernel/of-one-that-was-killed"
    left.parent.mkdir()
    left.touch()
    cells = [nbformat.v4.new_code_cell("import ipykernel, os; print(ipykernel.get_connection_file())")]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}}), tmp_path / "one.ipynb"
    )
    execute(str(tmp_path / "one.ipynb"), tmp_path / "done.ipynb", {})
    (cell,) = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells
    assert Path(cell.outputs[0].text.strip()).parent == left.parent
    assert not left.parent.exists()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_report(tmp_path_factory)


@pytest.fixture(scope="module")
def text(report: Path) -> str:
    return report.read_text(encoding="utf-8")


def test_the_page_is_one_file_with_its_own_script_and_no_outside_address(report: Path, text: str) -> None:
    assert report.stat().st_size < 5_000_000
    assert re.findall(r"<script[^>]*>", text) == ["<script>"]
    assert " style=" not in text, "the policy forbids it"
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
    assert "read_pictures" not in text


def test_sections_come_in_order_and_are_linked(text: str) -> None:
    sections = re.findall(r'<h2 id="([^"]+)"', text)
    assert '<h3 id="the-machine-meanwhile">' in text
    assert sections == [
        "most-surprising",
        "which-approach-should-i-use",
        "claims",
        "timelines",
        "scaling",
        "runtimes-side-by-side",
        "labs",
        "why-believe-this",
        "the-data-behind-the-verdicts",
        "machine-and-runtimes",
        "how-to-reproduce",
    ]
    contents = text[text.index("<nav") : text.index("</nav>")]
    assert re.findall(r'<a href="#([^"]+)"', contents) == sections


def test_ids_are_unique_and_elements_closed(text: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert unbalanced(text) == []


def test_what_to_know_first_is_said_first(text: str) -> None:
    before_verdicts = text[: text.index('id="most-surprising"')]
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
        make_report(folder, tmp_path / "broken.ipynb", ["verdicts"])
    assert "on purpose" in (folder / "logs/render.ipynb").read_text(encoding="utf-8")
    assert "ArithmeticError" in (folder / "logs/render.log").read_text(encoding="utf-8")


def test_a_kernel_that_dies_leaves_no_notebook_and_the_log_promises_none(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "machine")
    broken = json.loads((ROOT / "report/report.ipynb").read_text(encoding="utf-8"))
    broken["cells"][1]["source"] = ["import os\nos._exit(3)"]
    (tmp_path / "broken.ipynb").write_text(json.dumps(broken), encoding="utf-8")
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs/render.ipynb").write_text("of an earlier failure", encoding="utf-8")
    with pytest.raises(DeadKernelError):
        make_report(folder, tmp_path / "broken.ipynb", ["verdicts"])
    assert "DeadKernelError" in (folder / "logs/render.log").read_text(encoding="utf-8")
    assert "as far as it got" not in (folder / "logs/render.log").read_text(encoding="utf-8")
    assert not (folder / "logs/render.ipynb").exists()
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


def said_of(case: dict[str, Any]) -> str:
    return text_of(macro("claims", "case_in_words", case, claims=[]))


def test_a_case_is_said_with_interval_threshold_and_q() -> None:
    assert said_of(CASE) == "✓ sum_squares 1.02 × [0.99, 1.05] claimed below 1.15 · speedup, q = 0.03"


def test_a_case_without_a_number_gives_its_reason() -> None:
    assert said_of(CASE | {"estimate": None, "reason": "needs two cores"}) == "✓ sum_squares needs two cores"


def test_the_bar_shades_the_side_on_which_the_claim_holds() -> None:
    def shaded(limits: dict[str, Any]) -> tuple[float, float]:
        drawn = macro("macros", "interval_bar", CASE | {"threshold": limits})
        found = re.search(r'class="holds" x="([\d.]+)" y="1" width="([\d.]+)"', drawn)
        assert found
        return float(found[1]), float(found[1]) + float(found[2])

    assert shaded({"below": 1.15}) == (0, 66)
    assert shaded({"above": 1.15}) == (66, 132)
    left, right = shaded({"within": [0.9, 1.1]})
    assert 0 < left < 66 < right < 132
    assert macro("macros", "interval_bar", CASE | {"low": None}) == ""


@pytest.mark.parametrize(
    ("limits", "unit", "said"),
    [
        ({"above": 1.15}, "x", "above 1.15"),
        ({"below": 0.98}, "x", "below 0.98"),
        ({"within": [0.9, 1.1]}, "x", "between 0.9 and 1.1"),
        ({"above": 0.95}, "share", "above 95\u2009%"),
    ],
)
def test_thresholds_in_words(limits: dict[str, Any], unit: str, said: str) -> None:
    assert threshold({"threshold": limits, "unit": unit}) == said


def test_an_estimate_never_stands_without_its_interval() -> None:
    unknown = interval({"estimate": 1.5, "low": float("nan")}, "x")
    assert str(unknown) == "1.50 × no interval" == text_of(macro("macros", "shown", unknown)).replace("\u2009", " ")
    assert str(interval({"estimate": 1234.5, "low": 1200, "high": 1300})) == "1,234 [1,200, 1,300]"
    assert interval({"estimate": None}) == "–"
    assert number(float("nan")) == "–"


def test_numbers_and_times_have_three_digits() -> None:
    assert [number(value) for value in (0.012345, 999.4, 1234.4, 1e6)] == ["0.0123", "999", "1,234", "1,000,000"]
    assert [duration(seconds) for seconds in (0.0123, 1.234, 119, 180)] == ["12.3 ms", "1.23 s", "119 s", "3 min"]
    assert [quantity(0.25, unit) for unit in ("share", "s", "bytes")] == ["25 %", "250 ms", "0 bytes"]
    assert quantity(3 * 2**20, "bytes/s") == "3 MiB/s"


def test_a_share_is_said_in_per_cent() -> None:
    case = CASE | {"unit": "share", "metric": "share", "estimate": 0.25, "low": 0.2, "high": 0.3}
    case |= {"threshold": {"above": 0.1}, "counted": "5 of 20 trials"}
    said = "✓ sum_squares 25.0\u2009% [20.0, 30.0] claimed above 10\u2009% · 5 of 20 trials, q = 0.03"
    assert text_of(macro("claims", "case_in_words", case, claims=[])) == " ".join(said.split())


def test_refuted_claims_come_first_and_untested_ones_last(tmp_path: Path) -> None:
    html = str(claims(Results.read(write_results(tmp_path / "example"))))
    found = re.findall(r'<tr id="claim-[^"]+" data-verdict="([^"]+)"', html)
    assert len(found) == 20
    assert list(dict.fromkeys(found)) == ["refuted", "mixed", "confirmed", "inconclusive", "not tested"]


def test_a_full_run_on_a_whole_machine_has_no_warning(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path / "example", quota=2.0))
    assert warnings(replace(results, rounds=results.rounds.assign(flags=""))) == ""
    assert "Disturbed.</strong> 1 of" in warnings(results)
    for quota, said in ((1.5, "Limited.</strong> A quota gives these processes 1.5 of 2 cores"), (None, "")):
        assert said in warnings(replace(results, machine={**results.machine, "quota_cores": quota}))
    fewer = replace(results, rounds=results.rounds[results.rounds["round"] < 3])
    assert "Provisional." in warnings(fewer)
    assert "Provisional." not in warnings(results)


MINE = {"preset": "mine", "runtimes": [{"python": "/opt/mine/bin/python"}], "services": {"postgres": "secret"}}


def configured(tmp_path: Path, root: Path, preset: str, own: dict[str, Any]) -> tuple[Results, dict[str, Any]]:
    """Results of a shipped preset with keys of the user's own, and their whole configuration."""
    files = [str(root / "config/config.yaml"), *([str(root / f"config/presets/{preset}.yaml")] if preset else [])]
    config = Config.model_validate(merge_files(files) | own).shared()
    (tmp_path / "here").mkdir()
    return replace(Results(tmp_path / "here"), rounds=pd.DataFrame(columns=["ended"]), config=config), config


@pytest.mark.parametrize(
    ("preset", "own", "options"),
    [
        ("", {}, ""),
        ("", {"machine": "mine", "only_existing": True}, ""),
        ("quick", {}, " --configfile config/presets/quick.yaml"),
        ("gil", {"machine": "mine"}, " --configfile config/presets/gil.yaml"),
        ("quick", {"budget_minutes": 3}, " --configfile results/here/config.json"),
        ("", {"measure": {"rounds": 3}}, " --configfile results/here/config.json"),
        ("", MINE, " --configfile results/here/config.json"),
    ],
)
def test_the_command_is_one_that_works(
    tmp_path: Path, root: Path, preset: str, own: dict[str, Any], options: str
) -> None:
    """A preset's name alone may be that of a file which is not there, or of one that was changed."""
    results, config = configured(tmp_path, root, preset, own)
    assert f"<code>snakemake --cores all{options}</code>" in reproduce(results)
    file = root / options.rsplit(maxsplit=1)[-1] if "presets" in options else tmp_path / "config.json"
    (tmp_path / "config.json").write_text(json.dumps(config))
    again = Config.model_validate(
        merge_files([str(root / "config/config.yaml"), str(file)] if options else [str(root / "config/config.yaml")])
    )
    assert {**again.shared(), "machine": config["machine"]} == config


def test_what_the_file_of_a_run_does_without_is_said(tmp_path: Path, root: Path) -> None:
    results, _ = configured(tmp_path, root, "", MINE)
    assert "It does without the addresses of services and the folders of interpreters: put in your own." in reproduce(
        results
    )


def test_captions_are_plain_text_that_both_reports_read() -> None:
    captions = {path.stem for path in (ROOT / "report/captions").glob("*.rst")}
    # figure.rst serves every figure in Snakemake's own report, whose captions know no wildcards in their paths.
    assert captions == {*figure_names(), *figure_names(Comparison), "figure", "report"}
    lines = [macro("pictures", "line", text) for text in paragraphs("*One* ``<a>``\nline.\n\nTwo.")]
    assert lines == ["<em>One</em> <code>&lt;a&gt;</code> line.", "Two."]


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = json.loads((ROOT / "report/report.ipynb").read_text(encoding="utf-8"))
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])
    assert notebook["cells"][0]["metadata"]["tags"] == ["parameters"]


def test_a_claim_leads_to_its_figure_and_to_its_data(text: str) -> None:
    listed = re.findall(r'<ul class="links">(.*?)</ul>', text, re.DOTALL)
    targets = [re.findall(r'href="#([^"]+)"', links) for links in listed]
    ids = set(re.findall(r'\sid="([^"]+)"', text))
    assert targets
    assert all({target.split("-")[0] for target in found} == {"figure", "data"} for found in targets)
    assert {target for found in targets for target in found} <= ids
    assert "raw/cp311/sum_squares/large/round-*.json" in text


def test_what_labs_saw_is_told_in_counts_and_units(text: str) -> None:
    assert "19 of 20" in text
    assert "25 % to 75 %" in text
    assert "100 µs" in text
    assert "labs/cp311/race.json" in text
    assert "&lt;fork&gt;" in text


def test_a_verdict_is_explained_with_what_to_do(text: str) -> None:
    assert "So it is, &lt;since 3.10&gt;." in text
    assert '<p class="advice">Then &lt;do&gt; so.</p>' in text


@pytest.fixture(scope="module")
def across(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of four runtimes, one binary with the lock on and off among them; one is broken."""
    return report_across(tmp_path_factory)


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
    html = str(claims(results))
    for name in {verdict["claim"] for verdict in results.verdicts}:
        assert html.count(f'<tr id="claim-{name}"') == 1
        assert all(html.count(f'id="claim-{name}-{runtime}"') == 1 for runtime in results.runtimes)


def test_a_meaning_carries_its_sign_where_the_runtimes_differ(across: Path) -> None:
    results = Results.read(across.parent)
    for claim in all_claims(results):
        tested = set(claim.verdicts.values()) - {"not tested"}
        said = macro("claims", "explanations", claim, claims=[])
        assert said.count('aria-label="confirmed"') == (len(tested) > 1 and "confirmed" in tested)


def test_claims_are_counted_once_over_all_runtimes(across: Path) -> None:
    results = Results.read(across.parent)
    shown = counts(results)
    assert sum(map(int, re.findall(r"<b>(\d+)</b>", shown))) == 14
    assert "Over 4 runtimes; mixed where they differ." in shown
    assert "runtimes" not in counts(Results.read(write_results(across.parent.parent / "alone", claims=14)))


def test_the_opening_names_every_runtime_with_its_lock(across: Path) -> None:
    said = text_of(opening(Results.read(across.parent)))
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
    assert "The numbers of this figure" in figure[: figure.index("</figure>")]
    assert "There would also be" not in across_text


def test_one_runtime_shows_no_empty_figure_but_says_what_there_would_be(text: str) -> None:
    assert not any(f'id="figure-{name}"' in text for name in NEED_MORE)
    assert "There would also be <em>The same binary with the lock on and off</em>" in text
    assert "<code>--configfile config/presets/gil.yaml</code>" in text
    assert "Claims by runtime" not in text
    assert "The lock</h3>" not in text


def test_the_lock_is_read_back_in_the_workers(across: Path) -> None:
    results = Results.read(across.parent)
    right = text_of(lock(results))
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
    said = text_of(decisions(Results.read(across.parent)))
    assert "On cp313t-nogil: another strategy was fastest in 1 of 3 rows" in said
    assert "The same strategies were fastest on cp313t-gil, cp315." in said


def test_the_most_surprising_findings_are_said_with_number_threshold_and_reason(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path / "example"))
    said = text_of(surprises(results))
    assert said.count("claimed") == 2, "one for each of the two workloads"
    assert said.index("✗ refuted") < said.index("◐ mixed")
    assert "By rule" in said
    assert surprises(replace(results, verdicts=[])) == ""


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (None, "one size measured"),
        ({"pays": "everywhere"}, "1 ms and less cold pool"),
        ({"pays": "nowhere"}, "more than 100 ms cold pool"),
        ({"pays": "undecided", "estimate": 0.01, "low": 0.005, "high": None}, "not shown up to 100 ms cold pool"),
        ({"pays": "somewhere", "estimate": 0.01, "low": 0.005, "high": 0.02}, "10 ms [5 ms, 20 ms] cold pool"),
        ({"pays": "somewhere", "estimate": 0.01, "low": None, "high": 0.02}, "10 ms [below 1 ms, 20 ms] cold pool"),
    ],
)
def test_from_which_size_it_pays_is_said_with_its_bounds(row: dict[str, Any] | None, said: str) -> None:
    known = {"smallest": 0.001, "largest": 0.1, "pool": "cold"}
    text = macro("decisions", "pays_from", row and {**known, **row}, runtimes={})
    assert text_of(text.replace("<small>", " ")) == said


def test_the_page_says_how_to_repeat_and_to_cite_it(tmp_path: Path, text: str) -> None:
    results = Results.read(write_results(tmp_path / "example"))
    assert "measure: rounds: 5" in text_of(reproduce(results))
    said = text_of(cite(results, str(ROOT / "CITATION.cff")))
    assert "the gilscope authors" in said
    assert "example-2c" in said
    assert "How to cite" in text


def test_the_nodes_of_a_cluster_are_counted() -> None:
    rounds = pd.DataFrame({"node": ["a", "b", "a", None, "c", "a"]})
    assert nodes_in_words(rounds) == "3 of this type, with 3, 1, 1 of the timed rounds"
    assert nodes_in_words(rounds[:1]) == "1"
    assert nodes_in_words(rounds[3:4]) is nodes_in_words(rounds.drop(columns="node")) is None


def test_runtimes_for_some_claims_only_are_not_laid_beside_the_others(across: Path) -> None:
    results = Results.read(across.parent)

    def restricted(*names: str) -> Results:
        known = {
            name: {**facts, "claims": ["x"] if name in names else None} for name, facts in results.runtimes.items()
        }
        return replace(results, runtimes=known)

    others = list(results.runtimes)[1:]
    assert "Over 2 runtimes" in counts(restricted(*others[1:]))
    assert others[1] not in claims_by_runtime(restricted(*others[1:]))
    assert others[0] in claims_by_runtime(restricted(*others[1:]))
    assert claims_by_runtime(restricted(*others)) == ""
    assert "runtimes" not in counts(restricted(*others))
