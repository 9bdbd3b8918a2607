"""Networks in one line: what they mean, that they are written back, and errors that point into them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import ArchcalcError, Problem, SpecError
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.catalogue import is_pattern, load
from archcalc.spec.load import spec_of
from archcalc.spec.patterns import parse_pattern
from archcalc.spec.source import parse_source
from archcalc.spec.write import write_document
from tests.cli.runner import Run
from tests.steps import at_most_calls
from tests.tiers import examples


def layers(pattern: str) -> list[str]:
    """Name, op and output of each layer."""
    return [f"{row.name} {row.summary} {row.output_shape}" for row in analyse(load(pattern)).rows[1:]]


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
        ("conv3-64s2", "conv1 conv 3×3, 64, /2 (64, 16, 16)"),
        ("conv3-64d2", "conv1 conv 3×3, 64, dilation 2 (64, 32, 32)"),
        ("conv3-64d2p0", "conv1 conv 3×3, 64, dilation 2 (64, 28, 28)"),
        ("conv3-63g3", "conv1 conv 3×3, 63, depthwise (63, 32, 32)"),
        ("conv3x3-64 s2 p0", "conv1 conv 3×3, 64, /2 (64, 15, 15)"),
        ("conv 3x3-64", "conv1 conv 3×3, 64 (64, 32, 32)"),
        ("conv2d3-64", "conv1 conv 3×3, 64 (64, 32, 32)"),
        ("convolution3-64", "conv1 conv 3×3, 64 (64, 32, 32)"),
        ("свёртка3-64", "conv1 conv 3×3, 64 (64, 32, 32)"),
        ("conv3-64valid", "conv1 conv 3×3, 64 (64, 30, 30)"),
        ("dw3", "conv1 conv 3×3, 3, depthwise (3, 32, 32)"),
        ("dw3/2", "conv1 conv 3×3, 3, /2, depthwise (3, 16, 16)"),
        ("depthwise3s2", "conv1 conv 3×3, 3, /2, depthwise (3, 16, 16)"),
        ("deconv2-8/2", "upconv1 transposed conv 2×2, 8, ×2 (8, 64, 64)"),
        ("maxpool", "pool1 max pool 2×2, /2 (3, 16, 16)"),
        ("max-pool2", "pool1 max pool 2×2, /2 (3, 16, 16)"),
        ("max pool 3 s2", "pool1 max pool 3×3, /2 (3, 15, 15)"),
        ("MaxPooling2D", "pool1 max pool 2×2, /2 (3, 16, 16)"),
        ("averagepool2", "pool1 avg pool 2×2, /2 (3, 16, 16)"),
        ("global average pool", "pool1 global average pool (3, 1, 1)"),
        ("batchnorm", "bn1 batch norm (3, 32, 32)"),
        ("batch normalization", "bn1 batch norm (3, 32, 32)"),
        ("dense10", "fc1 dense 10 (10,)"),
        ("dense 10", "fc1 dense 10 (10,)"),
        ("fc-10", "fc1 dense 10 (10,)"),
        ("FC 10", "fc1 dense 10 (10,)"),
        ("fully-connected10", "fc1 dense 10 (10,)"),
        ("linear10", "fc1 dense 10 (10,)"),
        ("upsample2", "upsample1 upsample ×2, nearest (3, 64, 64)"),
        ("64C3", "conv1 conv 3×3, 64 (64, 32, 32)"),
        ("MP2", "pool1 max pool 2×2, /2 (3, 16, 16)"),
        ("150N", "fc1 dense 150 (150,)"),
        ("conv(3,64)", "conv1 conv 3×3, 64 (64, 32, 32)"),
        ("Conv2D(64, (3, 3), strides=2)", "conv1 conv 3×3, 64, /2 (64, 15, 15)"),
        ("layers.Conv2D(filters=64, kernel_size=3, padding='same')", "conv1 conv 3×3, 64 (64, 32, 32)"),
        ("nn.Conv2d(3, 64, 3, 1, 1)", "conv1 conv 3×3, 64 (64, 32, 32)"),
        ("nn.Conv2d(3, 64, kernel_size=5, stride=2, bias=False)", "conv1 conv 5×5, 64, /2 (64, 14, 14)"),
        ("MaxPooling2D((3, 3), strides=2)", "pool1 max pool 3×3, /2 (3, 15, 15)"),
        ("nn.MaxPool2d(3, 2, 1)", "pool1 max pool 3×3, /2 (3, 16, 16)"),
        ("nn.Linear(3072, 10)", "fc1 dense 10 (10,)"),
        ("Dense(10)", "fc1 dense 10 (10,)"),
        ("nn.BatchNorm2d(3)", "bn1 batch norm (3, 32, 32)"),
        ("Flatten()", "flatten1 flatten (3072,)"),
    ],
)
def test_a_word_is_a_layer(word: str, expected: str) -> None:
    assert layers(f"32x32x3 -> {word}") == [expected]
    assert layers(f"32×32×3→{word}") == [expected]
    assert layers(f" 32x32x3->{word} ") == [expected]


def test_an_activation_of_a_layer_in_code_is_a_layer_after_it() -> None:
    found = layers("28x28x1 -> Conv2D(8, 3, activation='relu') -> Flatten() -> Dense(10, activation='softmax')")
    assert found == [
        "conv1 conv 3×3, 8 (8, 26, 26)", "relu1 relu (8, 26, 26)", "flatten1 flatten (5408,)", "fc1 dense 10 (10,)",
        "softmax1 softmax (10,)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("size", "word", "expected"),
    [
        ("8x32x32x3", "conv3x5x1-8", "conv1 conv 3×5×1, 8 (8, 8, 32, 32)"),
        ("8x32x32x3", "conv3×7×7-8/1×2×2p1x3x3", "conv1 conv 3×7×7, 8, /1×2×2 (8, 8, 16, 16)"),
        ("8x32x32x3", "conv3x3x3-8 s1x2x2 d1x1x2", "conv1 conv 3×3×3, 8, /1×2×2, dilation 1×1×2 (8, 8, 16, 16)"),
        ("8x32x32x3", "pool1x2x2", "pool1 max pool 1×2×2, /1×2×2 (3, 8, 16, 16)"),
        ("32x32x3", "pool3x5/2x1", "pool1 max pool 3×5, /2×1 (3, 15, 28)"),
        ("32x32x3", "dw1x7", "conv1 conv 1×7, 3, depthwise (3, 32, 32)"),
        ("64x16", "LSTM-32", "lstm1 LSTM 32 (32, 64)"),
        ("64x16", "gru 8", "gru1 GRU 8 (8, 64)"),
        ("8x8x16", "groupnorm4", "norm1 group norm, 4 groups (16, 8, 8)"),
        ("8x8x16", "pixelshuffle2", "shuffle1 pixel shuffle ×2 (4, 16, 16)"),
    ],
)
def test_what_the_numbers_are(size: str, word: str, expected: str) -> None:
    assert layers(f"{size} -> {word}") == [expected]


@pytest.mark.parametrize(
    ("pattern", "column", "words"),
    [
        ("32x32x3 -> conv3x5x1-8", 12, "kernel_size: should be a number, or [height, width], not [3, 5, 1]"),
        ("8x32x32x3 -> conv3x5-8", 14, "kernel_size: should be a number, or [depth, height, width], not [3, 5]"),
        ("100x3 -> conv3x5-8", 10, "kernel_size: should be a number, not [3, 5]"),
        ("8x32x32x3 -> conv3x5x1x1-8", 14, "cannot read 'conv3x5x1x1-8' as a layer"),
        ("32x32x3 -> conv3x5", 12, "'conv3x5' needs out_channels"),
        ("32x32x3 -> conv3-8/1x2x2", 12, "stride: should be a number, or [height, width], not [1, 2, 2]"),
        ("32x32x3 -> conv3-6g1x2", 12, "groups: should be a whole number, not [1, 2]"),
        ("32x32x3 -> fc3x5", 12, "out_features: should be a whole number, not [3, 5]"),
    ],
)
def test_sides_that_do_not_fit(pattern: str, column: int, words: str) -> None:
    found = problem(pattern)
    assert words in found.message
    assert found.location is not None
    assert found.location.column == column


@pytest.mark.parametrize(
    ("word", "params"),
    [("conv3-64", 28 * 64), ("conv3-64nobias", 27 * 64), ("conv3-64 nobias", 27 * 64), ("conv3-64-nobias", 27 * 64),
     ("conv3-63g3", 10 * 63), ("dw3", 10 * 3), ("dw3nobias", 9 * 3), ("fc10 no-bias", 30720), ("fc10", 30730)],
)  # fmt: skip
def test_a_bias_can_be_left_out(word: str, params: int) -> None:
    assert analyse(load(f"32x32x3 -> {word}")).totals.params == params


@pytest.mark.parametrize(
    "text", ["28 x 28 x 1", "28×28×1", "28 × 28×1", "[28x28x1]", "28*28*1", "28X28X1", "1x28x28 chw"]
)
def test_an_input_is_written_in_many_ways(text: str) -> None:
    assert load(f"{text} -> fc10").input_shape == (1, 28, 28)


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


def test_a_network_counted_by_hand() -> None:
    # 27·64 + 64, 9·64·64 + 64, and 16·16·64·10 + 10 parameters.
    totals = analyse(load("32x32x3 -> [conv3-64 -> relu]*2 -> pool2 -> fc10")).totals
    assert totals.params == (27 * 64 + 64) + (9 * 64 * 64 + 64) + (16 * 16 * 64 * 10 + 10)


@pytest.mark.parametrize(
    ("network", "noted"),
    [("8x8x3 -> conv3-4", True), ("8x8x3 -> pool2", True), ("8x8x3 -> fc10", False), ("alexnet", False)],
)
@pytest.mark.parametrize("form", ["table", "markdown", "json", pytest.param("html", marks=pytest.mark.slow)])
def test_the_report_of_a_pattern_says_how_it_is_padded(archcalc: Run, network: str, noted: bool, form: str) -> None:
    out = archcalc("report", network, "-f", form).out.replace("\n", " ").replace("\\", "")
    assert ("a convolution is padded `same`" in " ".join(out.split())) == noted


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
        ("8x8x3 -> ^conv3", "'conv3' needs out_channels"),
        ("8x8x3 -> conv3-4 -> ^fcc10", "did you mean fc"),
        ("8x8x3 -> ^pool3-64", "cannot read"),
        ("8x8x3 -> ^[relu -> fc1", "'[' without ']'"),
        ("8x8x3 -> relu ^]", "']' without '['"),
        ("8x8x3 -> relu ^fc1", "expected ->"),
        ("8x8x3 ->^", "the pattern ends"),
        ("8x8x3 -> relu -> ^-> fc1", "expected a layer"),
        ("8x8x3 -> relu^* -> fc1", "needs a number of times"),
        ("8x8x3 -> relu^*1000000000 -> fc1", "1000000000 is more than the 50,000 layers"),
        ("8x8x3 -> relu ^> fc1", "'>' cannot stand here"),
        ("^conv3-64 -> fc1", "begins with the size of its input"),
        ("^8x8x8x8x8 -> fc1", "5 numbers"),
        ("^3x224x224 -> fc1", "is 3x224x224 channels first"),
        ("8x8x3 -> ^add", "a pattern is one chain"),
        ("^0x8x3 -> fc1", "between 1 and"),
        ("8x8x3 -> ^conv0-4", "at least 1"),
        ("8x8x3 -> relu -> ^conv9-4p0 -> fc3", "larger than its input"),
        ("8x8x3 -> [relu -> ^dropout7]*2", "at most 1"),
        ("8x8x3 -> ^[relu]*99999999", "more than the 50,000 layers"),
        ("8x8x3 -> [[[^[relu]*9999]*9999]*999]*99", "more than 150,000 steps"),
        ("8x8x3 -> ^frob", "cannot read 'frob'"),
        ("8x8x3 -> ^relu3", "cannot read 'relu3'"),
        ("8x8x3 -> ^fc10g2", "linear has no groups"),
        ("8x8x3 -> fc10 -> ^fc7/2", "linear has no stride"),
        ("8x8x3 -> ^conv3-4s2s2", "gives stride twice"),
        ("8x8x3 -> conv3-4s2 ^p0p1", "gives padding twice"),
        ("8x8x3 -> ^bn3", "cannot read 'bn3'"),
        ("8x8x3 -> ^fc", "'fc' needs out_features"),
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


@pytest.mark.parametrize("word", ["frob", "fcc10", "cnv3-64", "scales", "attentions"])
def test_an_unknown_word_lists_the_known_ones_with_an_example(word: str) -> None:
    details = " ".join(problem(f"8x8x3 -> {word}").details)
    for known in ("conv3-64", "pool2", "fc10", "bn", "gap", "dw3", "nobias", "for example 32x32x3 -> conv3-64 -> bn"):
        assert known in details


def test_a_word_that_is_unlike_all_others_is_not_taken_for_one() -> None:
    assert problem("8x8x3 -> attentions").message == "cannot read 'attentions' as a layer"


def test_the_examples_of_the_message_are_layers() -> None:
    details = problem("8x8x3 -> frob").details[0].removeprefix("layers: ").partition(";")[0]
    for word in details.split(", "):
        assert load(f"32x32x8 -> {word}")


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


@pytest.mark.parametrize("start", ["32x32x3 ->", "32x32x3: INPUT ->", "32x32x3: input ->", "32x32x3:"])
def test_an_input_as_the_notes_write_it(start: str) -> None:
    layers = build(spec_of(parse_pattern(f"{start} [CONV3-8 -> RELU]*2 -> FC10"))).layers
    assert [layer.name for layer in layers] == ["input", "conv1", "relu1", "conv2", "relu2", "fc1"]
