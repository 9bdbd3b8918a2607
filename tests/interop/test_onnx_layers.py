"""Every translated ONNX operation: the layer that it becomes, and its values against the reference of ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

from onnx import NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tests.interop.onnx_models import model, network, outputs, weights, with_defaults, written

Array = np.ndarray[Any, Any]
IMAGE, ROW, VOLUME, FLAT = (1, 4, 9, 8), (1, 4, 11), (1, 4, 5, 6, 7), (1, 12)


class Case(NamedTuple):
    """Nodes from x to y, the shape of x, the arrays, and the layers that are wanted."""

    nodes: tuple[NodeProto, ...]
    layers: str
    shape: tuple[int, ...] = IMAGE
    arrays: Mapping[str, Array] = {}
    opset: int = 17

    @property
    def name(self) -> str:
        kinds = "+".join(node.op_type for node in self.nodes)
        settings = ",".join(each.name for node in self.nodes for each in node.attribute)
        return f"{kinds}({settings})-{self.opset}"


def case(
    op: str, layers: str, shape: tuple[int, ...] = IMAGE, *arrays: Array | None, opset: int = 17, **attributes: Any
) -> Case:
    """A model of one node; None is an input that is left out."""
    names = ["x", *("" if array is None else f"a{index}" for index, array in enumerate(arrays))]
    held = {f"a{index}": array for index, array in enumerate(arrays) if array is not None}
    return Case((helper.make_node(op, names, ["y"], **attributes),), layers, shape, held, opset)


def i(*values: int) -> Array:
    return np.array(values, dtype=np.int64)


def f(*values: float) -> Array:
    return np.array(values, dtype=np.float32)


def s(value: float) -> Array:
    return np.array(value, dtype=np.float32)


def positive(*shape: int) -> Array:
    found: Array = np.abs(weights(*shape, seed=3)) + 0.5
    return found


CASES = [
    # convolution
    case("Conv", "conv2d", IMAGE, weights(6, 4, 3, 2), weights(6), strides=[2, 1], pads=[1, 0, 2, 1]),
    case("Conv", "conv2d", IMAGE, weights(6, 2, 3, 3), group=2, dilations=[2, 2]),
    case("Conv", "conv2d", IMAGE, weights(4, 4, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2]),
    case("Conv", "conv2d", IMAGE, weights(4, 4, 3, 3), auto_pad="SAME_LOWER", strides=[2, 2]),
    case("Conv", "conv2d", IMAGE, weights(4, 4, 3, 3), auto_pad="VALID"),
    case("Conv", "conv1d", ROW, weights(3, 4, 5), weights(3), pads=[2, 2]),
    case("Conv", "conv3d", VOLUME, weights(3, 4, 2, 3, 3)),
    case("ConvTranspose", "conv_transpose2d", IMAGE, weights(4, 3, 3, 3), weights(3), strides=[2, 2],
         pads=[1, 1, 1, 1], output_padding=[1, 1]),
    case("ConvTranspose", "conv_transpose1d", ROW, weights(4, 3, 3), strides=[3]),
    case("ConvTranspose", "conv_transpose2d", IMAGE, weights(4, 3, 3, 2), weights(3), strides=[2, 1],
         dilations=[2, 3], pads=[1, 0, 2, 1], output_padding=[1, 0]),
    case("ConvTranspose", "conv_transpose1d", ROW, weights(4, 3, 3), strides=[2], dilations=[3],
         auto_pad="SAME_UPPER"),
    # pooling
    case("MaxPool", "max_pool2d", IMAGE, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1]),
    case("MaxPool", "max_pool2d", IMAGE, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    case("MaxPool", "max_pool1d", ROW, kernel_shape=[3]),
    case("MaxPool", "max_pool3d", VOLUME, kernel_shape=[2, 2, 2], strides=[2, 2, 2]),
    case("AveragePool", "avg_pool2d", IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    case("AveragePool", "avg_pool2d", IMAGE, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    *[case(f"{kind}Pool", f"{layer}_pool2d", IMAGE, kernel_shape=[2, 3], strides=[1, 2], auto_pad=how, opset=18)
      for kind, layer in (("Max", "max"), ("Average", "avg"), ("Lp", "lp"))
      for how in ("SAME_UPPER", "SAME_LOWER", "VALID") if (kind, how) != ("Max", "SAME_LOWER")],
    case("AveragePool", "avg_pool1d", ROW, kernel_shape=[4], strides=[4], auto_pad="SAME_UPPER", count_include_pad=1),
    case("ConvTranspose", "conv_transpose2d", IMAGE, weights(4, 3, 3, 2), strides=[2, 2], auto_pad="SAME_LOWER"),
    case("GlobalAveragePool", "global_avg_pool2d"),
    case("GlobalMaxPool", "global_max_pool2d"),
    case("ReduceMean", "global_avg_pool2d+flatten", axes=[2, 3], keepdims=0),
    case("ReduceMean", "global_avg_pool2d", IMAGE, i(-2, -1), opset=18),
    # normalisation
    case("BatchNormalization", "batch_norm2d", IMAGE, weights(4), weights(4), weights(4), positive(4), epsilon=1e-3),
    case("BatchNormalization", "batch_norm1d", ROW, weights(4), weights(4), weights(4), positive(4)),
    case("LayerNormalization", "transpose+layer_norm+transpose", (1, 5, 8), weights(8), weights(8)),
    case("GroupNormalization", "group_norm", IMAGE, weights(4), weights(4), num_groups=2, opset=21),
    case("InstanceNormalization", "instance_norm", IMAGE, weights(4), weights(4)),
    # products
    case("Gemm", "linear", FLAT, weights(5, 12), weights(5), transB=1),
    case("Gemm", "linear", FLAT, weights(12, 5), weights(1, 5)),
    case("Gemm", "linear", FLAT, weights(12, 5), weights(5), alpha=0.5, beta=2.0),
    case("Gemm", "linear", FLAT, weights(12, 5)),
    case("MatMul", "linear", FLAT, weights(12, 5)),
    case("MatMul", "transpose+linear+transpose", (1, 5, 8), weights(8, 3)),
    # activations
    *[case(op, layer) for op, layer in {
        "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "HardSwish": "hardswish", "Softplus": "softplus",
        "LeakyRelu": "leaky_relu", "Elu": "elu", "Selu": "selu", "Celu": "elu",
    }.items()],
    case("Mish", "mish", opset=18), case("Gelu", "gelu", opset=20), case("Gelu", "gelu", opset=20, approximate="tanh"),
    case("Celu", "multiply+elu+multiply", alpha=2.0),
    case("LeakyRelu", "leaky_relu", alpha=0.2), case("Elu", "elu", alpha=0.5),
    case("HardSigmoid", "hardsigmoid", alpha=1 / 6),
    case("Clip", "relu6", IMAGE, s(0), s(6)), case("Clip", "relu", IMAGE, s(0)),
    case("Clip", "hardtanh", IMAGE, s(-0.5), s(0.7)), case("Clip", "relu6", opset=10, min=0.0, max=6.0),
    case("PRelu", "prelu", IMAGE, weights(4, 1, 1)), case("PRelu", "prelu", IMAGE, weights(1)),
    case("Softmax", "softmax", FLAT), case("Softmax", "softmax", IMAGE, axis=1),
    case("LogSoftmax", "log_softmax", FLAT), case("Softmax", "softmax", FLAT, opset=11),
    # reordering
    case("Flatten", "flatten"), case("Reshape", "flatten", IMAGE, i(0, -1)),
    case("Reshape", "flatten+reshape", IMAGE, i(1, 8, 6, 6)),
    case("Transpose", "permute", perm=[0, 1, 3, 2]),
    case("DepthToSpace", "pixel_shuffle", blocksize=2, mode="CRD"),
    case("Slice", "narrow", IMAGE, i(1), i(3), i(1)), case("Slice", "narrow", IMAGE, i(2), i(99), i(-1)),
    case("Slice", "narrow", opset=9, starts=[1], ends=[-1], axes=[2]),
    case("Gather", "parameter+index_select", ROW, i(9, 0, -2, 2), axis=2),
    case("Gather", "parameter+index_select+grid", ROW, i(9, 0, -2, 2).reshape(2, 2), axis=2),
    case("Gather", "permute+reshape+parameter+index_select+reshape+permute", IMAGE, i(3, 0, 3), axis=1),
    case("Gather", "narrow", IMAGE, i(1, 3, 5, 7), axis=2), case("Gather", "chunk", IMAGE, i(2, 3), axis=1),
    case("Pad", "zero_pad2d", IMAGE, i(0, 0, 1, 2, 0, 0, 3, 0)),
    case("Pad", "zero_pad2d", opset=10, pads=[0, 0, 1, 1] * 2),
    case("Pad", "reflection_pad", IMAGE, i(0, 0, 1, 2, 0, 0, 3, 0), mode="reflect"),
    case("Pad", "replication_pad", IMAGE, i(0, 0, 1, 2, 0, 0, 3, 0), mode="edge"),
    case("Resize", "interpolate", IMAGE, None, f(1, 1, 2, 2), mode="nearest", nearest_mode="floor",
         coordinate_transformation_mode="asymmetric"),
    case("Resize", "interpolate", IMAGE, None, f(1, 1, 2, 2), mode="linear"),
    case("Resize", "interpolate", IMAGE, None, None, i(1, 4, 13, 5), mode="linear",
         coordinate_transformation_mode="align_corners"),
    case("Upsample", "interpolate", IMAGE, f(1, 1, 2, 2), opset=9),
    case("Resize", "interpolate", IMAGE, None, f(1, 1, 1.3, 1.3), mode="nearest", nearest_mode="floor",
         coordinate_transformation_mode="asymmetric"),
    case("Resize", "interpolate", IMAGE, None, f(1, 1, 1.3, 1.3), mode="linear"),
    # numbers
    case("Mul", "multiply", IMAGE, s(0.5)), case("Div", "multiply", IMAGE, s(4)),
    case("Dropout", "dropout"), case("Dropout", "dropout", opset=10, ratio=0.3),
]  # fmt: skip


@pytest.mark.parametrize("given", CASES, ids=lambda given: given.name)
def test_layers_and_values(given: Case) -> None:
    proto = model(given.nodes, given.shape, given.arrays, given.opset)
    graph = network(proto)
    kinds = [layer.op.kind for layer in graph if layer.op.kind != "input"]
    x = weights(*given.shape, seed=9)
    wanted = np.asarray(next(iter(ReferenceEvaluator(proto).run(None, {"x": x}))))
    assert "+".join(kinds) == given.layers
    found = outputs(graph, x)
    assert found.reshape(-1).shape == wanted.reshape(-1).shape
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-5)
    again = network(with_defaults(proto))
    assert [layer.op for layer in again] == [layer.op for layer in graph]


def test_a_max_pool_with_the_odd_position_before() -> None:
    """ONNX's reference pads at the end, against its specification; ONNX Runtime does not."""
    x = weights(*IMAGE)
    settings: dict[str, Any] = {"kernel_shape": [2, 3], "strides": [1, 2]}
    lower, padded = (
        network(model([helper.make_node("MaxPool", ["x"], ["y"], **settings, **how)], IMAGE))
        for how in ({"auto_pad": "SAME_LOWER"}, {"pads": [1, 1, 0, 0]})
    )
    np.testing.assert_array_equal(outputs(lower, x), outputs(padded, x))


@pytest.mark.parametrize("padded", [{"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"}, {"pads": [1, 1, 0, 0]}])
def test_values_go_back_to_the_places_of_a_padded_pool(padded: dict[str, Any]) -> None:
    pool = helper.make_node("MaxPool", ["x"], ["p", "i"], kernel_shape=[3, 3], strides=[2, 2], **padded)
    back = helper.make_node("MaxUnpool", ["p", "i"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    graph = network(model([pool, back], (1, 4, 8, 8)))
    assert [layer.op.kind for layer in graph][1:] == ["max_pool2d", "max_unpool2d"]
    x = weights(1, 4, 8, 8)
    assert set(np.unique(outputs(graph, x))) <= {0.0, *np.unique(x)}


def test_local_response_normalisation() -> None:
    proto = model([helper.make_node("LRN", ["x"], ["y"], size=3, alpha=2e-3, beta=0.5, bias=2.0)], IMAGE)
    x = weights(*IMAGE)
    square = np.pad(x**2, ((0, 0), (1, 1), (0, 0), (0, 0)))
    sums = square[:, :-2] + square[:, 1:-1] + square[:, 2:]
    np.testing.assert_allclose(outputs(network(proto), x), x / np.sqrt(2 + 2e-3 / 3 * sums), rtol=1e-5)


HALF, ONE, TWO, THREE, ROOT = "half = {0.5}", "one = {1}", "two = {2}", "three = {3}", "root = {1.4142135}"
#: What exporters write, the constants that it reads, the layers that it is.
PATTERNS = {
    "gelu": ("d = Div(x, root) e = Erf(d) p = Add(e, one) m = Mul(x, p) y = Mul(m, half)", (ROOT, ONE, HALF), "gelu"),
    "gelu, half first": (
        "d = Div(x, root) e = Erf(d) p = Add(e, one) h = Mul(half, x) y = Mul(h, p)", (ROOT, ONE, HALF), "gelu"),
    "gelu, half of the gate": (
        "d = Mul(x, root) e = Erf(d) p = Add(e, one) g = Mul(p, half) y = Mul(g, x)",
        ("root = {0.70710677}", ONE, HALF), "gelu"),
    "gelu of tanh": (
        "c = Pow(x, three) s = Mul(c, small) a = Add(x, s) t = Mul(a, root) h = Tanh(t) p = Add(one, h) "
        "m = Mul(x, p) y = Mul(m, half)",
        (THREE, "small = {0.044715}", "root = {0.7978845}", ONE, HALF), "gelu"),
    "no gelu": ("d = Mul(x, root) e = Erf(d) p = Add(e, one) g = Mul(p, half) y = Mul(g, x)",
                ("root = {0.7}", ONE, HALF), "multiply+opaque+rescale+multiply+multiply"),
    "layer norm": (
        "m = ReduceMean<axes=[-1]>(x) c = Sub(x, m) q = Pow(c, two) v = ReduceMean<axes=[-1]>(q) e = Add(v, eps) "
        "r = Sqrt(e) y = Div(c, r)", (TWO, "eps = {0.001}"), "transpose+layer_norm+transpose"),
    "layer norm, affine": (
        "m = ReduceMean<axes=[-1]>(x) c = Sub(x, m) q = Mul(c, c) v = ReduceMean<axes=[-1]>(q) e = Add(v, eps) "
        "r = Sqrt(e) n = Div(c, r) s = Mul(w, n) y = Add(s, b)", ("eps = {0.001}",), "transpose+layer_norm+transpose"),
    "rms norm": (
        "q = Mul(x, x) v = ReduceMean<axes=[-1]>(q) e = Add(v, eps) r = Sqrt(e) i = Reciprocal(r) n = Mul(x, i) "
        "y = Mul(n, w)", ("eps = {0.001}",), "transpose+rms_norm+transpose"),
    "rms norm, scale first": (
        "q = Mul(x, x) v = ReduceMean<axes=[-1]>(q) e = Add(v, eps) r = Sqrt(e) n = Mul(w, x) y = Div(n, r)",
        ("eps = {0.001}",), "transpose+rms_norm+transpose"),
    "layer norm, difference twice": (
        "m = ReduceMean<axes=[-1]>(x) c = Sub(x, m) d = Sub(x, m) q = Pow(d, two) v = ReduceMean<axes=[-1]>(q) "
        "e = Add(v, eps) r = Sqrt(e) n = Div(c, r) s = Mul(w, n) y = Add(s, b)",
        (TWO, "eps = {0.001}"), "transpose+layer_norm+transpose"),
    "softplus, above a threshold": (
        "k = Mul(x, two) s = Softplus(k) d = Div(s, two) g = Greater(k, three) y = Where(g, x, d)", (TWO, THREE),
        "softplus"),
    "softplus, divided by another number": (
        "k = Mul(x, two) s = Softplus(k) d = Div(s, three) g = Greater(k, three) y = Where(g, x, d)", (TWO, THREE),
        "multiply+softplus+multiply+opaque+opaque"),
    "log of a sigmoid": ("s = Sigmoid(x) y = Log(s)", (), "multiply+softplus+multiply"),
    "Lp pool with the sign of the mean": (
        "q = Pow(x, two) a = AveragePool<kernel_shape=[2], strides=[2]>(q) s = Sign(a) k = Abs(a) r = Relu(k) "
        "m = Mul(s, r) t = Mul(m, two) y = Pow(t, half)", (TWO, HALF), "lp_pool1d"),
    "group norm": (
        "g = Reshape(x, groups) n = InstanceNormalization<epsilon=0.001>(g, ones, zeros) "
        "back = Reshape(n, whole) s = Mul(back, scale) y = Add(s, shift)", (), "group_norm"),
}  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name: str) -> None:
    nodes, numbers, layers = PATTERNS[name]
    held = ", ".join(f"float {number}" for number in numbers)
    proto = written(f"g (float[1,6,4] x) => (float[a,b,c] y) <{held}> {{ {nodes} }}")
    arrays = {
        "w": weights(4), "b": weights(4, seed=1), "ones": np.ones(3, np.float32), "zeros": np.zeros(3, np.float32),
        "scale": weights(6, 1), "shift": weights(6, 1, seed=2), "groups": i(0, 3, -1), "whole": i(1, 6, 4),
    }  # fmt: skip
    read = {each for node in proto.graph.node for each in node.input}
    for key in read & set(arrays):
        proto.graph.initializer.append(numpy_helper.from_array(arrays[key], key))
    graph = network(proto)
    assert "+".join(layer.op.kind for layer in graph if layer.op.kind != "input") == layers
    if "opaque" not in layers:
        x = weights(1, 6, 4, seed=5)
        wanted = np.asarray(next(iter(ReferenceEvaluator(proto).run(None, {"x": x}))))
        np.testing.assert_allclose(outputs(graph, x), wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({"mode": "linear", "exclude_outside": 1}, "bilinear"),
        ({"mode": "cubic", "exclude_outside": 1, "cubic_coeff_a": -0.5}, "bicubic"),
        ({"mode": "cubic", "exclude_outside": 1}, ""),
        ({"mode": "linear"}, ""),
        ({"mode": "linear", "exclude_outside": 1, "coordinate_transformation_mode": "align_corners"}, ""),
    ],
)
def test_antialiasing_is_read_where_it_is_that_of_pytorch(given: dict[str, Any], mode: str) -> None:
    node = helper.make_node("Resize", ["x", "", "", "size"], ["y"], antialias=1, **given)
    arrays = {"size": np.array([1, 3, 5, 6])}
    op = next(reversed(network(model([node], (1, 3, 12, 9), arrays, opset=19)).layers)).op
    fields = op.model_dump()
    assert (op.kind, fields.get("mode", ""), fields.get("antialias", False)) == (
        ("interpolate", mode, True) if mode else ("opaque", "", False)
    )
