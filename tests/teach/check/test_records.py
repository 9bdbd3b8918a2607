"""Layers as blocks of lines, as Darknet prints them, and as code names them; positions of signals alone."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Check, Verdict
from tests.teach.check.tables import analysis_of

RECORDS = """Layer: Conv1
Output: 28x28x6
Params: 156

Layer: Pool1
Output: 14x14x6
Params: 0

Layer: Conv2
Output: 10x10x16
Params: 2416
"""
#: The start of YOLOv3-tiny, and its end, where maps are joined.
DARKNET = """layer     filters    size              input                output
    0 conv     16  3 x 3 / 1   416 x 416 x   3   ->   416 x 416 x  16 0.150 BFLOPs
    1 max          2 x 2 / 2   416 x 416 x  16   ->   208 x 208 x  16
    2 conv     32  3 x 3 / 1   208 x 208 x  16   ->   208 x 208 x  32 0.399 BFLOPs
    3 max          2 x 2 / 2   208 x 208 x  32   ->   104 x 104 x  32
    4 conv     64  3 x 3 / 1   104 x 104 x  32   ->   104 x 104 x  64 0.399 BFLOPs
    5 max          2 x 2 / 2   104 x 104 x  64   ->    52 x  52 x  64
    6 conv    128  3 x 3 / 1    52 x  52 x  64   ->    52 x  52 x 128 0.399 BFLOPs
    7 max          2 x 2 / 2    52 x  52 x 128   ->    26 x  26 x 128
    8 conv    256  3 x 3 / 1    26 x  26 x 128   ->    26 x  26 x 256 0.399 BFLOPs
    9 max          2 x 2 / 2    26 x  26 x 256   ->    13 x  13 x 256
   10 conv    512  3 x 3 / 1    13 x  13 x 256   ->    13 x  13 x 512 0.399 BFLOPs
   11 max          2 x 2 / 1    13 x  13 x 512   ->    13 x  13 x 512
   12 conv   1024  3 x 3 / 1    13 x  13 x 512   ->    13 x  13 x1024 1.595 BFLOPs
   13 conv    256  1 x 1 / 1    13 x  13 x1024   ->    13 x  13 x 256 0.089 BFLOPs
   14 conv    512  3 x 3 / 1    13 x  13 x 256   ->    13 x  13 x 512 0.399 BFLOPs
   15 conv    255  1 x 1 / 1    13 x  13 x 512   ->    13 x  13 x 255 0.044 BFLOPs
   16 yolo
   17 route  13
   18 conv    128  1 x 1 / 1    13 x  13 x 256   ->    13 x  13 x 128 0.011 BFLOPs
   19 upsample            2x    13 x  13 x 128   ->    26 x  26 x 128
   20 route  19 8
   21 conv    256  3 x 3 / 1    26 x  26 x 384   ->    26 x  26 x 256 1.196 BFLOPs
   22 conv    255  1 x 1 / 1    26 x  26 x 256   ->    26 x  26 x 255 0.088 BFLOPs
"""
#: Another version of it, with what pools calculate.
SHORT = """   layer   filters  size/strd(dil)      input                output
   0 conv     16       3 x 3/ 1    416 x 416 x   3 ->  416 x 416 x  16 0.150 BF
   1 max                2x 2/ 2    416 x 416 x  16 ->  208 x 208 x  16 0.003 BF
   2 conv     32       3 x 3/ 1    208 x 208 x  16 ->  208 x 208 x  32 0.399 BF
"""
RESIDUAL = """    0 conv     32  3 x 3 / 1   416 x 416 x   3   ->   416 x 416 x  32 0.299 BFLOPs
    1 conv     64  3 x 3 / 2   416 x 416 x  32   ->   208 x 208 x  64 1.595 BFLOPs
    2 conv     32  1 x 1 / 1   208 x 208 x  64   ->   208 x 208 x  32 0.177 BFLOPs
    3 conv     64  3 x 3 / 1   208 x 208 x  32   ->   208 x 208 x  64 1.595 BFLOPs
    4 res    1                 208 x 208 x  64   ->   208 x 208 x  64
"""
CHAIN = "28x28x1 -> conv3-32p0 -> relu -> pool2 -> conv3-64p0 -> relu -> pool2 -> flatten -> fc10"
#: The layers of this chain, as people call them.
NAMES = (
    "32C3|P2|64C3|P2|10",
    "32c3s1|MP2|64c3s1|MP2|F10",
    "conv(3,32)|maxpool(2)|conv(3,64)|maxpool(2)|fc(10)",
    "Conv2D(32, (3,3))|MaxPooling2D((2,2))|Conv2D(64, 3, activation='relu')|MaxPooling2D(2)|Dense(10)",
    "Conv2D(32, (3,3), strides=1)|MaxPool2D(2)|Conv2D(64, kernel_size=3)|MaxPool2D(2)|Dense(10, activation=softmax)",
)
VALUES = ("26x26x32;320", "13x13x32;0", "11x11x64;18496", "5x5x64;0", "10;16010")


def _check(network: str, text: str) -> Check:
    return check_answers(analysis_of(network), parse_answers(text.encode(), "table").answers)


@pytest.mark.parametrize(
    "text",
    [
        RECORDS,
        RECORDS.replace("\n\n", "\n---\n"),
        RECORDS.replace("Layer: ", "Layer name: ").replace("Output", "Output shape"),
        RECORDS.replace("Layer: ", "### "),
        RECORDS.replace("Layer: ", "").replace("Output", "  Output").replace("Params", "  Params"),
        RECORDS.replace("Layer: ", "- Layer: ").replace("Output", "  Output").replace("Params", "  Params"),
        RECORDS.replace("\nOutput", " / Output").replace("\nParams", " / Params").replace("\n\n", "\n"),
        RECORDS.replace("Layer", "Слой").replace("Output", "Выход").replace("Params", "Параметры"),
        RECORDS.replace("Layer: ", "**Layer:** ").replace("Output: ", "**Output:** "),
    ],
)
def test_blocks_of_lines(text: str) -> None:
    check = _check("lenet5", text)
    assert check.is_right
    assert check.count(Verdict.RIGHT) == 6
    (wrong,) = [cell for cell in _check("lenet5", text.replace("2416", "2400")).cells if cell.verdict is Verdict.WRONG]
    assert (wrong.layer, wrong.expected, wrong.diagnoses[0].mistake) == ("C3", 2416, "forgot_bias")


@pytest.mark.parametrize(
    ("network", "text", "right"), [("yolov3_tiny", DARKNET, 33), ("yolov3_tiny", SHORT, 5), ("yolov3", RESIDUAL, 9)]
)
def test_what_darknet_prints(network: str, text: str, right: int) -> None:
    check = _check(network, text)
    assert check.is_right
    assert check.count(Verdict.RIGHT) == right


@pytest.mark.parametrize(
    ("printed", "wrong", "expected"),
    [
        ("26 x  26 x 256   ->    13 x", "26 x  26 x 256   ->    12 x", (256, 13, 13)),
        ("13 x1024 1.595", "13 x1024 0.797", 1024 * 512 * 9 * 13 * 13),
        ("384   ->    26 x  26 x 256 1.196", "384   ->    26 x  26 x 256 0.797", 256 * 384 * 9 * 26 * 26),
    ],
)
def test_a_mistake_in_it(printed: str, wrong: str, expected: object) -> None:
    assert printed in DARKNET
    cells = _check("yolov3_tiny", DARKNET.replace(printed, wrong)).cells
    assert [cell.expected for cell in cells if cell.verdict is Verdict.WRONG] == [expected]


@pytest.mark.parametrize("names", NAMES)
def test_layers_as_code_and_papers_name_them(names: str) -> None:
    table = "layer;output;params\n" + "\n".join(map(";".join, zip(names.split("|"), VALUES, strict=True)))
    assert _check(CHAIN, table).count(Verdict.RIGHT) == 10
    cells = _check(CHAIN, table.replace("18496", "18432")).cells
    wrong = [(cell.layer, cell.diagnoses[0].mistake) for cell in cells if cell.verdict is not Verdict.RIGHT]
    assert wrong == [("conv2", "forgot_bias")]


@pytest.mark.parametrize(
    ("network", "table", "wrong"),
    [
        ("m5", "layer,positions\nconv1,8000\npool1,2000\nconv2,2000\n", 0),
        ("m5", "layer,T,C\nconv1,8000,128\npool1,2000,128\nconv2,2000,128\n", 0),
        ("m5", "layer,C,T\nconv1,128,8000\npool1,128,2000\nconv2,128,2000\n", 0),
        ("m5", "layer,T,C\nconv1,8000,128\npool1,1999,128\nconv2,2000,128\n", 1),
        ("vit_b_16", "layer,tokens\npatch embedding,196\nEncoder,197\n", 0),
        ("alexnet", "layer,positions\nconv1,3025\nconv2,729\n", 0),
        ("alexnet", "layer,positions\nconv1,3025\nconv2,719\n", 1),
    ],
)
def test_positions_alone(network: str, table: str, wrong: int) -> None:
    check = _check(network, table)
    assert check.count(Verdict.WRONG) == wrong
    assert check.count(Verdict.RIGHT) == len(check.cells) - wrong
