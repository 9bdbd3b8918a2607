"""Single numbers of ONNX files: trained parameters, and constants that exporters store in the same way."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

from onnx import helper
from onnx.reference import ReferenceEvaluator

from archcalc.interop.foreign import to_network
from archcalc.interop.onnx_read import from_onnx
from archcalc.passes.analysis import analyse
from tests.interop.onnx_models import model, outputs, weights
from tests.interop.programs import of_counts

ONE_OUTPUT = helper.make_node("MatMul", ["x", "w"], ["p"])


@pytest.mark.parametrize(
    ("name", "shape", "is_parameter"),
    [("a.scale", (1,), True), ("a.scale", (), True), ("blocks.0.t", (1, 1, 1), True), ("g", (1,), True),
     ("logit_scale", (), True), ("g", (), False), ("onnx::Mul_12", (1,), False), ("val_3", (), False),
     ("_to_copy", (1,), False), ("/act/Constant_output_0", (1,), False), ("exp", (1,), False),
     ("p2o.Constant.3", (1,), False), ("a.lifted_tensor_0", (), False), ("12", (1,), False), ("half", (1,), False)],
)  # fmt: skip
@pytest.mark.parametrize("op", ["Mul", "Add", "Sub", "Div"])
def test_a_single_number_is_a_parameter_by_its_name(
    name: str, shape: tuple[int, ...], is_parameter: bool, op: str
) -> None:
    proto = model([helper.make_node(op, ["x", name], ["y"])], arrays={name: np.full(shape, 2.5, np.float32)})
    graph = to_network(from_onnx(proto))
    kind = "parameters, by their names" if is_parameter else "constants, not as parameters"
    notes = () if "." in name and is_parameter else (f"single numbers of the file count as {kind}: {name}",)
    assert (analyse(graph).totals.params, graph.notes) == (int(is_parameter), notes)
    x = weights(1, 3, 8, 8)
    expected = np.asarray(ReferenceEvaluator(proto).run(None, {"x": x})[0])  # type: ignore[index]  # no dict
    np.testing.assert_allclose(outputs(graph, x), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["fc.bias", "onnx::Add_7", "b", "val_2"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_number_added_to_a_product_with_one_output_is_its_bias(name: str, is_first: bool) -> None:
    inputs = [name, "p"] if is_first else ["p", name]
    arrays = {"w": weights(8, 1), name: weights(1, seed=1)}
    graph = to_network(from_onnx(model([ONE_OUTPUT, helper.make_node("Add", inputs, ["y"])], (1, 5, 8), arrays)))
    (layer,) = [layer for layer in graph.layers if layer.op.kind == "linear"]
    assert (analyse(graph).totals.params, of_counts(graph.notes)) == (9, ())
    np.testing.assert_array_equal(np.asarray(graph.arrays[layer.name]["bias"]()), arrays[name])


def test_a_product_has_one_bias() -> None:
    """What is added after the bias, and a number without axes, are constants where their names say nothing else."""
    nodes = [ONE_OUTPUT, helper.make_node("Add", ["p", "1"], ["q"]), helper.make_node("Add", ["q", "2"], ["y"])]
    arrays = {"w": weights(8, 1), "1": np.full((1,), 0.5, np.float32), "2": np.full((1,), 0.25, np.float32)}
    graph = to_network(from_onnx(model(nodes, (1, 5, 8), arrays)))
    assert (analyse(graph).totals.params, len(of_counts(graph.notes))) == (9, 1)
    scalar = {**arrays, "1": np.array(0.5, np.float32)}
    assert analyse(to_network(from_onnx(model(nodes, (1, 5, 8), scalar)))).totals.params == 8


def test_constant_nodes_are_no_parameters() -> None:
    number = helper.make_node("Constant", [], ["a.scale"], value_float=2.5)
    graph = to_network(from_onnx(model([number, helper.make_node("Mul", ["x", "a.scale"], ["y"])])))
    assert (analyse(graph).totals.params, graph.notes) == (0, ())


@pytest.mark.parametrize(
    ("low", "high", "counts", "note"),
    [(-1e9, 0.0, (0, 49), "masks count as buffers, not as parameters: mask"), (0.0, 1.0, (49, 0), None)],
)
def test_an_array_of_zeros_and_of_what_hides_is_a_mask(
    low: float, high: float, counts: tuple[int, int], note: str | None
) -> None:
    mask = np.triu(np.full((7, 7), low, np.float32), 1) + np.tril(np.full((7, 7), high, np.float32))
    nodes = [helper.make_node("MatMul", ["x", "x"], ["p"]), helper.make_node("Add", ["p", "mask"], ["y"])]
    graph = to_network(from_onnx(model(nodes, (1, 3, 7, 7), {"mask": mask})))
    totals = analyse(graph).totals
    assert (totals.params, totals.buffers) == counts
    assert of_counts(graph.notes) == (() if note is None else (note,))
