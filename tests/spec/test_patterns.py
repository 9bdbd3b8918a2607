"""Networks in one line: what they mean, that they are written back, and errors that point into them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import ArchcalcError, Problem, SpecError
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.catalogue import load
from archcalc.spec.load import spec_of
from archcalc.spec.patterns import is_pattern, parse_pattern
from archcalc.spec.source import parse_source
from archcalc.spec.write import write_document
from tests.steps import at_most_calls
from tests.tiers import examples


def layers(pattern: str) -> list[str]:
    """Name, op and output of each layer."""
    return [f"{row.name} {row.op.summary()} {row.output_shape}" for row in analyse(load(pattern)).rows[1:]]


def problem(pattern: str) -> Problem:
    with pytest.raises(SpecError) as refusal:
        analyse(load(pattern))
    return refusal.value.problems[0]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("conv3-64", "conv1 conv 3×3, 64 (64, 32, 32)"),
        ("conv11-96/4p0", "conv1 conv 11×11, 96, /4 (96, 6, 6)"),
        ("conv3-8/2", "conv1 conv 3×3, 8, /2 (8, 16, 16)"),
        ("CONV1x7-8", "conv1 conv 1×7, 8 (8, 32, 32)"),
        ("conv5-8p1", "conv1 conv 5×5, 8 (8, 30, 30)"),
        ("upconv2-8/2", "upconv1 transposed conv 2×2, 8, ×2 (8, 64, 64)"),
        ("pool", "pool1 max pool 2×2, /2 (3, 16, 16)"),
        ("pool2", "pool1 max pool 2×2, /2 (3, 16, 16)"),
        ("maxpool3/2", "pool1 max pool 3×3, /2 (3, 15, 15)"),
        ("pool3/2p1", "pool1 max pool 3×3, /2 (3, 16, 16)"),
        ("avgpool8", "pool1 avg pool 8×8, /8 (3, 4, 4)"),
        ("avgpool", "pool1 global average pool (3, 1, 1)"),
        ("gap", "pool1 global average pool (3, 1, 1)"),
        ("fc10", "fc1 dense 10 (10,)"),
        ("bn", "bn1 batch norm (3, 32, 32)"),
        ("lrn", "norm1 LRN, size 5 (3, 32, 32)"),
        ("lrn3", "norm1 LRN, size 3 (3, 32, 32)"),
        ("dropout", "drop1 dropout 0.5 (3, 32, 32)"),
        ("dropout0.3", "drop1 dropout 0.3 (3, 32, 32)"),
        ("ReLU", "relu1 relu (3, 32, 32)"),
        ("relu6", "relu1 relu6 (3, 32, 32)"),
        ("tanh", "tanh1 tanh (3, 32, 32)"),
        ("sigmoid", "sigmoid1 sigmoid (3, 32, 32)"),
        ("softmax", "softmax1 softmax (3, 32, 32)"),
        ("flatten", "flatten1 flatten (3072,)"),
    ],
)
def test_a_word_is_a_layer(word: str, expected: str) -> None:
    assert layers(f"32x32x3 -> {word}") == [expected]
    assert layers(f"32×32×3→{word}") == [expected]
    assert layers(f" 32x32x3->{word} ") == [expected]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("8x8x3 -> relu*3", "relu1 relu2 relu3"),
        ("8x8x3 -> [relu]*0 -> fc1", "fc1"),
        ("8x8x3 -> [relu -> bn]", "relu1 bn1"),
        ("8x8x3 -> [relu -> bn] * 2 -> fc1", "relu1 bn1 relu2 bn2 fc1"),
        ("8x8x3->[[conv3-4->relu]*2->pool2]*2->[fc9->relu]*2->fc10", "conv1 relu1 conv2 relu2 pool1 conv3 relu3 conv4 "
         "relu4 pool2 fc1 relu5 fc2 relu6 fc3"),
        ("8x8x3 -> [relu] × 2", "relu1 relu2"),
    ],
)  # fmt: skip
def test_brackets_repeat(pattern: str, expected: str) -> None:
    assert [layer.name for layer in load(pattern).layers[1:]] == expected.split()


def test_the_first_network_of_the_issue() -> None:
    # 27·64 + 64, 9·64·64 + 64, and 16·16·64·10 + 10 parameters.
    totals = analyse(load("32x32x3 -> [conv3-64 -> relu]*2 -> pool2 -> fc10")).totals
    assert totals.params == (27 * 64 + 64) + (9 * 64 * 64 + 64) + (16 * 16 * 64 * 10 + 10)


def test_vgg16_is_one_line() -> None:
    line = "224x224x3 -> [conv3-64 -> relu]*2 -> pool -> [conv3-128 -> relu]*2 -> pool -> "
    line += "[conv3-256 -> relu]*3 -> pool -> "
    line += "[[conv3-512 -> relu]*3 -> pool]*2 -> [fc4096 -> relu -> dropout]*2 -> fc1000 -> softmax"
    assert analyse(load(line)).totals.params == analyse(load("vgg16")).totals.params == 138_357_544
    assert analyse(load(line)).totals.multiplications == analyse(load("vgg16")).totals.multiplications


def test_another_input() -> None:
    assert load("32x32x3 -> fc10", input_shape=(1, 28, 28)).input_shape == (1, 28, 28)


# A caret stands where the error is.
@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("8x8x3 -> ^conv3", "cannot read 'conv3'"),
        ("8x8x3 -> conv3-4 -> ^fcc10", "did you mean fc"),
        ("8x8x3 -> ^pool3-64", "cannot read"),
        ("8x8x3 -> ^[relu -> fc1", "'[' without ']'"),
        ("8x8x3 -> relu ^]", "']' without '['"),
        ("8x8x3 -> relu ^fc1", "expected ->"),
        ("8x8x3 ->^", "the pattern ends"),
        ("8x8x3 -> relu -> ^-> fc1", "expected a layer"),
        ("8x8x3 -> relu^* -> fc1", "needs a number of times"),
        ("8x8x3 -> relu ^> fc1", "'>' cannot stand here"),
        ("^conv3-64 -> fc1", "begins with the size of its input"),
        ("^8x8 -> fc1", "2 numbers"),
        ("^0x8x3 -> fc1", "between 1 and"),
        ("8x8x3 -> ^conv0-4", "at least 1"),
        ("8x8x3 -> relu -> ^conv9-4p0 -> fc3", "larger than its input"),
        ("8x8x3 -> [relu -> ^dropout7]*2", "at most 1"),
        ("8x8x3 -> ^[relu]*99999999", "more than the 50,000 layers"),
        ("8x8x3 -> [[[^[relu]*9999]*9999]*999]*99", "more than 150,000 steps"),
        ("8x8x3 -> ^fc", "needs a whole number"),
        ("8x8x3 -> ^[]", "expected a layer"),
        ("8x8x3 -> ^__import__('os')", "cannot read"),
    ],
)
def test_errors_point_into_the_pattern(marked: str, message: str) -> None:
    found = problem(marked.replace("^", ""))
    assert message in found.message
    assert found.location is not None
    if "50" not in message and "[]" not in marked:
        assert found.location.column == marked.index("^") + 1
        _, line, caret, *_ = str(found).splitlines()
        assert line[4:] == marked.replace("^", "").rstrip()
        assert caret.index("^") - 4 == marked.index("^")


def test_a_long_pattern_is_shown_around_the_error() -> None:
    _, line, caret, *_ = str(problem("8x8x3 -> " + "relu -> " * 200 + "frob" + " -> relu" * 200)).splitlines()
    assert len(line) < 120
    assert line[caret.index("^") :].startswith("frob")
    assert line[4] == line[-1] == "…"


@pytest.mark.parametrize(
    "pattern",
    [
        "8x8x3 -> " + "[" * 100_000,
        "8x8x3 -> " + "[" * 4000,
        "8x8x3 -> conv" + "9" * 5000 + "-4",
        "8x8x3 -> relu*" + "9" * 5000,
        "9" * 9000 + " -> fc1",
        "8x8x3 -> " + "relu -> " * 1000 + "frob",
        "->",
        " -> -> ",
        "8x8x3 -> \x00\x1b[31m",
    ],
)
def test_hostile_patterns_are_refused_in_few_steps(pattern: str) -> None:
    with pytest.raises(ArchcalcError) as refusal, at_most_calls(5_000_000):
        analyse(load(pattern))
    assert len(str(refusal.value)) < 1000
    assert "\x1b" not in str(refusal.value)


@given(st.text("0123456789xpfcrelu[]*/->  ", max_size=60))
@examples(300)
def test_any_text_gives_a_network_or_a_clear_error(text: str) -> None:
    try:
        analyse(load(f"8x8x3 -> {text}"))
    except ArchcalcError as error:
        assert str(error)  # noqa: PT017 # either outcome is good


words = st.sampled_from(
    ["conv3-8", "conv1x3-4/2", "relu", "pool2", "bn", "lrn", "gap", "tanh", "upconv2-4/2", "dropout"]
)
times = st.sampled_from(["", "*1", "*2", " * 3"])
pieces = st.recursive(
    st.builds(lambda word, n: word + n, words, times),
    lambda inner: st.builds(
        lambda items, n: f"[{' -> '.join(items)}]{n}", st.lists(inner, min_size=1, max_size=3), times
    ),
    max_leaves=6,
)


@given(st.lists(pieces, min_size=1, max_size=4))
@examples(100)
def test_a_pattern_written_as_yaml_keeps_its_repeats_and_is_the_same_network(items: list[str]) -> None:
    text = " -> ".join(["64x64x3", *items])
    document = parse_pattern(text).value
    assert build(spec_of(parse_source(write_document(document), "p.yaml"))) == load(text)


def test_what_is_a_pattern() -> None:
    assert is_pattern("8x8x3->fc1")
    assert not is_pattern("alexnet")
    assert not is_pattern("my-net.yaml")
