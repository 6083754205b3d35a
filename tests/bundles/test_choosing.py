from pathlib import Path

import pytest
from gilscope.bundles.choosing import choose_bundles
from gilscope.configuring.models import Config

FILES = [
    "results/here/machine.json",
    "results/here.zip",
    "results/friend.zip",
    "examples/bundles/reference.zip",
    "sent/b.zip",
    "sent/a.zip",
]
HERE, OTHERS = "results/here.zip", ("results/friend.zip", "examples/bundles/reference.zip")


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()


@pytest.mark.parametrize(
    ("config", "folders", "made", "every"),
    [
        ({}, ["here"], (HERE,), (HERE, *OTHERS)),
        ({}, ["never-measured"], (), ("results/friend.zip", HERE, OTHERS[1])),
        ({"bundles": "sent"}, ["here"], (), ("sent/a.zip", "sent/b.zip")),
        ({"bundles": f"{HERE},sent/a.zip"}, ["here"], (HERE,), (HERE, "sent/a.zip")),
        ({"bundles": ["sent/a.zip"], "baseline": "sent/b.zip"}, ["here"], (), ("sent/a.zip", "sent/b.zip")),
        ({"baseline": "sent/b.zip"}, ["here"], (HERE,), (HERE, *OTHERS, "sent/b.zip")),
        ({"baseline": "reference"}, ["here"], (HERE,), (HERE, *OTHERS)),
        ({}, ["new", "here"], ("results/new.zip", HERE), ("results/new.zip", HERE)),
        ({"bundles": "sent/a.zip"}, ["new", "here"], ("results/new.zip", HERE), ("results/new.zip", HERE, "sent/a.zip")),
    ],
)  # fmt: skip
def test_what_is_compared(
    config: dict[str, object], folders: list[str], made: tuple[str, ...], every: tuple[str, ...]
) -> None:
    chosen = choose_bundles(Config.model_validate(config), folders)
    assert chosen.made == made
    assert sorted(chosen.all) == sorted(every)
    first = [config["baseline"]] if str(config.get("baseline")).endswith(".zip") else []
    assert list(chosen.all[: len(first) + len(made)]) == [*first, *made], "the baseline, then one's own"


def test_a_machines_default_sweep_comes_before_its_presets(tmp_path: Path) -> None:
    (tmp_path / "results/friend-quick.zip").touch()
    names = choose_bundles(Config(), ["here"]).all
    assert names.index("results/friend.zip") < names.index("results/friend-quick.zip")


def test_a_bundle_that_is_not_there_is_no_rules_input() -> None:
    """The reader says so, in a line of its own, and the others are compared."""
    chosen = choose_bundles(Config.model_validate({"bundles": "sent/a.zip,lost.zip"}), ["here"])
    assert chosen.all == ("sent/a.zip", "lost.zip")
    assert chosen.at_hand == ["sent/a.zip"]
