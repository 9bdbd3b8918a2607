"""Summaries as Keras 2.8 prints them of its applications: rows of branches in its order, wide texts cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Check, Verdict
from tests.teach.check.tables import analysis_of

#: Xception: a separable convolution is one row; the shortcut stands within the branch.
XCEPTION = [
    ("input_layer (InputLayer)", "(None, 299, 299, 3)", "0"),
    ("block1_conv1 (Conv2D)", "(None, 149, 149, 32)", "864"),
    ("block1_conv1_bn (BatchNormaliza", "(None, 149, 149, 32)", "128"),
    ("block1_conv1_act (Activation)", "(None, 149, 149, 32)", "0"),
    ("block1_conv2 (Conv2D)", "(None, 147, 147, 64)", "18432"),
    ("block1_conv2_bn (BatchNormaliza", "(None, 147, 147, 64)", "256"),
    ("block2_sepconv1 (SeparableConv2", "(None, 147, 147, 128", "8768"),
    ("block2_sepconv1_bn (BatchNormal", "(None, 147, 147, 128", "512"),
    ("block2_sepconv2 (SeparableConv2", "(None, 147, 147, 128", "17536"),
    ("conv2d (Conv2D)", "(None, 74, 74, 128)", "8192"),
    ("block2_pool (MaxPooling2D)", "(None, 74, 74, 128)", "0"),
    ("add (Add)", "(None, 74, 74, 128)", "0"),
]
#: EfficientNet: Keras keeps the mean and the variance of three channels and a count, 7 numbers, which it counts too.
EFFICIENTNET = [
    ("input_layer (InputLayer)", "(None, 224, 224, 3)", "0"),
    ("rescaling (Rescaling)", "(None, 224, 224, 3)", "0"),
    ("normalization (Normalization)", "(None, 224, 224, 3)", "7"),
    ("stem_conv_pad (ZeroPadding2D)", "(None, 225, 225, 3)", "0"),
    ("stem_conv (Conv2D)", "(None, 112, 112, 32)", "864"),
    ("stem_bn (BatchNormalization)", "(None, 112, 112, 32)", "128"),
    ("stem_activation (Activation)", "(None, 112, 112, 32)", "0"),
    ("block1a_dwconv (DepthwiseConv2D", "(None, 112, 112, 32)", "288"),
    ("block1a_bn (BatchNormalization)", "(None, 112, 112, 32)", "128"),
    ("block1a_se_squeeze (GlobalAvera", "(None, 32)", "0"),
    ("block1a_se_reshape (Reshape)", "(None, 1, 1, 32)", "0"),
    ("block1a_se_reduce (Conv2D)", "(None, 1, 1, 8)", "264"),
    ("block1a_se_expand (Conv2D)", "(None, 1, 1, 32)", "288"),
    ("block1a_se_excite (Multiply)", "(None, 112, 112, 32)", "0"),
    ("block1a_project_conv (Conv2D)", "(None, 112, 112, 16)", "512"),
    ("block1a_project_bn (BatchNormal", "(None, 112, 112, 16)", "64"),
]
#: Inception v3: Keras orders the layers of four branches by their depth, and numbers them as they were made.
INCEPTION = [
    ("conv2d_8 (Conv2D)", "(None, 35, 35, 64)", "12288"),
    ("conv2d_6 (Conv2D)", "(None, 35, 35, 48)", "9216"),
    ("conv2d_9 (Conv2D)", "(None, 35, 35, 96)", "55296"),
    ("average_pooling2d (AveragePooli", "(None, 35, 35, 192)", "0"),
    ("conv2d_5 (Conv2D)", "(None, 35, 35, 64)", "12288"),
    ("conv2d_7 (Conv2D)", "(None, 35, 35, 64)", "76800"),
    ("conv2d_10 (Conv2D)", "(None, 35, 35, 96)", "82944"),
    ("conv2d_11 (Conv2D)", "(None, 35, 35, 32)", "6144"),
    ("batch_normalization_5 (BatchNor", "(None, 35, 35, 64)", "192"),
    ("activation_7 (Activation)", "(None, 35, 35, 64)", "0"),
    ("mixed0 (Concatenate)", "(None, 35, 35, 256)", "0"),
]
#: VGG-16 with half the filters in one layer, which halves the next one's weights: 9·256·128 + 128, 9·128·256 + 256.
VGG = [
    ("block3_conv1 (Conv2D)", "(None, 56, 56, 256)", "295168"),
    ("block3_conv2 (Conv2D)", "(None, 56, 56, 128)", "295040"),
    ("block3_conv3 (Conv2D)", "(None, 56, 56, 256)", "295168"),
    ("block3_pool (MaxPooling2D)", "(None, 28, 28, 256)", "0"),
    ("block4_conv1 (Conv2D)", "(None, 28, 28, 512)", "1180160"),
    ("block4_conv2 (Conv2D)", "(None, 28, 28, 512)", "2359808"),
    ("block4_conv3 (Conv2D)", "(None, 28, 28, 512)", "2359808"),
    ("block4_pool (MaxPooling2D)", "(None, 14, 14, 512)", "0"),
]


def check(network: str, rows: Sequence[tuple[str, str, str]], total: int) -> Check:
    lines = ["Layer (type)                    Output Shape         Param #     ", "=" * 65]
    lines += [f"{name:<31} {shape:<20} {params:<11} " for name, shape, params in rows]
    text = "\n".join([*lines, "=" * 65, f"Total params: {total:,}"])
    return check_answers(analysis_of(network), parse_answers(text.encode(), "a.txt").answers)


@pytest.mark.parametrize(
    ("network", "rows", "total", "idle"),
    [
        ("xception", XCEPTION, 22_910_480, 0),
        pytest.param("efficientnet_b0", EFFICIENTNET, 5_330_571, 4, marks=pytest.mark.slow),
        pytest.param("efficientnet_b0@keras", EFFICIENTNET, 5_330_571, 2, marks=pytest.mark.slow),
        ("inception_v3@keras", INCEPTION, 23_851_784, 0),
    ],
)
def test_every_row_that_keras_prints_is_right(
    network: str, rows: list[tuple[str, str, str]], total: int, idle: int
) -> None:
    found = check(network, rows, total)
    assert {cell.verdict for cell in found.cells} <= {Verdict.RIGHT, Verdict.EMPTY}
    empty = {cell.answer.layer for cell in found.cells if cell.verdict is Verdict.EMPTY}
    assert len(empty) == idle, empty


def resnet() -> Iterator[tuple[str, str, str]]:
    """ResNet-50 as Keras prints it, without activation functions: every convolution has biases."""
    yield "conv1_conv (Conv2D)", "(None, 112, 112, 64)", "9472"
    yield "conv1_bn (BatchNormalization)", "(None, 112, 112, 64)", "256"
    yield "pool1_pool (MaxPooling2D)", "(None, 56, 56, 64)", "0"
    depth, side = 64, 56
    for stage, (width, units) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 2):
        for unit in range(1, units + 1):
            block = f"conv{stage}_block{unit}"
            convolutions = [("1", depth, width), ("2", 9 * width, width), ("3", width, 4 * width)]
            if unit == 1:
                convolutions.insert(2, ("0", depth, 4 * width))
            for kind in ("conv (Conv2D)", "bn (BatchNormalization)"):
                for name, window, filters in convolutions:
                    params = (window + 1) * filters if kind[0] == "c" else 4 * filters
                    yield f"{block}_{name}_{kind}", f"(None, {side}, {side}, {filters})", str(params)
            yield f"{block}_add (Add)", f"(None, {side}, {side}, {4 * width})", "0"
            depth = 4 * width
        side //= 2
    yield "avg_pool (GlobalAveragePooling2", "(None, 2048)", "0"
    yield "predictions (Dense)", "(None, 1000)", "2049000"


@pytest.mark.slow
def test_rows_of_another_form_of_the_network_are_those_of_its_layers() -> None:
    rows = list(resnet())
    cells = check("resnet50@v1", rows, 25_636_712).cells
    wrong = {cell.answer.layer: cell for cell in cells if cell.verdict is not Verdict.RIGHT}
    convolutions = [name for name, _, _ in rows if "Conv2D" in name]
    assert {*wrong} == {*convolutions, "total"}
    assert {wrong[name].diagnoses[0].mistake for name in convolutions} == {"added_bias"}


def test_what_is_left_over_stands_between_the_rows_around_it() -> None:
    found = {(cell.answer.layer, cell.quantity): cell for cell in check("vgg16", VGG, 138_357_544).cells}
    wrong = [cell.layer for cell in found.values() if cell.verdict is Verdict.WRONG]
    assert wrong == ["conv3_2"]
    assert found["block3_conv2 (Conv2D)", "params"].verdict is Verdict.CARRIED
    assert found["block3_conv3 (Conv2D)", "params"].verdict is Verdict.CARRIED


@pytest.mark.slow
def test_a_total_that_is_wrong_stays_wrong_next_to_statistics_of_the_data() -> None:
    (total,) = [cell for cell in check("efficientnet_b0", EFFICIENTNET, 5_330_572).cells if cell.layer == "total"]
    assert total.verdict is Verdict.WRONG


#: MaxViT as torchinfo prints it: 64 windows of 49 positions are the 56×56 of the map.
WINDOWS = """Layer (type:depth-idx)                   Output Shape              Param #
MaxVit                                   [1, 1000]                 --
├─Conv2d: 1-1                            [1, 64, 112, 112]         1,728
├─BatchNorm2d: 1-2                       [1, 64, 112, 112]         128
├─Conv2d: 1-3                            [1, 64, 112, 112]         36,928
├─AvgPool2d: 1-4                         [1, 64, 56, 56]           --
├─LayerNorm: 1-5                         [1, 64, 49, 64]           128
├─Linear: 1-6                            [1, 64, 49, 256]          16,640
├─GELU: 1-7                              [1, 64, 49, 256]          --
├─Linear: 1-8                            [1, 64, 49, 64]           16,448
"""
#: ViT as torchsummary prints it, which counts nothing of the attention and shows its output.
UNCOUNTED = """Layer (type)               Output Shape         Param #
            Conv2d-1          [-1, 768, 14, 14]         590,592
           Dropout-2             [-1, 197, 768]               0
         LayerNorm-3             [-1, 197, 768]           1,536
MultiheadAttention-4             [-1, 197, 768]               0
         LayerNorm-5             [-1, 197, 768]           1,536
            Linear-6            [-1, 197, 3072]       2,362,368
              GELU-7            [-1, 197, 3072]               0
            Linear-8             [-1, 197, 768]       2,360,064
"""


@pytest.mark.slow
@pytest.mark.parametrize(("network", "text", "rows"), [("maxvit_t", WINDOWS, 8), ("vit_b_16", UNCOUNTED, 8)])
def test_rows_of_windows_and_of_attention_are_right(network: str, text: str, rows: int) -> None:
    found = check_answers(analysis_of(network), parse_answers(text.encode(), "a.txt").answers)
    assert {cell.verdict for cell in found.cells} <= {Verdict.RIGHT, Verdict.EMPTY}, found.cells
    right = {cell.answer.layer for cell in found.cells if cell.verdict is Verdict.RIGHT}
    assert len(right) >= rows - 1
