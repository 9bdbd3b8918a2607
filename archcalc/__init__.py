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
    from archcalc.api import analyse, from_keras, from_onnx, from_torch, from_yaml, load
    from archcalc.builder import GraphBuilder
    from archcalc.core.conventions import Conventions
    from archcalc.core.errors import ArchcalcError, ShapeError, SpecError, UnknownLayerError, UsageError
    from archcalc.designing import compare, estimate, fit, lint, memory, reconcile, transform
    from archcalc.graph.layer_graph import Layer, LayerGraph
    from archcalc.lecturing import deck, demo
    from archcalc.notebook import widget
    from archcalc.objects import Analysis, Network
    from archcalc.passes.analysis import Row, Totals
    from archcalc.searching import search
    from archcalc.spec.catalogue import names
    from archcalc.teaching import audit, check, exercise, grade
    from archcalc.tools import export, formula, plot, run, solve

__version__ = "0.2.0"

#: The public names by module; one is imported when it is first asked for, so that `archcalc --help` stays quick.
_PUBLIC = {
    "api": ("analyse", "from_keras", "from_onnx", "from_torch", "from_yaml", "load"),
    "builder": ("GraphBuilder",),
    "core.conventions": ("Conventions",),
    "core.errors": ("ArchcalcError", "ShapeError", "SpecError", "UnknownLayerError", "UsageError"),
    "graph.layer_graph": ("Layer", "LayerGraph"),
    "lecturing": ("deck", "demo"),
    "notebook": ("widget",),
    "objects": ("Analysis", "Network"),
    "passes.analysis": ("Row", "Totals"),
    "searching": ("search",),
    "spec.catalogue": ("names",),
    "teaching": ("audit", "check", "exercise", "grade"),
    "designing": ("compare", "estimate", "fit", "lint", "memory", "reconcile", "transform"),
    "tools": ("export", "formula", "plot", "run", "solve"),
}
_MODULES = {name: module for module, names_ in _PUBLIC.items() for name in names_}

# Written out, for type checkers read it.
__all__ = [
    "Analysis", "ArchcalcError", "Conventions", "GraphBuilder", "Layer", "LayerGraph", "Network", "Row", "ShapeError",
    "SpecError", "Totals", "UnknownLayerError", "UsageError", "__version__", "analyse", "audit", "check", "compare",
    "deck", "demo", "estimate", "exercise", "export", "fit", "formula", "from_keras", "from_onnx", "from_torch",
    "from_yaml", "grade", "lint", "load", "memory", "names", "plot", "reconcile", "run", "search", "solve", "transform",
    "widget",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'archcalc' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"archcalc.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
