"""The arithmetic with constants equals that of the reference implementation of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archcalc.core.errors import UsageError

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from archcalc.interop.onnx_call import attributes_of
from archcalc.interop.onnx_fold import FOLDS, fold


def i(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=np.int64)


X = i(7, -3, 5, 0, -8, 2).reshape(2, 3)
Y = i(2, 2, -3, 4, 3, -2).reshape(2, 3)
F = X.astype(np.float32) / 3
B = X > 0
SQUARE = i(*range(9)).reshape(3, 3)
#: Operation, inputs, attributes, outputs.
CASES: list[tuple[str, list[Any], dict[str, Any], int]] = [
    *[(op, [X, Y], {}, 1) for op in ("Add", "Sub", "Mul", "Div", "Equal", "Greater", "GreaterOrEqual", "Less",
                                     "LessOrEqual", "Max", "Min", "Mod")],
    *[(op, [F, F + 2], {}, 1) for op in ("Div", "Sum", "Max")],
    *[(op, [F], {}, 1) for op in ("Neg", "Abs", "Sign", "Floor", "Ceil", "Round", "Exp", "Sin", "Cos", "Sigmoid",
                                  "Tanh", "Relu", "Identity", "IsNaN")],
    *[(op, [np.abs(F) + 1], {}, 1) for op in ("Sqrt", "Log", "Reciprocal")],
    *[(op, [B, ~B], {}, 1) for op in ("And", "Or", "Xor")],
    ("Not", [B], {}, 1), ("Where", [B, X, Y], {}, 1), ("MatMul", [X, Y.T.copy()], {}, 1), ("NonZero", [X], {}, 1),
    ("Pow", [np.abs(X), i(2)], {}, 1), ("Mod", [F, F + 2], {"fmod": 1}, 1),
    ("Cast", [F], {"to": 7}, 1), ("Cast", [X], {"to": 1}, 1), ("CastLike", [X, F], {}, 1),
    ("Gather", [X, i(1, -1)], {"axis": 1}, 1), ("GatherElements", [X, i(0, 1, 1).reshape(1, 3)], {}, 1),
    ("GatherND", [X, i(0, 1, 1, 2).reshape(2, 2)], {}, 1), ("ScatterND", [X, i(1).reshape(1, 1), Y[:1]], {}, 1),
    ("Concat", [X, Y], {"axis": -1}, 1), ("Slice", [X, i(-1), i(-100), i(1), i(-1)], {}, 1),
    ("Slice", [X, i(1), i(2**62)], {}, 1), ("Split", [X, i(1, 2)], {"axis": 1}, 2),
    ("Split", [X], {"axis": 1, "num_outputs": 2}, 2), ("Squeeze", [X[None]], {}, 1),
    ("Squeeze", [X[None], i(0)], {}, 1),
    ("Unsqueeze", [X, i(0, -1)], {}, 1), ("Reshape", [X, i(0, -1, 1)], {}, 1), ("Flatten", [X[None]], {"axis": 2}, 1),
    ("Transpose", [X], {}, 1), ("Transpose", [X[None]], {"perm": [2, 0, 1]}, 1), ("Expand", [X, i(4, 1, 1)], {}, 1),
    ("Tile", [X, i(2, 1)], {}, 1), ("Range", [i(9)[0], i(-2)[0], i(-3)[0]], {}, 1),
    ("ConstantOfShape", [i(2, 3)], {"value": numpy_helper.from_array(i(5))}, 1), ("ConstantOfShape", [i(2)], {}, 1),
    ("EyeLike", [X], {"k": 1}, 1), ("Trilu", [SQUARE], {}, 1), ("Trilu", [SQUARE, i(-1)[0]], {"upper": 0}, 1),
    ("Einsum", [F, F], {"equation": "ij, kj -> ik"}, 1), ("Einsum", [F[:, 0], F[0]], {"equation": "i,j->ij"}, 1),
    ("CumSum", [X, i(1)[0]], {}, 1), ("Clip", [X, i(-2)[0], i(3)[0]], {}, 1), ("Clip", [X], {}, 1),
    *[(op, [X, i(1)], {}, 1) for op in ("ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin")],
    ("ReduceSum", [X], {"noop_with_empty_axes": 1}, 1), ("ReduceSum", [X], {"keepdims": 0}, 1),
    ("ReduceMean", [F, i(0)], {}, 1), ("ReduceL2", [F, i(-1)], {}, 1),
    ("DequantizeLinear", [np.eye(2, dtype=np.int8), np.array([0.5, 2], np.float32), np.array([1, 0], np.int8)], {}, 1),
    ("DequantizeLinear", [np.array([1, 200], np.uint8), np.float32(0.5)], {}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("op", "inputs", "attributes", "count"), CASES, ids=[case[0] for case in CASES])
def test_equals_the_reference(op: str, inputs: list[Any], attributes: dict[str, Any], count: int) -> None:
    names = [f"i{index}" for index in range(len(inputs))]
    outputs = [f"o{index}" for index in range(count)]
    node = helper.make_node(op, names, outputs, **attributes)
    graph = helper.make_graph([node], "g", [helper.make_empty_tensor_value_info(name) for name in names],
                              [helper.make_empty_tensor_value_info(name) for name in outputs])  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])
    wanted = ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))
    found = fold(op, attributes_of(node), 19, inputs)
    assert len(found) == count
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_every_operation_is_tried() -> None:
    assert {case[0] for case in CASES} == set(FOLDS)


@pytest.mark.parametrize(
    ("op", "inputs", "attributes"),
    [
        ("Reshape", [X, i(4, 4)], {}),
        ("Gather", [X, i(9)], {}),
        ("Range", [i(0)[0], i(1 << 60)[0], i(1)[0]], {}),
        ("Range", [i(0)[0], i(1)[0], i(0)[0]], {}),
        ("Concat", [X, Y], {}),
        ("CumSum", [X, i(1)[0]], {"reverse": 1}),
        ("Expand", [X, i(5, 5)], {}),
    ],
)
def test_what_makes_no_sense(op: str, inputs: list[Any], attributes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="its constants cannot be used"):
        fold(op, attributes, 18, inputs)


def test_older_opsets_have_axes_as_attributes() -> None:
    assert fold("Squeeze", {"axes": [0]}, 11, [X[None]])[0].shape == (2, 3)
    assert fold("Slice", {"starts": [1], "ends": [3], "axes": [1]}, 9, [X])[0].tolist() == [[-3, 5], [-8, 2]]
    assert fold("Split", {"split": [2, 1], "axis": 1}, 11, [X])[1].tolist() == [[5], [2]]
    assert fold("Clip", {"min": -1.0, "max": 1.0}, 6, [F])[0].max() == 1
