"""Small ONNX models, written as text or made of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, parser

from archcalc.execute.runner.execute import execute
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.foreign import to_network
from archcalc.interop.onnx_read import from_onnx, read_program
from archcalc.interop.program import Program

HEAD = '<ir_version: 10, opset_import: ["" : {opset}]>'


def written(text: str, opset: int = 17) -> onnx.ModelProto:
    """A model of a graph in ONNX's own text: `g (float[1,3,8,8] x) => (float[1,3,8,8] y) { y = Relu(x) }`."""
    return parser.parse_model(HEAD.format(opset=opset) + text)


def model(
    nodes: Sequence[onnx.NodeProto], shape: Sequence[int | str | None] = (1, 3, 8, 8),
    arrays: Mapping[str, np.ndarray[Any, Any]] | None = None, opset: int = 17, outputs: Sequence[str] = ("y",),
    kind: int = TensorProto.FLOAT,
) -> onnx.ModelProto:  # fmt: skip
    """A model of these nodes that reads x."""
    graph = helper.make_graph(
        list(nodes), "g", [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (arrays or {}).items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def one(
    op: str, inputs: Sequence[str] = ("x",), shape: Sequence[int | str | None] = (1, 3, 8, 8),
    arrays: Mapping[str, np.ndarray[Any, Any]] | None = None, opset: int = 17, **attributes: Any,
) -> Program:  # fmt: skip
    """The program of a model of one node."""
    return read_program(model([helper.make_node(op, inputs, ["y"], **attributes)], shape, arrays, opset))


def ops(program: Program) -> list[str]:
    """The operations of a program."""
    return [node.op for node in program.nodes]


def weights(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Random float32 values."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class Own:
    """The weights that came with a network."""

    def __init__(self, graph: LayerGraph) -> None:
        self.graph = graph

    def of(self, layer: str, sizes: Mapping[str, Sequence[int]]) -> Mapping[str, np.ndarray[Any, Any]]:
        """The arrays of a layer, which must have these sizes."""
        found = {name: np.asarray(self.graph.arrays[layer][name](), np.float32) for name in sizes}
        have = {name: array.shape for name, array in found.items()}
        assert have == {name: tuple(sizes[name]) for name in sizes}, (layer, have, sizes)
        return found


def network(proto: onnx.ModelProto | Path) -> LayerGraph:
    """The network of a model, or of its file."""
    return to_network(from_onnx(proto))


def outputs(graph: LayerGraph, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The first output of a network with its own weights."""
    return next(iter(execute(graph, x, Own(graph)).outputs.values()))


def with_defaults(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with every attribute that has a default, as some exporters write them all."""
    full = onnx.ModelProto()
    full.CopyFrom(proto)
    for node in full.graph.node:
        given = {each.name for each in node.attribute}
        schema = onnx.defs.get_schema(node.op_type, proto.opset_import[0].version)
        for name, attribute in schema.attributes.items():
            if name not in given and attribute.default_value.name:
                node.attribute.append(attribute.default_value)
    return full
