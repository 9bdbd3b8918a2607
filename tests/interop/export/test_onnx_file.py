"""ONNX files without a runtime: what onnx itself checks, and the weights."""

from __future__ import annotations

import builtins
import re
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.execute.weights import SeededWeights
from archcalc.interop.export.onnx_file import to_onnx
from archcalc.interop.export.onnx_ops import TABLE
from archcalc.ops import OPS
from archcalc.passes.analysis import Analysis, analyse
from tests import networks
from tests.interop.export.cases import ALONE, of_row
from tests.networks import numbers
from tests.ops.rows import Row, label

onnx = pytest.importorskip("onnx", reason="it writes the files: pip install 'archcalc[onnx]'")


def model_of(analysis: Analysis) -> Any:
    """The model, checked by onnx with the shapes of all values."""
    model = onnx.load_from_string(to_onnx(analysis, SeededWeights(analysis.graph)))
    onnx.checker.check_model(model, full_check=True)
    return model


def test_every_op_is_in_the_table() -> None:
    kinds = {re.sub("[123]d$", "Nd", kind) for kind in OPS}
    assert kinds - set(TABLE) - {"opaque"} == {"input", "depthwise_convNd"}


@pytest.mark.slow
@pytest.mark.parametrize("row", ALONE, ids=label)
def test_every_op_passes_the_checks_of_onnx(row: Row) -> None:
    analysis = analyse(of_row(row))
    model = model_of(analysis)
    held = sum(int(np.prod(each.dims)) for each in model.graph.initializer)
    # ONNX has two biases a gate: zeros take the place of the second one where there is one.
    zeros = analysis.totals.biases if row.fields.get("single_bias") else 0
    assert held == analysis.totals.params + analysis.totals.buffers + zeros


def test_names_sizes_and_weights() -> None:
    net = ac.load("lenet5")
    model = model_of(net.analyse())
    (given,), (found,) = model.graph.input, model.graph.output
    assert [dim.dim_param or dim.dim_value for dim in given.type.tensor_type.shape.dim] == ["N", 1, 32, 32]
    assert [dim.dim_param or dim.dim_value for dim in found.type.tensor_type.shape.dim] == ["N", 10]
    assert (given.name, found.name) == ("input", "output")
    assert [each.version for each in model.opset_import] == [21]
    (array,) = (each for each in model.graph.initializer if each.name == "C1.weight")
    weights = SeededWeights(net).of("C1", {"weight": (6, 1, 5, 5)})["weight"]
    assert np.array_equal(onnx.numpy_helper.to_array(array), weights)
    assert {"C1", "C3"} <= {node.name for node in model.graph.node}


def test_shared_weights_are_held_once() -> None:
    graph = networks.layers(
        "  - conv2d: {name: a, out_channels: 4, kernel_size: 3, padding: 1}\n"
        "  - conv2d: {name: b, out_channels: 4, kernel_size: 3, stride: 2, weights: a}"
    )
    assert {each.name for each in model_of(analyse(graph)).graph.initializer} == {"a.weight", "a.bias"}


def test_numbers_of_places_that_are_stored_stand_in_their_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded, and beyond the row counted on from its start, as when the network runs; no arithmetic is left."""
    analysis = numbers(
        "  - parameter: {name: places, shape: '4', buffer: true}\n  - index_select: {name: y, from: [input, places]}\n",
        "6x3",
    )
    weights = SeededWeights(analysis.graph)
    monkeypatch.setattr(weights, "of", lambda *_: {"weight": np.array([4.6, 7.0, -1.0, 0.0], "float32")})
    model = onnx.load_from_string(to_onnx(analysis, weights))
    onnx.checker.check_model(model, full_check=True)
    (node,) = model.graph.node
    (array,) = model.graph.initializer
    assert (node.op_type, list(node.input), list(node.output)) == ("Gather", ["input", array.name], ["output"])
    assert onnx.numpy_helper.to_array(array).tolist() == [5, 1, 5, 0]


def test_several_inputs_and_outputs_keep_their_names() -> None:
    graph = networks.graph(
        "inputs: {left: 8x8x4, right: 8x8x4}\noutputs: {sum: s, right2: r}\nlayers:\n"
        "  - add: {name: s, from: [left, right]}\n  - relu: {name: r, from: right}\n"
    )
    model = model_of(analyse(graph))
    assert [each.name for each in model.graph.input] == ["left", "right"]
    assert [each.name for each in model.graph.output] == ["sum", "right2"]


def test_without_onnx_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "onnx":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    net = ac.load("lenet5")
    with pytest.raises(UsageError, match="pip install onnx"):
        to_onnx(net.analyse(), SeededWeights(net))


def test_more_weights_than_a_file_can_hold() -> None:
    analysis = analyse(networks.layers("  - linear: {out_features: 2000000}", "16x16x4"))
    with pytest.raises(UsageError, match="one ONNX file holds at most"):
        to_onnx(analysis, SeededWeights(analysis.graph))
