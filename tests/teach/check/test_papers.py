"""Tables of papers and of lecture notes, as they are printed: no cell is accused."""

from __future__ import annotations

import pytest

from archcalc.core.errors import SpecError
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Check, Verdict
from tests.teach.check.tables import analysis_of

#: Table 1: stages, with the letters of formulas in the headings.
EFFICIENTNET = """| Stage i | Operator F̂i | Resolution Ĥi × Ŵi | #Channels Ĉi | #Layers L̂i |
|---|---|---|---|---|
| 1 | Conv3x3 | 224 × 224 | 32 | 1 |
| 2 | MBConv1, k3x3 | 112 × 112 | 16 | 1 |
| 3 | MBConv6, k3x3 | 112 × 112 | 24 | 2 |
| 4 | MBConv6, k5x5 | 56 × 56 | 40 | 2 |
| 5 | MBConv6, k3x3 | 28 × 28 | 80 | 3 |
| 6 | MBConv6, k5x5 | 14 × 14 | 112 | 3 |
| 7 | MBConv6, k5x5 | 14 × 14 | 192 | 4 |
| 8 | MBConv6, k3x3 | 7 × 7 | 320 | 1 |
| 9 | Conv1x1 & Pooling & FC | 7 × 7 | 1280 | 1 |
"""
#: Table 2: the input of each operator, and its depth; k classes.
MOBILENET_V2 = """| Input | Operator | t | c | n | s |
|---|---|---|---|---|---|
| 224² × 3 | conv2d | - | 32 | 1 | 2 |
| 112² × 32 | bottleneck | 1 | 16 | 1 | 1 |
| 112² × 16 | bottleneck | 6 | 24 | 2 | 2 |
| 56² × 24 | bottleneck | 6 | 32 | 3 | 2 |
| 28² × 32 | bottleneck | 6 | 64 | 4 | 2 |
| 14² × 64 | bottleneck | 6 | 96 | 3 | 1 |
| 14² × 96 | bottleneck | 6 | 160 | 3 | 2 |
| 7² × 160 | bottleneck | 6 | 320 | 1 | 1 |
| 7² × 320 | conv2d 1x1 | - | 1280 | 1 | 1 |
| 7² × 1280 | avgpool 7x7 | - | - | 1 | - |
| 1 × 1 × 1280 | conv2d 1x1 | - | k | - | |
"""
#: Table 1: a transition has a row before its pool, and one without a name after it.
DENSENET = """| Layers | Output Size | DenseNet-121 |
|---|---|---|
| Convolution | 112 × 112 | 7 × 7 conv, stride 2 |
| Pooling | 56 × 56 | 3 × 3 max pool, stride 2 |
| Dense Block (1) | 56 × 56 | [1 × 1 conv; 3 × 3 conv] × 6 |
| Transition Layer (1) | 56 × 56 | 1 × 1 conv |
|  | 28 × 28 | 2 × 2 average pool, stride 2 |
| Dense Block (2) | 28 × 28 | × 12 |
| Transition Layer (2) | 28 × 28 | 1 × 1 conv |
|  | 14 × 14 | 2 × 2 average pool, stride 2 |
| Dense Block (3) | 14 × 14 | × 24 |
| Transition Layer (3) | 14 × 14 | 1 × 1 conv |
|  | 7 × 7 | 2 × 2 average pool, stride 2 |
| Dense Block (4) | 7 × 7 | × 16 |
| Classification Layer | 1 × 1 | 7 × 7 global average pool |
|  |  | 1000D fully-connected, softmax |
"""
#: CS231n: the shape of each layer stands before its name. Normalisations follow their pools.
ALEXNET = """Full (simplified) AlexNet architecture:
[227x227x3] INPUT
[55x55x96] CONV1: 96 11x11 filters at stride 4, pad 0
[27x27x96] MAX POOL1: 3x3 filters at stride 2
[27x27x96] NORM1: Normalization layer
[27x27x256] CONV2: 256 5x5 filters at stride 1, pad 2
[13x13x256] MAX POOL2: 3x3 filters at stride 2
[13x13x256] NORM2: Normalization layer
[13x13x384] CONV3: 384 3x3 filters at stride 1, pad 1
[13x13x384] CONV4: 384 3x3 filters at stride 1, pad 1
[13x13x256] CONV5: 256 3x3 filters at stride 1, pad 1
[6x6x256] MAX POOL3: 3x3 filters at stride 2
[4096] FC6: 4096 neurons
[4096] FC7: 4096 neurons
[1000] FC8: 1000 neurons (class scores)
"""
#: Table 1, a column of it.
RESNET = """| layer name | output size | 50-layer |
|---|---|---|
| conv1 | 112×112 | 7×7, 64, stride 2 |
| conv2_x | 56×56 | 3×3 max pool, stride 2; [1×1, 64; 3×3, 64; 1×1, 256]×3 |
| conv3_x | 28×28 | [1×1, 128; 3×3, 128; 1×1, 512]×4 |
| conv4_x | 14×14 | [1×1, 256; 3×3, 256; 1×1, 1024]×6 |
| conv5_x | 7×7 | [1×1, 512; 3×3, 512; 1×1, 2048]×3 |
|  | 1×1 | average pool, 1000-d fc, softmax |
| FLOPs |  | 3.8×10^9 |
"""


#: Table 1: what each layer reads, and the shapes of its filters.
MOBILENET = """| Type / Stride | Filter Shape | Input Size |
|---|---|---|
| Conv / s2 | 3 × 3 × 3 × 32 | 224 × 224 × 3 |
| Conv dw / s1 | 3 × 3 × 32 dw | 112 × 112 × 32 |
| Conv / s1 | 1 × 1 × 32 × 64 | 112 × 112 × 32 |
| Conv dw / s2 | 3 × 3 × 64 dw | 112 × 112 × 64 |
| Conv / s1 | 1 × 1 × 64 × 128 | 56 × 56 × 64 |
| Conv dw / s1 | 3 × 3 × 128 dw | 56 × 56 × 128 |
| Conv / s1 | 1 × 1 × 128 × 128 | 56 × 56 × 128 |
| Conv dw / s2 | 3 × 3 × 128 dw | 56 × 56 × 128 |
| Conv / s1 | 1 × 1 × 128 × 256 | 28 × 28 × 128 |
| Conv dw / s1 | 3 × 3 × 256 dw | 28 × 28 × 256 |
| Conv / s1 | 1 × 1 × 256 × 256 | 28 × 28 × 256 |
| Conv dw / s2 | 3 × 3 × 256 dw | 28 × 28 × 256 |
| Conv / s1 | 1 × 1 × 256 × 512 | 14 × 14 × 256 |
| 5× Conv dw / s1 | 3 × 3 × 512 dw | 14 × 14 × 512 |
| Conv / s1 | 1 × 1 × 512 × 512 | 14 × 14 × 512 |
| Conv dw / s2 | 3 × 3 × 512 dw | 14 × 14 × 512 |
| Conv / s1 | 1 × 1 × 512 × 1024 | 7 × 7 × 512 |
| Conv dw / s2 | 3 × 3 × 1024 dw | 7 × 7 × 1024 |
| Conv / s1 | 1 × 1 × 1024 × 1024 | 7 × 7 × 1024 |
| Avg Pool / s1 | Pool 7 × 7 | 7 × 7 × 1024 |
| FC / s1 | 1024 × 1000 | 1 × 1 × 1024 |
| Softmax / s1 | Classifier | 1 × 1 × 1000 |
"""
TABS = MOBILENET.replace("|---|---|---|\n", "").replace(" | ", "\t").replace("| ", "").replace(" |", "")
#: VGG's table 1 lists layers: of the configurations as columns there is nothing to check.
VGG = """| A | B | C | D | E |
|---|---|---|---|---|
| 11 weight layers | 13 weight layers | 16 weight layers | 16 weight layers | 19 weight layers |
| conv3-64 | conv3-64 conv3-64 | conv3-64 conv3-64 | conv3-64 conv3-64 | conv3-64 conv3-64 |
| maxpool | | | | |
| FC-4096 | | | | |
"""
#: Table 2; the caption says that they are millions.
VGG_TOTALS = """| Network | A,A-LRN | B | C | D | E |
|---|---|---|---|---|---|
| Number of parameters | 133 | 133 | 134 | 138 | 144 |
"""
NETWORKS = "Model,Params,MACs\nAlexNet,61M,714M\nVGG-16,138M,15.5G\nResNet-50,25.6M,4.1G\n"
#: What each layer reads, in a column of its own.
INPUTS = """| Layer | Input | Kernel | Output | Params |
|---|---|---|---|---|
| Conv1 | 32x32x1 | 5x5 | 28x28x6 | 156 |
| Pool1 | 28x28x6 | 2x2 | 14x14x6 | 0 |
| Conv2 | 14x14x6 | 5x5 | 10x10x16 | 2416 |
| Pool2 | 10x10x16 | 2x2 | 5x5x16 | 0 |
| FC1 | 400 | - | 120 | 48120 |
| FC2 | 120 | - | 84 | 10164 |
"""


def _check(network: str, text: str) -> Check:
    return check_answers(analysis_of(network), parse_answers(text.encode(), "table").answers)


@pytest.mark.parametrize(
    ("network", "text", "right"),
    [
        ("efficientnet_b0", EFFICIENTNET, 9),
        ("mobilenet_v2", MOBILENET_V2, 19),
        ("densenet121", DENSENET, 13),
        ("alexnet", ALEXNET, 12),
        ("resnet50", RESNET, 6),
        ("mobilenet", MOBILENET, 42),
        ("mobilenet", TABS, 42),
        ("vgg16", VGG_TOTALS, 1),
        ("vgg11", VGG_TOTALS, 1),
        ("vgg19", VGG_TOTALS.replace("parameters", "parameters (millions)"), 1),
        ("vgg16", NETWORKS, 2),
        ("vgg16", "| | AlexNet | VGG16 |\n|---|---|---|\n| Params | 61M | 138M |\n| MACs | 0.7G | 15.5G |\n", 2),
        ("lenet5", ",C1,S2,C3\noutput,28x28x6,14x14x6,10x10x16\nparams,156,0,2416\n", 6),
        ("lenet5", INPUTS, 18),
        ("alexnet", "layer,input,output\nconv1,(3,227,227),(96,55,55)\npool1,(96,55,55),(96,27,27)\n", 4),
        ("alexnet", "Layer,Inputs,Outputs,Params\nconv1,3,96,34944\nconv2,96,256,\n", 3),
    ],
)
def test_a_table_as_printed(network: str, text: str, right: int) -> None:
    check = _check(network, text)
    assert check.count(Verdict.RIGHT) == right
    assert not check.count(Verdict.WRONG)
    assert not check.count(Verdict.CARRIED)


@pytest.mark.parametrize(
    ("network", "text", "printed", "wrong"),
    [
        ("efficientnet_b0", EFFICIENTNET, "| 28 × 28 | 80", "| 28 × 28 | 90"),
        ("densenet121", DENSENET, "Dense Block (2) | 28 × 28", "Dense Block (2) | 27 × 27"),
        ("densenet121", DENSENET, "Transition Layer (1) | 56 × 56", "Transition Layer (1) | 55 × 55"),
        ("alexnet", ALEXNET, "[55x55x96]", "[54x54x96]"),
        ("mobilenet", MOBILENET, "56 × 56 × 64", "112 × 112 × 64"),
        ("mobilenet", MOBILENET, "1 × 1 × 64 × 128", "1 × 1 × 64 × 64"),
        ("vgg16", VGG_TOTALS, "138", "148"),
        ("vgg16", NETWORKS, "15.5G", "15.9G"),
        ("lenet5", INPUTS, "| 400 |", "| 256 |"),
        ("lenet5", INPUTS, "| 14x14x6 | 5x5", "| 13x13x6 | 5x5"),
    ],
)
def test_a_mistake_in_it_is_found(network: str, text: str, printed: str, wrong: str) -> None:
    assert printed in text
    assert _check(network, text.replace(printed, wrong)).count(Verdict.WRONG)


@pytest.mark.parametrize("text", [VGG, "| D |\n|---|\n| conv3-64 |\n| maxpool |\n"])
def test_a_table_without_anything_to_check_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        _check("vgg16", text)


def test_what_a_layer_reads_is_the_output_of_another() -> None:
    """A mistake there follows from the output above, or is explained as one of it."""
    cells = _check("lenet5", INPUTS.replace("| 14x14x6 | 5x5", "| 13x13x6 | 5x5")).cells
    (wrong,) = [cell for cell in cells if cell.verdict is Verdict.WRONG]
    assert (wrong.answer.layer, wrong.layer, wrong.expected) == ("Conv2", "S2", (6, 14, 14))
    cells = _check("lenet5", INPUTS.replace("10x10x16", "12x12x16")).cells
    judged = [(cell.answer.layer, cell.verdict) for cell in cells if cell.verdict is not Verdict.RIGHT]
    assert judged == [("Conv2", Verdict.WRONG), ("Pool2", Verdict.CARRIED)]


def test_a_layer_at_another_place_is_not_said_to_be_missing() -> None:
    notes = [cell.note for cell in _check("alexnet", ALEXNET).cells if cell.verdict is Verdict.UNREADABLE]
    assert len(notes) == 2
    assert all("another layer than by the order" in note for note in notes)


CALLS = """layer,output,params
"nn.Conv2d(1, 32, 3, 1)","(32, 26, 26)",320
"nn.Conv2d(32, 64, 3, 1)","(64, 24, 24)",18496
"F.max_pool2d(x, 2)","(64, 12, 12)",0
"nn.Linear(9216, 10)",10,92170
"""
KOREAN = "레이어,출력,파라미터\nConv1,55x55x96,34944\nMaxPool1,27x27x96,0\n"
STEPS = """1. Convolution: (32 - 5)/1 + 1 = 28 -> 28x28x6 | params: 156
2. Pooling: 14x14x6 | params: 0
3. Convolution: 10x10x16 | params: 2416
"""
#: The second convolution of GoogLeNet's table has depth 2: its reduction has no row of its own.
REDUCED = """type,output size,params
convolution,112×112×64,9472
max pool,56×56×64,
convolution,56×56×192,115K
max pool,28×28×192,
inception (3a),28×28×256,164K
"""


@pytest.mark.parametrize(
    ("network", "text", "right"),
    [
        ("28x28x1 -> conv3-32p0 -> relu -> conv3-64p0 -> relu -> pool2 -> flatten -> fc10", CALLS, 8),
        ("227x227x3 -> conv11-96s4p0 -> relu -> maxpool3/2", KOREAN, 4),
        ("lenet5", STEPS, 6),
        ("googlenet", REDUCED, 8),
    ],
)
def test_tables_of_other_kinds(network: str, text: str, right: int) -> None:
    check = _check(network, text)
    assert check.is_right
    assert check.count(Verdict.RIGHT) == right


@pytest.mark.parametrize("end", ["fc10", "fc10 -> softmax"])
@pytest.mark.parametrize(("params", "verdict"), [("850", Verdict.RIGHT), ("841", Verdict.WRONG)])
def test_a_softmax_with_weights_is_the_dense_layer_before_it(end: str, params: str, verdict: Verdict) -> None:
    """As in Andrew Ng's table of a LeNet."""
    rows = f"layer,output,params\nFC3,120,48120\nFC4,84,10164\nSoftmax,10,{params}\n"
    cells = _check(f"5x5x16 -> fc120 -> relu -> fc84 -> relu -> {end}", rows).cells
    assert [cell.verdict for cell in cells[-2:]] == [Verdict.RIGHT, verdict]


def test_a_softmax_next_to_its_dense_layer_has_no_weights() -> None:
    rows = "layer,output,params\nFC1,10,4010\nSoftmax,10,0\n"
    assert _check("400 -> fc10 -> softmax", rows).is_right


def test_the_value_of_a_setting_is_no_name_of_the_network() -> None:
    """MobileNet has a setting for its activation, relu."""
    check = _check("mobilenet", "layer,output,MACs\nconv1,112x112x32,10838016\nReLU,112x112x32,0\n")
    assert check.is_right
    assert all(cell.layer.endswith("relu") for cell in check.cells if cell.answer.layer == "ReLU")
