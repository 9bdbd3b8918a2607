"""Mistakes that students make, planted by hand in several networks: each is the first reason that is given."""

from __future__ import annotations

from functools import cache

import pytest
from _pytest.mark.structures import ParameterSet

import archcalc
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import TOTAL, Answer, Verdict

CNN = "32x32x3 -> conv5-20p0 -> relu -> pool2 -> conv3-50p0 -> relu -> pool2 -> fc500 -> relu -> fc10 -> softmax"
SIGNAL = "1000x4 -> conv7-32/2 -> pool2 -> conv3-64 -> pool2 -> fc10"
GROUPED = "32x32x16 -> conv3-64g4 -> conv3-128g8 -> conv3-64g2 -> gap -> fc10"
UP = "16x16x64 -> upconv4-32/2p1 -> relu -> upconv2-16/2 -> upconv3-8/3p1"
#: Windows of 5 with a padding of 2, then one of 3 with 1: (n − F + P)/S + 1 and (n − F + 2P)/S differ in the first.
PADDED = "32x32x3 -> conv5-8 -> conv5-8 -> conv3-8 -> fc10"
ALEXNET, VGG16 = 1_135_256_096, 15_470_264_320

#: Network, layer, quantity, what is written, and words of the first reason. Every number follows by hand.
PLANTED: list[tuple[str, str, str, int | str, str]] = [
    # What is taken for the depth, the filters, the window.
    ("vgg16", "conv3_1", "params", (9 * 56 + 1) * 256, "a side of the map, 56"),
    ("alexnet", "conv3", "params", (9 * 13 + 1) * 384, "a side of the map, 13"),
    ("vgg16", "conv2_1", "params", (9 * 3 + 1) * 128, "the depth of the network's input"),
    ("alexnet", "fc8", "params", 4097 * 10, "10 neurons. fc8 has 1,000"),
    ("resnet50", "fc", "params", 2049 * 10, "10 neurons. fc has 1,000"),
    (GROUPED, "conv2", "params", (9 * 8 + 1) * 16, "the filters of one of 8 groups"),
    (GROUPED, "conv1", "params", (9 * 4 + 1) * 16, "the filters of one of 4 groups"),
    ("alexnet", "conv2", "params", (10 * 96 + 1) * 256, "the side of the window times 2"),
    ("alexnet", "conv2", "params", (25 + 96 + 1) * 256, "window and input depth are added"),
    (SIGNAL, "conv1", "params", (49 * 4 + 1) * 32, "the window is squared"),
    ("resnet50", "fc", "params", (49 * 2048 + 1) * 1000, "reads, 7×7×2048"),
    ("vit_b_16", "encoder1/fc1", "params", 768 * 768 + 768, "the number of inputs, 768, in the place of the neurons"),
    # Biases.
    ("alexnet", "conv1", "params", 363 * 96 + 121 * 96, "a bias for each of the 121 values of a window"),
    ("vgg16", "conv2_1", "params", 576 * 128 + 64, "a bias for each of the 64 input channels"),
    ("alexnet", "fc8", "params", 4096 * 1000 + 4096, "a bias for each of the 4,096 inputs"),
    # Weights at each position; of layers that have none.
    ("alexnet", "conv1", "params", 34944 * 55 * 55, "counted at each of the 55×55 positions"),
    ("zfnet", "conv1", "params", 110 * 110 * 96 * 147 + 96, "at each of the 110×110 positions, the biases once"),
    ("zfnet", "conv3", "params", 13 * 13 * 384 * 2304 + 384, "at each of the 13×13 positions, the biases once"),
    ("zfnet", "conv1", "params", 110 * 110 * 96 * 147, "the bias is missing. Each of the 96 filters"),
    ("zfnet", "conv1", "params", 110 * 110 * 96 + 96, "the values of the output, 110×110 positions, in the place"),
    ("zfnet", "conv1", "params", 110 * 110 * 96, "the values of the output, 110×110 positions, in the place"),
    ("resnet50", "conv1/bn", "params", 128 * 112 * 112, "counted at each of the 112×112 positions"),
    ("vit_b_16", "encoder1/norm1", "params", 1536 * 197, "counted at each of the 197 positions"),
    ("resnet50", "conv1/bn", "params", 2, "one of each for the whole layer"),
    ("alexnet", "prob", "params", 1001000, "counted as a dense layer. prob has nothing to train"),
    ("alexnet", "relu1", "params", 96, "a weight for each channel. relu1 has nothing to train"),
    ("alexnet", "pool1", "params", 96, "a weight for each channel. pool1 has nothing to train"),
    ("alexnet", "pool1", "multiplications", 27 * 27 * 96 * 9, "a multiplication for each value of a window"),
    # Operations.
    ("alexnet", "conv3", "multiplications", 13 * 13 * 384 * (9 * 256 - 1), "the additions alone: n − 1"),
    # Values of the outputs: 96·55² + 256·27² + 384·13² + 384·13² + 256·13² + 4096 + 4096 + 1000.
    ("alexnet", TOTAL, "multiplications", ALEXNET - 659_272, "the additions alone"),
    ("alexnet", TOTAL, "multiplications", 2 * ALEXNET - 659_272, "multiplications and additions together"),
    ("vgg16", TOTAL, "multiplications", 3 * VGG16, "three times the number, as for training"),
    ("alexnet", "conv1", "multiplications", 27 * 27 * 363 * 96, "the positions of pool1's output, 27×27"),
    ("vgg16", "conv1_1", "multiplications", 86704128 * 128, "as for a batch of 128 images"),
    # Memory.
    ("alexnet", "conv1", "activation_bytes", 290400 * 8, "as of float64"),
    ("alexnet", "conv1", "activation_bytes", 290400 * 2, "as of float16"),
    ("alexnet", "conv1", "activation_bytes", (290400 + 34944) * 4, "the parameters of conv1 are counted too"),
    ("alexnet", "conv1", "activations", 55 * 55, "the depth is missing. The output is 55×55×96"),
    # Shapes.
    ("resnet50", "conv1/conv", "output_shape", "115x115x64", "the padding is added after dividing"),
    ("alexnet", "pool1", "output_shape", "18x18x96", "a stride of 3. pool1 has 2"),
    (UP, "upconv1", "output_shape", "8x8x32", "the formula of a convolution"),
    (UP, "upconv2", "output_shape", "16x16x16", "the formula of a convolution"),
    ("vgg16", "pool1", "output_shape", "112x112x32", "the depth is changed as the sides are"),
    ("alexnet", "pool1", "output_shape", "27x27x48", "the depth is changed as the sides are"),
    # Receptive fields: r + F, and all windows added up, 11 + 3 + 5 + 3 + 3.
    ("vgg16", "conv2_1", "receptive_field", "9", "the window is added as it is"),
    ("alexnet", "conv3", "receptive_field", "25", "the windows are added up"),
    ("wavenet", "stack1/layer2/out", "receptive_field", "4", "no layer's dilation counts"),
    ("wavenet", "stack1/layer3", "receptive_field", "5", "no layer's dilation counts"),
    ("wavenet", "stack1/layer4/out", "receptive_field", "6", "no layer's dilation counts"),
    ("wavenet", "stack5/layer10/out", "receptive_field", "52", "no layer's dilation counts"),
    ("resnet18", "conv3_x", "receptive_field", "25", "no layer's stride counts"),  # 7 + 2 + 8·2
    # Anchors and classes of a detector: 3·(5 + 80) = 255.
    ("yolov3", "large/boxes", "output_shape", "13x13x85", "for anchors=1. Here it is 3"),
    ("yolov3", "large/boxes", "output_shape", "13x13x425", "for anchors=5"),
    ("yolov3", "small/boxes", "output_shape", "52x52x765", "for anchors=9"),
    ("yolov3", "large/boxes", "output_shape", "13x13x75", "for classes=20. Here it is 80"),
    ("yolov3", "large/boxes", "output_shape", "13x13x252", "one of the 5 values besides classes is missing"),
    ("yolov3_tiny", "layer15", "output_shape", "13x13x240", "the 5 values besides classes are missing"),
    ("yolov3", "large/boxes", "output_shape", "13x13x95", "classes counts once, not for each"),
    ("yolov3", "large/boxes", "output_shape", "13x13x(3*(4+80))", "anchors·(5 + classes) = 3·(5 + 80) = 255"),
    ("yolov3", "large/boxes", "params", 1025 * 75, "75 filters"),
    ("ssd300_vgg16", "head4/classes", "output_shape", "38x38x84", "for classes=21. Here it is 91"),
    ("alexnet", "fc8", "output_shape", "10", "for classes=10"),
    # Layers with values to train that multiply nothing; shared weights; strides inside a block.
    ("vit_b_16", "encoder3/norm1", "params", 0, "this normalisation has parameters too"),
    ("unet_3d", "down1/conv1/bn", "params", 64, "γ and β are counted. down1/conv1/bn has neither"),
    ("convnext_tiny", "res2/block1/residual/layer_scale", "params", 0, "a trained factor for every channel"),
    ("wavenet", "causal", "output_shape", "16001x32", "padded on both sides. causal pads at the start only"),
    ("vit_b_16", "class", "params", 0, "it has values to train: 768"),
    ("bert_base", "token_embedding", "params", 0, "it has values to train"),
    ("facenet", TOTAL, "multiplications", 1_596_530_688, "they multiply each time that they are used"),
    ("facenet", "anchor_face/inception_3c/concat1", "output_shape", "28x28x640", "the stride is missing"),
    # 16,000 positions and a padding of 64; 27 + 2·2.
    ("wavenet", "stack1/layer7/unit/filter/filter/conv", "multiplications", 16064 * 32 * 2 * 32,
     "the positions of the padded input, 16064"),
    ("alexnet", "conv2", "multiplications", "31*31*256*5*5*96", "the positions of the padded input, 31×31"),
    # Layers of one role left out of a sum.
    ("resnet50", TOTAL, "params", 22780456, "shortcuts are missing"),
    ("resnet18", TOTAL, "params", 11515688, "shortcuts are missing"),
    ("mobilenet", TOTAL, "params", 4187336, "depthwise convolutions are missing"),
    ("googlenet", TOTAL, "params", 4734120, "1×1 convolutions are missing"),
    # The only layer with a bias.
    ("densenet121", TOTAL, "params", 7_978_856 - 1000, "the bias is missing. Each of the 1,000 neurons has one"),
    # Attention, embeddings, recurrent layers, volumes, groups.
    ("vit_b_16", "encoder1/attention", "output_shape", "197x2304", "queries, keys and values side by side"),
    ("vit_b_16", "encoder1/attention", "output_shape", "197x64", "the width of one head"),
    ("vit_b_16", "encoder1/attention", "output_shape", "197x197", "a value for each pair of tokens"),
    ("bert_base", "token_embedding", "params", 512 * 768, "the length of the row, 512"),
    ("bert_base", "token_embedding", "params", 30522, "the rows alone"),
    ("100x13 -> lstm32 -> fc5", "lstm1", "params", 4 * 32 * (100 + 32 + 2), "the length of the row, 100"),
    ("100x13 -> lstm32 -> fc5", "lstm1", "params", 4 * 32 * 32, "the weights of the state alone"),
    ("50x16 -> gru24 -> fc5", "gru1", "params", 3 * 24 * 24, "the weights of the state alone"),
    ("c3d", "conv1a/conv", "multiplications", 112 * 112 * 64 * 81, "the positions along two axes only"),
    (GROUPED, "conv1", "params", 4 * 2368, "multiplied by the 4 groups"),
    (GROUPED, "conv2", "params", 9 * 8 * 128 + 8, "one bias for each of the 8 groups"),
    ("mobilenet", "conv2_1/dw/conv", "params", 288 + 2048, "conv2_1/dw/conv and conv2_1/sep/conv together"),
    ("mobilenet", "conv3_1/sep/conv", "params", 16384 + 1152, "conv3_1/sep/conv and conv3_1/dw/conv together"),
    # K for M, and a 0 too many.
    ("vgg16", TOTAL, "params", "138K", "1,000 times too small"),
    ("resnet50", TOTAL, "multiplications", "4.1M", "1,000 times too small"),
    ("alexnet", "conv1", "params", 349440, "0 too many at the end"),
]  # fmt: skip


@cache
def analysed(network: str) -> Analysis:
    return archcalc.analyse(network if "->" in network else archcalc.load(network))


def _tiered(row: tuple[str, str, str, int | str, str]) -> ParameterSet:
    """The sum of a large network tries all its variants: slow."""
    return pytest.param(*row, marks=[pytest.mark.slow] if row[1] == TOTAL and row[0] != "alexnet" else [])


@pytest.mark.parametrize(("network", "layer", "quantity", "written", "says"), [_tiered(row) for row in PLANTED])
def test_the_first_reason(network: str, layer: str, quantity: str, written: int | str, says: str) -> None:
    (cell,) = check_answers(analysed(network), [Answer(layer, quantity, str(written))]).cells
    assert cell.verdict is Verdict.WRONG
    assert says.lower() in cell.diagnoses[0].explanation.lower(), cell.diagnoses


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "quantity", "right", "change"),
    [
        # As many as one window of 64 filters, some biases, a few maps: no layer has just these.
        ("vgg16", "params", 138_357_544, -1152),
        ("resnet50", "params", 25_557_032, 64 * 9),
        ("inception_v3", "params", 23_834_568, 144),
        ("densenet121", "params", 7_978_856, -736),
        ("mobilenet", "multiplications", 568_740_352, 2304),
        ("vit_b_16", "params", 86_567_656, 1728),
    ],
)
def test_a_small_change_of_a_sum_is_not_explained_by_chance(
    network: str, quantity: str, right: int, change: int
) -> None:
    (cell,) = check_answers(analysed(network), [Answer(TOTAL, quantity, str(right + change))]).cells
    assert cell.expected == right
    assert [one.mistake for one in cell.diagnoses] == ["unknown"], cell.diagnoses


def test_a_mistake_that_repeats_down_the_table_is_named_in_each_cell() -> None:
    """(32 − 5 + 2)/1 + 1 = 30, (30 − 5 + 2)/1 + 1 = 28, (28 − 3 + 1)/1 + 1 = 27: the last is also without the + 1."""
    sizes = {"conv1": 30, "conv2": 28, "conv3": 27}
    answers = [Answer(name, "output_shape", f"{size}x{size}x8") for name, size in sizes.items()]
    cells = check_answers(analysed(PADDED), answers).cells
    assert [cell.diagnoses[0].mistake for cell in cells] == ["padding_once"] * 3
    (alone,) = check_answers(analysed(PADDED), [Answer("conv3", "output_shape", "31x31x8")]).cells
    assert alone.diagnoses[0].mistake == "forgot_plus_one"
    assert [one.rank for one in cells[2].diagnoses] == list(range(len(cells[2].diagnoses)))


@pytest.mark.slow
def test_twice_the_number_in_all_cells() -> None:
    """Twice the number of a layer is that of twice the filters, which the next layer often has."""
    rows = [row for row in analysed("vgg16").rows if row.multiplications]
    answers = [Answer(row.name, "multiplications", str(2 * row.multiplications)) for row in rows if row.multiplications]
    cells = check_answers(analysed("vgg16"), answers).cells
    assert {cell.diagnoses[0].mistake for cell in cells} == {"factor_two"}
