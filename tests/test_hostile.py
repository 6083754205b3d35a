"""Text that somebody else has written, pushed through every way out: it is shown as text there, or refused beforehand.

The texts of bundles are refused in ``test_bad_bundles``, those of a comparison shown in ``test_comparison_page``.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from bundled import LIMITS, NOBODY, small_results
from gilscope import doctor
from gilscope.analysis.tables import FORMULA, no_formulas, read_table, write_json, write_table
from gilscope.bundles.choosing import Chosen
from gilscope.bundles.packing import pack
from gilscope.bundles.reading import read_bundle
from gilscope.bundles.values import PLAIN
from gilscope.configuring.claim_files import read_claims
from gilscope.configuring.files import read_config
from gilscope.configuring.mistakes import Mistakes, read_yaml
from gilscope.configuring.models import Config, Grid
from gilscope.figures import Results, write_figure
from gilscope.interpreters.finding import NotToBeHad, find
from gilscope.invoking.printing import say
from gilscope.planning.wanted import UNIT, load_grid
from gilscope.rendering.page import page
from gilscope.rendering.templates import Html, environment, filled
from gilscope.rendering.terminal import verdict_table
from gilscope.running.cells import Block
from gilscope.running.plain_text import OBEYED_ONE, on_one_line, plain
from gilscope.running.reasons import reason_of
from gilscope.workloads import load_workload, workload_names
from pages import ROOT
from synthetic import write_results

HOSTILE = {
    "script": "</script><script>alert(1)</script><!--",
    "attribute": "\"' onload=alert(1) '><img src=x>",
    "entity": "&lt;b&gt; &amp; ]]>",
    "mathematics": r"$\frac{1$ and $_{$",
    "formula": "=HYPERLINK(1)",
    "wide formula": "\uff1d1+1",
    "formula on a new line": "\n=1+1",
    "shell": "$(touch pwned); `id` $HOME | tee '\" \\",
    "colour": "\x1b[31mred\x1b[0m",
    "title of the window": "\x1b]0;owned\x07",
    "overwritten line": "all is well\r\x1b[2Kgone",
    "C1 control": "\x9b31m",
    "turned around": "\u202egpj.exe\u2066",
    "nothing": "\x00\x08\x7f",
    "half a character": "\ud800",
    "line separator": "one\u2028two",
    "path": "../../../etc/passwd",
    "option": "--rf",
    "underscore": "_hidden",
    "colour of the figures": "#0072b2 in 'DejaVu Sans'",
}
each = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
ALL = " ".join(HOSTILE.values())


def shown(text: str) -> str:
    """What is to be seen of it, its blanks aside."""
    return " ".join(plain(text).split())


def harmless(text: str) -> bool:
    text.encode()
    return not OBEYED_ONE.search(text)


@each
def test_what_is_obeyed_becomes_an_escape_and_all_else_stays(text: str) -> None:
    assert harmless(plain(text))
    assert plain(plain(text)) == plain(text)
    assert plain(text) == "".join(one if harmless_one(one) else one.encode("unicode_escape").decode() for one in text)
    assert "\n" not in on_one_line(text)


def harmless_one(one: str) -> bool:
    return not OBEYED_ONE.fullmatch(one)


def test_long_text_is_cut() -> None:
    assert on_one_line("x" * 100_000).endswith("… (99000 more characters)")


@each
def test_on_a_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(Mistakes([f"config.yaml: {text} is not a key"]))
    assert capsys.readouterr().out.count("\n") == 1, "a mistake stays on its line"
    say(text)
    say(doctor.in_words([doctor.Finding("other processes", doctor.WARN, "busy", f"stop them: {text}")]))
    say(verdict_table([judged(text)], {"cp311": {}}))
    assert harmless(capsys.readouterr().out)


def judged(text: str) -> dict[str, Any]:
    case = {"case": text, "verdict": "confirmed", "estimate": 1.0, "low": 0.9, "high": 1.1, "unit": "x"}
    return {"claim": "one", "says": text, "runtime": "cp311", "verdict": "confirmed", "cases": [case]}


@each
def test_in_a_reason(text: str) -> None:
    for error in (
        ValueError(text),
        OSError(5, text, text),
        type(text.replace("\0", "").replace("\ud800", ""), (Exception,), {})(),
    ):
        assert harmless(reason_of(error))
        assert "\n" not in reason_of(error)


def test_an_error_that_says_nothing() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert reason_of(Mute()) == "Mute: its message cannot be shown: RuntimeError"


@pytest.mark.parametrize("written", [r'"\e[31m"', r'"\0"', '"\u202e"', r'"\ud800"'])
def test_a_file_with_control_characters_is_refused(written: str, tmp_path: Path) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(f"claims:\n  - says: {written}\n", encoding="utf-8")
    with pytest.raises(Mistakes, match=r"claims.yaml: line 2: .*control character"):
        read_yaml(str(file))
    with pytest.raises(Mistakes, match=r"line 2: .*control character"):
        read_claims([str(file)])


@each
def test_as_a_key_and_a_value_of_the_configuration(text: str) -> None:
    for given in (
        {text: 1},
        {"preset": text},
        {"machine": text},
        {"labs": {"names": [text]}},
        {"bundles": {text: text}},
    ):
        with pytest.raises(Mistakes) as refused:
            read_config(given, [], given)
        assert harmless(str(refused.value))
        assert "\n" not in str(refused.value)


class Seen(HTMLParser):
    """What a browser makes of a page: its elements, the names of their attributes, and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.values: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.values += [value or "" for _, value in attributes]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@each
def test_as_text_and_as_attribute_of_a_page(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = "{% macro again(words) %}{{ words }}{% endmacro %}"
    ways = ("text", "[text] | join", "again(text)", "again('') ~ text", "text | replace('<p>', again(''))")
    body = "".join(f'<p title="{{{{ {way} }}}}">{{{{ {way} }}}}</p>' for way in ways)
    (tmp_path / "one.html").write_text(again + body, encoding="utf-8")
    made = environment(tmp_path)
    monkeypatch.setattr("gilscope.rendering.templates.environment", lambda: made)
    seen = Seen(filled("one", text=text))
    assert seen.tags == {"p"}
    assert seen.values == len(ways) * [plain(text)]
    assert "".join(seen.texts) == len(ways) * plain(text)


def spoilt(content: Any, bad: str = ALL) -> Any:
    """The same with a hostile text behind every text that people or exceptions may write."""
    if isinstance(content, dict):
        told = {"says", "reason", "explanation", "advice", "case", "slide", "notes", "cpu", "kernel", "os", "compiler"}
        told |= {"build", "virtualisation", "governor", "task", "talk", "broken"}
        return {
            key: f"{value}{bad}" if key in told and isinstance(value, str) else spoilt(value)
            for key, value in content.items()
        }
    return [spoilt(value) for value in content] if isinstance(content, list) else content


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_results(
        tmp_path_factory.mktemp("hostile") / "example", runtimes=("cp311", "cp313t-nogil"), claims=33
    )
    for path in [*folder.glob("*.json"), *(folder / "runtimes").glob("*.json")]:
        path.write_text(json.dumps(spoilt(json.loads(path.read_text()))))
    rounds = read_table(folder / "rounds.parquet")
    write_table(rounds.assign(flags=plain(ALL)), folder / "rounds.parquet")
    return folder


def test_a_whole_report(results: Path) -> None:
    """All that the notebook shows: no element, attribute or character of it comes from a text."""
    clean = Results.read(write_results(results.parent / "clean", runtimes=("cp311", "cp313t-nogil"), claims=33))
    notebook = json.loads((ROOT / "report/report.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]).splitlines() for cell in notebook["cells"] if cell["cell_type"] == "code"]

    def parsed(of: Results) -> tuple[str, Seen]:
        known: dict[str, Any] = {}
        exec("\n".join(sources[0]), known)
        known |= {
            "folder": of.folder,
            "citation": str(ROOT / "CITATION.cff"),
            "captions": str(ROOT / "report/captions"),
        }
        parts = [(exec("\n".join(lines), known), eval(last, known))[1] for *lines, last in sources[1:]]
        assert len(parts) > 20
        text = page(Html("").join(parts), "", "", f"gilscope: {of.label}")
        return text, Seen(text)

    text, seen = parsed(Results.read(results))
    assert harmless(text)
    _, expected = parsed(clean)
    assert seen.tags <= expected.tags
    assert seen.attributes <= expected.attributes
    told = " ".join(" ".join(seen.texts).split())
    for one in HOSTILE.values():
        assert shown(one) in told


@pytest.mark.parametrize("figure", ["verdicts", "behaviour", "dial"])
def test_a_figure_and_its_numbers(figure: str, results: Path, tmp_path: Path) -> None:
    write_figure(figure, results, tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert harmless(text)
    tags = {one.tag.rpartition("}")[2] for one in ElementTree.fromstring(text.encode()).iter()}
    assert not tags & {"script", "img", "foreignObject", "a", "image"}
    assert "mathdefault" not in text
    assert_safe(tmp_path / "figure.csv")


def test_no_figures_numbers_hold_a_formula(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = pd.DataFrame({"workload": ["=1+1", "@x", "plain"]})
    monkeypatch.setattr("gilscope.figures.verdicts.data", lambda results: hostile)
    write_figure("verdicts", results, tmp_path / "figure.svg")
    assert_safe(tmp_path / "figure.csv")


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_colour_in_a_name_is_a_name(tmp_path: Path) -> None:
    from gilscope.figures._svg import drawing, svg
    from matplotlib.figure import Figure

    with drawing():
        drawn = Figure()
        drawn.text(0.1, 0.5, "#0072b2 $x$ <&> \x1b \u202e", color="#0072b2")
        text = svg(drawn, "a < b", "<desc> & more")
    (told,) = [one.text for one in ElementTree.fromstring(text.encode()).iter("{http://www.w3.org/2000/svg}desc")]
    assert told == "<desc> & more"
    (written,) = [one.text for one in ElementTree.fromstring(text.encode()).iter("{http://www.w3.org/2000/svg}text")]
    assert written == r"#0072b2 $x$ <&> \x1b \u202e"
    assert "var(--c0072b2)" in text


def assert_safe(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    assert len({len(row) for row in rows}) <= 1
    for row in rows[1:]:
        for cell in row:
            assert harmless(cell)
            assert not cell.startswith(FORMULA) or re.fullmatch(r"-?[\d.e+-]+", cell), cell


@each
def test_in_tables(text: str, tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "unit": pd.Series([text, "s"], dtype=object),
            "flags": pd.Series([plain(text), None], dtype="string"),
            "value": [-1.0, 2.0],
        }
    )
    write_table(table, tmp_path / "table.csv")
    assert_safe(tmp_path / "table.csv")
    again = pd.read_csv(tmp_path / "table.csv")
    assert again["unit"][0] == no_formulas(table)["unit"][0]
    write_table(table.map(lambda one: plain(one) if isinstance(one, str) else one), tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet")["unit"][0] == plain(text)
    write_json({"reason": reason_of(ValueError(text))}, tmp_path / "gaps.json")


def test_what_a_run_says_can_be_shared(tmp_path: Path) -> None:
    """A claim in a script that is read from the right, or an emoji made of several: others can read the bundle."""
    folder = small_results(tmp_path / "example-2c")
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    verdicts[0]["says"] = "\u200f\u05e9\u05dc \U0001f468\u200d\U0001f469 \x1b[31m"
    (folder / "verdicts.json").write_text(json.dumps(verdicts), encoding="utf-8")
    pack(folder, tmp_path / "shared.zip", private=NOBODY)
    said = read_bundle(tmp_path / "shared.zip", LIMITS).verdicts[0]["says"]
    assert said == "\\u200f\u05e9\u05dc \U0001f468\\u200d\U0001f469 \\x1b[31m"


def test_a_task_that_raises_all_of_it(
    tmp_path: Path, measure: Callable[..., subprocess.CompletedProcess[str]], read: Callable[[Path], Any]
) -> None:
    (tmp_path / "own.py").write_text(
        "import threading\nfrom gilscope.workloads import workload\n"
        "@workload(kind='cpu', sizes={'small': 10})\n"
        "def own(n):\n"
        "    if threading.current_thread() is not threading.main_thread():\n"
        f"        raise ValueError({ALL!r})\n"
        "    return sum(range(n))\n"
    )
    block = Block("cp311", "own", "small", 10, 4, ("threading-2",), 0.1, 1, folder=str(tmp_path))
    (tmp_path / "out").mkdir()
    done = measure(block, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert harmless(done.stderr)
    failed = read(tmp_path / "out/round-1.facts.json")["failed"]["threading-2"]
    assert failed == f"ValueError: {on_one_line(ALL)}"


@pytest.mark.parametrize("name", ["Own", "größe", "a" * 81, "own-one", "_own", "own task", "own;id", "own\x1b[31m"])
def test_a_workload_has_a_plain_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text("")
    with pytest.raises(Mistakes, match="cannot be imported by name") as refused:
        load_grid(Grid(name=str(path)))
    assert harmless(str(refused.value))


@each
def test_a_workload_has_a_plain_unit(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_unit.py").write_text("")
    hostile = replace(load_workload("sum_squares"), unit=text)
    monkeypatch.setattr("gilscope.planning.wanted.load_workload", lambda name, folder: hostile)
    with pytest.raises(Mistakes, match="has the unit"):
        load_grid(Grid(name=str(tmp_path / "own_unit.py")))


def test_every_unit_can_be_shared() -> None:
    units = {load_workload(name).unit for name in workload_names()} | {"rows/s", "kB", "steps (10^3)"[:5]}
    assert all(UNIT.fullmatch(unit) and re.fullmatch(PLAIN, unit) for unit in units)


@pytest.mark.parametrize("request_", ["--help", "-rf"])
def test_an_interpreter_is_no_option_of_uv(request_: str) -> None:
    with pytest.raises(NotToBeHad, match="neither a version nor the path"):
        find(request_, downloads=False)


def test_braces_are_not_for_snakemake(tmp_path: Path) -> None:
    given = {"claims": ["{x}.yaml"], "sweep": {"workloads": [{"name": "{y}/own.py"}]}}
    with pytest.raises(Mistakes) as refused:
        read_config(given, [], given)
    assert [line.split()[1] for line in refused.value.lines] == ["claims[0]", "sweep.workloads[0].name"]
    (tmp_path / "{x}.zip").write_text("")
    (tmp_path / "x.zip").write_text("")
    names = (str(tmp_path / "{x}.zip"), str(tmp_path / "x.zip"))
    assert Chosen((), names).at_hand == [names[1]]
    assert Config.model_validate({"bundles": list(names)}).bundles == list(names)


QUOTED = {"start", "label", "cores", "origin", "current", "only", "workloads", "descriptive", "part", "folder"}
"""Parameters that are made of names checked beforehand, or quoted where they are made."""


def test_every_rule_quotes_what_it_hands_to_a_shell() -> None:
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for name, form in re.findall(r"\{params\.(\w+)(:q)?\}", path.read_text(encoding="utf-8")):
            assert form or name in QUOTED, f"{path.name}: write {{params.{name}:q}}"
    assert shlex.split(shlex.join(["--claims", HOSTILE["shell"]])) == ["--claims", HOSTILE["shell"]]
