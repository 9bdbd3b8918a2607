"""Blocks whose uses share their weights, frozen steps, counters of repeats, and branches that are repeated."""

from __future__ import annotations

import pytest

from archcalc.core.conventions import Conventions
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from archcalc.spec.write import write_graph
from tests.networks import graph, inputs_of, layers, names, numbers, problems

#: Two heads on two maps, as in RetinaNet: 3·3·4·4 + 4 = 148 parameters, counted once.
HEADS = """\
input: 8x8x4
parameters: {tied: true}
blocks:
  head:
    shared: tied
    layers:
      - conv2d: {name: conv, out_channels: 4, kernel_size: 3, padding: 1}
      - relu
layers:
  - slice2d: {name: small, step: 2}
  - head: {name: fine, from: input}
  - head: {name: coarse, from: small}
  - head: {name: again, from: small}
"""


def test_every_use_of_a_shared_block_has_the_weights_of_the_first() -> None:
    analysis = analyse(graph(HEADS))
    assert [(row.name, row.weights_of, row.params) for row in analysis.rows if "conv" in row.name] == [
        ("fine/conv", None, 148),
        ("coarse/conv", "fine/conv", 0),
        ("again/conv", "fine/conv", 0),
    ]
    # Each use multiplies: 9·4·4 a position, at 64, 16 and 16 of them.
    assert analysis.totals.multiplications == 144 * (64 + 16 + 16)
    apart = analyse(graph(HEADS, settings={"tied": False})).totals
    assert (apart.params, apart.multiplications) == (3 * 148, analysis.totals.multiplications)


def test_a_block_is_shared_within_blocks_and_repeats() -> None:
    text = """\
input: 8x8x4
blocks:
  unit:
    shared: true
    layers: [conv2d: {out_channels: 4, kernel_size: 1}]
  tower:
    layers:
      - unit: {repeat: 3}
layers:
  - tower
  - tower
"""
    rows = [row for row in analyse(graph(text)).rows if row.op.kind == "conv2d"]
    assert [row.weights_of for row in rows] == [None, *["tower1/unit1/conv1"] * 5]


def test_weights_of_a_use_go_before_those_of_the_first() -> None:
    text = HEADS.replace("{name: again, from: small}", "{name: again, from: small, weights: coarse}")
    assert analyse(graph(text))["again/conv"].weights_of == "fine/conv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "input: 4\nblocks:\n  t:\n    shared: treu\n    layers: [relu]\nlayers: [t]\n",
            "shared: 'treu' is not known here",
        ),
        ("input: 4\nlayers:\n  - relu: {frozen: treu}\n", "frozen: 'treu' is not known here"),
        ("input: 4\nlayers:\n  - relu: {when: treu}\n", "when: 'treu' is not known here"),
    ],
)
def test_a_condition_that_is_no_word_is_named_by_its_key(text: str, message: str) -> None:
    (problem,) = problems(text)
    assert problem.message == f"{message}; did you mean true?"


def test_what_is_no_expression_is_named_by_its_field() -> None:
    (problem,) = problems("input: 8x4\nlayers:\n  - lstm: {hidden_size: 3, bidirectional: yes please}\n")
    assert problem.message == "lstm: bidirectional: expected an operator, found 'please'"


def test_uses_of_a_shared_block_that_do_not_fit() -> None:
    wide = "  - conv2d: {name: wide, out_channels: 6, kernel_size: 1}\n  - head: {name: other}\n"
    (problem,) = problems(HEADS + wide)
    assert problem.message == 'it cannot use the weights of "fine/conv": their shapes differ'
    assert problem.layer == '"other/conv" (conv2d)'
    assert (
        problem.details[-1]
        == "it fits on an input of 4 channels; without weights (or shared on its block) it has its own"
    )


#: Layers that have no arrays with their settings, and those that do.
SOME = ["l2_norm", "instance_norm", "layer_norm: {elementwise_affine: false}", "rms_norm: {elementwise_affine: false}",
        "group_norm: {num_groups: 2, affine: false}", "matmul: {from: [conv1, conv1]}"]  # fmt: skip
ALL = ["instance_norm: {affine: true}", "layer_norm", "prelu", "batch_norm1d"]


@pytest.mark.parametrize(("step", "shares"), [*((step, False) for step in SOME), *((step, True) for step in ALL)])
def test_only_layers_with_weights_use_those_of_the_first_use(step: str, shares: bool) -> None:
    conv = "conv1d: {out_channels: 4, kernel_size: 1}"
    text = f"input: 4x4\nblocks:\n  t:\n    shared: true\n    layers:\n      - {conv}\n      - {step}\nlayers: [t, t]\n"
    *_, layer = graph(text).layers
    assert (layer.weights_of is not None) == shares
    assert ("weights of" in analyse(graph(text)).rows[-1].summary) == shares


@pytest.mark.parametrize("kind", ["instance_norm", "l2_norm"])
def test_a_layer_without_weights_lends_none(kind: str) -> None:
    (problem,) = problems(f"input: 8x8x4\nlayers:\n  - {kind}: {{name: a}}\n  - {kind}: {{weights: a}}\n")
    assert problem.message == f'it cannot use the weights of "a": a ({kind}) has none'


FROZEN = """\
input: 8x8x4
parameters: {fixed: true}
layers:
  - conv_bn_relu: {name: stem, out_channels: 4, kernel_size: 1, frozen: fixed}
  - conv2d: {name: copy, out_channels: 4, kernel_size: 1, bias: false, weights: stem/conv}
  - conv2d: {name: last, out_channels: 2, kernel_size: 1}
"""


def test_frozen_steps_have_no_trainable_parameters() -> None:
    analysis = analyse(graph(FROZEN))
    assert [(row.params, row.trainable_params, row.buffers) for row in analysis.rows[1:]] == [
        (16, 0, 0), (8, 0, 8), (0, 0, 0), (0, 0, 0), (10, 10, 0),
    ]  # fmt: skip
    assert [layer.frozen for layer in analysis.graph] == [False, True, True, True, True, False]
    free = analyse(graph(FROZEN, settings={"fixed": False})).totals
    assert (analysis.totals.params, free.params) == (34, 34)
    assert (analysis.totals.trainable_params, free.trainable_params) == (10, 34)
    assert analyse(analysis.graph, conventions=Conventions(running_statistics=True)).totals.trainable_params == 10


def test_a_step_cannot_freeze_the_weights_of_another() -> None:
    text = "  - conv2d: {name: a, out_channels: 4, kernel_size: 1}\n" \
        "  - conv2d: {name: b, out_channels: 4, kernel_size: 1, weights: a, frozen: true}\n"  # fmt: skip
    (problem,) = problems(f"input: 8x8x4\nlayers:\n{text}")
    assert problem.message == "frozen: its weights are those of 'a'; freeze that layer"


def test_a_repeated_step_counts() -> None:
    text = "  - conv2d: {name: 'c{i}', out_channels: 2**i, kernel_size: 1, repeat: 3, as: i}\n"
    assert [(row.name, row.output_shape[0]) for row in numbers(text).rows[1:]] == [("c1", 2), ("c2", 4), ("c3", 8)]


@pytest.mark.parametrize(
    ("branch", "found"),
    [
        ("path: {repeat: 3, layers: [relu]}", ["path/relu1", "path_2/relu1", "path_3/relu1"]),
        ("path: {repeat: n, as: i, when: n > 1, layers: [relu: {name: 'r{i}'}]}", ["path/r1", "path_2/r2"]),
        ("path: {repeat: n, when: n > 2, layers: [relu]}", []),
        ("path: {repeat: 0, layers: [relu]}", []),
    ],
)
def test_a_repeated_branch_stands_side_by_side(branch: str, found: list[str]) -> None:
    text = f"  - branches:\n      {branch}\n      last: [tanh]\n    merge: concat\n"
    network = layers(text, top="parameters: {n: 2}\n")
    ends = ["last/tanh1", "concat1"] if found else ["last/tanh1"]
    assert names(network) == [*found, *ends]
    assert all(inputs_of(network, name) == ["input"] for name in [*found, "last/tanh1"])


@pytest.mark.parametrize("text", [HEADS, FROZEN])
def test_what_is_written_loads_again(text: str) -> None:
    network = graph(text)
    assert build(spec_of(parse_source(write_graph(network), "written.yaml"))) == network


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("  - relu: {as: i}\n", 5, 12, "as counts the times of repeat, which is not here"),
        ("  - relu: {repeat: 2, as: 3}\n", 5, 27, "as must be a name for the counter of repeat"),
        ("  - relu: {repeat: i, as: i}\n", 5, 20, "'i' is not known here"),
        ("  - relu: {frozen: yess}\n", 5, 20, "'yess' is not known here"),
        ("  - branches: {a: {repeat: -1, layers: [relu]}}\n", 5, 28, "repeat must be a whole number from 0 on, not -1"),
    ],
)
def test_bad_repeats_and_frozen_steps(text: str, line: int, column: int, words: str) -> None:
    (problem,) = problems(f"input: 8x8x4\nlayers:\n{text}")
    assert words in problem.message
    assert problem.location is not None
    assert (problem.location.line, problem.location.column) == (line, column)


def test_outputs_may_be_a_list_of_layers() -> None:
    text = (
        "input: 8x8x4\nlayers:\n  - relu: {name: p3}\n  - max_pool2d: {name: p4, kernel_size: 2}\noutputs: [p3, p4]\n"
    )
    assert [(output.name, output.layer) for output in graph(text).outputs] == [("p3", 1), ("p4", 2)]
    (problem,) = problems(text.replace("[p3, p4]", "[p3, p5]"))
    assert (problem.message, problem.location and problem.location.column) == (
        "output 'p5': there is no layer 'p5'; there are input, p3, p4", 15,
    )  # fmt: skip
    (problem,) = problems(text.replace("[p3, p4]", "[p3, p3]"))
    assert "an output is named twice" in problem.message
