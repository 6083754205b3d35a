"""What gilscope may say to its users when something is wrong, collected from its source, with … for what varies."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow/scripts"
ANYTHING = "…"
FAMILY = "FILE: KEY "
"""What the mistakes of files begin with that people write: the file's name, and the key's place in it."""
TOLD = ("page.py", "missing.py", "terminal.py", "__init__.py")
"""Of the pages and figures, the files that also say something to those who make them."""
WITH_A_PLACE = ("configuring/files.py", "configuring/claim_files.py")
VISIBLE = {
    *("Mistakes", "NotToBeHad", "Refused", "CannotPack", "NoBaseline", "BadBundle", "Flaw", "NotApplicable", "NoLock"),
    *("ClockStopped", "PostgresError", "WrongAnswer", "OtherMachine", "NotWritten", "Damaged", "NotDrawn", "Orphaned"),
    *("SystemExit", "Deliberate", "ConstructorError", "LeftBehind"),
}
"""The classes whose messages reach people; a class of mistakes belongs here, or into ``INTERNAL``."""
INTERNAL = {"NotTested", "NothingSeen", "TooFewRounds", "BodyError", "WorkerError"}
"""Those that are caught where they are raised, or are what a lab is about."""
SAYING = {"say", "print", "exit"}
TELLING = re.compile(r"why|newer$")
"""Functions that return why something is not done; so do those that return a text or None."""
UNHEARD = {"rendering", "analysis", "figures"}
"""Folders whose functions tell what stands in the report, not what is wrong."""
LISTED = re.compile(r"(lines|mistakes|left_out|notes|gaps)\.append$")
FEWEST_WORDS = 2
PARTS = {"in a worker", "the lock …"}
"""What is put before or behind what is collected itself."""


@dataclass(frozen=True)
class Message:
    """A message with ``…`` for what varies, and where it stands in the source."""

    text: str
    place: str


@functools.cache
def messages() -> list[Message]:
    """Each once, those of the Makefile and the rules first."""
    found = [*of_makefile(), *of_rules()]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SCRIPTS.rglob("*.py"))}
    known = constants(trees.values())
    for path, tree in trees.items():
        if not {"rendering", "figures"} & set(path.parts) or path.name in TOLD:
            found += Reader(path, {**known, **constants([tree])}).messages(tree)
    return list({message.text: message for message in found}.values())


def classes_of_mistakes() -> set[str]:
    """Every class of the project that can be raised."""
    named: dict[str, set[str]] = {}
    for path in SCRIPTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                named[node.name] = {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
    raised = {name for name, bases in named.items() if any(re.search("(Error|Exception)$", base) for base in bases)}
    while more := {name for name, bases in named.items() if bases & raised} - raised:
        raised |= more
    return raised


def of_makefile() -> Iterator[Message]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        for said in re.findall(r'echo ((?:"[^"]*"\s*)+)>&2', line):
            words = " ".join(part for part in re.findall(r'"([^"]*)"', said))
            yield Message(re.sub(r"\$\(\w+\)", ANYTHING, words), "Makefile")


def of_rules() -> Iterator[Message]:
    """Snakemake's language is no Python, so only what is said in one line is found."""
    for path in [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]:
        for said in re.findall(
            r"\b(?:say|exit|SystemExit|Mistakes)\(\[?f?\"([^\"]+)\"", path.read_text(encoding="utf-8")
        ):
            yield Message(re.sub(r"\{[^}]*\}", ANYTHING, said), path.name)


def constants(trees: Iterable[ast.Module]) -> dict[str, ast.expr]:
    """Name → value of what modules call by names in capitals, when it is a text."""
    found: dict[str, ast.expr] = {}
    for tree in trees:
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and is_text(node.value):
                found[node.targets[0].id] = node.value
    return found


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


class Reader:
    """Reads the messages of one file."""

    def __init__(self, path: Path, known: dict[str, ast.expr]):
        self.path, self.known = path, known

    def messages(self, tree: ast.Module) -> Iterator[Message]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and self.speaks(node):
                yield from self.said(node.args)
            elif isinstance(node, ast.ClassDef) and node.name in VISIBLE:
                for one in ast.walk(node):
                    if isinstance(one, ast.Call) and ast.unparse(one.func) == "super().__init__":
                        yield from self.said(one.args)
            elif isinstance(node, ast.FunctionDef):
                yield from self.of_function(node)
        if self.path.name == "reasons.py":
            assigned = (node.value for node in tree.body if isinstance(node, ast.Assign))
            yield from self.said([value for value in assigned if not isinstance(value, ast.Call)])

    def speaks(self, call: ast.Call) -> bool:
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name in SAYING:
            return "labs" not in self.path.parts and "workloads" not in self.path.parts
        return name in VISIBLE

    def of_function(self, node: ast.FunctionDef) -> Iterator[Message]:
        """Reasons that are returned, and mistakes with a place, which are yielded."""
        placed = self.path.as_posix().endswith(WITH_A_PLACE) or node.name == "describe_mistake"
        for one in own_nodes(node):
            if isinstance(one, ast.Return) and one.value and (placed or self.tells(node)):
                yield from self.said([one.value], FAMILY if placed else "")
            elif isinstance(one, ast.Yield) and placed and isinstance(one.value, ast.Tuple):
                yield from self.said([one.value.elts[-1]], FAMILY)
            elif isinstance(one, ast.Yield) and one.value and node.name.endswith("_mistakes") and not placed:
                yield from self.said([one.value])
            elif isinstance(one, ast.Call) and LISTED.search(ast.unparse(one.func)):
                yield from self.said(one.args)
            elif isinstance(one, ast.ListComp) and "Mistakes" in ast.unparse(node):
                yield from self.said([one.elt])

    def tells(self, node: ast.FunctionDef) -> bool:
        optional = node.returns is not None and ast.unparse(node.returns) == "str | None"
        return not UNHEARD & set(self.path.parts) and bool(optional or TELLING.match(node.name))

    def said(self, nodes: list[ast.expr], before: str = "") -> Iterator[Message]:
        """The outermost texts in some expressions; those without words, as separators, are no messages."""
        for node in nodes:
            for one in outermost(self.known.get(node.id, node) if isinstance(node, ast.Name) else node):
                text = before + re.sub(f"{ANYTHING}+", ANYTHING, self.text(one)).strip()
                if len(re.findall(r"(?<!\S)[A-Za-z'-]{2,}[,;:.]?(?!\S)", text)) >= FEWEST_WORDS and text not in PARTS:
                    yield Message(text, f"{self.path.relative_to(ROOT)}:{node.lineno}")

    def text(self, node: ast.AST) -> str:
        if isinstance(node, ast.Constant):
            return str(node.value)
        if isinstance(node, ast.FormattedValue):
            name = getattr(node.value, "id", "")
            return self.text(self.known[name]) if name.isupper() and name in self.known else ANYTHING
        return "".join(map(self.text, node.values)) if isinstance(node, ast.JoinedStr) else ANYTHING


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """All within a function but what lies in functions of its own."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)


def outermost(node: ast.AST) -> Iterator[ast.AST]:
    if is_text(node):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from outermost(child)
