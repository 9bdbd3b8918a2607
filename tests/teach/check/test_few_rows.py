"""Tables with a few rows of a deep network, under names that are not the layers' own: all right."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.cli.runner import Run
from tests.teach.check.tables import analysis_of
from tests.tiers import slow_but

ALEXNET = ("layer,neurons\nconv1,{}\nconv2,186624\nconv3,64896\nconv4,64896\nconv5,43264\n"
           "fc6,4096\nfc7,4096\nfc8,1000\ntotal,{}\n")  # fmt: skip
VGG = "layer,output,params\n{},224x224x64,1792\n{},14x14x512,2359808\n{},1000,4097000\n"
RIGHT = [
    ("vgg19", "layer,params\nconv1_1,1792\nconv5_4,2359808\noutput layer,4097000\n"),
    ("vgg19", "layer,params\nconv1_1,1792\noutput layer,4097000\n"),
    ("vgg16", "layer,output\nconv1_1,224x224x64\nfinal pool,7x7x512\nfc6,4096\n"),
    ("vgg16", "layer,params\nconv1_1,1792\nconv3_2,590080\ndense 1,102764544\n"),
    ("vgg11", VGG.format("conv2d", "conv2d_7", "dense_2")),
    ("vgg11", VGG.format("Conv2d-1", "Linear-23", "Linear-29").replace("14x14x512,2359808", "4096,102764544")),
    ("vgg11", VGG.format("1st conv", "8th conv", "3rd fc")),
    ("vgg11", VGG.format("свёртка 1", "свёртка 8", "полносвязный 3")),
    ("vgg11", VGG.format("conv1", "conv8", "fc3")),
    ("vgg11", VGG.format("first conv", "conv5_2", "fc8")),
    ("c3d", "layer,params\nconv1,5248\nconv8,7078400\nfc2,16781312\n"),
    ("alexnet", "layer,params\nfirst conv,34944\nconv5,884992\n"),
    ("squeezenet1_0", "layer,output,params\nconv1,111x111x96,14208\nmaxpool1,55x55x96,0\nconv10,13x13x1000,513000\n"),
    ("inception_v3", "layer,output\nmaxpool1,73x73x64\nMixed_7c,8x8x2048\n"),
    ("googlenet", "layer,output\nconv1,112x112x64\ninception_3a,28x28x256\nGlobal Avg Pool,1x1x1024\n"),
    ("resnet18", "layer,output\nmax pool,56x56x64\nconv2_x,56x56x64\nconv5_x,7x7x512\n"),
    ("resnet18", "layer,params\nConv2d-1,9408\nConv2d-17,589824\nLinear-68,513000\n"),
    ("resnet50", "layer,output\nstem,56x56x64\nconv2_x,56x56x256\nconv5_x,7x7x2048\navg pool,1x1x2048\n"),
    ("mobilenet_v2", "layer,output\nfirst conv,112x112x32\nbottleneck2,56x56x24\nbottleneck7,7x7x320\n"),
    # Drawings of U-Net call the cropped map so, or what it is joined to.
    ("unet", "layer,output\nup-conv,56x56x512\ncopy and crop,56x56x1024\nconv,54x54x512\nconv,52x52x512\n"),
    ("unet", "layer,output\nCopy & crop 1,56x56x512\nCopy & crop 2,104x104x256\nCopy & crop 3,200x200x128\n"),
    ("unet", "layer,output\nbottleneck,28x28x1024\nupsample,56x56x512\nskip connection,56x56x1024\nconv,54x54x512\n"),
    ("unet", "layer,output\nmaxpool1,284x284x64\ncontract5,28x28x1024\nexpand1,388x388x64\n"),
]


@pytest.mark.parametrize(("network", "table"), slow_but([RIGHT[0], RIGHT[8]], RIGHT))
def test_a_few_rows_of_a_network_are_right(archcalc: Run, tmp_path: Path, network: str, table: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table, encoding="utf-8")
    result = archcalc("check", network, path)
    assert (result.code, " wrong" in result.out) == (0, False), result.out + result.err


#: Names of Keras and PyTorch count stages, blocks and layers, each in its own way.
COUNTED = [
    ("vgg19", "layer,params\nblock2_conv1,73856\nblock3_conv4,590080\n", 2),
    ("vgg19", "layer,params\nblock3_conv1,295168\nblock4_conv3,2359808\n", 2),
    ("mobilenet_v2", "layer,params\nblock_1_project,2304\nblock_13_expand,55296\n", 2),
    ("mobilenet@keras", "layer,params\nconv_pw_1,2048\nconv_dw_4,1152\nconv_dw_7,4608\nconv_dw_9,4608\n", 4),
    ("squeezenet1_1", "layer,params\nclassifier.1,513000\n", 1),
    ("densenet121", "layer,params\nfeatures.denseblock3.denselayer12.conv2,36864\n", 1),
    ("resnet50", "layer,params\nlayer2.0.conv1,32768\nlayer3.4.conv2,589824\nlayer4.2.bn3,4096\n", 3),
    ("squeezenet1_1", "layer,params\nfeatures.4.expand1x1,1088\nfeatures.9.expand1x1,9408\n", 0),
]


@pytest.mark.parametrize(("network", "table", "least"), COUNTED)
def test_names_of_frameworks_are_matched_by_all_their_numbers(network: str, table: str, least: int) -> None:
    verdicts = verdicts_of(network, table)
    assert verdicts.count(Verdict.RIGHT) >= least
    assert set(verdicts) <= {Verdict.RIGHT, Verdict.UNREADABLE}


@pytest.mark.parametrize(
    ("network", "table"),
    [
        ("vgg16", "block1_conv1,1792\nblock1_conv2,36928\nblock2_conv1,!73728\n"),
        ("vgg16", "block1_conv1,1792\nblock1_conv2,!36864\nblock2_conv1,73856\nblock2_conv2,147584\n"),
        ("resnet50", "layer2.0.conv1,32768\nlayer3.4.conv2,!589696\nlayer3.4.conv3,262144\nlayer4.2.conv1,1048576\n"
                     "layer4.2.conv2,2359296\n"),
        ("mobilenet_v2", "block_1_project,2304\nblock_2_expand,!3312\nblock_4_expand,6144\nblock_5_expand,6144\n"
                         "block_13_expand,55296\n"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_judged_in_its_own_row(network: str, table: str) -> None:
    wrong = [Verdict.WRONG if "!" in row else Verdict.RIGHT for row in table.splitlines()]
    assert verdicts_of(network, "layer,params\n" + table.replace("!", "")) == wrong


def verdicts_of(network: str, table: str) -> list[Verdict]:
    answers = parse_answers(table.encode(), "a.csv").answers
    return [cell.verdict for cell in check_answers(analysis_of(network), answers).cells]


def test_a_row_without_a_name_is_matched_by_its_place() -> None:
    table = "layer,output,params\nC1,28x28x6,156\n,14x14x6,0\nC3,10x10x16,2416\n,,{}\n"
    # 156 + 0 + 2416 + 48120 + 10164 + 850
    assert set(verdicts_of("lenet5", table.format(61706))) == {Verdict.RIGHT, Verdict.EMPTY}
    wrong = verdicts_of("lenet5", table.format("").replace("14x14x6", "15x15x6"))
    assert [str(one) for one in wrong[:6]] == ["right", "right", "wrong", "right", "right", "right"]
    # Where the place does not say it, the row alone is not judged.
    open_row = verdicts_of("lenet5", "layer,params\nC1,156\n,77\noutput,850\n")
    assert [str(one) for one in open_row] == ["right", "unreadable", "right"]


@pytest.mark.parametrize("mark", ["same", '"', "〃", "same as above", "то же", "同上", "gleich", "igual"])
def test_a_mark_for_the_cell_above(mark: str) -> None:
    table = f"layer;output;params\nconv3;13x13x384;885120\nconv4;{mark};1327488\nconv5;13x13x256;{{}}\n"
    assert set(verdicts_of("alexnet", table.format(884992))) == {Verdict.RIGHT}
    assert [str(one) for one in verdicts_of("alexnet", table.format(mark))][-1] == "wrong"


@pytest.mark.parametrize(
    ("network", "table"),
    [
        ("alexnet@torchvision", 'layer,output\ndrop5,"(4, 9216)"\n'),
        ("alexnet@torchvision", 'layer,output\nconv1,"(4,64,55,55)"\ndrop5,"[4, 9216]"\nfc6,"[4, 4096]"\n'),
        ("lenet5", "layer,output\nconv1,[6][28][28]\n"),
        ("densenet121", "layer,output\nClassification Layer,1x1\n"),
        ("densenet121", "layer,output\nConvolution,112x112\nDense Block (1),56x56\nClassification Layer,1x1\n"),
        ("resnet56_cifar", "layer,output\nconv1,32x32x16\nconv2_x,32x32x16\nconv3_x,16x16x32\nconv4_x,8x8x64\nfc,10\n"),
        ("lenet5", "layer,Output H,Output W,Output C\nconv1,28,28,6\n"),
        ("lenet5", "layer,out_h,out_w,out_c\nconv1,28,28,6\n"),
        ("lenet5", "layer,Поле восприятия,Сдвиги,Операции умножения\nconv1,5,6,117600\n"),
        ("lenet5", "layer,משקולות,שדה רגיש,פעולות כפל\nconv1,150,5,117600\n"),
        ("lenet5", "layer,params\nC1,156.\nC3,2_416\nF6,10164 (=121*84)\n"),
        ("lenet5", "layer,output\nconv1,\\(28 \\times 28 \\times 6\\)\n"),
        # A batch before the only shape.
        ("alexnet", "layer,output\nfc6,128x4096\n"),
        # Numbers of stages; the paper of EfficientNet lists the resolutions that they read.
        ("efficientnet_b0", "stage,output\n1,112x112x32\n2,112x112x16\n5,14x14x80\n"),
        ("efficientnet_b0", "Stage,Resolution,#Channels\n1,224×224,32\n2,112×112,16\n3,112×112,24\n7,14×14,192\n"),
        ("resnet50", "stage,output\nconv2,56x56x256\nconv3,28x28x512\nconv4,14x14x1024\nconv5,7x7x2048\n"),
        ("resnet18", "layer,params\nconv1,9408\nconv2,36864\nconv3,36864\n"),
        ("unet", "layer,output\nconv1_1–conv1_2,568x568x64\nconv2_1–conv2_2,280x280x128\n"),
        # The numbers of kinds: a window is none, and convolutions of 1×1 are counted alone.
        ("mobilenet", "layer,params\npointwise conv 1,2048\npointwise conv 2,8192\n"),
        ("mobilenet", "层,参数量\n标准卷积,864\n深度卷积1,288\n逐点卷积1,2048\n"),
        ("lenet5", "layer,output\nMax Pool 2x2,14x14x6\n"),
        ("lenet5", "слой,выход\nслой свёртки 1,28х28х6\nслой пулинга 1,14х14х6\nслой свёртки 2,10х10х16\n"),
        ("lenet5", "שכבה;פלט\nקונבולוציה 1;28x28x6\nפולינג 1;14x14x6\n"),
        ("lenet5", "շերտ;ելք\nփաթույթային շերտ 1;28x28x6\nփուլինգ 1;14x14x6\n"),
        # The sizes of notes are no range of convolutions.
        ("resnet20_cifar", "layer,output\n" + "CONV3-16,32\n" * 7 + "CONV3-32,16\n" * 6 + "CONV3-64,8\n" * 6),
        # Words, spaces and columns that some have.
        ("lenet5", "Schicht;Parameter\nvollverbundene Schicht 1;48120\nvollverbundene Schicht 2;10164\n"),
        ("lenet5", "Schicht;Parameter\nDichte Schicht 1;48120\nVollvernetzte Schicht 3;850\n"),
        ("lenet5", "layer,params\nC1,156\nTrainable params,61706\n"),
        ("lenet5", "layer,params\nC1,156\nSum of parameters,61706\n"),
        ("alexnet", "layer;params\nconv1;$34\\,944$\nconv2;$614\\:656$\nconv3;$885\\!\\,120$\n"),
        ("mobilenet", "layer,output\nconv1,112px × 112px × 32\n"),
        ("ssd300_vgg16", "layer,output,params\nfc6,19x19x1024,4719616\nfc7,19x19x1024,1049600\n"),
        ("lenet5", "# layers,layer,params\n1,C1,156\n1,C3,2416\n"),
        ("lenet5", "# layers,params\nC1,156\n"),
        ("lenet5", "layer,Weights,Biases,Total\nC1,150,6,156\nC3,2400,16,2416\n"),
        ("yolov3_tiny", "layer,filters,size,input,output\n0 conv,16,3x3/1,416x416x3,416x416x16\n"
                        "1 max,,2x2/2,416x416x16,208x208x16\n"),
        # Calculations in steps.
        ("lenet5", "layer;output;params\nC3;(14-5)/1+1 = 10, 10x10x16;5·5·6 = 150, 150·16 = 2400, 2400 + 16 = 2416\n"),
        # A normalisation after the convolution for tokens; what is stored by the layers with weights alone.
        ("swin_t", "layer,params\npatch embed,4896\n"),
        ("swin_t", "layer,params\npatch_embed,4704\nhead,769000\n"),
        ("vit_b_16", "layer,params\npatch embedding,590592\n"),
        ("alexnet@grouped", ALEXNET.format(290400, 659272)),
        # Names of Caffe, and what follows the name of a block.
        ("googlenet", "layer,output\ninception_3a/output,28x28x256\n"),
        ("googlenet", "layer,output\nconv1/7x7_s2,112x112x64\ninception_4c/output,14x14x512\nloss3/classifier,1000\n"),
        ("googlenet", "layer,output,params\ninception_3a concat,28x28x256,0\ninception_3b output,28x28x480,388736\n"),
        ("resnet50", "layer,params\nres2a_branch2a,4096\nbn2a_branch2a,128\nres5c_branch2c,1048576"),
        ("resnet101", "layer,output\nres4b22_branch2a,14x14x256\nres4b22,14x14x1024\n"),
        ("squeezenet1_0", "layer,params\nfire2 squeeze,1552\nfire2 expand 1x1,1088\n"),
        ("squeezenet1_0", "layer,params\nfire2/squeeze,1552\nfire2 expand,10368\nfire9/squeeze1x1,32832\n"),
        # Digits that are no plain ones.
        ("lenet5", "layer,params\nLayer ①,156\nLayer ❷,0\nLayer ③,2416\n"),
        ("lenet5", "layer,params\nC₁,156\nC₃,2416\n"),
        ("lenet5", "layer,params\nC1¹,156\nC3²,2416\n"),
        ("vgg16", "layer,params\nconv 3²,1792\nconv 3²,36928\nconv 3²,73856\n"),
        ("lenet5", "Schicht;Ausgabe;Werte\nC1;28x28x6;4704\n"),
        ("lenet5", "capa;salida;valores\nC1;28x28x6;4704\n"),
        ("vgg16", "layer,memory\nINPUT: [224x224x3],150K\nCONV3-64: [224x224x64],3.2M\nCONV3-64: [224x224x64],3.2M\n"
                  "POOL2: [112x112x64],800K\n"),
    ],
)  # fmt: skip
def test_right_cells_in_less_usual_forms(network: str, table: str) -> None:
    verdicts = verdicts_of(network, table)
    assert set(verdicts) == {Verdict.RIGHT}


@pytest.mark.parametrize(
    ("network", "table", "right"),
    [
        ("alexnet", "layer,output\nfc6,!9216x4096\n", (4096,)),
        ("efficientnet_b0", "stage,output\n1,112x112x32\n5,!14x14x112\n", (80, 14, 14)),
        ("resnet50", "stage,output\nconv2,56x56x256\nconv3,28x28x512\nconv5,!7x7x1024\n", (2048, 7, 7)),
        ("resnet18", "layer,params\nconv1,9408\nconv2,!36928\nconv3,36864\n", 36864),
        ("unet", "слой;параметры\nconv1_1;640\nconv1_2;36 928\nconv2_1;!73 728\n", 73856),
        ("lenet5", "layer,Weights,Biases,Total\nC1,150,6,!157\nC3,2400,16,2416\n", 156),
        ("lenet5", "layer,params\nC1,156\nTrainable params,!61707\n", 61706),
        ("squeezenet1_0", "layer,params\nfire2 squeeze,1552\nfire9/squeeze1x1,!1552\n", 32832),
        ("googlenet", "layer,output\ninception_3a/output,28x28x256\ninception_3b/output,!28x28x256\n", (480, 28, 28)),
        ("resnet50", "layer,params\nres2a_branch2a,4096\nres3a_branch2a,!8192\n", 32768),
        ("swin_t", "layer,params\npatch embed,!4800\nhead,769000\n", 4704),
        ("lenet5", "layer,params\nC1,156\nC3,!5·5·6 = 151; 151·16 = 2416\n", 2416),
        ("alexnet@grouped", ALEXNET.format(290400, "!659271"), 1413347),
        ("mobilenet", "слой;параметры\nпоточечная свёртка 1;2048\nпоточечная свёртка 2;!8191\n", 8192),
        ("resnet34", "layer,output\nlayer1,56x56x64\nlayer2,!28x28x64\n", (128, 28, 28)),
    ],
)  # fmt: skip
def test_a_wrong_cell_in_less_usual_forms(network: str, table: str, right: object) -> None:
    answers = parse_answers(table.replace("!", "").encode(), "a.csv").answers
    cells = check_answers(analysis_of(network), answers).cells
    assert [(cell.verdict, cell.expected) for cell in cells if cell.verdict is not Verdict.RIGHT] == [
        (Verdict.WRONG, right)
    ]


def test_a_sum_of_neurons_with_a_wrong_row_follows_from_it() -> None:
    verdicts = verdicts_of("alexnet@grouped", ALEXNET.format(253440, 622312))
    assert [str(verdicts[0]), str(verdicts[-1])] == ["wrong", "carried_forward"]


@pytest.mark.parametrize(
    ("rows", "right"),
    [
        ("layer,params (M)\nconv1,0.01\nbn1,0.00\nrelu,0.00\n", [True, True, True]),
        ("layer,params\nconv1,0.01M\nbn1,0.00M\nfc,0.00M\n", [True, True, False]),
        ("layer,params\nconv1,0.01M\nbn1,0M\ntotal,0M\n", [True, False, False]),
        ("layer,params\nbn1,0.00M\n", [False]),
    ],
)
def test_zeros_that_are_rounded_as_their_column(rows: str, right: list[bool]) -> None:
    found = check_answers(analysis_of("resnet18"), parse_answers(rows.encode(), "a.csv").answers).cells
    assert [cell.verdict is Verdict.RIGHT for cell in found] == right
