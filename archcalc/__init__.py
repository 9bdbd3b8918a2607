"""archcalc: shapes, parameters, multiplications, memory and receptive fields of convolutional networks.

>>> import archcalc as ac
>>> analysis = ac.analyse("alexnet")
>>> analysis.totals.params
62378344
>>> analysis["conv1"].output_shape
(96, 55, 55)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archcalc.api import Analysis, Network, analyse, from_yaml, load
    from archcalc.builder import GraphBuilder
    from archcalc.core.conventions import Conventions
    from archcalc.core.errors import ArchcalcError, ShapeError, SpecError, UnknownLayerError, UsageError
    from archcalc.graph.layer_graph import Layer, LayerGraph
    from archcalc.passes.analysis import Row, Totals
    from archcalc.spec.catalogue import names
    from archcalc.tools import audit, check, exercise, formula, grade, plot, run, solve

__version__ = "0.2.0"

#: Where each public name lives; it is imported when it is first asked for, so that `archcalc --help` stays quick.
_PUBLIC = {
    "Analysis": "api",
    "ArchcalcError": "core.errors",
    "Conventions": "core.conventions",
    "GraphBuilder": "builder",
    "Layer": "graph.layer_graph",
    "LayerGraph": "graph.layer_graph",
    "Network": "api",
    "Row": "passes.analysis",
    "ShapeError": "core.errors",
    "SpecError": "core.errors",
    "Totals": "passes.analysis",
    "UnknownLayerError": "core.errors",
    "UsageError": "core.errors",
    "analyse": "api",
    "audit": "tools",
    "check": "tools",
    "exercise": "tools",
    "formula": "tools",
    "from_yaml": "api",
    "grade": "tools",
    "load": "api",
    "names": "spec.catalogue",
    "plot": "tools",
    "run": "tools",
    "solve": "tools",
}

__all__ = [
    "Analysis",
    "ArchcalcError",
    "Conventions",
    "GraphBuilder",
    "Layer",
    "LayerGraph",
    "Network",
    "Row",
    "ShapeError",
    "SpecError",
    "Totals",
    "UnknownLayerError",
    "UsageError",
    "__version__",
    "analyse",
    "audit",
    "check",
    "exercise",
    "formula",
    "from_yaml",
    "grade",
    "load",
    "names",
    "plot",
    "run",
    "solve",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'archcalc' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"archcalc.{_PUBLIC[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
