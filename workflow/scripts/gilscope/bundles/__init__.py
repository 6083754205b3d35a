"""Bundles: a run as one file that says nothing of whose machine it was, and reading those of others."""

from gilscope.bundles.manifest import BadBundle
from gilscope.bundles.packing import CannotPack, pack
from gilscope.bundles.reading import Bundle, read_bundle
from gilscope.bundles.several import read_bundles

__all__ = ["BadBundle", "Bundle", "CannotPack", "pack", "read_bundle", "read_bundles"]
