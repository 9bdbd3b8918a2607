"""The nodes of an ONNX file that each layer is, and what onnx-tool counts of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

import onnx

from archcalc.design.conventions import TOOLS, count
from archcalc.design.file_rules import count_of
from archcalc.graph.layer_graph import FileNode, LayerGraph
from archcalc.interop.models import load
from archcalc.passes.analysis import analyse
from tests.interop.onnx_models import network, written


def counted(graph: LayerGraph) -> tuple[int, dict[str, int]]:
    found = count(analyse(graph), TOOLS["onnx-tool"], "multiplications")
    assert found is not None
    return found.total, dict(found.not_counted)


_VALUES = 3 * 8 * 8
_GELU = """Constant_1 = Constant <value_float = 1.4142135> () d = Div (x, Constant_1) e = Erf (d)
    Constant_2 = Constant <value_float = 1.0> () a = Add (e, Constant_2) m = Mul (x, a)
    Constant_3 = Constant <value_float = 0.5> () y = Mul (m, Constant_3)"""
#: The nodes of a graph, the layers that they are, and what the tool counts, by hand from onnx_tool/node.py.
GRAPHS = {
    "GELU as five nodes": (_GELU, 20, ["gelu"], 7 * _VALUES),
    "GELU as one node": ("y = Gelu (x)", 20, ["gelu"], 34 * _VALUES),
    "SiLU as two nodes": ("s = Sigmoid (x) y = Mul (x, s)", 20, ["silu"], 33 * _VALUES),
    "hard swish as two nodes": (
        "h = HardSigmoid <alpha = 0.16666667> (x) y = Mul (x, h)", 20, ["hardswish"], 5 * _VALUES),
    "global pool": ("y = GlobalAveragePool (x)", 20, ["global_avg_pool2d"], _VALUES + 4 * 3),
    "global pool as a mean": ("y = ReduceMean <axes = [2, 3]> (x)", 17, ["global_avg_pool2d"], _VALUES),
    "nodes that no output needs": ("unread = Exp (x) y = Relu (x)", 20, ["relu"], 33 * _VALUES),
    "the size of the input": (
        "s = Shape (x) d = Mul (s, s) y = Relu (x)", 20, ["relu"], _VALUES + 4),
    "numbers of the file alone": (
        "a = Constant <value_ints = [5, 7]> () b = Mod (a, a) c = Add (b, a) y = Relu (x)", 20, ["relu"], _VALUES + 4),
}  # fmt: skip


@pytest.mark.parametrize("graph", GRAPHS)
def test_networks_of_files_are_counted_by_the_nodes_of_the_file(graph: str) -> None:
    nodes, opset, ops, wanted = GRAPHS[graph]
    sizes = "1,3,1,1" if "pool" in graph else "1,3,8,8"
    made = network(written(f"g (float[1,3,8,8] x) => (float[{sizes}] y) {{ {nodes} }}", opset))
    assert [layer.op.kind for layer in made.layers[1:]] == ops
    assert counted(made) == (wanted, {})


def test_the_batch_of_a_file_is_no_image_more() -> None:
    text = "g (float[{n},3,8,8] x) => (float[{n},3,8,8] y) {{ s = Sigmoid (x) y = Mul (x, s) }}"
    assert counted(network(written(text.format(n=4)))) == counted(network(written(text.format(n=1))))


def test_a_node_that_the_tool_does_not_know_leaves_its_layer_open() -> None:
    made = network(written("g (float[1,3,8,8] x) => (float[1,3,8,8] y) { m = Mish (x) y = Relu (m) }", 20))
    assert counted(made) == (_VALUES, {"Mish": 1})


def test_other_layers_are_counted_by_their_kind() -> None:
    """A changed network is no longer what the file writes."""
    silu = network(written("g (float[1,3,8,8] x) => (float[1,3,8,8] y) { s = Sigmoid (x) y = Mul (x, s) }"))
    relu = network(written("g (float[1,3,8,8] x) => (float[1,3,8,8] y) { y = Relu (x) }"))
    assert silu.written is not None
    assert [node.op for node in silu.written.nodes[silu.layers[1].name]] == ["Sigmoid", "Mul"]
    changed = replace(silu, layers=(silu.layers[0], silu.layers[1]._replace(op=relu.layers[1].op)))
    assert counted(changed) == (_VALUES, {})


def test_another_input_is_counted_anew(tmp_path: Path) -> None:
    path = tmp_path / "silu.onnx"
    onnx.save(written("g (float[1,3,h,w] x) => (float[1,3,h,w] y) { s = Sigmoid (x) y = Mul (x, s) }"), path)
    graph = load(path, input_shape=(3, 8, 8))
    assert counted(graph) == (33 * _VALUES, {})
    assert counted(graph.with_input((3, 16, 16))) == (4 * 33 * _VALUES, {})


_X = (1, 4, 6, 6)
#: A node, and the tool's count by hand from onnx_tool/node.py; None: it stops or does not know it.
NODES: dict[str, tuple[FileNode, int | None]] = {
    "a convolution in groups with a bias": (
        FileNode("Conv", (_X, (8, 2, 3, 3), (8,)), ((1, 8, 4, 4),), {"group": 2}), 128 * 18 + 128),
    "a transposed one": (FileNode("ConvTranspose", (_X, (4, 2, 2, 2)), ((1, 2, 12, 12),), {}), 288 * 8),
    "a product": (FileNode("MatMul", ((1, 5, 8), (8, 3)), ((1, 5, 3),), {}), 15 * 8),
    "a dense layer": (FileNode("Gemm", ((2, 8), (3, 8), (3,)), ((2, 3),), {"transB": 1}), 6 * 8 + 6),
    "einsum": (
        FileNode("Einsum", ((2, 5, 8), (2, 7, 8)), ((2, 5, 7),), {"equation": "bid, bjd -> bij"}), 2 * 5 * 7 * 8),
    "einsum with dots": (FileNode("Einsum", ((2, 5), (5, 7)), ((2, 7),), {"equation": "...d,dj->...j"}), None),
    "a pool": (FileNode("MaxPool", (_X,), ((1, 4, 3, 3),), {"kernel_shape": [2, 2]}), 36 * 4),
    "a pool of volumes": (
        FileNode("MaxPool", ((1, 2, 4, 4, 4),), ((1, 2, 2, 2, 2),), {"kernel_shape": [2, 2, 2]}), 16 * 2),
    "a layer norm": (FileNode("LayerNormalization", ((1, 5, 8), (8,), (8,)), ((1, 5, 8),), {}), 40 * 7 + 5 * 29),
    "a layer norm of several axes": (
        FileNode("LayerNormalization", (_X, _X[1:]), (_X,), {"axis": 1}), 144 * 7 + 36 * 29),
    "LRN": (FileNode("LRN", (_X,), (_X,), {"size": 5}), 144 * 42),
    "bilinear": (FileNode("Resize", (_X, None, (4,)), ((1, 4, 12, 12),), {"mode": "linear"}), 576 * 4),
    "nearest": (FileNode("Resize", (_X, None, (4,)), ((1, 4, 12, 12),), {}), 0),
    "a norm": (FileNode("ReduceL2", ((1, 5, 8),), ((1, 5, 1),), {"axes": [2]}), 40 * 25),
    "a norm whose axes are an input": (FileNode("ReduceL2", ((1, 5, 8), (1,)), ((1, 5, 1),), {}), None),
    "a sum of three": (FileNode("Sum", (_X, _X, _X), (_X,), {}), 2 * 144),
    "LSTM": (FileNode("LSTM", ((7, 1, 6), (1, 20, 6), (1, 20, 5), (1, 40)), ((7, 1, 1, 5),), {}),
             7 * (120 + 100 + 40 + 180 * 5)),
    "LSTM without biases": (FileNode("LSTM", ((7, 1, 6), (1, 20, 6), (1, 20, 5)), ((7, 1, 1, 5),), {}), None),
    "GRU": (FileNode("GRU", ((7, 1, 6), (1, 15, 6), (1, 15, 5), (1, 30)), ((7, 1, 1, 5), (1, 1, 5)), {}),
            7 * (90 + 75 + 30 + 110 * 5)),
    "GRU without the last state": (
        FileNode("GRU", ((7, 1, 6), (1, 15, 6), (1, 15, 5), (1, 30)), ((7, 1, 1, 5),), {}), None),
    "a single number": (FileNode("Mul", ((), ()), ((),), {}), 0),
    "an output of unknown size": (FileNode("Relu", (_X,), (None,), {}), None),
    "another domain": (FileNode("com.microsoft.Gelu", (_X,), (_X,), {}), None),
}  # fmt: skip


@pytest.mark.parametrize("node", NODES)
def test_nodes(node: str) -> None:
    given, wanted = NODES[node]
    assert count_of(given) == wanted
