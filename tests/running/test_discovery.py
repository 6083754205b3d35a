from __future__ import annotations

from pathlib import Path

import pytest
from gilscope.running.discovery import module_names, modules


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with two plugins and a part that they share."""
    folder = tmp_path / f"shelf_{tmp_path.name}"
    folder.mkdir()
    for name in ("__init__", "later", "earlier", "_shared"):
        (folder / f"{name}.py").write_text(f"name = {name!r}\n")
    (folder / "notes.txt").write_text("not a module")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_every_file_is_a_plugin_except_parts(shelf: Path) -> None:
    assert module_names(shelf.name) == ["earlier", "later"]
    assert [module.name for module in modules(shelf.name)] == ["earlier", "later"]


def test_one_file_more_is_one_plugin_more(shelf: Path) -> None:
    (shelf / "between.py").write_text("name = 'between'\n")
    assert module_names(shelf.name) == ["between", "earlier", "later"]


def test_names_are_told_without_importing(shelf: Path) -> None:
    """A plugin whose library is missing here can still be listed, and skipped with that reason."""
    (shelf / "needs_more.py").write_text("import a_library_that_nobody_has\n")
    assert "needs_more" in module_names(shelf.name)
    with pytest.raises(ModuleNotFoundError, match="a_library_that_nobody_has"):
        modules(shelf.name)
