"""A trained array as a layer, which reads nothing."""

from __future__ import annotations

from tests.networks import graph, numbers, problems

NETWORK = """\
  - conv2d: {name: c, out_channels: 6, kernel_size: 3, padding: 1}
  - tokens
  - parameter: {name: token, shape: "1x{in_channels}"}
  - concat: {name: all, from: [token, tokens1], axis: length}
  - branches:
      - []
      - [parameter: {name: positions, shape: "{length}x{in_channels}"}]
    merge: add
  - parameter: {name: queries, shape: 4x6}
  - multi_head_attention: {from: [queries, add1], num_heads: 2}
"""


def test_counts_shapes_and_fields() -> None:
    rows = {row.name: row for row in numbers(NETWORK, "8x8x3").rows}
    assert {name: row.params for name, row in rows.items() if row.op.kind == "parameter"} == {
        "token": 6,
        "positions": 65 * 6,
        "queries": 24,
    }
    assert rows["token"].inputs == ()
    assert rows["token"].activations == 0
    assert rows["add1"].output_shape == (6, 65)
    # It sees nothing of the image; what reads it sees what the others see.
    assert rows["queries"].receptive_field is None
    assert rows["all"].receptive_field is not None
    assert rows["all"].receptive_field.size == (3, 3)
    assert rows["attention1"].receptive_field is not None
    assert rows["attention1"].receptive_field.size == (10, 10)


def test_a_frozen_one_is_not_trained() -> None:
    analysis = numbers(
        "  - parameter: {name: p, shape: 4, frozen: true}\n  - add: {from: [p, input], broadcast: true}\n"
    )
    assert (analysis.totals.params, analysis.totals.trainable_params) == (4, 0)


def test_two_may_share_their_values() -> None:
    made = graph(
        "input: 4\nlayers:\n  - parameter: {name: p, shape: 4}\n  - parameter: {name: q, shape: 4, weights: p}\n"
        "  - add: {from: [p, q, input]}\n"
    )
    assert made.layers[2].weights_of == 1


def test_it_reads_nothing() -> None:
    (problem,) = problems("input: 4\nlayers:\n  - parameter: {name: p, shape: 4, from: input}\n")
    assert problem.message == "parameter takes no input, 1 reach it; leave from out"
