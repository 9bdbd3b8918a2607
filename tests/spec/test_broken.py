"""Broken specs: every planted fault is reported, at its line and column, with its layer, and nothing else is.

The files are the sections of `broken.txt`, and `OF_BYTES`. A row of the table is a fault: line, column, layer (None
where the fault is not one of a layer that has a name), and words of the message and of the lines that help.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archcalc.core.errors import Problem, SpecError
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.load import load_spec
from tests.spec.bounded import answer

BROKEN = Path(__file__).with_name("broken.txt")
#: Files that are no plain text.
OF_BYTES = {
    "binary": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "control": b"name: control\ntitle: A character \x07 that rings\ninput: 32x32x1\nlayers: [relu]\n",
    "latin1": b"name: latin\ntitle: R\xe9seau\ninput: 32x32x1\nlayers: [relu]\n",
}

Fault = tuple[int, int, str | None, list[str]]

FAULTS: dict[str, list[Fault]] = {
    "arguments": [
        (9, 5, None, ["block 'unit' needs c"]),
        (10, 31, None, ["c must be a whole number, not 3.5"]),
        (11, 38, None, ["mode can be 'a', 'b', not 'z'"]),
        (12, 30, None, ["c: 'cc' is not known here"]),
        (13, 5, "side/conv", ["padding", "'smae'", "did you mean same?"]),
    ],
    "bad_condition": [
        (6, 36, None, ["'widht' is not known here; did you mean width?"]),
        (7, 21, None, ["'wdth' is not known here; did you mean width?"]),
        (8, 22, None, ["'nothing' is not known here"]),
        (11, 16, None, ["'deeep' is not known here; did you mean deep?"]),
        (15, 21, None, ["'=' cannot stand in an expression"]),
        (17, 12, None, ["merge can be", "not 'ad'", "did you mean add?"]),
        (19, 24, None, ["'wght' is not known here"]),
    ],
    "bad_default": [
        (5, 6, None, ["the default of n must be a whole number, not 2.5"]),
        (6, 10, None, ["the default of depth can be 18, 34, not 50"]),
        (10, 10, None, ["the default of c must be at least 1, not 0"]),
    ],
    "bad_expression": [
        (6, 41, "a", ["out_channels: 'widht' is not known here; did you mean width?"]),
        (7, 48, "b", ["out_channels: division by zero"]),
        (8, 65, "c", ["kernel_size: 'width2' is not known here; did you mean width?"]),
        (11, 25, "d", ["out_channels: there is no function 'mix'", "max, min"]),
        (13, 37, "e", ["out_channels: should be a whole number, not 2.66"]),
        (14, 47, None, ["out_channels: 'widht' is not known here; did you mean width?"]),
    ],
    # What is computed from a faulty value is not reported again.
    "bad_let": [
        (7, 14, None, ["inner: 'hlaf' is not known here; did you mean half"]),
        (13, 14, None, ["c: 'wdth' is not known here; did you mean width"]),
    ],
    "bad_syntax": [
        (6, 51, None, ["expected ')', found the end"]),
        (7, 42, None, ["';' cannot stand in an expression"]),
        (8, 47, None, ["expected a number, a name or '(', found the end"]),
        (9, 35, None, ["expected a number, a name or '(', found the end"]),
        (10, 28, None, ["expected a number, a name or '(', found the end"]),
        (11, 19, None, ["expected ')', found the end"]),
    ],
    "binary": [(1, 1, None, ["is not a text file in UTF-8"])],
    "block_forms": [
        (5, 12, None, ["a block has either layers or branches"]),
        (6, 9, None, ["a block has either layers or branches"]),
        (7, 43, None, ["merge can be add, multiply, concat, not 'sum'"]),
    ],
    "block_in_itself": [
        (8, 9, None, ["the block 'direct' includes itself: direct → direct"]),
        (10, 14, None, ["the block 'ping' includes itself: ping → pong → ping"]),
    ],
    "branches_differ": [
        (5, 5, "add1", ["the maps to add differ in shape", "inputs 32×32×8, 32×32×4"]),
        (10, 5, "concat1", ["the maps to concatenate differ in height or width", "inputs 16×16×4, 32×32×4"]),
    ],
    "comment": [(1, 1, None, ["is empty"])],
    "control": [(2, 20, None, ["is not valid YAML", "control characters are not allowed"])],
    "cycle": [
        (5, 27, "a", ["a cycle: it reads 'c', which reads it"]),
        (8, 32, "itself", ["a cycle: it reads 'itself'"]),
    ],
    "duplicate_key": [(5, 47, None, ["key 'out_channels' is given twice in one mapping"])],
    "empty": [(1, 1, None, ["is empty"])],
    "endless_repeat": [
        (5, 20, None, ["repeat: 1000000000 is more than the 50,000 layers"]),
        (6, 13, None, ["repeat: 1000000000 is more than the 50,000 layers"]),
    ],
    "flat_input": [
        (6, 5, "conv", ["needs height, width and channels, but its input is flat", "input 100", "reshape"]),
        (7, 5, "pool", ["needs height, width and channels, but its input is flat"]),
        (8, 5, "up", ["needs height, width and channels, but its input is flat"]),
    ],
    "groups": [
        (5, 5, "inputs", ["groups does not divide the input channels", "6 input channels, groups 4"]),
        (6, 5, "outputs", ["groups does not divide the out_channels", "8 out_channels, groups 3"]),
        (7, 5, "up", ["groups does not divide the out_channels", "9 out_channels, groups 2"]),
    ],
    "huge_input": [(3, 8, None, ["input:", "each size must lie between 1 and 1,048,576"])],
    "input_rank": [(3, 8, None, ["input: '32x32x32x32x3' has 5 numbers", "at most 4 can be used"])],
    "later_layer": [(5, 31, "first", ["from: 'second' comes later; a layer can only read layers above it"])],
    "latin1": [(2, 9, None, ["is not a text file in UTF-8"])],
    # Refused wherever it has become too large.
    "let_bomb": [],
    "merge_key": [(7, 7, None, ["merge keys (<<) are not part of the spec language; use blocks"])],
    "misspelt": [
        (7, 5, None, ["there is no op or block 'covn2d'; did you mean conv2d"]),
        (8, 5, None, ["there is no op or block 'maxpool2d'; did you mean max_pool2d"]),
        (9, 5, None, ["there is no op or block 'botleneck'; did you mean bottleneck?"]),
        (10, 5, None, ["there is no op or block 'conv_rellu'; did you mean conv_relu"]),
        (11, 5, None, ["there is no op or block 'Relu'; did you mean relu"]),
        (13, 5, None, ["'repaet'", "did you mean repeat?"]),
        (14, 5, None, ["there is no op or block 'zzz'"]),
        (15, 5, None, ["input"]),
    ],
    "missing_keys": [
        (1, 1, None, ["needs 'title'"]),
        (1, 1, None, ["needs 'name'"]),
        (1, 1, None, ["needs 'layers'"]),
        (2, 1, None, ["unknown key 'layer'; did you mean layers"]),
    ],
    "missing_layer": [
        (6, 32, "expand", ["from: there is no layer 'squeze'; did you mean squeeze?"]),
        (7, 38, "sum", ["from: there is no layer 'nowhere_at_all'"]),
        (8, 28, None, ["output 'other': there is no layer 'smu'; did you mean sum?"]),
    ],
    "names": [
        (6, 18, None, ["two layers are named 'a'"]),
        (7, 18, None, ["'stage//conv' cannot be a name"]),
        (8, 18, None, ["'' cannot be a name"]),
        (9, 18, None, ["name"]),
    ],
    "negative_input": [(3, 8, None, ["input: cannot read '-32x32x1' as a size", "for example 224x224x3"])],
    "nested_repeat": [(9, 13, None, ["the network has more than 50,000 layers"])],
    "no_layers": [(4, 9, None, ["the network has no layers"])],
    "not_a_mapping": [(1, 1, None, ["a spec is a mapping with name, title, input and layers"])],
    "number_of_inputs": [
        (7, 5, "lonely", ["add takes at least 2 inputs, 1 reach it; say which with from"]),
        (9, 5, "conv", ["conv2d takes one input, 2 reach it; say which with from"]),
        (10, 5, "c1", ["block 'cell' takes 2 inputs, 1 reach it"]),
        (11, 33, "nothing", ["from"]),
        (12, 5, "up", ["max_unpool2d takes 2 to 3 inputs, 4 reach it"]),
    ],
    "python_tag": [(3, 8, None, ["python/object/apply:os.system", "tags are not part of the spec language"])],
    "self_alias": [(6, 13, None, ["alias *layers stands before or inside its anchor"])],
    "several": [
        (3, 1, None, ["unknown key 'yaer'; did you mean year"]),
        (4, 8, None, ["input: cannot read '224x224xx3' as a size"]),
        (7, 27, None, ["conv2d has no setting 'out_chanels'; did you mean out_channels?"]),
        (8, 5, None, ["there is no op or block 'rleu'; did you mean relu"]),
        (10, 22, None, ["a row of 1 for 2 columns"]),
        (12, 43, None, ["'clases' is not known here; did you mean classes?"]),
    ],
    "several_shapes": [
        (6, 5, "large", ["the window is larger than its input", "input 16×16×8, kernel_size 17"]),
        (8, 5, "grouped", ["groups does not divide the input channels"]),
        (9, 5, "sum", ["the maps to add differ in shape", "inputs 16×16×8, 16×16×3"]),
        (10, 5, "shaped", ["the number of values changes", "16×16×8 has 2,048 values, 4×4×4 has 64"]),
    ],
    "several_values": [
        (3, 8, None, ["input: cannot use '224x224x0'"]),
        (6, 41, "conv1", ["out_channels: should be at least 1, not -96"]),
        (7, 31, "relu1", ["from: there is no layer 'conv9'; did you mean conv1 or conv2?"]),
        (8, 71, "conv2", ["padding: 'sam' is not known here; did you mean same?"]),
        (9, 38, "fc", ["out_features: 'clases' is not known here; did you mean classes?"]),
    ],
    "sizes": [
        (5, 44, "negative", ["out_channels: should be at least 1, not -6"]),
        (6, 56, "zero", ["kernel_size: should be at least 1, not 0"]),
        (7, 40, "huge", ["out_channels: should be at most 1073741824, not 1000000000000"]),
        (8, 56, "wide", ["kernel_size: should be at most 1048576, not 1048577"]),
        (9, 56, "stride", ["stride: should be at least 1, not 0"]),
        (10, 42, "padding", ["padding: should be at least 0, not -1"]),
        (11, 42, "digits", ["out_features: should be at most 1073741824, not 9999999999"]),
    ],
    "tab": [(5, 1, None, ["is not valid YAML: a tab indents this line"])],
    "two_documents": [(5, 1, None, ["holds more than one YAML document"])],
    "unclosed": [(4, 9, None, ["is not valid YAML: [ is not closed", "close it with ]"])],
    "unknown_key": [
        (3, 1, None, ["unknown key 'yaer'; did you mean year", "known keys: ", "authors"]),
        (5, 25, None, ["unknown key 'veune'; did you mean venue?", "known keys: title, venue, url"]),
        (7, 34, None, ["unknown key 'sorce'; did you mean source?"]),
        (10, 5, None, ["unknown key 'paramters'; did you mean parameters?", "known keys: ", "branches"]),
        (13, 23, None, ["unknown key 'loss_wieght'; did you mean loss_weight?"]),
    ],
    "unknown_setting": [
        (5, 27, None, ["conv2d has no setting 'out_chanels'; did you mean out_channels?", "it has", "kernel_size"]),
        (6, 34, None, ["conv_relu has no setting 'kernal_size'; did you mean kernel_size?"]),
        (7, 34, None, ["max_pool2d has no setting 'strides'; did you mean stride?"]),
        (9, 5, None, ["'repeat' has no key 'layer'; did you mean layers?"]),
    ],
    "weights": [
        (10, 69, "first", ["weights: there is no layer 'frist'; did you mean first"]),
        (11, 70, "second", ["weights: 'third' comes later", "the weights of layers above it"]),
        (14, 70, "fourth", ["there is no layer 'one'; 'one' is a block, its layers with weights are one/conv"]),
        (15, 32, "two/conv", ["weights: there is no layer 'third/conv'"]),
        (16, 69, "fifth", ["weights must name one layer"]),
    ],
    "weights_shapes": [
        (6, 5, "deeper", ['weights of "first": their shapes differ', "first has weight 4×3×3×3", "4×4×3×3 and bias 4"]),
        (8, 5, "rectified", ['weights of "act": act (relu) has none', "without weights (or shared on its block)"]),
        (9, 5, "owns", ['weights of "first": owns (relu) has none', "leave weights out"]),
        (
            10,
            5,
            "dense",
            ['weights of "first", which is another kind: conv2d', "weight 4×784 and bias 4", "without wei"],
        ),
        (11, 5, "back", ["shapes differ", "has weight 4×3×3×3", "weight 4×3×3×3 and bias 3", "fits with bias: false"]),
        (13, 5, "sized", ["their shapes differ", "8×3×3×1", "it fits with kernel_size: 3 and out_channels: 4"]),
        (15, 5, "small", ["their shapes differ", "4×784", "it fits on an input of 16×16×3; without weights"]),
    ],
    "window_too_large": [
        (5, 5, "conv", ["the window is larger than its input", "input 8×8×3, kernel_size 11", "padding: 2"]),
        (6, 5, "pool", ["the window is larger than its input", "kernel_size [2, 9]"]),
        (7, 5, "dilated", ["the window is larger than its input", "dilation 2", "kernel_size: 4"]),
    ],
    "wrong_outputs": [
        (7, 18, None, ["loss_weight", "number"]),
        (10, 18, None, ["loss_weight", "number"]),
        (13, 18, None, ["loss_weight", "-1"]),
    ],
    "wrong_repeat": [
        (5, 20, None, ["repeat must be a whole number from 0 on, not -1"]),
        (6, 20, None, ["repeat must be a whole number from 0 on, not 2.5"]),
        (7, 20, None, ["repeat must be a whole number from 0 on, not 'many'"]),
        (8, 13, None, ["repeat must be a whole number from 0 on, not true"]),
        (10, 13, None, ["repeat must be a whole number from 0 on, not [2]"]),
    ],
    "wrong_row": [
        (8, 9, None, ["a row of 2 for 3 columns", "columns: name, c, k"]),
        (9, 9, None, ["a row of 4 for 3 columns"]),
        (10, 9, None, ["row", "3 columns"]),
    ],
    "wrong_type": [
        (5, 38, "c1", ["out_channels: should be a whole number, not 2.5"]),
        (6, 54, "c2", ["kernel_size: should be a number, or [height, width]"]),
        (6, 71, "c2", ["bias: should be true or false, not 7"]),
        (7, 38, "c3", ["out_channels: should be a whole number, not [1, 2]"]),
        (8, 54, "c4", ["kernel_size: should be a number, or [height, width], not [3]"]),
        (8, 68, "c4", ["padding", "[1, 2, 3]"]),
        (9, 34, "u1", ["mode: should be 'nearest', 'linear', 'bilinear' or 'trilinear', not 3"]),
        (10, 28, "d1", ["p: should be a number, not true"]),
    ],
    "wrong_type_of_facts": [
        (1, 7, None, ["name: should be a word or text, not 5"]),
        (3, 8, None, ["input: should be a word or text, not [28, 28, 1]"]),
        (4, 7, None, ["year: should be a whole number", "not 'soon'"]),
        (5, 10, None, ["authors: should be a list, not 'A. Author'"]),
        (6, 8, None, ["paper: should be a mapping", "not 'A paper'"]),
        (7, 24, None, ["parameters.n.type: should be 'int', 'number'", "not 'integer'"]),
        (9, 16, None, ["quantity: should be 'params', 'multiplications'", "not 'parms'"]),
    ],
    "yaml_bomb": [(6, 12, None, ["holds more than 200,000 values once its aliases are expanded"])],
}
#: Words of Python and of the libraries, which say nothing to who writes a spec.
FOREIGN = (
    "instance of", "tuple", "Tuple", "dictionary", "Sides", "MarkedList", "None", "parse string", "Error", "pydantic",
)  # fmt: skip

#: Files that hold more than they say; they run in a process of their own, with little memory.
BOMBS = ("let_bomb", "yaml_bomb", "nested_repeat", "endless_repeat")


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files."""
    folder = tmp_path_factory.mktemp("broken")
    for name, content in contents().items():
        (folder / f"{name}.yaml").write_bytes(content)
    return folder


def contents() -> dict[str, bytes]:
    """What each file contains, by its name."""
    parts = re.split(r"^=== (\w+)\.yaml\n", BROKEN.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return OF_BYTES | {name: text.encode() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def problems(path: Path) -> tuple[Problem, ...]:
    """What is wrong with a file, whatever part of the program finds it."""
    with pytest.raises(SpecError) as caught:
        analyse(build(load_spec(path, path.name)))
    return caught.value.problems


def test_the_table_covers_the_files() -> None:
    assert sorted(FAULTS) == sorted(contents())
    assert len(FAULTS) >= 20


@pytest.mark.parametrize("name", sorted(set(FAULTS) - set(BOMBS)))
def test_every_planted_fault_is_reported_and_nothing_else(name: str, broken: Path) -> None:
    found = problems(broken / f"{name}.yaml")
    assert [problem.location[1:] for problem in found if problem.location] == [(row[0], row[1]) for row in FAULTS[name]]
    for problem, (line, column, layer, words) in zip(found, FAULTS[name], strict=True):
        text = str(problem)
        assert text.startswith(f"{name}.yaml:{line}:{column}: ")
        assert [word for word in words if word not in text] == [], text
        if layer is not None:
            assert problem.layer is not None
            assert layer in problem.layer
            assert f"layer {problem.layer}: " in text


@pytest.mark.parametrize("name", sorted(set(FAULTS) - set(BOMBS)))
def test_messages_are_in_the_words_of_the_spec(name: str, broken: Path) -> None:
    for problem in problems(broken / f"{name}.yaml"):
        assert [word for word in FOREIGN if word in problem.message] == [], problem.message
        assert len(problem.message) < 300
        assert "\n" not in problem.message


def test_what_cannot_be_a_layer_is_not_suggested(broken: Path) -> None:
    assert "did you mean input" not in problems(broken / "misspelt.yaml")[-1].message


# --- files that would never end


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_few_steps(name: str, broken: Path) -> None:
    message = answer(broken / f"{name}.yaml")
    assert f"{name}.yaml:" in message
    assert len(message) < 1000
    for line, column, _, words in FAULTS[name]:
        assert f"{name}.yaml:{line}:{column}: " in message
        assert [word for word in words if word not in message] == []
