"""Which bundles are compared: those that the configuration names, else this machine's beside all that lie about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gilscope.configuring.models import Config

PLACES = ("results", "examples/bundles")


@dataclass(frozen=True)
class Chosen:
    """made: bundles of this run's own results, to be made first. all: those and the others, in order."""

    made: tuple[str, ...]
    all: tuple[str, ...]

    @property
    def at_hand(self) -> list[str]:
        """What a rule may ask for: the others are missing, which is for the reader to say.

        Nor does a rule ask for one with braces in its name, which it would take for a pattern; it is read all the same.
        """
        return [name for name in self.all if name in self.made or (Path(name).is_file() and not set(name) & set("{}"))]


def choose_bundles(config: Config, folders: Sequence[str]) -> Chosen:
    """The bundles to compare. folders: this run's, below ``results/``; several where it sweeps several machines.

    Named ones are taken as they are, beside those of several machines. A baseline that is a file need not be named
    twice, and comes first: it keeps its label where another has the same. What has not been measured has no bundle.
    """
    own = tuple(f"results/{folder}.zip" for folder in folders)
    measured = tuple(name for name in own if Path(name).with_suffix("").joinpath("machine.json").is_file())
    if len(own) > 1:
        return Chosen(own, tuple(dict.fromkeys([*own, *named(config)])))
    if config.bundles:
        return Chosen(tuple(name for name in measured if name in named(config)), named(config))
    found = [str(path.as_posix()) for place in PLACES for path in in_order(place)]
    return Chosen(measured, tuple(dict.fromkeys([*baseline_file(config), *measured, *found])))


def named(config: Config) -> tuple[str, ...]:
    """The files that the configuration names, folders as what lies in them."""
    files: list[str] = []
    for name in (*baseline_file(config), *config.bundles):
        inside = in_order(name) if Path(name).is_dir() else []
        files += [path.as_posix() for path in inside] or [name]
    return tuple(dict.fromkeys(files))


def in_order(folder: str) -> list[Path]:
    """The bundles in a folder by label: a machine's default sweep before its presets."""
    return sorted(Path(folder).glob("*.zip"), key=lambda path: path.stem)


def baseline_file(config: Config) -> list[str]:
    """The baseline where it is named by its file."""
    return [config.baseline] if config.baseline and config.baseline.endswith(".zip") else []
