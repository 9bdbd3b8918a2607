"""What tools that count print of each module, pasted as it is: each count is held to what the tool counts."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Check, Verdict
from tests.teach.check.tables import analysis_of

#: flop_count_table of torchvision's alexnet.
FVCORE = """| module              | #parameters or shape   | #flops   |
|:--------------------|:-----------------------|:---------|
| model               | 61.101M                | 0.714G   |
| features            | 2.47M                  | 0.656G   |
| features.0          | 23.296K                | 70.277M  |
| features.0.weight   | (64, 3, 11, 11)        |          |
| features.0.bias     | (64,)                  |          |
| features.3          | 0.307M                 | 0.224G   |
| features.6          | 0.664M                 | 0.112G   |
| features.8          | 0.885M                 | 0.15G    |
| features.10         | 0.59M                  | 99.68M   |
| classifier          | 58.631M                | 58.622M  |
| classifier.1        | 37.753M                | 37.749M  |
| classifier.4        | 16.781M                | 16.777M  |
| classifier.6        | 4.097M                 | 4.096M   |
| avgpool             |                        | 9.216K   |
"""
#: parameter_count_table, which has no operations.
PARAMETERS = """| name                | #elements or shape   |
|:--------------------|:---------------------|
| model               | 61.1M                |
| features            | 2.5M                 |
| features.0          | 23.3K                |
| features.0.weight   | (64, 3, 11, 11)      |
| features.0.bias     | (64,)                |
| features.3          | 0.3M                 |
| features.6          | 0.7M                 |
| features.8          | 0.9M                 |
| features.10         | 0.6M                 |
| classifier          | 58.6M                |
| classifier.1        | 37.8M                |
| classifier.4        | 16.8M                |
| classifier.6        | 4.1M                 |
"""
#: The modules of a MobileNetV2 hold a convolution and its normalisation; those of GoogLeNet are counted on.
MODULES = """| module             | #parameters or shape   | #flops   |
|:-------------------|:-----------------------|:---------|
| model              | 3.505M                 | 0.314G   |
| features.15.conv.0 | 0.156M                 | 7.62M    |
| features.15.conv.1 | 10.56K                 | 0.517M   |
| features.16.conv.1 | 10.56K                 | 0.517M   |
| features.17.conv.3 | 0.64K                  | 31.36K   |
"""
COUNTED_ON = """| module     | #parameters or shape   | #flops   |
|:-----------|:-----------------------|:---------|
| model      | 6.625M                 | 1.505G   |
| conv2      | 4.224K                 | 13.246M  |
| conv2.conv | 4.096K                 | 12.845M  |
| conv2.bn   | 0.128K                 | 0.401M   |
| conv3.conv | 0.111M                 | 0.347G   |
"""
#: Some rows of a table, one of a module that has another name here.
PIECE = """| module | #parameters or shape | #flops |
|:--|:--|:--|
| layers.12 | 1.611M | 87.259M |
| layers.12.3.layers | 0.476M | 23.332M |
"""
#: A pool to the size that its map has, which VGG-16 of the paper does not have.
IDLE = """| module     | #parameters or shape   | #flops   |
|:-----------|:-----------------------|:---------|
| model      | 138.358M               | 15.47G   |
| features.0 | 1.792K                 | 86.704M  |
| avgpool    |                        | 25.088K  |
"""
#: flop_count_str of the same library.
TREE = """ResNet(
  #params: 11.69M, #flops: 1.82G
  (conv1): Conv2d(
    3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False
    #params: 9.41K, #flops: 0.12G
  )
  (bn1): BatchNorm2d(
    64, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True
    #params: 0.13K, #flops: 1.61M
  )
  (relu): ReLU(inplace=True)
  (layer1): Sequential(
    #params: 0.15M, #flops: 0.46G
    (0): BasicBlock(
      #params: 73.98K, #flops: 0.23G
      (conv1): Conv2d(
        64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False
        #params: 36.86K, #flops: 0.12G
      )
    )
  )
)
"""
PTFLOPS = """ResNet(
  11.69 M, 100.000% Params, 1.82 GMac, 99.828% MACs,
  (conv1): Conv2d(9.41 k, 0.080% Params, 118.01 MMac, 6.465% MACs, 3, 64, kernel_size=(7, 7), stride=(2, 2), bias=False)
  (bn1): BatchNorm2d(128, 0.001% Params, 1.61 MMac, 0.088% MACs, 64, eps=1e-05, momentum=0.1, affine=True)
  (relu): ReLU(0, 0.000% Params, 802.82 KMac, 0.044% MACs, inplace=True)
  (layer1): Sequential(
    147.97 k, 1.266% Params, 464.83 MMac, 25.466% MACs,
    (0): BasicBlock(
      73.98 k, 0.633% Params, 232.42 MMac, 12.733% MACs,
      (conv1): Conv2d(36.86 k, 0.315% Params, 115.61 MMac, 6.333% MACs, 64, 64, kernel_size=(3, 3), bias=False)
      (bn1): BatchNorm2d(128, 0.001% Params, 401.41 KMac, 0.022% MACs, 64, eps=1e-05, momentum=0.1, affine=True)
    )
  )
)
"""


#: get_model_profile of DeepSpeed; zeros after the point are left out.
DEEPSPEED = """-------------------------- DeepSpeed Flops Profiler --------------------------
Profile Summary at step 1:
params per GPU:                                                         11.69 M
params of model = params per GPU * mp_size:                             0
fwd MACs per GPU:                                                       1.81 GMACs
fwd flops per GPU:                                                      3.64 G
Top 1 modules in terms of params, MACs or fwd latency at different model depths:
depth 1:
    params      - {'Sequential': '11.17 M'}
ResNet(
  11.69 M = 100% Params, 1.81 GMACs = 100% MACs, 201.08 ms = 100% latency, 18.08 GFLOPS
  (conv1): Conv2d(9.41 K = 0.08% Params, 118.01 MMACs = 6.51% MACs, 1.69 ms = 0.84% latency, 139.3 GFLOPS, 3, 64, kernel_size=(7, 7))
  (bn1): BatchNorm2d(128 = 0% Params, 0 MACs = 0% MACs, 511.41 us = 0.25% latency, 3.14 GFLOPS, 64, eps=1e-05)
  (layer1): Sequential(
    147.97 K = 1.27% Params, 462.42 MMACs = 25.49% MACs, 77.49 ms = 38.54% latency, 11.97 GFLOPS
    (0): BasicBlock(
      73.98 K = 0.63% Params, 231.21 MMACs = 12.75% MACs, 44.16 ms = 21.96% latency, 10.5 GFLOPS
      (conv1): Conv2d(36.86 K = 0.32% Params, 115.61 MMACs = 6.37% MACs, 20.54 ms = 10.22% latency, 11.25 GFLOPS, 64, 64)
    )
  )
  (fc): Linear(513 K = 4.39% Params, 512 KMACs = 0.03% MACs, 55.07 us = 0.03% latency, 18.59 GFLOPS, in_features=512)
)
"""  # noqa: E501
CALFLOPS = DEEPSPEED.replace("ms = ", "MFLOPS = ").replace("us = ", "KFLOPS = ").replace("% latency", "% FLOPs")
OLDER = DEEPSPEED.replace(" = ", ", ")
#: thop with verbose=True, as its pair is printed, and with ret_layer_info=True: LeNet with a batch norm, 32×32×3.
THOP = """[INFO] Register count_convNd() for <class 'torch.nn.modules.conv.Conv2d'>.
[INFO] Register zero_ops() for <class 'torch.nn.modules.pooling.MaxPool2d'>.
[INFO] Register count_normalization() for <class 'torch.nn.modules.batchnorm.BatchNorm2d'>.
"""
MODULES_OF_THOP = (
    "(1786496.0, 136938.0, {'conv1': (442368.0, 448.0, {}), 'pool': (0.0, 0.0, {}), 'conv2': (1179648.0, 4640.0, {}), "
    "'bn': (32768.0, 64.0, {}), 'relu': (0.0, 0.0, {}), 'head': (131712.0, 131786.0, {'0': (131072.0, 131136.0, {}), "
    "'2': (640.0, 650.0, {})})})"
)
SMALL = "32x32x3 -> conv3-16 -> relu -> pool2 -> conv3-32 -> bn -> relu -> pool2 -> flatten -> fc64 -> relu -> fc10"


def _check(network: str, text: str) -> Check:
    return check_answers(analysis_of(network), parse_answers(text.encode(), "table").answers)


def test_what_a_tool_prints_of_a_variant_is_named() -> None:
    counted, params = _check("vgg16", "(15470314496.0, 138357544.0)").cells
    assert (counted.verdict, params.verdict) == (Verdict.WRONG, Verdict.RIGHT)
    assert "the total of thop for vgg16@torchvision" in counted.diagnoses[0].explanation


@pytest.mark.parametrize("table", [FVCORE, PARAMETERS])
@pytest.mark.parametrize(
    "page", ["{table}", "# Answers\n\nBy fvcore:\n\n{table}", "As printed:\n\n```text\n{table}```\n"]
)
def test_what_tools_print_in_markdown(page: str, table: str) -> None:
    assert (
        [answer._replace(place=None) for answer in parse_answers(page.format(table=table).encode(), "a.md").answers]
        == [answer._replace(place=None) for answer in parse_answers(table.encode(), "a.txt").answers]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("network", "text", "right"),
    [
        ("alexnet@torchvision", FVCORE, 23),
        ("alexnet@torchvision", PARAMETERS, 11),
        ("mobilenet_v2", MODULES, 10),
        ("googlenet@torchvision", COUNTED_ON, 10),
        ("vgg16", IDLE, 4),
        ("mnasnet1_0", PIECE, 4),
        ("resnet18", TREE, 12),
        ("resnet18", PTFLOPS, 12),
        ("resnet18", DEEPSPEED, 14),
        ("resnet18", CALFLOPS, 14),
        ("resnet18", OLDER, 14),
        ("resnet18", DEEPSPEED[: DEEPSPEED.index("ResNet(")], 2),
        ("resnet18", "Computational complexity:       1.83 GMac\nNumber of parameters:           11.69 M\n", 2),
        ("resnet18", "Total Training Params:   11.69 M \nfwd MACs:    1.8141 GMACs\n", 2),
        (SMALL, MODULES_OF_THOP, 18),
        (SMALL, f"{THOP}(1786496.0, 136938.0)", 2),
        (SMALL, f"{THOP}flops:  1786496.0 params:  136938.0", 2),
        (SMALL, f"{THOP}FLOPs = 1.786496M\nParams = 136.938K", 2),
        ("resnet18", "('1.824G', '11.690M')", 2),
        ("resnet18", "MACs: 1.824G, Params: 11.690M", 2),
        # The tree of ptflops has no arrays without a module, its total has them.
        ("convnext_tiny", "ConvNeXt(\n  28.58 M, 99.966% Params, 4.48 GMac, 99.808% MACs, \n)\n", 1),
        ("vit_b_16", "VisionTransformer(\n  86.42 M, 99.824% Params, 17.6 GMac, 99.959% MACs, \n)\n", 1),
        ("vit_b_16", "Computational complexity:       17.61 GMac\nNumber of parameters:           86.57 M\n", 2),
        # What torchinfo prints below its table, newer and older.
        ("alexnet@torchvision", "Total params: 61,100,840\nTotal mult-adds (M): 714.68\n", 2),
        ("alexnet@torchvision", "Total params: 61,100,840\nTotal mult-adds (Units.MEGABYTES): 714.68\n", 2),
        # A global pool that code calls as a function counts nothing, nor do parts of an attention as parameters.
        ("mobilenet_v2", "(327486720.0, 3504872.0)", 2),
        ("vit_b_16", "(11286254592.0, 58067176.0)", 2),
        ("resnet18", "FLOPs: 3.63G, Params: 11.69M", 2),
        ("resnet18", "Params: 11.69M\nMult-adds: 1.81G\n", 2),
    ],
)
def test_what_tools_print_is_right(network: str, text: str, right: int) -> None:
    check = _check(network, text)
    assert check.is_right
    assert check.count(Verdict.RIGHT) == right


@pytest.mark.parametrize(
    ("network", "text", "printed", "wrong", "expected"),
    [
        ("alexnet@torchvision", FVCORE, "70.277M", "7.027M", 70_276_800),
        ("alexnet@torchvision", FVCORE, "2.47M ", "2.46M ", 2_469_696),
        ("alexnet@torchvision", PARAMETERS, "23.3K", "23.2K", 23_296),
        ("resnet18", TREE, "1.61M", "1.51M", 1_605_632),
        ("resnet18", PTFLOPS, "1.61 MMac", "0.8 MMac", 1_605_632),
        ("resnet18", PTFLOPS, "36.86 k", "36.93 k", 36_864),
        ("resnet18", DEEPSPEED, "115.61 M", "115.63 M", 115_605_504),
        ("resnet18", DEEPSPEED, "36.86 K", "36.93 K", 36_864),
        ("resnet18", CALFLOPS, "512 K", "513 K", 512_000),
        (SMALL, MODULES_OF_THOP, "32768.0", "8192.0", 32_768),
        (SMALL, f"{THOP}('1.786M', '136.938K')", "1.786M", "1.746M", 1_786_496),
        ("resnet18", "FLOPs: 3.63G, Params: 11.69M", "11.69M", "11.19M", 11_689_512),
    ],
)
def test_a_wrong_count_is_held_to_the_tool(network: str, text: str, printed: str, wrong: str, expected: int) -> None:
    assert printed in text
    check = _check(network, text.replace(printed, wrong))
    assert [cell.expected for cell in check.cells if cell.verdict is Verdict.WRONG] == [expected]


def test_counts_that_are_not_checked_are_named() -> None:
    assert any("ptflops" in note for note in parse_answers(PTFLOPS.encode(), "table").notes)


@pytest.mark.peers
@pytest.mark.parametrize("network", ["resnet18", "mobilenet_v2", "vgg16", "alexnet@torchvision", "densenet121"])
def test_what_thop_says_of_every_module_is_right(network: str) -> None:
    thop, torch, models = (pytest.importorskip(name) for name in ("thop", "torch", "torchvision.models"))
    model = getattr(models, network.partition("@")[0])(weights=None).eval()
    image = torch.zeros(1, 3, 224, 224)
    counts = thop.profile(model, inputs=(image,), verbose=False, ret_layer_info=True)
    check = _check(network, str(counts))
    assert check.is_right
