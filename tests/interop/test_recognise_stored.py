"""Stored tensors in programs: parts of one, one in several forms, weights that are made of others, and masks."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from archcalc.interop.foreign import to_network
from archcalc.interop.recognise import recognise
from archcalc.passes.analysis import analyse
from tests.interop.programs import Writer, of_counts, ops


def _params(write: Writer) -> int:
    return int(analyse(to_network(recognise(write.program()))).totals.params)


def test_a_packed_projection_is_two_layers() -> None:
    write = Writer(1, 5, 8)
    packed, bias = write.weight("packed", 24, 8), write.weight("bias", 24)
    q, rest = write("split", [(8, 8), (16, 8)], packed, sizes=(8, 16), dim=0)
    b = write("slice", (8,), bias, dim=0, start=0, end=8, step=1)
    c = write("slice", (16,), bias, dim=0, start=8, end=24, step=1)
    first = write("linear", (1, 5, 8), "x", q, b)
    write("linear", (1, 5, 16), first, rest, c)
    assert [layer.fields["out_features"] for layer in write.layers() if layer.op == "linear"] == [8, 16]
    assert _params(write) == 24 * 8 + 24


def test_what_is_left_of_a_packed_projection_is_in_a_note() -> None:
    write = Writer(1, 5, 8)
    part = write("slice", (8, 8), write.weight("packed", 24, 8), dim=0, start=8, end=16, step=1)
    write("linear", (1, 5, 8), "x", part, None)
    (note,) = of_counts(recognise(write.program()).notes)
    assert note == "128 parameters are not used at inference and left out: packed"
    assert _params(write) == 64


def test_parts_that_overlap_stay_one_array() -> None:
    write = Writer(1, 5, 8)
    weight = write.weight("w", 12, 8)
    first = write("slice", (8, 8), weight, dim=0, start=0, end=8, step=1)
    second = write("slice", (8, 8), weight, dim=0, start=4, end=12, step=1)
    made = write("linear", (1, 5, 8), "x", first, None)
    write("linear", (1, 5, 8), made, second, None)
    assert ops(write.layers()).count("matmul") == 2
    assert _params(write) == 12 * 8


@pytest.mark.parametrize("is_last", [True, False], ids=["x·W", "W·x"])
def test_a_product_and_a_bias_are_a_dense_layer(is_last: bool) -> None:
    """As exporters write it; a second layer with the same arrays has the weights of the first."""
    write = Writer(1, 6, 6)
    weight, bias = write.weight("w", 6, 6), write.weight("b", *((6,) if is_last else (6, 1)))
    for _ in range(2):
        made = write("matmul", (1, 6, 6), *((write.last, weight) if is_last else (weight, write.last)))
        write("add", (1, 6, 6), made, bias)
    first, second = [layer for layer in write.layers() if layer.op == "linear"]
    assert (first.fields, second.weights) == ({"out_features": 6, "per_position": True}, first.name)
    assert _params(write) == 42


def test_a_matrix_that_is_used_in_two_forms_is_there_once() -> None:
    write = Writer(1, 20)
    weight = write.weight("w", 6, 20)
    write("linear", (1, 6), "x", weight, None)
    turned = write("transpose", (20, 6), weight, dim0=0, dim1=1)
    write("linear", (1, 20), "v1", turned, None)
    assert _params(write) == 120


@pytest.mark.parametrize("is_there", [True, False])
def test_a_value_for_each_of_a_trained_tensor_is_computed(is_there: bool) -> None:
    """As exp(s), a scale of attention: it counts as what is stored, and its values are those that are computed."""
    write = Writer(1, 4, 6, 6)
    scale = write("exp", (4, 1, 1), write.weight("s", 4, 1, 1))
    write("mul", (1, 4, 6, 6), "x", scale)
    values = np.arange(4.0).reshape(4, 1, 1)
    asked: list[tuple[str, tuple[str, ...]]] = []

    def compute(value: str, ones: Collection[str]) -> Callable[[], Any] | None:
        asked.append((value, tuple(ones)))
        return (lambda: values) if is_there else None

    found = recognise(replace(write.program(), compute=compute))
    (layer,) = [node for node in found.nodes if node.arrays or node.op == "parameter"]
    assert asked == [(scale, ())]
    assert {name: load().tolist() for name, load in layer.arrays.items()} == (
        {"weight": [0, 1, 2, 3]} if is_there else {}
    )
    assert analyse(to_network(found)).totals.params == 4


def test_standardised_weights_are_computed_without_the_gain_that_is_a_layer() -> None:
    write = Writer(1, 3, 8, 8)
    row = write("reshape", (1, 4, 3), write.weight("w", 4, 3, 1, 1))
    gain = write("mul", (4,), write.weight("g", 4), other=0.3)
    norm = write("batch_norm", (1, 4, 3), row, gain, None, None, None, eps=1e-5)
    weight = write("reshape", (4, 3, 1, 1), norm)
    write("conv2d", (1, 4, 8, 8), "x", weight, None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)
    values = np.ones((4, 3, 1, 1))
    asked: list[tuple[str, tuple[str, ...]]] = []

    def compute(value: str, ones: Collection[str]) -> Callable[[], Any]:
        asked.append((value, tuple(ones)))
        return lambda: values

    found = recognise(replace(write.program(), compute=compute))
    assert ops(found.nodes) == ["conv2d", "scale"]
    assert asked == [(weight, ("g",))]
    assert found.nodes[0].arrays["weight"]().tolist() == values.tolist()


def test_a_buffer_that_is_read_twice_is_there_once() -> None:
    write = Writer(1, 5, 8)
    table = write.weight("cos", 5, 1, role="buffer")
    write("mul", (1, 5, 8), write.last, table)
    write("mul", (1, 5, 8), write.last, table)
    assert ops(write.layers()) == ["parameter", "multiply", "multiply"]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_causal_mask_is_found_in_what_it_hides(keeps: bool) -> None:
    write = Writer(1, 2, 4, 8)
    seen = np.tri(4, dtype=bool)
    write.weight("mask", 4, 4, role="constant")
    write.constants["mask"] = write.constants["mask"].__class__(
        "mask", (4, 4), "bool", "constant", lambda: seen if keeps else ~seen
    )
    turned = write("transpose", (1, 2, 8, 4), "x", dim0=2, dim1=3)
    scores = write("matmul", (1, 2, 4, 4), "x", turned)
    write("masked_fill", (1, 2, 4, 4), scores, "mask", value=-1e9, keeps=keeps)
    write("softmax", (1, 2, 4, 4), dim=3)
    write("matmul", (1, 2, 4, 8), write.last, "x")
    layer = next(layer for layer in write.layers() if layer.op == "scaled_dot_product_attention")
    assert layer.fields == {"num_heads": 2, "scale": 1.0, "is_causal": True}


@pytest.mark.parametrize(
    ("equation", "shapes", "made", "multiplications"),
    [
        ("bij,bjk,bkl->bil", [(1, 3, 4), (1, 4, 5), (1, 5, 6)], (1, 3, 6), 3 * 4 * 5 + 3 * 5 * 6),
        ("b...i,b...i", [(1, 3, 4, 5), (1, 3, 4, 5)], (3, 4), 60),
        ("bij->bj", [(1, 3, 4)], (1, 4), 0),
        ("bi,bj->bij", [(1, 3), (1, 4)], (1, 3, 4), 0),
        ("bik,bjl->bij", [(1, 3, 4), (1, 5, 2)], (1, 3, 5), 0),
    ],
)  # fmt: skip
def test_einsum(equation: str, shapes: list[tuple[int, ...]], made: tuple[int, ...], multiplications: int) -> None:
    """Sums of one tensor alone come first; what is summed over no letter multiplies value by value, as in PyTorch."""
    write = Writer(*shapes[0])
    names = ["x"]
    for shape in shapes[1:]:
        scaled = write("mul", shapes[0], "x", other=2.0)
        flat = write("reshape", (1, int(np.prod(shapes[0]))), scaled)
        dense = write("linear", (1, int(np.prod(shape))), flat, write.weight(f"w{len(names)}", int(np.prod(shape)),
                      int(np.prod(shapes[0]))), None)  # fmt: skip
        names.append(write("reshape", shape, dense))
    dense_layers = sum(int(np.prod(shapes[0])) * int(np.prod(shape)) for shape in shapes[1:])
    write("einsum", made, *names, equation=equation)
    foreign = recognise(write.program())
    assert "opaque" not in {node.op for node in foreign.nodes}
    assert analyse(to_network(foreign)).totals.multiplications == dense_layers + multiplications


@pytest.mark.parametrize("op", ["scaled_dot_product_attention", "attention"])
def test_attention_that_reads_parameters_alone(op: str) -> None:
    """The first self-attention of a decoder whose queries are learned (Carion et al. 2020)."""
    write = Writer(1, 5, 8)
    queries = write("expand", (1, 5, 8), write.weight("queries", 5, 8), size=(1, -1, -1))
    turned = (1, 2, 4, 5) if op == "attention" else (1, 2, 5, 4)
    order = (0, 2, 3, 1) if op == "attention" else (0, 2, 1, 3)
    heads = []
    for name, dims, shape in (
        ("q", (0, 2, 1, 3), (1, 2, 5, 4)),
        ("k", order, turned),
        ("v", (0, 2, 1, 3), (1, 2, 5, 4)),
    ):
        projected = write("linear", (1, 5, 8), queries, write.weight(name, 8, 8), None)
        write("reshape", (1, 5, 2, 4), projected)
        heads.append(write("permute", shape, dims=dims))
    write(op, (1, 2, 5, 4), *heads, scale=0.5)
    write("permute", (1, 5, 2, 4), dims=(0, 2, 1, 3))
    write("reshape", (1, 5, 8))
    write("add", (1, 5, 8), "x", write.last)
    analysis = analyse(to_network(recognise(write.program())))
    assert analysis.totals.params == 5 * 8 + 3 * 8 * 8
    assert analysis.totals.multiplications == 3 * 5 * 8 * 8 + 2 * 5 * 5 * 8


def test_attention_of_stored_tensors_that_is_no_op_is_taken_apart() -> None:
    write = Writer(1, 5, 8)
    q, k, v = (
        write("relu", (1, 1, 5, size), write.weight(name, 1, 1, 5, size))
        for name, size in (("q", 8), ("k", 8), ("v", 8))
    )
    mask = write.weight("mask", 1, 1, 5, 5)
    made = write("scaled_dot_product_attention", (1, 1, 5, 8), q, k, v, mask, scale=1.0)
    write("reshape", (1, 5, 8), made)
    write("add", (1, 5, 8), "x", write.last)
    analysis = analyse(to_network(recognise(write.program())))
    assert analysis.totals.params == 3 * 40 + 25
    assert analysis.totals.multiplications == 2 * 5 * 5 * 8
