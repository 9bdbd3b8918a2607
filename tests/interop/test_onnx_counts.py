"""Parameters of ONNX models against the initialisers of their files."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from archcalc.design.conventions import OWN, as_counted, tool_named
from archcalc.design.reconcile import Side, bridge
from archcalc.interop.foreign import to_network
from archcalc.interop.onnx_read import from_onnx
from archcalc.interop.program import Constant
from archcalc.interop.recognise_positions import table_of_pairs
from archcalc.passes.analysis import analyse
from tests.interop.onnx_models import model, network, outputs, weights


def test_a_mask_put_together_of_small_arrays_is_no_parameter_of_an_opaque_layer() -> None:
    """Exporters write the masks of shifted windows as small arrays that are spread and joined."""
    nodes = [
        helper.make_node("Expand", ["part", "size"], ["mask"]),
        helper.make_node("Mod", ["x", "mask"], ["y"], fmod=1),
    ]
    arrays = {"part": weights(1, 1, 1, 20), "size": np.array([1, 4, 8, 20])}
    foreign = from_onnx(model(nodes, (1, 4, 8, 20), arrays))
    assert analyse(to_network(foreign)).totals.params == 0
    assert foreign.notes[0].startswith("20 values of the file are in no layer")


def test_a_single_number_of_an_opaque_layer_is_a_setting() -> None:
    nodes = [helper.make_node("Conv", ["x", "k"], ["c"]), helper.make_node("Mod", ["c", "number"], ["y"], fmod=1)]
    arrays = {"k": weights(5, 4, 1, 1), "number": np.array(0.5, np.float32)}
    graph = to_network(from_onnx(model(nodes, (1, 4, 8, 20), arrays)))
    totals = analyse(graph).totals
    assert (totals.params, totals.multiplications, graph.notes) == (20, 20 * 8 * 20, ())
    assert totals.not_counted == {}


def test_an_array_of_an_opaque_layer_counts_as_often_as_the_file_has_it() -> None:
    nodes = [
        helper.make_node("Mod", ["x", "w"], ["a"], fmod=1),
        helper.make_node("Mod", ["a", "w"], ["y"], fmod=1),
    ]
    foreign = from_onnx(model(nodes, (1, 4, 8, 20), {"w": weights(1, 4, 8, 20)}))
    assert analyse(to_network(foreign)).totals.params == 640
    assert foreign.notes == ()


ACCOUNTS: dict[str, tuple[list[onnx.NodeProto], dict[str, Any], int, tuple[str, ...]]] = {
    "all of it": (
        [helper.make_node("Conv", ["x", "w", "b"], ["y"])], {"w": weights(4, 3, 3, 3), "b": weights(4)}, 112, ()
    ),
    "what nothing reads": (
        [helper.make_node("Conv", ["x", "w"], ["y"]), helper.make_node("Conv", ["x", "v"], ["z"])],
        {"w": weights(4, 3, 3, 3), "v": weights(2, 3, 1, 1), "u": weights(5)},
        114,
        ("5 values of the file are in no layer, but in its settings or in nothing that an output needs: u",),
    ),
    "one for two layers": (
        [helper.make_node("Conv", ["x", "w", "b"], ["a"]), helper.make_node("Conv", ["a", "v", "b"], ["y"])],
        {"w": weights(3, 3, 3, 3), "v": weights(3, 3, 1, 1), "b": weights(3)},
        96,
        ("3 values more than the file holds: b counts for each layer that has the array",),
    ),
    "computed": (
        [helper.make_node("Mul", ["w", "g"], ["v"]), helper.make_node("Conv", ["x", "v"], ["y"])],
        {"w": weights(4, 3, 3, 3), "g": weights(4, 1, 1, 1)},
        108,
        ("108 values are computed from 112 values of the file: v",),
    ),
    "a part": (
        [
            helper.make_node("Slice", ["w", "from", "to"], ["v"]),
            helper.make_node("Conv", ["x", "v"], ["y"]),
        ],
        {"w": weights(4, 3, 3, 3), "from": np.array([1]), "to": np.array([3])},
        54,
        ("54 values instead of the 108 that the file holds, from which they are taken: w",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCOUNTS)
def test_every_value_of_a_file_is_in_a_layer_or_in_a_note(name: str) -> None:
    nodes, arrays, held, notes = ACCOUNTS[name]
    foreign = from_onnx(model(nodes, arrays=arrays))
    graph = to_network(foreign)
    totals = analyse(graph).totals
    assert (foreign.held, totals.params + totals.buffers) == (held, held)
    assert (foreign.notes, graph.notes) == (notes, notes)


def test_counts_that_are_not_those_of_the_file_are_in_a_note() -> None:
    foreign = from_onnx(model([helper.make_node("Conv", ["x", "w"], ["y"])], arrays={"w": weights(4, 3, 3, 3)}))
    (node,) = foreign.nodes
    biased = replace(foreign, nodes=(replace(node, fields={**node.fields, "bias": True}),))
    (note,) = to_network(biased).notes
    assert note.startswith("the layers have 112 parameters and buffers, and the arrays that were read for them 108 ")


def pairs(window: tuple[int, ...], heads: int) -> Constant:
    """A bias of relative positions as exporters store it: looked up for every pair of places, one by one."""
    table = weights(math.prod(2 * side - 1 for side in window), heads)
    places = list(itertools.product(*map(range, window)))
    found = np.empty((1, heads, len(places), len(places)), np.float32)
    for (i, one), (j, other) in itertools.product(enumerate(places), repeat=2):
        entry = 0
        for side, a, b in zip(window, one, other, strict=True):
            entry = entry * (2 * side - 1) + a - b + side - 1
        found[0, :, i, j] = table[entry]
    return Constant("bias", found.shape, load=lambda: found)


@pytest.mark.parametrize("window", [(3,), (2, 3), (2, 3, 2)])
@pytest.mark.parametrize("heads", [1, 4])
def test_the_table_of_relative_positions_comes_back(window: tuple[int, ...], heads: int) -> None:
    found = table_of_pairs(pairs(window, heads), heads, window)
    assert found is not None
    assert found.load is not None
    np.testing.assert_array_equal(found.load(), weights(*found.shape))
    load = pairs(window, heads).load
    assert load is not None
    other = load().copy()
    other[0, 0, 1, 1] += 1
    assert table_of_pairs(Constant("bias", other.shape, load=lambda: other), heads, window) is None
    assert table_of_pairs(Constant("bias", other.shape), heads, window) is None


def test_shifts_around_the_edge_are_one_layer() -> None:
    """torch.roll(x, (-3, 2), (2, 3)) as exporters write it: the end of an axis, then what was before it."""
    nodes, name = [], "x"
    for axis, start in ((2, 3), (3, 6)):
        arrays = [f"{name}{start}"]
        nodes += [
            helper.make_node("Slice", [name, str(start), "9", str(axis)], [f"{name}l"]),
            helper.make_node("Slice", [name, "0", str(start), str(axis)], [f"{name}f"]),
            helper.make_node("Concat", [f"{name}l", f"{name}f"], ["y" if axis == 3 else arrays[0]], axis=axis),
        ]
        name = arrays[0]
    known = {str(number): np.array([number]) for number in (0, 2, 3, 6, 9)}
    graph = to_network(from_onnx(model(nodes, (1, 3, 8, 8), known)))
    assert [(layer.op.kind, layer.op.shifts) for layer in graph.layers[1:]] == [("roll", (-3, 2))]  # type: ignore[attr-defined]
    x = weights(1, 3, 8, 8)
    np.testing.assert_array_equal(outputs(graph, x), np.roll(x, (-3, 2), (2, 3)))


@pytest.mark.parametrize("windows", [False, True])
def test_a_shift_and_a_partition_after_windows(windows: bool) -> None:
    """A map that lies in windows of 4×2 is put together, shifted, and cut into windows of 2×4."""
    known = {
        "split": np.array([1, 2, 4, 3, 2, 6]), "whole": np.array([1, 8, 6, 6]), "grid": np.array([1, 4, 2, 2, 3, 6]),
        "rows": np.array([1, 6, 8, 6]), "one": np.array([1]), "last": np.array([9]), "zero": np.array([0]),
        "two": np.array([2]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["t", "split"], ["s"]),
        helper.make_node("Transpose", ["s"], ["w"], perm=[0, 1, 3, 2, 4, 5]),
        helper.make_node("Relu", ["w"], ["r"]),
        helper.make_node("Transpose", ["r"], ["b"], perm=[0, 1, 3, 2, 4, 5]),
    ]
    if windows:  # as exporters write it: the map between both is not there
        nodes += [
            helper.make_node("Reshape", ["b", "grid"], ["g"]),
            helper.make_node("Transpose", ["g"], ["y"], perm=[0, 1, 3, 2, 4, 5]),
        ]
    else:
        nodes += [
            helper.make_node("Reshape", ["b", "whole"], ["g"]),
            helper.make_node("Slice", ["g", "two", "last", "one"], ["l"]),
            helper.make_node("Slice", ["g", "zero", "two", "one"], ["f"]),
            helper.make_node("Concat", ["l", "f"], ["y"], axis=1),
        ]
    proto = model(nodes, (1, 6, 8, 6), known)
    graph = to_network(from_onnx(proto))
    assert "opaque" not in {layer.op.kind for layer in graph.layers}
    x = weights(1, 6, 8, 6)
    wanted = np.asarray(ReferenceEvaluator(proto).run(None, {"x": x})[0])  # type: ignore[index]  # no dict
    np.testing.assert_array_equal(np.sort(outputs(graph, x), axis=None), np.sort(wanted, axis=None))
    if not windows:
        np.testing.assert_array_equal(outputs(graph, x).reshape(wanted.shape), wanted)


def test_values_in_another_file_are_in_a_note_and_the_file_is_not_opened() -> None:
    proto = model([helper.make_node("Conv", ["x", "w"], ["y"])], arrays={"w": weights(4, 3, 3, 3)})
    (tensor,) = proto.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    graph = to_network(from_onnx(proto))
    assert graph.notes == ("the values of w are in another file, which is not read; shapes are known",)
    assert (analyse(graph).totals.params, graph.arrays) == (108, {})


def test_what_no_output_needs_stays_as_a_layer_that_nobody_reads() -> None:
    # 6·6·4·27 and 6·6·2·4 multiplications, and 6·6·4·4 of what nobody reads.
    # What comes after that costs nothing and goes.
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Conv", ["a", "v"], ["b"]),
        helper.make_node("Conv", ["a", "u"], ["c"]),
        helper.make_node("Relu", ["b"], ["d"]),
        helper.make_node("Add", ["a", "d"], ["e"]),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    arrays = {"w": weights(4, 3, 3, 3), "v": weights(4, 4, 1, 1), "u": weights(2, 4, 1, 1)}
    graph = to_network(from_onnx(model(nodes, (1, 3, 8, 8), arrays)))
    totals = analyse(graph).totals
    assert (totals.params, totals.multiplications) == (132, 3888 + 576 + 288)
    read = {source for layer in graph.layers for source in layer.inputs}
    unread = [graph.layers[number] for number in range(len(graph.layers)) if number not in read]
    assert [layer.op.kind for layer in unread] == ["conv2d", "relu"]


def test_a_tool_that_counts_files_counts_a_merged_array_once() -> None:
    """Exporters merge equal arrays, as the zeros of two biases; a bridge to such a tool says so."""
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["m"]), helper.make_node("Conv", ["m", "v", "b"], ["y"])]
    arrays = {"w": weights(3, 3, 3, 3), "v": weights(3, 3, 3, 3, seed=1), "b": np.zeros(3, np.float32)}
    analysis = analyse(to_network(from_onnx(model(nodes, arrays=arrays))))
    tool = tool_named("onnx-tool")
    found = bridge(Side(analysis, tool_named(OWN)), Side(analysis, tool), "params")
    assert (found.first.total, found.second.total) == (168, 165)
    assert [(item.words, item.change) for item in found.items] == [
        ("arrays that the file holds once and several layers have", -3)
    ]
    rule = as_counted(analysis, tool).conventions.params_rule
    assert "3 of them stand in several layers here, and once in the file" in rule


def test_a_product_with_a_turned_table_has_the_weights_of_the_table() -> None:
    """The output of a language model that is tied to its embedding, as the exporter on torch.export writes it."""
    graph = network(
        model(
            [
                helper.make_node("Gather", ["table", "x"], ["e"]),
                helper.make_node("Transpose", ["table"], ["turned"], perm=[1, 0]),
                helper.make_node("MatMul", ["e", "turned"], ["y"]),
            ],
            (1, 6), {"table": weights(20, 8)}, kind=TensorProto.INT64,
        )
    )  # fmt: skip
    embedding, product = graph.layers[1:3]
    assert (embedding.op.kind, product.op.kind, product.weights_of) == ("embedding", "linear", 1)
    assert analyse(graph).totals.params == 160
