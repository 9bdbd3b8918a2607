"""Expansion of a spec into a flat graph: names, references, repeats, tables, branches, blocks, outputs, conditions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.graph.layer_graph import Output
from tests.networks import graph, inputs_of, layers, names, numbers, problems
from tests.tiers import examples

PARAMETERS = "parameters: {n: 3, c: 16, alpha: 0.75, deep: true, words: [a, b], word: same}\n"


def expanded(text: str, top: str = "") -> list[str]:
    return names(layers(text, top=top))


# --- sequences and names


def test_each_layer_takes_the_one_before() -> None:
    network = layers("  - relu\n  - tanh\n  - sigmoid\n")
    assert [layer.inputs for layer in network] == [(), (0,), (1,), (2,)]


def test_names_are_given_or_made_of_the_kind() -> None:
    text = """\
  - conv2d: {out_channels: 4, kernel_size: 1}
  - relu
  - conv2d: {name: stem, out_channels: 4, kernel_size: 1}
  - relu
  - conv2d: {out_channels: 4, kernel_size: 1}
  - max_pool2d: {kernel_size: 2}
  - linear: {out_features: 2}
"""
    assert expanded(text) == ["conv1", "relu1", "stem", "relu2", "conv2", "pool1", "fc1"]


def test_a_made_name_gives_way_to_a_given_one() -> None:
    assert expanded("  - relu: {name: relu1}\n  - relu\n  - relu: {name: relu4}\n  - relu\n") == [
        "relu1",
        "relu2",
        "relu4",
        "relu3",
    ]


def test_names_may_hold_expressions() -> None:
    text = "  - relu: {name: 'r{n}_{c // 4}'}\n  - repeat: 2\n    as: i\n    layers: [tanh: {name: 't{i}'}]\n"
    assert expanded(text, PARAMETERS) == ["r3_4", "t1", "t2"]


def test_names_may_be_numbers() -> None:
    assert expanded("  - relu: {name: 1}\n  - add: {from: [1, input]}\n") == ["1", "add1"]


# --- references


def test_from_names_one_layer_or_several() -> None:
    text = """\
  - relu: {name: a}
  - tanh: {name: b}
  - sigmoid: {name: c, from: a}
  - add: {name: d, from: [a, b, c]}
  - add: {name: e, from: [input, d]}
"""
    network = layers(text)
    assert inputs_of(network, "c") == ["a"]
    assert inputs_of(network, "d") == ["a", "b", "c"]
    assert inputs_of(network, "e") == ["input", "d"]


def test_from_may_hold_expressions() -> None:
    text = "  - repeat: 3\n    as: i\n    layers: [relu: {name: 'r{i}'}]\n  - add: {from: ['r{n - 1}', r1]}\n"
    assert inputs_of(layers(text, top=PARAMETERS), "add1") == ["r2", "r1"]


def test_inner_names_hide_outer_ones() -> None:
    top = "blocks: {b: {layers: [relu: {name: x}, tanh, sigmoid: {name: y, from: x}, add: {from: [x, far]}]}}\n"
    network = layers("  - tanh: {name: x}\n  - tanh: {name: far}\n  - b: {name: k}\n  - relu: {from: x}\n", top=top)
    assert inputs_of(network, "k/y") == ["k/x"]
    assert inputs_of(network, "k/add1") == ["k/x", "far"]
    assert inputs_of(network, "relu1") == ["x"]


def test_a_block_and_what_is_in_it_can_be_read() -> None:
    top = "blocks: {b: {layers: [relu: {name: x}, tanh: {name: y}]}}\n"
    network = layers("  - b: {name: k}\n  - relu: {from: k}\n  - add: {from: [k, k/x, input]}\n", top=top)
    assert inputs_of(network, "relu1") == ["k/y"], "a block stands for its last layer"
    assert inputs_of(network, "add1") == ["k/y", "k/x", "input"]


# --- conditions


@pytest.mark.parametrize(
    ("condition", "there"),
    [
        ("true", True),
        ("false", False),
        ("deep", True),
        ("not deep", False),
        ("n > 2", True),
        ("n > 3", False),
        ("word == 'same'", True),
        ("n in [1, 2, 3]", True),
        ("1", True),
        ("0", False),
    ],
)
@pytest.mark.parametrize(
    "item",
    [
        'tanh: {{name: it, when: "{0}"}}',
        'repeat: 1\n    when: "{0}"\n    layers: [tanh: {{name: it}}]',
        'for_each: [x]\n    when: "{0}"\n    rows: [[1]]\n    layers: [tanh: {{name: it}}]',
        'branches: [[tanh: {{name: it}}]]\n    when: "{0}"',
        'output: aux\n    when: "{0}"\n    layers: [tanh: {{name: it}}]',
        'conv_relu: {{name: it, out_channels: 4, kernel_size: 1, when: "{0}"}}',
    ],
    ids=["step", "repeat", "for_each", "branches", "output", "block"],
)
def test_what_is_not_wanted_is_left_out(item: str, condition: str, there: bool) -> None:
    found = expanded(f"  - relu\n  - {item.format(condition)}\n", PARAMETERS)
    assert ("relu1" in found, any("it" in name.split("/") for name in found)) == (True, there)


def test_a_branch_may_have_a_condition() -> None:
    text = """\
  - branches:
      - [relu]
      - {layers: [tanh], when: n > 5}
      - {layers: [sigmoid], when: n < 5}
    merge: add
"""
    assert expanded(text, PARAMETERS) == ["relu1", "sigmoid1", "add1"]


def test_a_step_that_is_not_wanted_passes_its_input_on() -> None:
    assert inputs_of(layers("  - relu\n  - tanh: {when: false}\n  - sigmoid\n"), "sigmoid1") == ["relu1"]


# --- repeats


@pytest.mark.parametrize("times", ["0", "1", "3", "n", "c // 4 - 2", "2 if deep else 9"])
def test_a_repeat_writes_its_layers_several_times(times: str) -> None:
    count = eval(times, {}, {"n": 3, "c": 16, "deep": True})
    text = f"  - tanh\n  - repeat: {times}\n    layers: [relu, relu]\n"
    assert expanded(text, PARAMETERS) == ["tanh1", *(f"relu{index}" for index in range(1, 2 * count + 1))]
    assert expanded(f"  - tanh\n  - relu: {{repeat: {times}}}\n", PARAMETERS) == [
        "tanh1",
        *(f"relu{index}" for index in range(1, count + 1)),
    ]


def test_the_variable_of_a_repeat_counts_from_1() -> None:
    text = "  - repeat: n\n    as: i\n    layers: [conv2d: {name: 'c{i}', out_channels: 2**i, kernel_size: 1}]\n"
    analysis = numbers(text, top=PARAMETERS)
    assert [row.output_shape[0] for row in analysis.rows] == [4, 2, 4, 8]


def test_repeats_nest() -> None:
    text = """\
  - repeat: 2
    as: i
    layers:
      - repeat: i
        as: j
        layers: [relu: {name: 'r{i}{j}'}]
"""
    assert expanded(text) == ["r11", "r21", "r22"]


def test_a_repeated_block_feeds_itself() -> None:
    top = "blocks: {b: {layers: [relu]}}\n"
    network = layers("  - b: {repeat: 3}\n", top=top)
    assert names(network) == ["b1/relu1", "b2/relu1", "b3/relu1"]
    assert [layer.inputs for layer in network] == [(), (0,), (1,), (2,)]


# --- tables


def test_a_loop_runs_over_the_rows_of_a_table() -> None:
    text = """\
  - for_each: [name, k, count]
    rows:
      - [a, 4, 1]
      - ["b{n}", 2 * n, 2]
    layers:
      - conv2d: {name: "{name}", out_channels: k, kernel_size: 1, when: count > 1}
      - relu: {repeat: count}
"""
    analysis = numbers(text, top=PARAMETERS)
    assert [row.name for row in analysis.rows[1:]] == ["relu1", "b3", "relu2", "relu3"]
    assert analysis["b3"].output_shape == (6, 8, 8)


def test_a_table_over_a_block_reads_as_in_the_paper() -> None:
    top = """\
blocks:
  unit:
    parameters: {k: int, s: 1}
    layers: [conv2d: {name: conv, out_channels: k, kernel_size: 1, stride: s}]
"""
    text = "  - for_each: [name, k, s]\n    rows:\n      - [one, 5, 1]\n      - [two, 6, 2]\n    block: unit\n"
    analysis = numbers(text, top=top)
    assert [(row.name, row.output_shape) for row in analysis.rows[1:]] == [
        ("one/conv", (5, 8, 8)),
        ("two/conv", (6, 4, 4)),
    ]


def test_rows_may_come_from_a_list_of_the_network() -> None:
    top = "parameters: {depth: 18}\nlet: {units: {18: [[4, 1], [6, 2]], 34: [[1, 1]]}}\n"
    text = "  - for_each: [k, s]\n    rows: units[depth]\n    layers: [conv2d: {out_channels: k, kernel_size: s}]\n"
    assert [row.output_shape[0] for row in numbers(text, top=top).rows] == [4, 4, 6]


def test_an_item_between_the_rows_stands_where_it_is() -> None:
    text = """\
  - for_each: [k]
    rows:
      - [4]
      - max_pool2d: {kernel_size: 2}
      - [6]
    layers: [conv2d: {out_channels: k, kernel_size: 1}]
"""
    assert expanded(text) == ["conv1", "pool1", "conv2"]


# --- branches


def test_branches_start_from_the_same_layer_and_are_merged_in_order() -> None:
    text = """\
  - relu: {name: start}
  - branches:
      left: [conv2d: {out_channels: 1, kernel_size: 1}]
      right:
        - conv2d: {out_channels: 2, kernel_size: 1}
        - relu
    merge: concat
  - tanh
"""
    network = layers(text)
    assert names(network) == ["start", "left/conv1", "right/conv1", "right/relu1", "concat1", "tanh1"]
    assert inputs_of(network, "left/conv1") == inputs_of(network, "right/conv1") == ["start"]
    assert inputs_of(network, "concat1") == ["left/conv1", "right/relu1"]
    assert inputs_of(network, "tanh1") == ["concat1"]


@pytest.mark.parametrize("empty", ["[]", "", "{layers: []}", "[tanh: {when: false}]", "[{repeat: 0, layers: [tanh]}]"])
def test_an_empty_branch_is_the_identity(empty: str) -> None:
    network = layers(f"  - branches:\n      - [relu]\n      - {empty}\n    merge: add\n")
    assert inputs_of(network, "add1") == ["relu1", "input"]


def test_one_branch_alone_needs_no_merging() -> None:
    assert expanded("  - branches: [[relu]]\n    merge: add\n  - tanh\n") == ["relu1", "tanh1"]


def test_branches_may_start_elsewhere_and_have_a_name() -> None:
    text = """\
  - relu: {name: a}
  - relu: {name: b}
  - branches: [[tanh], []]
    merge: add
    name: both
    from: a
  - add: {from: [both, b]}
"""
    network = layers(text)
    assert inputs_of(network, "both/add1") == ["both/tanh1", "a"]
    assert inputs_of(network, "add1") == ["both/add1", "b"]


def test_branches_nest() -> None:
    text = """\
  - branches:
      outer:
        - branches: {inner: [relu], none: []}
          merge: concat
      none: []
    merge: concat
"""
    analysis = numbers(text)
    assert [row.name for row in analysis.rows[1:]] == ["outer/inner/relu1", "outer/concat1", "concat1"]
    assert analysis["concat1"].output_shape == (12, 8, 8)


def test_branches_of_one_name_are_numbered() -> None:
    text = "  - branches: {a: [relu]}\n  - branches: {a: [relu]}\n"
    assert expanded(text) == ["a/relu1", "a_2/relu1"]


# --- outputs


def test_outputs_are_named_with_their_weight() -> None:
    text = "  - relu: {name: a}\n  - tanh: {name: b}\n"
    top = "outputs: {early: a, late: {layer: b, loss_weight: 0.5}}\n"
    assert layers(text, top=top).outputs == (Output("early", 1, 1.0), Output("late", 2, 0.5))


def test_an_output_next_to_the_sequence_does_not_interrupt_it() -> None:
    text = """\
  - relu: {name: trunk}
  - output: aux
    loss_weight: w
    layers: [tanh, sigmoid]
  - softmax: {name: end}
"""
    network = layers(text, top="parameters: {w: 0.3}\n")
    assert names(network) == ["trunk", "aux/tanh1", "aux/sigmoid1", "end"]
    assert inputs_of(network, "end") == ["trunk"]
    assert network.outputs == (Output("output", 4, 1.0), Output("aux", 3, 0.3))


def test_an_output_may_be_what_is_there() -> None:
    network = layers("  - relu: {name: a}\n  - output: early\n    layers: []\n  - tanh\n")
    assert network.outputs == (Output("output", 2, 1.0), Output("early", 1, 1.0))


# --- let, and fields


def test_let_gives_names_to_values_in_order() -> None:
    top = "parameters: {n: 3}\nlet: {twice: 2 * n, table: {3: [twice, 7], 4: []}, first: 'table[n][0]'}\n"
    analysis = numbers("  - conv2d: {out_channels: first, kernel_size: 1}\n", top=top)
    assert analysis.rows[-1].output_shape[0] == 6


def test_fields_take_expressions_alone_and_in_lists() -> None:
    text = "  - conv2d: {out_channels: alpha * c, kernel_size: [n, 1], padding: [n // 2, 0], bias: not deep}\n"
    analysis = numbers(text, top=PARAMETERS)
    assert (analysis.rows[-1].output_shape, analysis.rows[-1].params) == ((12, 8, 8), 12 * 4 * 3)


def test_fields_take_words_and_sizes_of_their_own() -> None:
    text = "  - upsample2d: {mode: bilinear}\n  - flatten\n  - reshape: {shape: 4x16x16}\n"
    text += "  - reshape: {shape: '{4 * 256}'}\n"
    assert [row.output_shape for row in numbers(text).rows[2:]] == [(1024,), (16, 4, 16), (1024,)]


def test_fractions_reach_the_ops_as_decimals() -> None:
    network = layers("  - dropout: {p: alpha / 3}\n", top=PARAMETERS)
    assert network.layers[1].op.summary() == "dropout 0.25"


def test_the_settings_of_a_graph_are_its_parameters() -> None:
    text = "parameters: {n: 3, c: 16}\ninput: '{8 * n}x8x4'\nlayers: [conv2d: {out_channels: c, kernel_size: 1}]\n"
    network = graph(text, settings={"c": 5})
    assert network.input_shape == (4, 24, 8)
    assert network.settings == {"n": 3, "c": 5}


# --- laws


@examples(40)
@given(st.recursive(st.integers(1, 3), lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=8))
def test_a_nested_repeat_is_the_flat_list_of_its_layers(tree: object) -> None:
    def text(node: object, indent: str) -> tuple[str, int]:
        if isinstance(node, int):
            return f"{indent}- relu: {{repeat: {node}}}\n", node
        assert isinstance(node, list)
        parts = [text(inner, f"{indent}    ") for inner in node]
        body = "".join(part for part, _ in parts)
        return f"{indent}- repeat: {len(node)}\n{indent}  layers:\n{body}", len(node) * sum(count for _, count in parts)

    spec, count = text(tree, "  ")
    network = layers(spec)
    assert names(network) == [f"relu{index}" for index in range(1, count + 1)]
    assert [layer.inputs for layer in network.layers[1:]] == [(index,) for index in range(count)]


@examples(40)
@given(st.lists(st.lists(st.integers(0, 2), max_size=3), min_size=2, max_size=4))
def test_branches_never_read_each_other(branches: list[list[int]]) -> None:
    body = "".join(
        f"      - [{', '.join(['relu', 'tanh', 'sigmoid'][kind] for kind in kinds)}]\n" for kinds in branches
    )
    network = layers(f"  - branches:\n{body}    merge: add\n")
    ends = inputs_of(network, "add1")
    assert len(ends) == len(branches)
    assert len(network) == 2 + sum(len(kinds) for kinds in branches)
    for kinds, end in zip(branches, ends, strict=True):
        path = [end]
        while path[-1] != "input":
            path += inputs_of(network, path[-1])
        assert len(path) == len(kinds) + 1


VARYING = """\
input: 4x4x2
parameters: {n: 3, first: true}
layers:
  - relu: {name: x0}
  - repeat: n
    as: i
    layers:
      - concat: {name: "c{i}", from: [{layer: x0, when: first or i == 1}, {layer: "x{j}", repeat: i - 1, as: j}]}
      - relu: {name: "x{i}"}
"""


@pytest.mark.parametrize(("first", "wanted"), [("true", 3), ("false", 2)])
def test_a_list_of_sources_may_vary(first: str, wanted: int) -> None:
    made = graph(VARYING.replace("first: true", f"first: {first}"))
    sources = {layer.name: [made.layers[index].name for index in layer.inputs] for layer in made}
    assert sources["c1"] == ["x0"]
    assert sources["c3"] == ["x0", "x1", "x2"][3 - wanted :]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{layers: x0}", "an entry of from has no key 'layers'; did you mean layer?"),
        ("{when: true}", "an entry of from needs layer: the name of a layer"),
        ("{layer: x0, when: false}", "from must name layers"),
        ("{layer: x0, repeat: 2, as: 3}", "as must be a name for the counter of repeat"),
        ('{layer: "x{k}"}', "'k' is not known here"),
        ("{layer: x9}", "from: there is no layer 'x9'; there are input, x0"),
    ],
)
def test_a_source_that_cannot_be(entry: str, message: str) -> None:
    text = f"input: 4x4x2\nlayers:\n  - relu: {{name: x0}}\n  - tanh: {{from: [{entry}]}}\n"
    assert message in [problem.message for problem in problems(text)]
