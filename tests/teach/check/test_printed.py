"""Summaries that frameworks print, pasted as they are: every row is read, or it is said that it is not."""

from __future__ import annotations

import pytest

from archcalc.core.errors import SpecError
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.labels import read_label
from archcalc.teach.check.model import Check, Verdict
from tests.teach.check.tables import analysis_of

#: Keras 3 in a narrow terminal: names and shapes go on in a second line, long ones are cut off.
NARROW = """Model: "sequential"
┏━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┓
┃                 ┃ Output     ┃ Param ┃
┃ Layer (type)    ┃ Shape      ┃     # ┃
┡━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━┩
│ conv2d (Conv2D) │ (None, 28, │   156 │
│                 │ 28, 6)     │       │
├─────────────────┼────────────┼───────┤
│ average_poolin… │ (None, 14, │     0 │
│ (AveragePoolin… │ 14, 6)     │       │
├─────────────────┼────────────┼───────┤
│ conv2d_1        │ (None, 10, │ 2,416 │
│ (Conv2D)        │ 10, 16)    │       │
├─────────────────┼────────────┼───────┤
│ average_poolin… │ (None, 5,  │     0 │
│ (AveragePoolin… │ 5, 16)     │       │
├─────────────────┼────────────┼───────┤
│ flatten         │ (None,     │     0 │
│ (Flatten)       │ 400)       │       │
├─────────────────┼────────────┼───────┤
│ dense (Dense)   │ (None,     │ 48,1… │
│                 │ 120)       │       │
├─────────────────┼────────────┼───────┤
│ dense_1 (Dense) │ (None, 84) │ 10,1… │
├─────────────────┼────────────┼───────┤
│ dense_2 (Dense) │ (None, 10) │   850 │
└─────────────────┴────────────┴───────┘
 Total params: 61,706 (241.04 KB)
 Trainable params: 61,706 (241.04 KB)
"""
#: Keras 2: columns of spaces, in which words are broken anywhere.
OLDER = """Model: "sequential"
_________________________________________________________________
 Layer (type)                Output Shape              Param #
=================================================================
 conv2d (Conv2D)             (None, 28, 28, 6)         156

 average_pooling2d (AverageP  (None, 14, 14, 6)        0
 ooling2D)

 conv2d_1 (Conv2D)           (None, 10, 10, 16         2416
                             )

 average_pooling2d_1 (Averag  (None, 5, 5, 16)         0
 ePooling2D)

 flatten (Flatten)           (None, 400)               0

 dense (Dense)               (None, 120)               48120

 dense_1 (Dense)             (None, 84)                10164

 dense_2 (Dense)             (None, 10)                850

=================================================================
Total params: 61,706
"""
#: torchsummary has a row for each module that holds others, with parameters of its own: none.
TORCHSUMMARY = """----------------------------------------------------------------
        Layer (type)               Output Shape         Param #
================================================================
            Conv2d-1         [-1, 64, 112, 112]           9,408
       BatchNorm2d-2         [-1, 64, 112, 112]             128
              ReLU-3         [-1, 64, 112, 112]               0
         MaxPool2d-4           [-1, 64, 56, 56]               0
            Conv2d-5           [-1, 64, 56, 56]          36,864
       BatchNorm2d-6           [-1, 64, 56, 56]             128
              ReLU-7           [-1, 64, 56, 56]               0
            Conv2d-8           [-1, 64, 56, 56]          36,864
       BatchNorm2d-9           [-1, 64, 56, 56]             128
             ReLU-10           [-1, 64, 56, 56]               0
       BasicBlock-11           [-1, 64, 56, 56]               0
================================================================
"""
TORCHINFO = """==========================================================================================
Layer (type:depth-idx)                   Output Shape              Param #
==========================================================================================
ResNet                                   [1, 1000]                 --
├─Conv2d: 1-1                            [1, 64, 112, 112]         9,408
├─BatchNorm2d: 1-2                       [1, 64, 112, 112]         128
├─ReLU: 1-3                              [1, 64, 112, 112]         --
├─MaxPool2d: 1-4                         [1, 64, 56, 56]           --
├─Sequential: 1-5                        [1, 64, 56, 56]           --
│    └─BasicBlock: 2-1                   [1, 64, 56, 56]           73,984
│    └─BasicBlock: 2-2                   [1, 64, 56, 56]           73,984
├─AdaptiveAvgPool2d: 1-9                 [1, 512, 1, 1]            --
├─Linear: 1-10                           [1, 1000]                 513,000
==========================================================================================
Total params: 11,689,512
"""
#: Of the type beside a name: conv1_bn is no convolution. Keras counts running statistics among the parameters.
TYPED = """Model: "resnet50"
___________________________________________________________________________
Layer (type)                    Output Shape         Param #
===========================================================================
conv1_pad (ZeroPadding2D)       (None, 230, 230, 3)  0
conv1_conv (Conv2D)             (None, 112, 112, 64) 9472
conv1_bn (BatchNormalization)   (None, 112, 112, 64) 256
conv1_relu (Activation)         (None, 112, 112, 64) 0
===========================================================================
Total params: 25,636,712
"""


def check(network: str, text: str) -> Check:
    return check_answers(analysis_of(network), parse_answers(text.encode(), "a.txt").answers)


@pytest.mark.parametrize(
    ("network", "text", "rows"),
    [
        ("lenet5", NARROW, 8), ("lenet5", OLDER, 8), ("resnet18", TORCHSUMMARY, 11), ("resnet18", TORCHINFO, 8),
        ("resnet50@keras", TYPED, 4), ("resnet18", TORCHINFO.replace("├─", "+ ").replace("│    └─", "|    + "), 8),
    ],
)  # fmt: skip
def test_a_right_summary_is_right(network: str, text: str, rows: int) -> None:
    found = check(network, text)
    assert {cell.verdict for cell in found.cells} <= {Verdict.RIGHT, Verdict.EMPTY}, found.cells
    layers = {cell.answer.layer: cell for cell in found.cells}
    assert len({cell.answer.place.row for cell in found.cells if cell.answer.place}) - ("total" in layers) == rows
    idle = {cell.answer.layer for cell in found.cells if cell.verdict is Verdict.EMPTY}
    assert idle <= {"flatten (Flatten)", "conv1_pad (ZeroPadding2D)"}


def test_numbers_that_are_cut_off_and_modules_that_hold_others_are_named() -> None:
    (note,) = parse_answers(NARROW.encode(), "a.txt").notes
    assert "2 numbers of parameters that are cut off, of dense (Dense), dense_1 (Dense)" in note
    (note,) = parse_answers(TORCHINFO.encode(), "a.txt").notes
    assert note == "not checked: 2 rows that hold others: ResNet, Sequential: 1-5"


def test_lines_that_are_no_rows_are_named() -> None:
    text = TORCHSUMMARY.replace("         MaxPool2d-4           [-1, 64, 56, 56]               0", "MaxPool2d-4 [oops")
    (note,) = parse_answers(text.encode(), "a.txt").notes
    assert note == "not checked: line 7 (MaxPool2d-4 [oops), which is no row of a summary"


def test_a_wrong_number_in_a_wrapped_row_is_found() -> None:
    wrong = [
        cell for cell in check("lenet5", NARROW.replace("10, 16)", "11, 16)")).cells if cell.verdict is Verdict.WRONG
    ]
    assert [(cell.layer, cell.quantity) for cell in wrong] == [("C3", "output_shape")]


def test_a_heading_alone_is_no_summary() -> None:
    with pytest.raises(SpecError, match="no printed summary"):
        parse_answers(b"Layer (type)   Output Shape   Param #\n", "a.txt")


@pytest.mark.parametrize(
    ("width", "shapes", "params"),
    [(76, 8, 8), (62, 8, 8), (50, 4, 8), (40, 0, 8)],
)
def test_a_summary_that_a_narrow_terminal_cuts_off_keeps_its_rows(width: int, shapes: int, params: int) -> None:
    """Keras prints lines as long as it is told, and the terminal shows the start of each."""
    rows = [
        ("conv2d (Conv2D)", "(None, 28, 28, 6)", "156"), ("pool (AveragePooling2D)", "(None, 14, 14, 6)", "0"),
        ("conv2d_1 (Conv2D)", "(None, 10, 10, 16)", "2,416"), ("pool_1 (AveragePooling2D)", "(None, 5, 5, 16)", "0"),
        ("flatten (Flatten)", "(None, 400)", "0"), ("dense (Dense)", "(None, 120)", "48,120"),
        ("dense_1 (Dense)", "(None, 84)", "10,164"), ("dense_2 (Dense)", "(None, 10)", "850"),
    ]  # fmt: skip
    lines = [f"┃ {'Layer (type)':<30} ┃ {'Output Shape':<24} ┃ {'Param #':>16} ┃"]
    for row in rows:
        lines += [f"├{'─' * 32}┼{'─' * 26}┼{'─' * 18}┤", "│ {:<30} │ {:<24} │ {:>16} │".format(*row)]
    text = "\n".join([*(line[:width] for line in lines), " Total params: 61,706"])
    found = parse_answers(text.encode(), "a.txt")
    assert sum(answer.quantity == "output_shape" for answer in found.answers) == shapes
    assert [answer.text for answer in found.answers if answer.quantity == "params"] == ["61,706"]
    assert f"{params} numbers of parameters that are cut off" in found.notes[0]
    assert shapes == 8 or f"{8 - shapes} output shapes that are cut off" in found.notes[1]
    wrong = parse_answers(text.replace("28, 28", "30, 30").encode(), "a.txt")
    verdicts = {cell.verdict for cell in check_answers(analysis_of("lenet5"), found.answers).cells}
    assert verdicts <= {Verdict.RIGHT, Verdict.EMPTY}
    if shapes == 8:
        assert Verdict.WRONG in {cell.verdict for cell in check_answers(analysis_of("lenet5"), wrong.answers).cells}


def test_a_container_holds_others_whatever_it_is_called() -> None:
    text = TORCHINFO.replace("├─Sequential: 1-5                        [1, 64, 56, 56]           --",
                             "├─Sequential (classifier)                [1, 64, 56, 56]           147,968")  # fmt: skip
    read = parse_answers(text.encode(), "a.txt")
    assert not any("Sequential" in answer.layer for answer in read.answers)
    assert "Sequential (classifier)" in " ".join(read.notes)


#: Of torchinfo with the names of variables: the start of MobileNet v2, four images.
NAMED = """==========================================================================================
Layer (type (var_name):depth-idx)             Output Shape              Param #
==========================================================================================
MobileNetV2 (MobileNetV2)                     [4, 1000]                 --
├─Sequential (features): 1-1                  [4, 1280, 7, 7]           --
│    └─Conv2dNormActivation (0): 2-1          [4, 32, 112, 112]         --
│    │    └─Conv2d (0): 3-1                   [4, 32, 112, 112]         864
│    │    └─BatchNorm2d (1): 3-2              [4, 32, 112, 112]         64
│    │    └─ReLU6 (2): 3-3                    [4, 32, 112, 112]         --
│    └─InvertedResidual (1): 2-2              [4, 16, 112, 112]         --
│    │    └─Sequential (conv): 3-4            [4, 16, 112, 112]         --
│    │    │    └─Conv2dNormActivation (0): 4-1 [4, 32, 112, 112]        --
│    │    │    │    └─Conv2d (0): 5-1         [4, 32, 112, 112]         288
│    │    │    │    └─BatchNorm2d (1): 5-2    [4, 32, 112, 112]         64
│    │    │    │    └─ReLU6 (2): 5-3          [4, 32, 112, 112]         --
│    │    │    └─Conv2d (1): 4-2              [4, 16, 112, 112]         512
│    │    │    └─BatchNorm2d (2): 4-3         [4, 16, 112, 112]         32
==========================================================================================
"""


def test_modules_with_the_names_of_variables_are_no_layers() -> None:
    found = check("mobilenet_v2", NAMED)
    assert {cell.verdict for cell in found.cells} == {Verdict.RIGHT}
    layers = {cell.layer for cell in found.cells if "InvertedResidual" in cell.answer.layer}
    assert layers <= {"bottleneck1", "bottleneck1/unit1"}  # one unit is the whole stage


#: VGG-11 as torchinfo 1.8 prints it: each row's name, and its cells by column.
COLUMNS = ("Input Shape", "Output Shape", "Param #", "Kernel Shape", "Param %", "Mult-Adds", "Trainable")
ROWS = (
    ("VGG (VGG)", "[1, 3, 224, 224]", "[1, 1000]", "--", "--", "--", "--", "True"),
    ("├─Sequential (features)", "[1, 3, 224, 224]", "[1, 512, 7, 7]", "--", "--", "--", "--", "True"),
    ("│    └─Conv2d (0)", "[1, 3, 224, 224]", "[1, 64, 224, 224]", "1,792", "[3, 3]", "0.00%", "89,915,392", "True"),
    ("│    └─ReLU (1)", "[1, 64, 224, 224]", "[1, 64, 224, 224]", "--", "--", "--", "--", "--"),
    ("│    └─MaxPool2d (2)", "[1, 64, 224, 224]", "[1, 64, 112, 112]", "--", "2", "--", "--", "--"),
    ("│    └─Conv2d (3)", "[1, 64, 112, 112]", "[1, 128, 112, 112]", "(73,856)", "[3, 3]", "0.06%", "926,449,664",
     "False"),
)  # fmt: skip


@pytest.mark.parametrize("form", ["var_names", "ascii_only", "depth"])
@pytest.mark.parametrize(
    "columns",
    [
        (1, 3, 2), (3, 1, 2), (3, 2, 1), (2, 1, 3), (2, 3, 1), (1, 0, 2), (0, 1, 2), (2, 1, 0), (1, 2, 3, 0),
        (6, 5, 4, 3, 2, 1, 0), (4, 2, 1), (2, 5, 1, 6),
    ],
)  # fmt: skip
def test_the_columns_of_torchinfo_are_read_by_their_headings(columns: tuple[int, ...], form: str) -> None:
    heading = {"var_names": "Layer (type (var_name))", "ascii_only": "Layer (type)", "depth": "Layer (type:depth-idx)"}
    table: list[tuple[str, ...]] = [(heading[form], *COLUMNS)]
    for number, (row, *cells) in enumerate(ROWS):
        if form == "ascii_only":
            name = row.partition(" (")[0].replace("│", "|").replace("├─", "+ ").replace("└─", "+ ")
        elif form == "depth":
            name = f"{row.partition(' (')[0]}: {number}-{number}"
        else:
            name = row
        table.append((name, *cells))
    lines = [f"{name:<41}" + "".join(f"{cells[at]:<26}" for at in columns).rstrip() for name, *cells in table]
    answers = parse_answers("\n".join(lines).encode(), "summary.txt").answers
    assert [one.text for one in answers if one.quantity == "params"] == ["1,792", "73,856"]
    shapes = ["(1, 64, 224, 224)"] * 2 + ["(1, 64, 112, 112)", "(1, 128, 112, 112)"]
    assert [one.text for one in answers if one.quantity == "output_shape"] == shapes


def test_the_multiply_adds_of_torchinfo_are_judged_by_its_rule() -> None:
    """A bias that is added counts as one: (27 + 1)·64·224² and (576 + 1)·128·112². Here it does not count."""
    lines = [f"{row.partition(' (')[0]}: 1-{at}   {cells[1]}   {cells[2].strip('()')}   {cells[5]}"
             for at, (row, *cells) in enumerate(ROWS)]  # fmt: skip
    text = "Layer (type:depth-idx)   Output Shape   Param #   Mult-Adds\n" + "\n".join(lines)
    total = "\nTotal mult-adds (Units.GIGABYTES): 7.62\n"
    found = check_answers(analysis_of("vgg11"), parse_answers((text + total).encode(), "a.txt").answers).cells
    judged = [(cell.answer.text, cell.verdict) for cell in found if cell.quantity == "multiplications"]
    assert judged == [(one, Verdict.RIGHT) for one in ("89,915,392", "926,449,664", "7.62G")]
    spoiled = parse_answers(text.replace("926,449,664", "926,449,665").encode(), "a.txt").answers
    wrong = [cell for cell in check_answers(analysis_of("vgg11"), spoiled).cells if cell.verdict is Verdict.WRONG]
    assert [(cell.answer.text, cell.expected) for cell in wrong] == [("926,449,665", 924_844_032)]


@pytest.mark.parametrize("name", ["C3D", "Net", "ConvNet", "Conv2d", "VGG16", "Dense", "FC"])
def test_the_model_itself_is_no_layer_whatever_its_class_is_called(name: str) -> None:
    """The first row of torchinfo's tree has the output of the whole network."""
    text = TORCHINFO.replace(TORCHINFO.splitlines()[3].split()[0], name, 1)
    found = parse_answers(text.encode(), "summary.txt")
    assert name in found.notes[0]
    assert name not in {answer.layer for answer in found.answers}


#: Summaries of torchinfo at depth 2 or 3: after a class stand its depth and a running number, no layers.
RUNNING = {
    "vit_b_16": """Layer (type:depth-idx)              Output Shape        Param #
ViT                                 [1, 1000]           768
├─Conv2d: 1-1                       [1, 768, 14, 14]    590,592
├─Encoder: 1-2                      [1, 197, 768]       151,296
│    └─Sequential: 2-1              [1, 197, 768]       --
""" + "".join(f"│    │    └─EncoderBlock: 3-{at}        [1, 197, 768]       7,087,872\n" for at in range(1, 13))
    + """│    └─LayerNorm: 2-2               [1, 197, 768]       1,536
├─Linear: 1-3                       [1, 1000]           769,000
""",
    "swin_t": """Layer (type:depth-idx)              Output Shape        Param #
Swin                                [1, 1000]           --
├─Conv2d: 1-1                       [1, 96, 56, 56]     4,704
├─LayerNorm: 1-2                    [1, 56, 56, 96]     192
├─Stage: 1-3                        [1, 56, 56, 96]     224,694
├─PatchMerging: 1-4                 [1, 28, 28, 192]    74,496
├─Stage: 1-5                        [1, 28, 28, 192]    891,756
""",
}  # fmt: skip


@pytest.mark.parametrize("network", RUNNING)
def test_depth_and_index_are_no_range_of_layers(network: str) -> None:
    found = check(network, RUNNING[network])
    assert {cell.verdict for cell in found.cells} == {Verdict.RIGHT}, found
    assert not found.notes


#: Of a wrong number in a summary of modules: the network, the number, another one, and what the row is about.
SPOILED = [
    ("vit_b_16", RUNNING["vit_b_16"], "151,296", "151,297", "positions"),
    ("vit_b_16", RUNNING["vit_b_16"], "3-1        [1, 197, 768]       7,087,872", None, "encoder1"),
    ("vit_b_16", RUNNING["vit_b_16"], "3-5        [1, 197, 768]       7,087,872", None, "encoder5"),
    ("swin_t", RUNNING["swin_t"], "891,756", "891,757", "stage2"),
    ("swin_t", RUNNING["swin_t"], "224,694", "224,649", "stage1"),
    ("resnet18", TORCHINFO, "513,000", "512,000", "fc"),
]


@pytest.mark.parametrize(("network", "text", "printed", "wrong", "layer"), SPOILED)
def test_a_wrong_row_is_what_the_rows_around_it_leave(
    network: str, text: str, printed: str, wrong: str | None, layer: str
) -> None:
    """A module at the end of a tree is the sum of its layers, whatever its class is called."""
    assert printed in text
    found = check(network, text.replace(printed, wrong or printed.replace("7,087,872", "7,078,872"), 1))
    (cell,) = [cell for cell in found.cells if cell.verdict is Verdict.WRONG]
    assert cell.layer == layer


#: At its end a tree has the sums of containers too: Sequential: 3-5.
ENDS = """Layer (type:depth-idx)                             Output Shape              Param #
MobileNetV2                                        [1, 1000]                 --
├─Sequential: 1-1                                  [1, 1280, 7, 7]           --
│    └─Conv2dNormActivation: 2-1                   [1, 32, 112, 112]         --
│    │    └─Conv2d: 3-1                            [1, 32, 112, 112]         864
│    │    └─BatchNorm2d: 3-2                       [1, 32, 112, 112]         64
│    │    └─ReLU6: 3-3                             [1, 32, 112, 112]         --
│    └─InvertedResidual: 2-2                       [1, 16, 112, 112]         --
│    │    └─Sequential: 3-4                        [1, 16, 112, 112]         896
│    └─InvertedResidual: 2-3                       [1, 24, 56, 56]           --
│    │    └─Sequential: 3-5                        [1, 24, 56, 56]           5,136
│    └─InvertedResidual: 2-4                       [1, 24, 56, 56]           --
│    │    └─Sequential: 3-6                        [1, 24, 56, 56]           8,832
│    └─InvertedResidual: 2-5                       [1, 32, 28, 28]           --
│    │    └─Sequential: 3-7                        [1, 32, 28, 28]           10,000
│    └─InvertedResidual: 2-6                       [1, 32, 28, 28]           --
│    │    └─Sequential: 3-8                        [1, 32, 28, 28]           14,848
"""


@pytest.mark.parametrize("number", ["5,136", "8,832", "10,000", "864"])
def test_containers_at_the_end_of_a_tree_are_sums(number: str) -> None:
    assert {cell.verdict for cell in check("mobilenet_v2", ENDS).cells} == {Verdict.RIGHT}
    value = int(number.replace(",", ""))
    spoiled = check("mobilenet_v2", ENDS.replace(f" {number}\n", f" {value + 16:,}\n"))
    assert [cell.expected for cell in spoiled.cells if cell.verdict is Verdict.WRONG] == [value]


#: Keras, for images of any size.
FREE = """Model: "free"
┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┓
┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━┩
│ input_layer         │ (None, None,      │          0 │
│ (InputLayer)        │ None, 3)          │            │
├─────────────────────┼───────────────────┼────────────┤
│ conv (Conv2D)       │ (None, None,      │        448 │
│                     │ None, 16)         │            │
├─────────────────────┼───────────────────┼────────────┤
│ gap                 │ (None, 16)        │          0 │
│ (GlobalAveragePool… │                   │            │
└─────────────────────┴───────────────────┴────────────┘
"""


@pytest.mark.parametrize(("written", "verdict"), [("None, 16)", Verdict.RIGHT), ("None, 24)", Verdict.WRONG)])
def test_of_free_sizes_the_channels_are_judged(written: str, verdict: Verdict) -> None:
    found = check("32x48x3 -> conv3-16 -> gap", FREE.replace("│ None, 16)", f"│ {written}"))
    shapes = [cell for cell in found.cells if cell.quantity == "output_shape"]
    assert [cell.verdict for cell in shapes] == [Verdict.RIGHT, verdict, Verdict.RIGHT]
    assert shapes[1].stated
    assert shapes[1].stated.shape == (16 if verdict is Verdict.RIGHT else 24, 32, 48)


def test_a_layer_that_pads_in_other_steps_is_not_judged() -> None:
    names = {
        "conv0.conv": (96, 165, 2592), "conv0.bn.drop": (96, 165, 0), "conv0.bn.act": (96, 165, 0),
        "cell_stem_0.conv_1x1.act": (96, 165, 0), "cell_stem_0.comb_iter_0_right.act_1": (96, 165, 0),
        "cell_stem_0.comb_iter_0_right.separable_1.depthwise_conv2d": (96, 83, 4704),
        "cell_stem_0.comb_iter_2_right.act_1": (96, 165, 0), "cell_stem_1.conv_1x1.bn": (84, 83, 168),
        "cell_stem_1.path_2.pad": (96, 165, 0),
    }  # fmt: skip
    rows = [f'{name},"[1, {depth}, {side}, {side}]",{params}\n' for name, (depth, side, params) in names.items()]
    answers = parse_answers(("name,output shape,params\n" + "".join(rows)).encode(), "a.csv").answers
    cells = check_answers(analysis_of("nasnet_large"), answers).cells
    assert [cell.verdict for cell in cells] == [Verdict.RIGHT] * 16 + [Verdict.EMPTY] * 2


def test_what_torchinfo_counts_of_an_attention_in_code_is_not_judged() -> None:
    text = (
        "===========================================================================\n"
        "Layer (type:depth-idx)     Output Shape        Param #        Mult-Adds\n"
        "===========================================================================\n"
        "MaxVit                     [1, 1000]           --             --\n"
        "├─Sequential: 1-1          [1, 64, 112, 112]   38,848         484,900,864\n"
        "===========================================================================\n"
        "Total params: 30,919,624\n"
        "Total mult-adds (Units.GIGABYTES): 2.01\n"
    )
    (*_, params, counted) = check_answers(analysis_of("maxvit_t"), parse_answers(text.encode(), "a.txt").answers).cells
    assert (params.verdict, counted.verdict) == (Verdict.RIGHT, Verdict.EMPTY)


@pytest.mark.parametrize("name", ["Sequential (conv): 3-4", "Sequential (classifier): 1-3", "ModuleList (layers)"])
def test_the_name_of_a_container_says_no_kind(name: str) -> None:
    assert read_label(name).kinds == ()


def _keras(*rows: tuple[str, str, str]) -> str:
    """The beginning of a summary that Keras printed in boxes."""
    return "┃ Layer (type) ┃ Output Shape ┃ Param # ┃\n├───┤\n" + "".join(
        f"│ {' │ '.join(row)} │\n├───┤\n" for row in rows
    )


#: The beginnings of summaries of Keras, with types that are cut off, and of the last row the first line alone.
PARTS = [
    ("mobilenet_v2", _keras(
        ("Conv1 (Conv2D)", "(None, 112, 112, 32)", "864"),
        ("bn_Conv1 (BatchNormalizatio…", "(None, 112, 112, 32)", "128"),
        ("expanded_conv_depthwise (DepthwiseConv2D)", "(None, 112, 112, 32)", "288"),
        ("expanded_conv_dept… (BatchNormalizatio…", "(None, 112, 112, 32)", "128"),
        ("expanded_conv_project (Conv2D)", "(None, 112, 112, 16)", "512"),
        ("expanded_conv_proj… (BatchNormalizatio…", "(None, 112, 112, 16)", "64"),
        ("block_1_expand (Conv2D)", "(None, 112, 112, 96)", "1,536"),
        ("block_1_expand_BN (BatchNormalizatio…", "(None, 112, 112, 96)", "384"),
        ("block_1_depthwise (DepthwiseConv2D)", "(None, 56, 56, 96)", "864"),
        ("block_1_depthwise_… (BatchNormalizatio…", "(None, 56, 56, 96)", "384"),
        ("block_1_project (Conv2D)", "(None, 56, 56,", "2,304"),
    )),
    ("32x32x3 -> conv3-8 -> conv3-8 -> conv3-8 -> conv3-12 -> conv3-16 -> gap -> dropout -> fc10", _keras(
        ("conv (Conv2D)", "(None, 32, 32, 8)", "224"),
        ("conv_1 (Conv2D)", "(None, 32, 32, 8)", "584"),
        ("conv_2 (Conv2D)", "(None, 32, 32, 8)", "584"),
        ("conv_3 (Conv2D)", "(None, 32, 32, 12)", "876"),
        ("drop (Dropout)", "(None, 32, 32, 12)", "0"),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("network", "text"), PARTS)
def test_the_beginning_of_a_summary(network: str, text: str) -> None:
    assert {cell.verdict for cell in check(network, text).cells} <= {Verdict.RIGHT, Verdict.EMPTY}
