"""The table of breaks speaks of lines, files and tests that exist; ``make mutants`` makes the breaks."""

from __future__ import annotations

import pytest
from mutants import PACKAGE, ROOT, TABLE, Mutant, places_of, read_table


def test_every_break_changes_one_line_that_is_there_into_another() -> None:
    """Where a line has been changed its break needs another one, and where it has gone none."""
    mutants = read_table(TABLE.read_text(encoding="utf-8"))
    assert len(mutants) > 300
    assert len(set(mutants)) == len(mutants)
    stale = []
    for mutant in mutants:
        path = ROOT / PACKAGE / mutant.file
        try:
            broken = mutant.applied(path.read_text(encoding="utf-8"))
            compile(broken, mutant.file, "exec")
        except (OSError, ValueError, SyntaxError) as mistake:
            stale.append(f"{mutant}: {mistake}")
    assert not stale, f"mend them in {TABLE.relative_to(ROOT)}"


def test_every_break_names_tests_that_there_are() -> None:
    for tests in {mutant.tests for mutant in read_table(TABLE.read_text(encoding="utf-8"))}:
        for place in places_of(tests):
            path, _, node = place.partition("::")
            assert not node or f"def {node}(" in (ROOT / path).read_text(encoding="utf-8"), place


def test_a_table_is_read() -> None:
    text = "# words\n\na/b.py: test_one test_two::test_three\n- x = 1\n+ x = 2\n- y = 1\n+ y = 2\n"
    tests = ("test_one", "test_two::test_three")
    assert read_table(text) == [Mutant("a/b.py", "x = 1", "x = 2", tests), Mutant("a/b.py", "y = 1", "y = 2", tests)]
    for bad in ("- x = 1\n", "a.py: test_one\n+ x\n", "a.py: test_one\n- x\n- y\n", "a.py: test_one\n- x\n\nb\n"):
        with pytest.raises(ValueError, match="is out of place"):
            read_table(bad)


def test_a_break_keeps_what_its_line_is_indented_by() -> None:
    mutant = Mutant("a.py", "x = 1", "x = 2", ())
    assert mutant.applied("if y:\n    x = 1\n") == "if y:\n    x = 2\n"
    for text in ("x = 11\n", "x = 1\nx = 1\n", ""):
        with pytest.raises(ValueError, match="times, not once"):
            mutant.applied(text)
