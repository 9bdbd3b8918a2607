"""ONNX files: a network with its weights, float32, opset 21."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.export.onnx_graph import OPSET, Builder, package
from archcalc.interop.export.onnx_ops import write
from archcalc.interop.export.structure import cases_of
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    import numpy

#: What a protobuf can hold, with space for the nodes.
LARGEST = (1 << 31) - (1 << 24)


class Weights(Protocol):
    """Where the arrays of layers come from."""

    def of(self, layer: str, sizes: Mapping[str, tuple[int, ...]], /) -> Mapping[str, numpy.ndarray[Any, Any]]:
        """The arrays of a layer by name, in these sizes."""
        ...


def to_onnx(analysis: Analysis, weights: Weights) -> bytes:
    """The network as an ONNX model with these weights; the size of the batch is free.

    Values and nodes have the names of layers, initialisers are called `LAYER.ARRAY`. Raises `UsageError` where onnx is
    not installed, for a layer that ONNX has no words for, and for weights that no file can hold.
    """
    onnx = package()
    totals = analysis.totals
    if 4 * (totals.params + totals.buffers) > LARGEST:
        raise UsageError(
            f"{analysis.graph.name} has {4 * (totals.params + totals.buffers):,} bytes of weights; "
            f"one ONNX file holds at most {LARGEST:,}"
        )
    graph, g = analysis.graph, Builder()
    float32 = onnx.TensorProto.FLOAT
    g.values.update(graph.inputs, (output.name for output in graph.outputs))
    values: dict[tuple[int, int], str] = {}
    outputs = {output.layer: output.name for output in reversed(graph.outputs) if output.name not in graph.inputs}
    places = _places(graph)
    for index, case in cases_of(analysis).items():
        layer, row = graph.layers[index], analysis.rows[index]
        if row.op.kind == "input":
            values[index, 0] = layer.name
            continue
        owner = graph.owner(layer).name
        sizes = {param.name: param.shape for param in row.op.param_shapes(row.input_shapes)}
        g.begin(case, owner, weights.of(owner, sizes) if sizes else {})
        # A map that reads nothing takes the size of the batch from the input.
        sources = [values[source, 0] for source in layer.inputs or (0,)]
        if row.op.kind.startswith("max_unpool"):
            sources[1] = values[layer.inputs[1], 1]
        if index in places:
            values[index, 0] = g.own_name(layer.name)
            g.stored[values[index, 0]] = f"{owner}.weight", g.array("weight")
            continue
        out = write(g, case, sources)
        # What is left as it was gets a node of its own, so that it has a name.
        out = g("Identity", out) if out in sources else out
        if case.switches:
            values[index, 1] = g.nodes[-1].output[0]
        values[index, 0] = g.finish(out, outputs.get(index) or g.own_name(layer.name))
        if row.op.kind == "parameter":
            g.stored[values[index, 0]] = f"{owner}.weight", g.array("weight")
    found = []
    for output in graph.outputs:
        name = values[output.layer, 0]
        if name != output.name:
            own = output.name if output.name not in graph.inputs else g.own_name(output.name)
            g.nodes.append(onnx.helper.make_node("Identity", [name], [own]))
            name = own
        found.append(_value(onnx, name, float32, analysis.rows[output.layer].output_shape))
    given = [_value(onnx, name, float32, shape) for name, shape in graph.inputs.items()]
    made = onnx.helper.make_graph(g.nodes, graph.name, given, found, list(g.weights.values()), doc_string=graph.title)
    opset = onnx.helper.make_opsetid("", OPSET)
    model = onnx.helper.make_model(made, producer_name="archcalc", opset_imports=[opset], ir_version=10)
    data: bytes = model.SerializeToString()
    return data


def _places(graph: LayerGraph) -> frozenset[int]:
    """The stored maps that gathers alone read, as numbers of places: each gather holds them as whole numbers."""
    places: set[int] = set()
    others = {output.layer for output in graph.outputs}
    for layer in graph:
        count = 1 if layer.op.kind == "index_select" else len(layer.inputs)
        others.update(layer.inputs[:count])
        places.update(layer.inputs[count:])
    return frozenset(each for each in places - others if graph.layers[each].op.kind == "parameter")


def _value(onnx: Any, name: str, kind: int, shape: tuple[int, ...]) -> Any:
    return onnx.helper.make_tensor_value_info(name, kind, ["N", *shape])
