"""Layers with the weight of another one and a bias of their own: the weight counts once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from archcalc.interop.foreign import to_network
from archcalc.interop.recognise import recognise
from archcalc.passes.analysis import analyse
from tests.interop.programs import Writer, of_counts, ops

CONVOLUTION = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}


def two(op: str, biases: tuple[str | None, str | None]) -> Writer:
    """Two layers with one weight, and with these biases."""
    is_dense = op == "linear"
    shape, weight = ((1, 5, 4), (4, 4)) if is_dense else ((1, 4, 8, 8), (4, 4, 3, 3))
    write = Writer(*shape)
    tied = write.weight("w", *weight)
    for bias, path in zip(biases, ("first", "second"), strict=True):
        held = None if bias is None else write.weight(bias, 4)
        write(op, shape, write.last, tied, held, path=path, **({} if is_dense else CONVOLUTION))
    return write


@pytest.mark.parametrize("op", ["linear", "conv2d"])
@pytest.mark.parametrize(
    ("biases", "sums"), [(("a", "b"), 2), ((None, "b"), 1), (("a", None), 1), (("a", "a"), 0), ((None, None), 0)]
)
def test_a_weight_counts_once_whatever_the_biases(op: str, biases: tuple[str | None, str | None], sums: int) -> None:
    write = two(op, biases)
    foreign = recognise(write.program())
    totals = analyse(to_network(foreign)).totals
    weight = 16 if op == "linear" else 144
    assert totals.params == weight + 4 * len(set(biases) - {None})
    assert totals.multiplications == 2 * (5 * 16 if op == "linear" else 64 * 144)
    assert of_counts(foreign.notes) == ()
    kinds = ops(foreign.nodes)
    assert [kinds.count(kind) for kind in (op, "parameter", "add")] == [2, sums, sums]


def test_a_table_of_tokens_and_the_scores_of_all_tokens() -> None:
    """As language models have it: the last layer has the table as its weight, and a bias of its own."""
    write = Writer(1, 5)
    table = write.weight("table", 9, 4)
    write("embedding", (1, 5, 4), "x", table)
    write("linear", (1, 5, 9), write.last, table, write.weight("bias", 9))
    assert analyse(to_network(recognise(write.program()))).totals.params == 36 + 9


def test_what_is_computed_is_no_weight_of_two_layers() -> None:
    write = Writer(1, 5, 4)
    write("linear", (1, 5, 4), "x", write.weight("w", 4, 4), write.weight("a", 4))
    write("linear", (1, 5, 4), write.last, write.weight("v", 4, 4), write.weight("b", 4))
    program = write.program()
    assert ops(recognise(program).nodes) == ["transpose", "linear", "linear", "transpose"]


@pytest.mark.parametrize(("value", "layers"), [(0.0, ["linear"]), (0.5, ["linear", "parameter", "add"])])
def test_a_bias_that_is_a_buffer_is_no_parameter(value: float, layers: list[str]) -> None:
    write = Writer(1, 5, 4)
    bias = write.weight("b", 6, role="buffer")
    write.constants[bias] = replace(write.constants[bias], load=partial(np.full, 6, value))
    write("linear", (1, 5, 6), "x", write.weight("w", 6, 4), bias)
    network = to_network(recognise(write.program()))
    totals = analyse(network).totals
    assert (totals.params, totals.buffers) == (24, 6 if value else 0)
    assert [layer.op.kind for layer in network if layer.op.kind in ("linear", "parameter", "add")] == layers


def test_a_layer_that_trains_some_of_its_arrays() -> None:
    """Recurrent layers have the biases of the state in the products: they are no sum of their own."""
    write = Writer(1, 7, 3)
    arrays = [write.weight("w_ih", 16, 3), write.weight("w_hh", 16, 4), write.weight("b_ih", 16)]
    given = {"hidden_size": 4, "num_layers": 1, "bidirectional": False, "bias": True, "batch_first": True}
    write("lstm", (1, 7, 4), "x", *arrays, write.weight("b_hh", 16, role="buffer"), path="rnn", **given)
    foreign = recognise(write.program())
    assert of_counts(foreign.notes) == ("rnn: 16 of its 144 parameters are buffers; all count as parameters",)
