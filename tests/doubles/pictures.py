"""Figures of results that do not change, each drawn and each written once: tests look at them and leave them alone."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

from gilscope.figures import Results, write_figure
from gilscope.figures._svg import drawing
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SVG = "{http://www.w3.org/2000/svg}"
KEPT = 64
"""How many figures are kept; tests come back to a figure soon or not at all."""


def module(figure: str) -> ModuleType:
    return importlib.import_module(f"gilscope.figures.{figure}")


@functools.lru_cache(KEPT)
def picture(figure: str, folder: Path) -> Figure:
    """The figure of matplotlib, with the looks that ``write_figure`` gives it."""
    with drawing():
        drawn: Figure = module(figure).draw(Results.read(folder))
        return drawn


@functools.lru_cache(KEPT)
def laid_out(figure: str, folder: Path) -> Figure:
    """The same with every text at its place; its canvas has a renderer."""
    with drawing():
        FigureCanvasAgg(picture(figure, folder)).draw()
    return picture(figure, folder)


@functools.cache
def written(figure: str, folder: Path) -> Path:
    """The figure's file; its data lie beside it."""
    path = folder / "figures" / f"{figure}.svg"
    write_figure(figure, folder, path)
    return path


@functools.lru_cache(KEPT)
def svg(figure: str, folder: Path) -> ElementTree.Element:
    return ElementTree.parse(written(figure, folder)).getroot()


def texts(figure: str, folder: Path) -> list[str]:
    """What is written in the figure, in the order of its file."""
    return ["".join(text.itertext()) for text in svg(figure, folder).iter(f"{SVG}text")]


def words(figure: str, folder: Path) -> str:
    return " ".join(texts(figure, folder))
