"""A few of each kind of fault; ``benchmarks/faults.py`` goes through all of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from faults.damage import harm, recovers
from faults.kills import killed_in_between
from faults.misbehaving import what_became_of
from faults.places import Holding, Place, honest
from faults.surroundings import SURROUNDINGS, NotHere, what_became_in


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place.new(tmp_path_factory.mktemp("faults") / "finished")
    ended = place.run()
    assert ended.status == 0, ended.said
    assert not place.left_behind()
    return place


@pytest.fixture(scope="module")
def undisturbed(finished: Place) -> Holding:
    holding = finished.holding()
    assert {key[3] for key in holding.cells} == {"sequential", "threading", "multiprocessing", "asyncio", "ceiling"}
    assert set(holding.cells.values()) == {3}
    assert holding.observed
    return holding


def test_what_is_killed_at_any_moment_is_whole_after_the_next_run(
    finished: Place, undisturbed: Holding, tmp_path: Path
) -> None:
    place, chance = finished.afresh(tmp_path / "killed"), random.Random(4)
    for after_s in (3, 6):
        kill, ended = killed_in_between(place, after_s, chance)
        assert not honest(ended, place.is_whole(undisturbed)), kill
        assert not place.left_behind(files=False), kill
    ended = place.run()
    assert ended.status == 0, ended.said
    assert not place.is_whole(undisturbed)
    assert not place.left_behind()


def test_damaged_files_are_made_again_or_named(finished: Place, undisturbed: Holding, tmp_path: Path) -> None:
    place, chance = finished.copy(tmp_path / "damaged"), random.Random(5)
    kinds = {
        "machine": "halved",
        "raw file": "a bit flipped",
        "lab": "halved",
        "summary": "halved",
        "report": "zeroed",
        "figure": "emptied",
    }
    files = [harm(place, kind, way, chance) for kind, way in kinds.items()]
    assert not recovers(place, undisturbed, files)


@pytest.mark.parametrize("name", ["files of 3 kB at most", "a user without a name who may write no HOME"])
def test_a_poor_machine_ends_no_run_without_a_word(
    finished: Place, undisturbed: Holding, tmp_path: Path, name: str
) -> None:
    assert name in SURROUNDINGS
    try:
        assert not what_became_in(name, finished.afresh(tmp_path / "poor"), undisturbed)
    except NotHere as reason:
        pytest.skip(str(reason))


def test_a_bad_workload_costs_its_own_block_and_no_other(tmp_path: Path) -> None:
    names = [
        "differs",
        "sorts",
        "changes_folder",
        "leaves_a_child",
        "prints_from_below",
        "exits_at_once",
        "raises_in_threads",
    ]
    found = what_became_of(tmp_path / "bad", names)
    assert not {name: complaints for name, complaints in found.items() if complaints}
