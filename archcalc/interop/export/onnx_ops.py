"""How each op is written in ONNX, opset 21, with the operators that every runtime has. Maps are (N, C, …) as here."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.interop.export import onnx_merges, onnx_pointwise, onnx_shapes, onnx_trained, onnx_windows
from archcalc.interop.export.onnx_graph import Builder, Writer
from archcalc.interop.export.spelling import ONNX, Case, entry_of

TABLE: dict[str, Writer] = {
    **onnx_pointwise.TABLE,
    **onnx_windows.TABLE,
    **onnx_trained.TABLE,
    **onnx_shapes.TABLE,
    **onnx_merges.TABLE,
}


def write(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    """The nodes of a layer. Raises `UsageError` that names the layer where there is no such thing."""
    return entry_of(TABLE, case, ONNX)(g, case, inputs)
