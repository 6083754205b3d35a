"""How measuring starts processes of its own: they find the package, wherever they run."""

from __future__ import annotations

import os

SCRIPTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def package_environment(*folders: str) -> dict[str, str]:
    """This process's environment, with the package and these folders on the path."""
    paths = [SCRIPTS, *folders, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
