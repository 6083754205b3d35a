"""Workers that are interpreters of their own: what cannot be imported there, read from the error that comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator

REFUSED = re.compile(r"module (?P<module>\S+) does not support loading in subinterpreters")
FAILED = re.compile(r"^(?:ImportError|ModuleNotFoundError): (.+)$", re.MULTILINE)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__


def refused_import(error: BaseException) -> str | None:
    """What a worker's interpreter could not import, in words; None where the error is about something else.

    Where the import fails before the task runs, only the text of the worker's traceback comes back. numpy and pandas
    wrap the reason in advice of their own, so the interpreter's own words count first.
    """
    errors = list(chain(error))
    text = "\n".join(map(str, errors))
    refused = REFUSED.search(text)
    if refused:
        library = refused["module"].partition(".")[0]
        return f"{library} cannot be imported in a subinterpreter: {refused[0]}"
    told = [str(one).strip() for one in errors if isinstance(one, ImportError)] + FAILED.findall(text)
    return f"an import fails in a subinterpreter: {told[0].splitlines()[0]}" if told else None
