"""Shapes in columns of their axes, under headings with an order of axes, and with calculations for sides."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Answer, Cell, Verdict
from tests.teach.check.tables import analysis_of

#: Network and table, all right. C3D: conv1a 64 maps of 16×112×112, pool1 of 16×56×56, pool2 128 of 8×28×28.
COLUMNS = [
    ("wavenet", "layer,length,channels,params\ncausal,16000,32,16384\n"),
    ("wavenet", "layer,length\ncausal,16000\n"),
    ("wavenet", "layer,time steps,channels\ncausal,16000,32\n"),
    ("wavenet", "couche,longueur,canaux\ncausal,16000,32\n"),
    ("vit_b_16", "layer,tokens,channels\nencoder3,197,768\nfc,1,1000\n"),
    ("vit_b_16", "layer,sequence length,depth\nencoder3,197,768\n"),
    ("alexnet", "layer,positions,channels\nconv1,3025,96\nfc6,1,4096\n"),
    ("c3d", "layer,frames,height,width,channels\nconv1a,16,112,112,64\nfc6,,,,4096\n"),
    ("c3d", "layer,depth,height,width,channels\nconv1a,16,112,112,64\n"),
    ("c3d", "layer,channels,depth,height,width\nconv1a,64,16,112,112\n"),
    ("c3d", "layer,T,H,W,C\nconv1a,16,112,112,64\npool2,8,28,28,128\n"),
    ("c3d", "layer,D,H,W,channels\nconv1a,16,112,112,64\n"),
    ("c3d", "слой,кадры,высота,ширина,каналы\nconv1a,16,112,112,64\n"),
    ("c3d", "слой,глубина,высота,ширина,каналы\nconv1a,16,112,112,64\n"),
    ("c3d", "Schicht,Tiefe,Höhe,Breite,Kanäle\nconv1a,16,112,112,64\n"),
    ("c3d", "layer,frames,size,channels\nconv1a,16,112x112,64\n"),
    ("c3d", "layer,frames,height,width,feature maps\nconv1a,16,112,112,64\n"),
    ("alexnet", "layer,height,width,feature maps\nconv1,55,55,96\nfc6,,,4096\n"),
    ("c3d", "layer,frames,height,width\nconv1a,16,112,112\n"),
    ("c3d", "layer,channels\nconv1a,64\npool2,128\n"),
    ("c3d", "layer,Output (HxWxT)\nconv1a,112x112x16\npool1,56x56x16\npool2,28x28x8\n"),
    ("c3d", "layer,Output (HxWxD)\nconv1a,112x112x16\npool1,56x56x16\npool2,28x28x8\n"),
    ("c3d", "layer,Output (HxWxD),channels\nconv1a,112x112x16,64\npool1,56x56x16,64\npool2,28x28x8,128\n"),
    ("c3d", 'layer;Output (TxHxW);channels\nconv1a;(16, 112, 112);64\npool2;(8, 28, 28);128\n'),
    ("c3d", "layer,Output (HxWxTxC)\nconv1a,112x112x16x64\npool2,28x28x8x128\n"),
    ("c3d", "layer,Output (CxTxHxW)\nconv1a,64x16x112x112\n"),
    ("c3d", "layer,receptive field (HxWxT)\nconv1a,3x3x3\npool1,4x4x3\n"),
    ("alexnet", "layer,Output (HxWxD),channels\nconv1,55x55x96,96\nfc6,4096,4096\n"),
    ("alexnet", "layer,Output (WxHxD)\nconv1,55x55x96\n"),
    # Numbers of maps before positions of any rank.
    ("c3d", "layer,output\nconv1a,64@16x112x112\npool2,128@8x28x28\n"),
    ("c3d", "layer,output\nconv1a,64 maps of 16x112x112\npool2,8x28x28@128\n"),
    ("wavenet", "layer,output\ncausal,32@16000\n"),
    ("alexnet", "layer,output\nconv1,96@55x55\nconv2,256@27\n"),
    # Calculations of sides.
    ("yolov3", "layer,output\nlarge/boxes,13x13x3*85\n"),
    ("yolov3", "layer,output\nlarge/boxes,13x13x(3*(5+80))\n"),
    ("yolov3", "layer,output\nlarge/boxes,13x13x3x85\n"),
    ("yolov3", "layer,output\nlarge/boxes,13×13×3·85\n"),
    ("yolov3", 'layer,output\nlarge/boxes,"(3*85, 13, 13)"\n'),
    ("yolov3", 'layer,output\nlarge/boxes,"(None, 13, 13, 3*(80+5))"\n'),
    ("yolov3", "layer,output\nlarge/boxes,(416/32)x(416/32)x255\n"),
    ("alexnet", "layer,output\nconv1,55x55x(2*48)\nconv2,27x27 * 256\nfc6,2 x 2048\n"),
    ("alexnet", "layer,output\nconv1,((227-11)/4+1)x((227-11)/4+1)x96\n"),
    ("c3d", "layer,output\nconv1a,16x112x112*64\npool2,8x28x28x(2*64)\n"),
]  # fmt: skip


def cells_of(network: str, table: str) -> list[Cell]:
    answers = parse_answers(table.encode(), "a.csv").answers
    return list(check_answers(analysis_of(network), answers).cells)


@pytest.mark.parametrize(("network", "table"), COLUMNS)
def test_right_shapes(network: str, table: str) -> None:
    cells = cells_of(network, table)
    assert {cell.verdict for cell in cells} <= {Verdict.RIGHT, Verdict.EMPTY}, cells
    assert cells[0].verdict is Verdict.RIGHT
    assert [cell.verdict for cell in cells if cell.quantity == "output_shape"].count(Verdict.EMPTY) == 0


#: One side is wrong; what was written in the order of the network's shapes, and the first mistake.
WRONG = [
    ("wavenet", "layer,length\ncausal,15999\n", (32, 15999), "forgot_padding"),
    ("wavenet", "layer,length,channels\ncausal,15999,32\n", (32, 15999), "forgot_padding"),
    ("c3d", "layer,frames,height,width,channels\nconv1a,14,112,112,64\n", (64, 14, 112, 112), "forgot_padding"),
    ("c3d", "layer,Output (HxWxT)\nconv1a,112x112x14\n", (64, 14, 112, 112), "forgot_padding"),
    ("c3d", "layer,Output (HxWxD),channels\nconv1a,112x112x14,64\npool2,28x28x8,128\n", (64, 14, 112, 112),
     "forgot_padding"),
    ("c3d", "layer,output\npool2,64@8x28x28\n", (64, 8, 28, 28), "forgot_output_channels"),
    ("alexnet", "layer,output\nconv2,256@23\n", (256, 23, 23), "forgot_padding"),
    ("alexnet", "layer,output\nconv2,23x23x(2*128)\n", (256, 23, 23), "forgot_padding"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "table", "written", "mistake"), WRONG)
def test_a_wrong_side_is_explained(network: str, table: str, written: tuple[int, ...], mistake: str) -> None:
    cell = cells_of(network, table)[0]
    assert cell.verdict is Verdict.WRONG
    assert cell.stated is not None
    assert (cell.stated.shape, cell.diagnoses[0].mistake) == (written, mistake)


@pytest.mark.parametrize(
    ("heads", "row", "note"),
    [
        ("layer,channels,time", "conv1,96,3.4 ms", "time"),
        ("layer,positions,params", "conv1,3025,34944", "positions"),
        ("layer,output,length", "conv1,55x55x96,7", "length"),
        ("layer,time,params", "conv1,12,34944", "time"),
    ],
)
def test_columns_that_are_no_side_of_a_map_are_not_checked(heads: str, row: str, note: str) -> None:
    found = parse_answers(f"{heads}\n{row}\n".encode(), "a.csv")
    assert found.notes == (f"not checked: column {note}",)
    check = check_answers(analysis_of("alexnet"), found.answers)
    assert (check.count(Verdict.RIGHT), len(check.cells)) == (1, 1)


@pytest.mark.parametrize(
    "text", ["55x55x(2*48", "13x13x(3*)", "55x55x(1/0)", "x*x*x", "((((x))))", "9**9**9x9**9**9x3"]
)
def test_a_shape_that_cannot_be_calculated_is_not_judged(text: str) -> None:
    (cell,) = check_answers(analysis_of("alexnet"), [Answer("conv1", "output_shape", text)]).cells
    assert cell.verdict is Verdict.UNREADABLE
