"""Blocks of a spec: parameters, nesting, several inputs and outputs, those that every spec has, shared weights."""

from __future__ import annotations

import pytest

from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from tests.networks import graph, inputs_of, layers, marked, names, numbers, places, problems

PARAMETERS = "parameters: {n: 3, c: 16, words: [a, b]}\n"


def expanded(text: str, top: str = "") -> list[str]:
    return names(layers(text, top=top))


# --- blocks


def test_a_block_is_its_layers_with_its_parameters() -> None:
    top = """\
parameters: {base: 3}
blocks:
  unit:
    description: One unit.
    parameters: {k: int, ratio: 2, same: {type: any, default: [1, 1]}}
    let: {inner: k // ratio, total: inner + base}
    layers:
      - conv2d: {name: a, out_channels: inner, kernel_size: same}
      - conv2d: {name: b, out_channels: total, kernel_size: 1}
"""
    analysis = numbers("  - unit: {k: 8}\n  - unit: {name: named, k: 4 * base, ratio: 3}\n", top=top)
    assert [(row.name, row.output_shape[0]) for row in analysis.rows[1:]] == [
        ("unit1/a", 4),
        ("unit1/b", 7),
        ("named/a", 4),
        ("named/b", 7),
    ]


def test_a_block_sees_the_network_not_its_surroundings() -> None:
    top = "parameters: {n: 1}\nblocks:\n  b: {layers: [conv2d: {out_channels: i, kernel_size: 1}]}\n"
    found = problems(f"input: 8x8x4\n{top}layers:\n  - repeat: 2\n    as: i\n    layers: [b]\n")
    assert ["'i' is not known here" in problem.message for problem in found] == [True]


def test_blocks_use_blocks() -> None:
    top = "blocks:\n  a: {layers: [relu, b: {name: inner}]}\n  b: {layers: [tanh]}\n"
    assert expanded("  - a\n", top) == ["a1/relu1", "a1/inner/tanh1"]


def test_a_block_may_be_branches() -> None:
    top = "blocks: {b: {branches: {x: [relu], y: []}, merge: concat}}\n"
    assert expanded("  - b: {name: k}\n", top) == ["k/x/relu1", "k/concat1"]


def test_a_block_takes_several_inputs_and_gives_several_outputs() -> None:
    top = """\
blocks:
  cell:
    inputs: [h, p]
    layers:
      - relu: {name: a, from: h}
      - tanh: {name: b, from: p}
      - add: {name: sum, from: [a, b]}
    outputs: [sum, h]
"""
    text = """\
  - sigmoid: {name: s}
  - cell: {name: c1, from: [s, input]}
  - cell: {name: c2}
  - cell: {name: c3, from: c1}
  - softmax: {from: c3}
"""
    network = layers(text, top=top)
    assert inputs_of(network, "c1/a") == ["s"]
    assert inputs_of(network, "c1/b") == ["input"]
    # NASNet: each cell takes the outputs of the two cells before.
    assert inputs_of(network, "c2/a") == ["c1/sum"]
    assert inputs_of(network, "c2/b") == ["s"]
    assert inputs_of(network, "c3/a") == ["c1/sum"]
    assert inputs_of(network, "softmax1") == ["c3/sum"]


def test_a_word_may_be_an_argument() -> None:
    top = "blocks: {b: {parameters: {p: any}, layers: [conv2d: {out_channels: 1, kernel_size: 3, padding: p}]}}\n"
    assert numbers("  - b: {p: same}\n", top=top).rows[-1].output_shape == (1, 8, 8)
    assert numbers("  - b: {p: valid}\n", top=top).rows[-1].output_shape == (1, 6, 6)
    assert numbers("  - b: {p: 2}\n", top=top).rows[-1].output_shape == (1, 10, 10)


def test_a_block_of_the_file_replaces_one_that_every_spec_has() -> None:
    assert expanded("  - conv_relu: {out_channels: 1, kernel_size: 1}\n") == ["conv_relu1/conv", "conv_relu1/relu"]
    top = "blocks: {conv_relu: {layers: [tanh]}}\n"
    assert expanded("  - conv_relu\n", top) == ["conv_relu1/tanh1"]


@pytest.mark.parametrize(
    ("block", "kinds", "params"),
    [
        ("conv_relu: {out_channels: 8, kernel_size: 3}", ["conv2d", "relu"], 8 * 36 + 8),
        ("conv_bn: {out_channels: 8, kernel_size: 3}", ["conv2d", "batch_norm2d"], 8 * 36 + 16),
        ("conv_bn_relu: {out_channels: 8, kernel_size: 3}", ["conv2d", "batch_norm2d", "relu"], 8 * 36 + 16),
        (
            "conv_bn_relu: {out_channels: 8, kernel_size: 3, bias: true, scale: false}",
            ["conv2d", "batch_norm2d", "relu"],
            8 * 36 + 8 + 8,
        ),
        ("separable_conv2d: {out_channels: 8, kernel_size: 3}", ["depthwise_conv2d", "conv2d"], 36 + 32),
        (
            "separable_conv2d: {out_channels: 8, kernel_size: 3, depth_multiplier: 2, bias: true}",
            ["depthwise_conv2d", "conv2d"],
            72 + 64 + 8,
        ),
    ],
)
def test_the_blocks_that_every_spec_has(block: str, kinds: list[str], params: int) -> None:
    network = layers(f"  - {block}\n")
    assert [layer.op.kind for layer in network.layers[1:]] == kinds
    assert numbers(f"  - {block}\n").totals.params == params


def test_a_fault_inside_a_shared_block_is_reported_where_the_block_is_used() -> None:
    text, found = marked("input: 8x8x4\nlayers:\n  - relu\n  - ^conv_relu: {out_channels: 4, kernel_size: 99}\n")
    (problem,) = problems(text)
    assert problem.layer == '"conv_relu1/conv" (conv2d)'
    assert places([problem]) == found


# --- weights

WEIGHTS = """\
  - conv2d: {name: a, out_channels: 4, kernel_size: 3, padding: 1}
  - conv2d: {name: b, out_channels: 4, kernel_size: 3, padding: 1, weights: a}
  - conv2d: {name: c, out_channels: 4, kernel_size: 3, padding: 1, weights: b}
  - repeat: 2
    as: i
    layers: [conv2d: {name: "d{i}", out_channels: 4, kernel_size: 3, padding: 1, weights: "{word}"}]
  - conv2d: {name: own, out_channels: 4, kernel_size: 3, padding: 1, weights: a, when: not deep}
"""


def owners(network: LayerGraph) -> dict[str, str]:
    """The layers that use the weights of another, each with that one."""
    return {layer.name: network.owner(layer).name for layer in network if layer.weights_of is not None}


def test_chains_of_shared_weights_lead_to_the_first() -> None:
    network = layers(WEIGHTS, top="parameters: {deep: true, word: c}\n")
    assert owners(network) == {"b": "a", "c": "a", "d1": "a", "d2": "a"}
    assert owners(layers(WEIGHTS, top="parameters: {deep: false, word: a}\n"))["own"] == "a"


def test_weights_are_looked_up_from_the_inside_out() -> None:
    text = """\
blocks:
  unit:
    layers:
      - conv2d: {name: a, out_channels: 4, kernel_size: 1}
      - conv2d: {name: b, out_channels: 4, kernel_size: 1, weights: a}
      - conv2d: {name: c, out_channels: 4, kernel_size: 1, weights: outer}
input: 8x8x4
layers:
  - conv2d: {name: a, out_channels: 4, kernel_size: 1}
  - conv2d: {name: outer, out_channels: 4, kernel_size: 1}
  - unit: {name: u}
  - conv2d: {name: last, out_channels: 4, kernel_size: 1, weights: u/b}
variants:
  alone: {layers: [unit: {name: outer}, conv2d: {name: x, out_channels: 4, kernel_size: 1, weights: outer/a}]}
"""
    assert owners(graph(text)) == {"u/b": "u/a", "u/c": "outer", "last": "u/a"}
    (problem,) = problems(text, variant="alone")
    assert "weights: 'outer' comes later" in problem.message


def test_a_block_uses_the_weights_of_another() -> None:
    text = """\
blocks:
  inner: {layers: [conv_bn_relu: {name: x, out_channels: 4, kernel_size: 3, padding: 1}, inner2: {name: y}]}
  inner2: {layers: [local_response_norm, conv2d: {out_channels: 4, kernel_size: 1, repeat: 2}]}
input: 8x8x4
layers:
  - inner: {name: one}
  - inner: {name: two, weights: one}
  - inner: {name: three, weights: two}
  - inner2: {weights: one/y, repeat: 2}
"""
    inside = ("x/conv", "x/bn", "y/conv1", "y/conv2")
    assert owners(graph(text)) == {
        **{f"{block}/{name}": f"one/{name}" for block in ("two", "three") for name in inside},
        **{f"inner2{block}/{name}": f"one/y/{name}" for block in (1, 2) for name in ("conv1", "conv2")},
    }
    assert analyse(graph(text)).totals.params == 4 * 4 * 9 + 8 + 2 * (4 * 4 + 4)


def test_a_block_that_could_not_be_read_is_not_called_unknown() -> None:
    text = "input: 8x8x4\nblocks:\n  t:\n    shard: true\n    layers: [relu]\nlayers: [t, {u: {}}]\n"
    assert [problem.message.partition(";")[0] for problem in problems(text)] == [
        "unknown key 'shard'",
        "there is no op or block 'u'",
    ]
