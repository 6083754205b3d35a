"""JSON that somebody else wrote: parsed, and checked against the models of what it may say."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import FailFast, TypeAdapter, ValidationError

from gilscope.bundles.archive import REMAKE, TRUST, shown
from gilscope.bundles.content import Configured, Scaling
from gilscope.bundles.manifest import Flaw
from gilscope.bundles.values import Facts, check_plain

LARGEST = 8 * 2**20
"""Bytes of a JSON file that is parsed: what the densest of them become in memory is bounded by it, to some 200 MB."""
MOST_KEYS = 70_000


def parse(name: str, data: bytes) -> Any:
    """A JSON file's content. Raises Flaw for what is not JSON as its standard has it, or is too deep."""
    try:
        return json.loads(data.decode(), parse_constant=no_constant, object_pairs_hook=once)
    except RecursionError as error:
        raise Flaw(f"{name} in it is nested too deep; {REMAKE}") from error
    except ValueError as error:
        said = str(error) if type(error) is ValueError else "it cannot be parsed"
        raise Flaw(f"{name} in it is not JSON: {said:.120}; {REMAKE}") from error


def no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_KEYS:
        raise ValueError(f"an object has {len(pairs)} keys")
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key is there twice")
    return content


def checked(kind: type[Facts], content: Any, name: str, several: bool = False) -> Any:
    """A content of this kind, or a list of them, as models. Raises Flaw, with the first place where it is not."""
    try:
        return adapter(kind, several).validate_python(content)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if not str(part).startswith("function-"))
        said = first["msg"].removeprefix("Value error, ")
        more = f" (and {problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        where = f", {shown(place)[1:-1]}" if place else ""
        raise Flaw(f"{name} in it{where}: {printed(said)}{more}; {REMAKE}") from problem


@functools.cache
def adapter(kind: type[Facts], several: bool) -> TypeAdapter[Any]:
    """Of a list not everything is looked at after its first mistake: a million of them would fill the memory."""
    wanted: Any = Annotated[list[kind], FailFast()] if several else kind  # type: ignore[valid-type]
    return TypeAdapter(wanted)


def printed(text: str) -> str:
    return " ".join(text.split())[:160]


def rows(kind: type[Facts], content: Any, name: str, limit: int) -> list[dict[str, Any]]:
    """A list of mappings of one kind, of at most ``limit``, as plain mappings.

    They have every key of that kind, but for scaling, where a row without a law lacks what belongs to one.
    """
    if isinstance(content, list) and len(content) > limit:
        raise Flaw(
            f"{name} in it has {len(content)} rows, more than the {limit} that bundle_limits.rows allows; {TRUST}"
        )
    lean = kind is Scaling
    return [row.model_dump(mode="json", exclude_unset=lean) for row in checked(kind, content, name, several=True)]


def configured(content: Any, name: str) -> dict[str, Any]:
    """A configuration, whole. Raises Flaw."""
    checked(Configured, content, name)
    try:
        check_plain(content)
    except ValueError as problem:
        raise Flaw(f"{name} in it: {problem}; {REMAKE}") from problem
    return dict(content)


def only_once(keys: Iterable[Any], what: str, name: str) -> None:
    """Raises Flaw where a key is there twice."""
    seen = set()
    for key in keys:
        if key in seen:
            raise Flaw(f"{name} in it has {what} twice: {shown(str(key))}; {REMAKE}")
        seen.add(key)
