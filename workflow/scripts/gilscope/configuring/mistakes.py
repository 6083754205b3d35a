"""What is wrong with a file that people write, in lines that name file, key, remedy, and what was perhaps meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from gilscope.running.plain_text import OBEYED_ONE, on_one_line
from gilscope.workloads import SIZES

LONGEST = 4000
ITEMS = {
    "workers": "a worker count is a whole number from 1 to 1024",
    "sizes": "a size is small, medium, large or deck",
    "pools": "a pool is cold or warm",
    "strategies": "a strategy is a name",
    "workloads": "an entry is a mapping with a name",
    "claims": "an entry is the path of a YAML file",
    "names": "a lab is a name",
    "runtimes": "an entry is a mapping with python",
    "locks": "an entry is the path of a lock file",
    "from_source": "an entry is a library's name",
}


class Mistakes(Exception):
    """What is wrong with the configuration, a line for each mistake."""

    def __init__(self, lines: Sequence[str]):
        self.lines = [on_one_line(line, LONGEST) for line in lines]
        super().__init__("\n".join(self.lines))


class UniqueKeys(yaml.SafeLoader):
    """A YAML loader that refuses a key given twice, which YAML's own would silently let win, and unseen characters."""

    def construct_scalar(self, node: Any) -> Any:
        text = super().construct_scalar(node)
        if found := OBEYED_ONE.search(str(text)):
            line, character = node.start_mark.line + 1, f"U+{ord(found[0]):04X}"
            raise yaml.constructor.ConstructorError(
                None, None, f"line {line}: a text holds the control character {character}; leave it out"
            )
        return text

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.constructor.ConstructorError(
                    None, None, f"line {line}: the key {key} is there twice; keep one"
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: str) -> Any:
    """The content of a YAML file. Raises Mistakes, with the file's name, when it cannot be read or has a key twice."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            return yaml.load(file, UniqueKeys) or {}  # safe: UniqueKeys is a SafeLoader
    except OSError as error:
        raise Mistakes([f"{path}: cannot be read: {error.strerror}."]) from error
    except UnicodeDecodeError as error:
        raise Mistakes([f"{path}: is not UTF-8 text."]) from error
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or str(error)
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise Mistakes([f"{path}: {where}{problem}."]) from error


def key_path(location: Sequence[str | int]) -> str:
    """``("sweep", "workers", 2)`` as ``sweep.workers[2]``."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def holds(content: Any, location: Sequence[str | int]) -> bool:
    """Whether a nested content has something at a location."""
    for part in location:
        in_mapping = isinstance(content, Mapping) and part in content
        in_list = isinstance(content, list) and isinstance(part, int) and part < len(content)
        if not (in_mapping or in_list):
            return False
        content = content[part]
    return True


def suggestion(wrong: Any, allowed: Sequence[str]) -> str:
    """`` Did you mean …?`` for a near miss, else nothing."""
    near = difflib.get_close_matches(str(wrong), allowed, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def model_at(model: type[BaseModel], location: Sequence[str | int]) -> tuple[type[BaseModel], str | None]:
    """The innermost model that a location passes through, and the description of the last field named on the way."""
    description = None
    for part in location:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        if field is None:
            continue
        description = field.description
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), model)
    return model, description


def describe_mistake(error: Mapping[str, Any], location: list[str | int], model: type[BaseModel]) -> str:
    """One sentence on what is wrong at a location, what is allowed, and what was perhaps meant."""
    path = key_path(location)
    if error["type"] == "extra_forbidden":
        keys = list(model_at(model, location[:-1])[0].model_fields)
        return f"{path} is not a key; allowed are {', '.join(keys)}.{suggestion(location[-1], keys)}"
    if error["type"] == "missing":
        return f"{path} is missing; {model_at(model, location)[1] or error['msg']}."
    allowed = model_at(model, location)[1] or str(error["msg"])
    if location and isinstance(location[-1], int):
        allowed = ITEMS.get(str(location[-2]), allowed)
    plain = isinstance(error["input"], (str, int, float, bool, type(None))) and location[:1] != ["services"]
    shown = repr(error["input"]) if plain else f"a {type(error['input']).__name__}"
    near = suggestion(error["input"], ["auto", *SIZES, "cold", "warm"]) if error["type"] == "literal_error" else ""
    return f"{path} is {shown}; {allowed}.{near}"


def place_in(content: Any, location: Sequence[str | int], last: bool) -> list[str | int]:
    """The location without the tags that a union of types adds; ``last`` keeps a final key that is not there."""
    place: list[str | int] = []
    for index, part in enumerate(location):
        if holds(content, [*place, part]) or (last and index == len(location) - 1):
            place.append(part)
    return place


def blame(place: Sequence[str | int], origin: Mapping[str, Any]) -> str:
    """The file that has the last word on a place, or else the first of them."""
    return next(
        (file for file, content in reversed(list(origin.items())) if holds(content, place)),
        next(iter(origin), "config"),
    )


def model_mistakes(
    problem: ValidationError, model: type[BaseModel], content: Any, origin: Mapping[str, Any]
) -> list[str]:
    """A line for each wrong place, the innermost only. origin: file → content, later ones overriding earlier."""
    lines: dict[tuple[str | int, ...], str] = {}
    for error in problem.errors():
        missing = error["type"] == "missing"
        place = place_in(content, error["loc"], last=missing)
        file = blame(place[:-1] if missing else place, origin)
        lines.setdefault(tuple(place), f"{file}: {describe_mistake(error, place, model)}")
    return [
        line
        for place, line in lines.items()
        if not any(len(other) > len(place) and other[: len(place)] == place for other in lines)
    ]
