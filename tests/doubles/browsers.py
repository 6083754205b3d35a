"""A real browser, and what to ask of a page in it."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE = {"width": 360, "height": 740}
A4 = {"width": 688, "height": 1000}
"""What a page of A4 has between its margins, in CSS pixels."""


def unfold(page: Any) -> None:
    page.eval_on_selector_all("details", "folded => folded.forEach(one => one.open = true)")


def severe(page: Any) -> list[tuple[str, str]]:
    """What axe-core finds serious or critical: the rule, and the first element that breaks it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()
    found = axe.run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")]
