"""archcalc: shapes, parameters, multiplications, memory and receptive fields of convolutional networks.

>>> import archcalc
>>> analysis = archcalc.analyse(archcalc.load("alexnet"))
>>> analysis.totals.params
62378344
>>> analysis["conv1"].output_shape
(96, 55, 55)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archcalc.analysis import Analysis, Row, Totals, analyse
    from archcalc.catalogue import load, names
    from archcalc.conventions import Conventions
    from archcalc.errors import ArchcalcError, ShapeError, SpecError, UsageError
    from archcalc.graph import LayerGraph

__version__ = "0.1.0"

#: Where each public name lives; it is imported when it is first asked for, so that `archcalc --help` stays quick.
_PUBLIC = {
    "Analysis": "analysis",
    "ArchcalcError": "errors",
    "Conventions": "conventions",
    "LayerGraph": "graph",
    "Row": "analysis",
    "ShapeError": "errors",
    "SpecError": "errors",
    "Totals": "analysis",
    "UsageError": "errors",
    "analyse": "analysis",
    "load": "catalogue",
    "names": "catalogue",
}

__all__ = [
    "Analysis",
    "ArchcalcError",
    "Conventions",
    "LayerGraph",
    "Row",
    "ShapeError",
    "SpecError",
    "Totals",
    "UsageError",
    "__version__",
    "analyse",
    "load",
    "names",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'archcalc' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"archcalc.{_PUBLIC[name]}"), name)
