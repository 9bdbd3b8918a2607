"""Models of torchvision and timm next to PyTorch's own counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from archcalc.core.errors import ArchcalcError
from tests.peers.evidence.page import Table, both
from tests.peers.imported import compared, module_of, shape_of

HEAD = ("model", "input", "parameters", "buffers", "multiplications")
PACKAGES = ("torch", "torchvision")
PACKAGES_OF_TIMM = ("torch", "timm")


def row(shown: str, name: str, module: Any, shape: Sequence[int]) -> list[str]:
    """The counts of a model, each with PyTorch's where that is another number."""
    size = "×".join(map(str, [*shape[1:], shape[0]]))
    try:
        found, stated, opaque = compared(module, tuple(shape), name)
    except ArchcalcError as refused:
        return [shown, size, f"refused: {str(refused)[:100]}", "", ""]
    buffers = "–" if stated.buffers is None else both(found.buffers, stated.buffers)
    assert stated.multiplications is not None
    products = both(found.multiplications, stated.multiplications)
    marked = shown + (f" (opaque: {', '.join(opaque)})" if opaque else "")
    return [marked, size, both(found.params, stated.params), buffers, products]


def summary(rows: Sequence[Sequence[str]]) -> str:
    """How many are read, without an opaque layer, and equal."""
    read = [each for each in rows if "refused" not in each[2]]
    counted = [
        each for each in read if all("≠" not in cell and "not counted" not in cell for cell in (each[2], each[4]))
    ]
    stored = [each for each in counted if "≠" not in each[3]]
    whole = [each for each in read if "opaque" not in each[0]]
    return (
        f"{len(read)} of {len(rows)} models are read, {len(whole)} of them without an opaque layer; parameters and "
        f"multiplications are PyTorch's of {len(counted)}, buffers too of {len(stored)}."
    )


def torchvision() -> Iterator[list[str]]:
    """All models for classification, segmentation and video, and the backbones of those for detection."""
    models: Any = import_module("torchvision.models")
    names = [*models.list_models(module=models), *models.list_models(module=models.segmentation)]
    names += models.list_models(module=models.video)
    names += [f"{name}.backbone" for name in models.list_models(module=models.detection)]
    for name in names:
        yield row(name, name, module_of(name), shape_of(name))


def timm() -> Iterator[list[str]]:
    """One model of each module of timm."""
    from tests.peers import timm_families as of_timm

    for family in of_timm.families():
        name = of_timm.chosen(family)
        module = of_timm.module_of(name)
        yield row(name, name, module, of_timm.shape_of(module))


def table(rows: Sequence[Sequence[str]]) -> Table:
    """The table of either."""
    return Table(summary(rows), HEAD, rows)
