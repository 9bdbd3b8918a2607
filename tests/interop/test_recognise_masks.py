"""Masks of scores as people and exporters write them: causal attention, a mask that is added, or a product alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from archcalc.passes.analysis import analyse
from tests.interop.onnx_models import network, outputs, weights, written

PLACES = 6
SEEN = np.tri(PLACES, dtype=np.float32)
BAND = np.tri(PLACES, k=1, dtype=np.float32) * np.tri(PLACES, k=1, dtype=np.float32).T
HOLE = BAND * (np.arange(PLACES) != 2)[:, None].astype(np.float32)
BEFORE = "k = Transpose<perm=[0,2,1]>(x) p = MatMul(x, k) s = Mul(p, half)"
AFTER = "y = MatMul(w, x)"
CAUSAL = "transpose+scaled_dot_product_attention+transpose"

#: What stands between the scores s and their shares w, the mask, and the layers that it is.
WAYS: dict[str, tuple[str, Any, str]] = {
    "a number where a buffer is 0": ("m = Equal(mask, zero) t = Where(m, hidden, s)", SEEN, CAUSAL),
    "a part of a larger buffer": (
        "l = Equal(large, zero) m = Slice(l, begin, end, both) t = Where(m, hidden, s)", SEEN, CAUSAL),
    "scores where it is true": ("m = Cast<to=9>(mask) t = Where(m, s, hidden)", SEEN, CAUSAL),
    "an array of one number": ("m = Cast<to=9>(mask) t = Where(m, s, low)", SEEN, CAUSAL),
    "minus 10,000": ("m = Equal(mask, zero) t = Where(m, less, s)", SEEN, CAUSAL),
    "added": ("t = Add(s, mask)", np.where(SEEN > 0, 0, -np.inf), CAUSAL),
    "added, minus 10,000": ("t = Add(s, mask)", np.where(SEEN > 0, 0, -1e4), CAUSAL),
    "a product and a sum": (
        "o = Sub(one, mask) f = Mul(less, o) q = Mul(s, mask) t = Add(q, f)", SEEN, CAUSAL),
    "a product and a difference": (
        "o = Sub(one, mask) f = Mul(more, o) q = Mul(s, mask) t = Sub(q, f)", SEEN, CAUSAL),
    "a triangle": ("m = Trilu<upper=0>(ones) e = Equal(m, zero) t = Where(e, hidden, s)", SEEN, CAUSAL),
    "numbers that are compared": (
        "a = Range(none, six, first) c = Unsqueeze(a, last) m = Less(c, a) t = Where(m, hidden, s)", SEEN, CAUSAL),
    "not a number is 0": (
        "t = Add(s, mask) r = Softmax<axis=-1>(t) n = IsNaN(r) w = Where(n, zero, r)",
        np.where(SEEN > 0, 0, -np.inf), CAUSAL),
    "a band": ("m = Equal(mask, zero) t = Where(m, hidden, s)", BAND, "add+softmax"),
    "a band, added": ("t = Add(s, mask)", np.where(BAND > 0, 0, -np.inf), "add+softmax"),
    "a row of nothing": (
        "t = Add(s, mask) r = Softmax<axis=-1>(t) n = IsNaN(r) w = Where(n, zero, r)",
        np.where(HOLE > 0, 0, -np.inf), "add+softmax+opaque+opaque"),
    "other products": ("q = Mul(s, mask) t = Add(q, mask)", SEEN, "multiply+add+softmax"),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_masks(name: str) -> None:
    between, mask, layers = WAYS[name]
    if "Softmax" not in between:
        between += " w = Softmax<axis=-1>(t)"
    numbers = (
        "float half = {0.5}, float zero = {0}, float one = {1}, float less = {-10000}, float more = {10000}, "
        "float hidden = {-1e30}, int64[2] begin = {0, 0}, int64[2] end = {6, 6}, int64[2] both = {0, 1}, "
        "int64[1] last = {1}, int64 none = {0}, int64 six = {6}, int64 first = {1}"
    )
    sizes = f"1,{PLACES},8"
    proto = written(f"g (float[{sizes}] x) => (float[{sizes}] y) <{numbers}> {{ {BEFORE} {between} {AFTER} }}")
    arrays = {
        "mask": mask, "large": np.tri(9), "ones": np.ones((PLACES, PLACES)), "low": np.full((PLACES, PLACES), -1e30)
    }  # fmt: skip
    read = {each for node in proto.graph.node for each in node.input}
    for key in sorted(read & set(arrays)):
        proto.graph.initializer.append(numpy_helper.from_array(arrays[key].astype(np.float32), key))
    graph = network(proto)
    kinds = "+".join(layer.op.kind for layer in graph if layer.op.kind != "input")
    assert kinds == layers or (layers != CAUSAL and f"+{layers}" in kinds), kinds
    assert [layer.op.model_dump()["is_causal"] for layer in graph if "attention" in layer.op.kind] == [True] * (
        layers == CAUSAL
    )
    assert analyse(graph).totals.params == (PLACES**2 if name == "other products" else 0)
    if "opaque" not in layers:
        x = weights(1, PLACES, 8)
        wanted = np.asarray(next(iter(ReferenceEvaluator(proto).run(None, {"x": x}))))
        np.testing.assert_allclose(outputs(graph, x), wanted, rtol=1e-4, atol=1e-5)
