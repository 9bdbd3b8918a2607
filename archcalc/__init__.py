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
    from archcalc.core.conventions import Conventions
    from archcalc.core.errors import ArchcalcError, ShapeError, SpecError, UsageError
    from archcalc.graph.layer_graph import LayerGraph
    from archcalc.passes.analysis import Analysis, Row, Totals, analyse
    from archcalc.spec.catalogue import load, names

__version__ = "0.2.0"

#: Where each public name lives; it is imported when it is first asked for, so that `archcalc --help` stays quick.
_PUBLIC = {
    "Analysis": "passes.analysis",
    "ArchcalcError": "core.errors",
    "Conventions": "core.conventions",
    "LayerGraph": "graph.layer_graph",
    "Row": "passes.analysis",
    "ShapeError": "core.errors",
    "SpecError": "core.errors",
    "Totals": "passes.analysis",
    "UsageError": "core.errors",
    "analyse": "passes.analysis",
    "load": "spec.catalogue",
    "names": "spec.catalogue",
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
