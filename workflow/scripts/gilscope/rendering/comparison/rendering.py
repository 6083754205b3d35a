"""From what the analysis wrote to the page."""

from __future__ import annotations

from collections.abc import Sequence

from gilscope.figures.comparison import Comparison
from gilscope.rendering.comparison.opening import by_bundle
from gilscope.rendering.markup import counted
from gilscope.rendering.page import make_page, shown


def render_comparison(
    *,
    notebook: str,
    styles: Sequence[str],
    scripts: Sequence[str],
    figures: Sequence[str],
    folder: str,
    target: str,
    executed: str,
    log: str,
) -> None:
    """Make the page of a comparison's folder; see ``make_page``."""
    machines = len(by_bundle(Comparison.read(folder).sides))
    make_page(
        notebook=notebook,
        parameters=shown(folder, figures, notebook),
        title=f"gilscope: comparison of {counted(machines, 'bundle')}",
        styles=styles,
        scripts=scripts,
        target=target,
        executed=executed,
        log=log,
    )
