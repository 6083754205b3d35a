"""Bundles: a run as one file that says nothing of whose machine it was, and reading those of others."""
