"""The ONNX operations that are translated, by their names; all others become opaque."""

from __future__ import annotations

from archcalc.interop import onnx_layers, onnx_moves, onnx_recurrent, onnx_values
from archcalc.interop.onnx_call import TRANSLATORS

__all__ = ["TRANSLATORS", "onnx_layers", "onnx_moves", "onnx_recurrent", "onnx_values"]
