"""Plugin discovery: one file in a folder is one plugin, and there is no list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def module_names(package: str) -> list[str]:
    """Names of the modules that lie in a package's folder, sorted; a leading underscore marks a part, not a plugin."""
    folder = importlib.import_module(package).__path__
    return sorted(found.name for found in pkgutil.iter_modules(folder) if not found.name.startswith("_"))


def modules(package: str) -> list[ModuleType]:
    """Every plugin module of a package, imported."""
    return [importlib.import_module(f"{package}.{name}") for name in module_names(package)]


def sources(module: ModuleType) -> set[str]:
    """The files of a plugin, relative to the package: its own, and those of the siblings whose functions it uses."""
    package = module.__name__.rpartition(".")[0]
    names = {module.__name__}
    for thing in vars(module).values():
        owner = getattr(thing, "__module__", None) or ""
        if owner.startswith(f"{package}."):
            names.add(owner)
    return {name.replace("gilscope.", "", 1).replace(".", "/") + ".py" for name in names}
