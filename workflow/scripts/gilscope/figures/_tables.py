"""The numbers behind a figure, as a table that a reader can use."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

MEASURED = ("estimate", "low", "high", "rounds")


def numbers(points: pd.DataFrame | Iterable[pd.DataFrame], *columns: str) -> pd.DataFrame:
    """These columns of the points, then the estimate with its interval; several frames one below the other."""
    frames = [points] if isinstance(points, pd.DataFrame) else list(points)
    names = [*columns, *MEASURED]
    if not frames:
        return pd.DataFrame(columns=names)
    table = pd.concat(frames, ignore_index=True).reindex(columns=names)
    return table.dropna(axis="columns", how="all").reset_index(drop=True)
