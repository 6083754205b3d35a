"""The templates: what they are given is text in them, they alone have tags, and each is used."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from gilscope.rendering.templates import TEMPLATES, environment
from jinja2 import UndefinedError
from pages import HOSTILE, ROOT, SCRIPTS, macro


def test_tables_escape_their_values() -> None:
    shown = macro("macros", "table", ("a", HOSTILE), [(HOSTILE, HOSTILE)], "cards")
    assert HOSTILE not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 5
    assert macro("macros", "table", ("a",), []) == ""


TAG = re.compile(r"(?<!\?P)</?[a-zA-Z!]")


def test_only_templates_have_tags() -> None:
    for path in sorted(Path(SCRIPTS, "gilscope/rendering").rglob("*.py")):
        texts = [node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if is_text(node)]
        assert [text for text in texts if TAG.search(text)] == [], path.name


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_no_template_trusts_what_it_is_given() -> None:
    """Nothing but what another template made, and was handed over as that, is put into a page unescaped."""
    for path in sorted(TEMPLATES.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|\|\s*tojson|autoescape|xmlattr", text), path.name
        assert not re.search(r"=\{\{", text), f"{path.name}: an attribute without quotes"
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nothing }}").render()


def test_every_template_is_used_and_an_input_of_its_rule() -> None:
    sources = [*Path(SCRIPTS, "gilscope/rendering").rglob("*.py"), *TEMPLATES.rglob("*.html")]
    texts = "".join(path.read_text(encoding="utf-8") for path in sources)
    for path in TEMPLATES.rglob("*.html"):
        assert re.search(rf'["/]{path.stem}(\.html)?"', texts), path.name
    for file, rule, pattern in (("report", "render", "*.html"), ("share", "render_comparison", "**/*.html")):
        rules = (ROOT / f"workflow/rules/{file}.smk").read_text(encoding="utf-8")
        inputs = rules.split(f"rule {rule}:")[1].split("output:")[0]
        assert f'templates=sorted(map(str, Path("report/templates").glob("{pattern}")))' in inputs
