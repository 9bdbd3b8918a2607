"""Reasons that people would give: of blocks, of attention and recurrent layers, of other networks, and no others."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest

import archcalc
from archcalc.passes.analysis import Analysis
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.diagnose import Situation, diagnose
from archcalc.teach.check.model import TOTAL, Answer, Cell, Verdict
from tests.networks import graph
from tests.tiers import slow_but

RECURRENT = """\
input: 100x13
layers:
  - lstm: {name: lstm, hidden_size: 32, bidirectional: true}
  - gru: {name: gru, hidden_size: 24}
  - lstm: {name: deep, hidden_size: 20, num_layers: 2}
  - rnn: {name: rnn, hidden_size: 16, last: true}
"""
SAME = """\
input: 225x225x3
layers:
  - conv2d: {name: conv1, out_channels: 32, kernel_size: 3, stride: 2, padding: same}
  - max_pool2d: {name: pool1, kernel_size: 3, stride: 2, padding: same}
  - conv2d: {name: conv2, out_channels: 64, kernel_size: 5, stride: 2, padding: same}
"""
#: Layers whose biases do not belong to their channels.
BIASES = """\
input: 8x8x4
layers:
  - locally_connected2d: {name: local, out_channels: 3, kernel_size: 3}
  - layer_norm: {name: norm}
  - layer_norm: {name: all, axes: all}
  - linear: {name: each, out_features: 5, per_position: true}
"""
LECTURE = """\
input: 48x48x3
layers:
  - conv2d: {name: conv1, out_channels: 20, kernel_size: 5}
  - max_pool2d: {name: pool1, kernel_size: 2}
  - conv2d: {name: conv2, out_channels: 36, kernel_size: 3, padding: 1}
  - max_pool2d: {name: pool2, kernel_size: 2}
"""
#: Parts of a concatenation: of maps whose depth is their height, of rows of values.
JOINED = """\
input: 48x64x3
layers:
  - conv2d: {name: left, out_channels: 24, kernel_size: 1}
  - conv2d: {name: right, from: input, out_channels: 24, kernel_size: 1}
  - concat: {name: maps, from: [left, right]}
  - linear: {name: a, from: input, out_features: 30}
  - linear: {name: b, from: input, out_features: 16}
  - concat: {name: flat, from: [a, b]}
"""
SPECS = {"joined": JOINED, "lecture": LECTURE, "recurrent": RECURRENT, "same": SAME, "biases": BIASES}


@cache
def analysed(name: str) -> Analysis:
    return archcalc.analyse(graph(SPECS[name])) if name in SPECS else archcalc.analyse(archcalc.load(name))


def cell(network: str, layer: str, quantity: str, written: str) -> Cell:
    return check_answers(analysed(network), [Answer(layer, quantity, written)]).cells[0]


#: Network, layer or block, quantity, what is written, the first reason's mistake and words.
REASONS = [
    ("joined", "maps", "output_shape", "48x64x24", "sum_of_parts", "that lacks left"),
    ("joined", "flat", "output_shape", "30", "sum_of_parts", "that lacks b. The values of all 2 inputs add up: 46"),
    ("joined", "flat", "output_shape", "62", "sum_of_parts", "that has b twice"),
    ("vgg13@torchvision", TOTAL, "multiplications", "11.309G", "other_tool", "the total of thop"),
    ("vgg16", TOTAL, "multiplications", "15470314496", "other_tool", "the total of thop for vgg16@torchvision"),
    # What a bias belongs to: each value of a locally connected layer, the shift of a norm, a neuron.
    ("biases", "local", "params", "3888", "forgot_bias", "Each of the 108 values of the output has one."),
    ("biases", "local", "params", "3889", "bias_per_weight", "Each of the 108 values of the output has one."),
    ("biases", "norm", "params", "3", "forgot_bias", "one of each for every channel"),
    ("biases", "all", "params", "108", "forgot_bias", "one of each for every value"),
    ("biases", "each", "params", "15", "forgot_bias", "Each of the 5 neurons has one."),
    # A convolution with its normalisation, units, stages.
    ("resnet50", "conv1", "params", "9600", "added_bias", "a bias is counted"),
    ("resnet50", "conv1", "params", "9472", "forgot_batch_norm", "instead of batch normalisation"),
    ("resnet50", "conv1", "params", "9664", "counted_running_statistics", "running mean and variance"),
    ("resnet50", "conv2_x/unit2", "params", "71168", "counted_running_statistics", "In all 3 layers"),
    ("resnet50", "conv2_x/unit2", "params", "69632", "forgot_batch_norm", "In all 3 layers"),
    ("resnet50", "conv2_x/unit2", "params", "70784", "added_bias", "In all 3 layers"),
    ("resnet50", "conv2_x/unit1", "params", "58112", "repeat_count", "conv2_x/unit1/shortcut are missing"),
    ("resnet50", "conv2_x", "params", "145408", "repeat_count", "One unit too few: conv2_x/unit2 or conv2_x/unit3"),
    ("resnet50", "conv4_x", "params", "8215552", "repeat_count", "One unit too many"),
    ("resnet34", "conv3_x", "params", "820992", "repeat_count", "One unit too few"),
    ("mobilenet_v2", "bottleneck3/unit2", "params", "15680", "counted_running_statistics", "In all 3 layers"),
    ("densenet121", "dense_block1/layer1", "params", "45824", "counted_running_statistics", "In all 2 layers"),
    # A batch of images, and a number doubled.
    ("vgg16", "conv1_1", "multiplications", "2774532096", "unit", "as for a batch of 32 images"),
    ("resnet50", "conv1/conv", "multiplications", "15105785856", "unit", "as for a batch of 128 images"),
    ("vgg16", "conv1_1", "activations", "205520896", "unit", "as for a batch of 64 images"),
    ("alexnet", TOTAL, "multiplications", "145312780288", "unit", "as for a batch of 128 images"),
    # Another network or variant.
    ("squeezenet1_0", TOTAL, "params", "1235496", "other_variant", "squeezenet1_1"),
    ("vgg11", TOTAL, "params", "132868840", "other_variant", "vgg11 with batch_norm=true"),
    ("resnet50", TOTAL, "multiplications", "3857973248", "other_variant", "resnet50@v1"),
    ("vgg16", TOTAL, "params", "143667240", "other_variant", "VGG-19"),
    ("resnet34", TOTAL, "params", "25557032", "other_variant", "ResNet-50"),
    ("vgg16", TOTAL, "params", "134301514", "other_variant", "classes=10"),
    ("alexnet", "conv1", "params", "23296", "other_variant", "Right for conv1 of alexnet@torchvision"),
    ("resnet50", "conv3_x/unit1/bottleneck/conv1/conv", "output_shape", "28x28x128", "other_variant", "resnet50@v1"),
    # The class token.
    ("vit_b_16", "positions", "output_shape", "196x768", "repeat_count", "The class token is missing"),
    ("vit_b_16", "class", "output_shape", "196x768", "repeat_count", "196 others: 197 tokens"),
    ("vit_b_16", "positions", "params", "150528", "repeat_count", "the class token is missing"),
    ("vit_b_32", "encoder3/norm1", "output_shape", "49x768", "repeat_count", "49 others: 50 tokens"),
    ("vit_b_16", "encoder1/fc1", "multiplications", "462422016", "repeat_count", "the class token is missing"),
    ("vit_b_16", "encoder1/attention", "multiplications", "521428992", "repeat_count", "the class token is missing"),
    # Attention.
    ("vit_b_16", "encoder1/attention", "params", "2359296", "forgot_bias", "four projections"),
    ("vit_b_16", "encoder1/attention", "params", "1771776", "sum_of_parts", "the output projection is missing"),
    ("vit_b_16", "encoder1/attention", "params", "1769472", "sum_of_parts", "the output projection is missing"),
    ("vit_b_16", "encoder1/attention", "params", "147648", "forgot_groups", "the width of one head instead of all"),
    ("vit_b_16", "encoder1/attention", "params", "1181184", "repeat_count", "one projection for queries"),
    ("bert_base", "layer1/attention", "params", "28348416", "forgot_groups", "multiplied by the heads"),
    ("vit_b_16", "encoder1/attention", "multiplications", "464781312", "sum_of_parts", "only the projections"),
    ("vit_b_16", "encoder1/attention", "multiplications", "494586624", "sum_of_parts", "one of QKᵀ and AV is missing"),
    ("vit_b_16", "encoder1/attention", "multiplications", "59610624", "sum_of_parts", "only QKᵀ and AV"),
    ("vit_b_16", "encoder1/attention", "multiplications", "408196608", "sum_of_parts", "the output projection"),
    ("vit_b_16", "encoder1/attention", "multiplications", "1180108800", "forgot_groups", "by the heads"),
    ("swin_t", "stage1/block1/attention/attention", "params", "36864", "forgot_bias", "the biases and the table"),
    ("vit_b_16", TOTAL, "params", "86530792", "forgot_bias", "In all 12 layers"),
    ("vit_b_16", TOTAL, "multiplications", "16848500736", "sum_of_parts", "only the projections"),
    ("bert_base", TOTAL, "params", "102395136", "sum_of_parts", "the output projection is missing"),
    ("crnn", TOTAL, "params", "8327205", "forgot_bias", "as Keras counts"),
    # The table of an embedding.
    ("bert_base", "token_embedding", "params", "15627264", "forgot_output_channels", "in the place of the features"),
    ("bert_base", "token_embedding", "multiplications", "12001738752", "params_in_pool", "with one-hot vectors"),
    # A time that is not halved, as in the first pool of C3D.
    ("c3d", "fc6", "params", "67112960", "carried_forward", "had pool5 given 2×4×4"),
    # Recurrent layers: 2·4·32·(13 + 32 + 2) = 12,032; 3·24·(64 + 24 + 2) = 6,480; 4·20·(24 + 20 + 2 + 2·20 + 2).
    ("recurrent", "lstm", "params", "11776", "forgot_bias", "as Keras counts. lstm has two"),
    ("recurrent", "lstm", "params", "11520", "forgot_bias", "12,032"),
    ("recurrent", "lstm", "params", "6016", "repeat_count", "one direction only"),
    ("recurrent", "lstm", "params", "9024", "forgot_output_channels", "3 gates, as in a GRU"),
    ("recurrent", "lstm", "params", "3008", "forgot_output_channels", "one gate only"),
    ("recurrent", "gru", "params", "6408", "forgot_bias", "with reset_after=False"),
    ("recurrent", "deep", "params", "6880", "forgot_bias", "as Keras counts"),
    ("recurrent", "deep", "params", "3680", "repeat_count", "one layer only"),
    ("recurrent", "rnn", "params", "592", "forgot_bias", "as Keras counts"),
    ("recurrent", "lstm", "multiplications", "11520", "multiplications_without_positions", "the steps are missing"),
    ("recurrent", "lstm", "multiplications", "332800", "forgot_input_channels", "the weights of the state"),
    ("crnn", "lstm1", "params", "1574912", "forgot_bias", "as Keras counts"),
    # Padding `same`: the input divided by the stride.
    ("same", "conv1", "output_shape", "225x225x32", "forgot_stride", "225/1 = 225"),
    ("same", "conv1", "output_shape", "57x57x32", "wrong_stride", "⌈225/4⌉ = 57"),
    ("same", "pool1", "output_shape", "38x38x32", "wrong_stride", "⌈113/3⌉ = 38"),
    ("same", "conv2", "output_shape", "28x28x64", "floor_ceil", "⌊57/2⌋ = 28: rounded down"),
    ("mobilenet@keras", "conv1/conv", "output_shape", "111x111x32", "forgot_padding", "the padding is missing"),
    # Receptive fields whose steps differ along the axes.
    ("c3d", "pool2", "receptive_field", "6x9x9", "forgot_stride", "lie 1×2×2 pixels apart"),
    ("crnn", "pool4", "receptive_field", "63x47", "forgot_stride", "lie 8×4 pixels apart"),
    ("alexnet", "conv2", "receptive_field", "23", "forgot_stride", "8 pixels apart"),
    # One direction alone, of a shape.
    ("recurrent", "lstm", "output_shape", "100x32", "repeat_count", "one direction only"),
    # A layer applied to its own output; a stride of 4 gives 14 as well, 13 only the second pool.
    ("lecture", "pool1", "output_shape", "11x11x20", "repeat_count", "pool1 is applied twice. Its own output is 22×22"),
    ("lecture", "pool2", "output_shape", "5x5x36", "repeat_count", "(11 − 2 + 2·0)/2⌋ + 1 = 5: pool2 is applied twice"),
    ("alexnet", "pool1", "output_shape", "13x13x96", "repeat_count", "pool1 is applied twice"),
    ("alexnet", "pool5", "output_shape", "2x2x256", "repeat_count", "⌊(6 − 3 + 2·0)/2⌋ + 1 = 2: pool5 is applied"),
    ("same", "pool1", "output_shape", "29x29x32", "repeat_count", "⌈57/2⌉ = 29: pool1 is applied twice"),
    # One filter or neuron too few: 76·19, (11·11·3 + 1)·95, 4097·999; and one too many.
    ("lecture", "conv1", "params", "1444", "forgot_output_channels", "19 filters. conv1 has 20"),
    ("alexnet", "conv1", "params", "34580", "forgot_output_channels", "95 filters. conv1 has 96"),
    ("alexnet", "fc8", "params", "4092903", "forgot_output_channels", "999 neurons. fc8 has 1,000"),
    ("alexnet", "fc8", "params", "4101097", "forgot_output_channels", "1,001 neurons. fc8 has 1,000"),
    # A weight for each value of a pool's window of each map, without a division that leaves 1.
    ("lecture", "pool1", "params", "100", "params_in_pool", "exactly (2·2 + 1)·20: weights for"),
    # A rule gives these numbers: no digit is mistyped.
    ("lecture", "conv2", "output_shape", "22x22x3", "forgot_output_channels", "the depth of the network's input"),
    ("squeezenet1_0", "input", "output_shape", "224x224x3", "other_input", "Right for an input of 224×224. Here"),
    # A part of a rounded sum, where the sum has two of its digits.
    ("vgg16", TOTAL, "params", "136.0M", "repeat_count", "The sum lacks one of conv4_2"),
    # No digit that counts.
    ("lenet5", TOTAL, "params", "0M", "rounded_inputs", "needs at least one: it is 61,706"),
    ("alexnet", "conv1", "params", "0.0M", "rounded_inputs", "needs at least one: it is 34,944"),
    ("alexnet", "conv1", "activation_bytes", "0 GB", "rounded_inputs", "needs at least one"),
    # 224·224·128·9·64: the positions before the pool. 4,609·512 + 512.
    ("vgg16", "conv2_1", "multiplications", "3699376128", "carried_forward", "the size of conv1_2's map, which pool1"),
    ("vgg16", "conv4_2", "params", "2360320", "added_bias", "the biases of conv4_2 count twice: 512 too many"),
    # Blocks: the map after the next pool, 12·32 without the 128 that the block reads, and a sum that is none.
    ("googlenet", "inception_3b", "output_shape", "14x14x480", "positions_of_input", "the size of pool3's map"),
    ("densenet121", "dense_block2", "output_shape", "28x28x384", "sum_of_parts", "that lacks transition1/pool"),
    ("googlenet", "inception_4a", "output_shape", "14x14x448", "sum_of_parts", "lacks inception_4a/pool/proj/conv"),
    ("googlenet", "inception_4a", "output_shape", "14x14x508", "unknown", "192 + 208 + 48 + 64 = 512"),
    ("lenet5", TOTAL, "params", "61470", "forgot_bias", "C1, C3, … and output. For example"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "layer", "quantity", "written", "mistake", "says"), REASONS)
def test_reason(network: str, layer: str, quantity: str, written: str, mistake: str, says: str) -> None:
    found = cell(network, layer, quantity, written)
    assert found.verdict is Verdict.WRONG
    assert (found.diagnoses[0].mistake, found.diagnoses[0].rank) == (mistake, 0), found.diagnoses
    assert says in found.diagnoses[0].explanation


@pytest.mark.parametrize(
    ("layer", "numbers", "says"),
    [
        # The second cell is not like the others.
        ("conv2", [105415200, 895795200, 149520384, 224280576], "Two operations for each multiply-add."),
        ("conv2", [210830400, 447897600, 299040768, 448561152], "Multiply-adds. The other cells of the column count"),
    ],
)
def test_a_cell_in_another_unit_than_its_column(layer: str, numbers: list[int], says: str) -> None:
    names = [f"conv{number}" for number in range(1, 5)]
    answers = [
        Answer(name, "multiplications", str(number), heading="flops")
        for name, number in zip(names, numbers, strict=True)
    ]
    cells = check_answers(analysed("alexnet"), answers).cells
    assert [one.layer for one in cells if one.verdict is Verdict.WRONG] == [layer]
    assert says in cells[1].diagnoses[0].explanation


#: Nobody takes a window of 3×3×3 for one of 9×9×9, or errs along one axis of a square window alone.
NO_REASON = [
    ("c3d", "conv1a", "params", "46720"),
    ("c3d", "conv1a", "params", "139904"),
    ("resnet50", TOTAL, "multiplications", "3858083840"),
    ("vgg16", "conv1_1", "multiplications", "86704129"),
    # 12 thousand less, as one of its parts has: a rounded number says too little.
    ("googlenet", "inception_4b", "params", "437K"),
]


@pytest.mark.parametrize(("network", "layer", "quantity", "written"), NO_REASON)
def test_no_reason_is_better_than_an_absurd_one(network: str, layer: str, quantity: str, written: str) -> None:
    assert {one.mistake for one in cell(network, layer, quantity, written).diagnoses} <= {"unknown", "digit_slip"}


@pytest.mark.parametrize(
    ("network", "layer", "quantity", "written", "absent"),
    [
        ("lecture", "conv2", "output_shape", "22x22x20", "digit_slip"),  # the depth of the input
        ("lecture", "conv2", "params", "6480", "rounded_inputs"),  # the bias is missing; 181 was not rounded
        ("recurrent", "lstm", "params", "6016", "factor_two"),  # one direction, which is half
        ("resnet50", "conv2_x", "params", "215872", "params_in_pool"),  # 64 more, as relu1 has channels
    ],
)
def test_a_reason_next_to_a_better_one(network: str, layer: str, quantity: str, written: str, absent: str) -> None:
    found = cell(network, layer, quantity, written).diagnoses
    assert found
    assert absent not in [one.mistake for one in found]


#: Network, the cells of a table, and for some of them the verdict and what is said; right reasons are not replaced.
EARLIER = [
    # A depth that is right in the network is right after a wrong depth as well, and so are the sides.
    ("lecture", {"conv1": "48x48x20", "conv2": "24x24x3", "pool2": "12x12x36"}, "pool2", "your output of conv1"),
    ("lecture", {"conv1": "44x44x10", "pool1": "20x20x10", "conv2": "20x20x36"}, "conv2", "your output of pool1"),
    ("alexnet", {"conv1": "55x55x64", "pool1": "26x26x96"}, "pool1", "Your 26×26 is exactly"),
]


@pytest.mark.parametrize(("network", "shapes", "layer", "says"), EARLIER)
def test_what_is_right_in_the_network_is_not_called_wrong(
    network: str, shapes: dict[str, str], layer: str, says: str
) -> None:
    check = check_answers(analysed(network), [Answer(name, "output_shape", text) for name, text in shapes.items()])
    found = next(one for one in check.cells if one.layer == layer)
    assert found.verdict is (Verdict.CARRIED if says.startswith("your") else Verdict.WRONG)
    assert says in found.diagnoses[0].explanation
    if found.verdict is Verdict.WRONG and says:
        assert not any("depth" in one.explanation for one in found.diagnoses)


def test_a_usual_mistake_is_named_after_an_earlier_one() -> None:
    """A bias left out of the true layer, not an unusual count of the one that would follow from conv1."""
    analysis = archcalc.analyse("32x32x3 -> conv3-256 -> conv1-17")
    answers = [Answer("conv1", "output_shape", "32x32x128"), Answer("conv2", "params", "4352")]
    found = check_answers(analysis, answers).cells[1]
    assert [one.mistake for one in found.diagnoses[:1]] == ["forgot_bias"]
    # What is as usual on the student's own input stays first.
    answers[1] = Answer("conv2", "params", "2176")
    assert "128·17" in check_answers(analysis, answers).cells[1].diagnoses[0].explanation


#: Totals of other variants, in other units, and as Keras counts.
TOTALS = [
    ("alexnet", "params", "61M", "other_variant", "alexnet@grouped"),
    ("alexnet", "multiplications", "715M", "other_tool", "the total of torchinfo for alexnet@torchvision"),
    ("alexnet", "multiplications", "714.1M", "other_variant", "It is 714,188,480"),
    ("resnet50", "multiplications", "3.8G", "other_variant", "resnet50@v1"),
    ("alexnet", "params", "238 MB", "unit", "bytes of float32"),
    ("inception_v3", "params", "23851784", "other_variant", "inception_v3@keras"),
    ("efficientnet_b0@keras", "params", "5330571", "counted_running_statistics", "as Keras does"),
]


@pytest.mark.parametrize(("network", "quantity", "written", "mistake", "says"), slow_but(TOTALS[:1], TOTALS))
def test_reason_of_a_total(network: str, quantity: str, written: str, mistake: str, says: str) -> None:
    (found,) = check_answers(analysed(network), [Answer(TOTAL, quantity, written)]).cells
    assert found.diagnoses[0].mistake == mistake
    assert says in found.diagnoses[0].explanation


@pytest.mark.parametrize(
    ("network", "layer", "quantity", "written", "mistake", "says"),
    [
        ("32x32x3 -> conv3-8d2p0", "conv1", "params", "608", "wrong_kernel", "the span of the dilated window, 5×5"),
        ("lenet5", "C1", "activation_bytes", "4.6 KB", "unit", "Values, not bytes"),
        ("googlenet", "inception_3b", "params", "380K", "unit", "K is 1,024 there"),
    ],
)
def test_reason_of_a_unit_or_a_span(
    network: str, layer: str, quantity: str, written: str, mistake: str, says: str
) -> None:
    (found,) = check_answers(archcalc.analyse(network), [Answer(layer, quantity, written)]).cells
    assert found.diagnoses[0].mistake == mistake
    assert says in found.diagnoses[0].explanation


#: Shapes of which the last is wrong, the mistake, and what is not said: it would make a right shape wrong.
TOGETHER = [
    ("resnet18", {"conv2_x": "56x56x64", "conv3_x": "56x56x128"}, "forgot_stride", "pool1"),
    ("resnet18", {"conv1": "112x112x64", "pool1": "56x56x64", "conv3_x": "55x55x128"}, "unknown", "pool1"),
    ("alexnet", {"conv1": "55x55x96", "input": "224x224x3"}, "unknown", "224×224."),
]


@pytest.mark.parametrize(("network", "shapes", "mistake", "unsaid"), TOGETHER)
def test_a_reason_agrees_with_the_right_cells(network: str, shapes: dict[str, str], mistake: str, unsaid: str) -> None:
    check = check_answers(analysed(network), [Answer(name, "output_shape", text) for name, text in shapes.items()])
    *others, wrong = check.cells
    assert {cell.verdict for cell in others} == {Verdict.RIGHT}
    assert (wrong.verdict, wrong.diagnoses[0].mistake) == (Verdict.WRONG, mistake)
    assert not any(unsaid in one.explanation for one in wrong.diagnoses)


@pytest.mark.parametrize(("written", "is_right"), [("6.32 MFLOPs", True), ("12.64 MFLOPs", True), ("12.64M", False)])
def test_flops_of_a_total_may_count_a_multiply_add_twice(written: str, is_right: bool) -> None:
    analysis = archcalc.analyse("48x48x3 -> conv5-20p0 -> pool2 -> conv3-36 -> pool2 -> fc64 -> fc11")
    check = check_answers(analysis, [Answer(TOTAL, "multiplications", written)])
    assert (check.cells[0].verdict is Verdict.RIGHT) is is_right


def test_a_digit_is_mistyped_only_where_no_rule_gives_the_number() -> None:
    """In a table with its column too, where the total of another network is one digit away."""
    total = analysed("resnet50").totals.params
    answers = [Answer("conv1/conv", "params", "9408"), Answer(TOTAL, "params", str(total + 53120))]
    for one in check_answers(analysed("resnet50"), answers).cells[-1].diagnoses[:1]:
        assert one.mistake == "counted_running_statistics"
    assert cell("alexnet", "fc7", "params", "16781321").diagnoses[0].mistake == "digit_slip"


@pytest.mark.slow
@pytest.mark.parametrize("network", ["lenet5", "vgg16", "resnet50", "mobilenet_v2", "vit_b_16", "crnn", "inception_v3"])
def test_numbers_at_random_are_hardly_ever_explained(network: str) -> None:
    rng, analysis = Random(network), analysed(network)
    rows = [row for row in analysis.rows if row.params > 1000]
    explained = 0
    for _ in range(60):
        row, quantity = rng.choice(rows), rng.choice(("params", "multiplications"))
        right = getattr(row, quantity) or row.params
        written = str(int(right * rng.uniform(0.5, 2)))
        for layer in (row.name, TOTAL):
            answers = [Answer(layer, quantity, written)]
            found = check_answers(analysis, answers).cells[0].diagnoses
            explained += any(one.mistake not in ("unknown", "digit_slip") for one in found)
    assert explained <= 3


def test_sums_of_what_is_no_block_raise() -> None:
    value = cell("lenet5", TOTAL, "params", "7").stated
    assert value is not None
    with pytest.raises(KeyError):
        diagnose(Situation(analysed("lenet5"), "nowhere", "params"), value)


def test_the_total_of_a_tool_says_what_the_tool_leaves_out() -> None:
    """CRNN in fvcore: 705,143,808 less 68,157,440 of its LSTMs, and 2 for each of 117,760 values of batch norm."""
    reason = cell("crnn", TOTAL, "multiplications", "637221888").diagnoses[0].explanation
    assert "the total of fvcore" in reason
    assert "recurrent layers count nothing" in reason


@pytest.mark.parametrize(
    ("network", "layer", "quantity", "written", "mistake", "words"),
    [
        # A stride that is forgotten two layers before and more.
        ("alexnet", "conv3", "receptive_field", "59", "forgot_stride", "stride of pool1"),
        ("alexnet", "conv5", "receptive_field", "91", "forgot_stride", "stride of pool1"),
        ("alexnet", "conv3", "receptive_field", "83", "forgot_stride", "stride of pool2"),
        # Not padded in its pictures, while its time is not padded in either case.
        ("c3d", "fc6", "params", str((512 * 3 * 3 + 1) * 4096), "forgot_padding", "pool5"),
        # Attention in windows, counted as if all positions met.
        ("swin_t", "stage1/block1/attention/attention", "multiplications",
         str(4 * 56**2 * 96**2 + 2 * 56**4 * 96), "repeat_count", "all 3,136 positions"),
        ("swin_t", "stage1/block1/attention/attention", "multiplications", "2.00G", "repeat_count", "all 3,136"),
    ],
)  # fmt: skip
def test_a_mistake_elsewhere_is_named(
    network: str, layer: str, quantity: str, written: str, mistake: str, words: str
) -> None:
    found = cell(network, layer, quantity, written)
    assert found.verdict is Verdict.WRONG
    assert mistake in {one.mistake for one in found.diagnoses if one.rank == 0}
    assert words in " ".join(one.explanation for one in found.diagnoses if one.rank == 0)


def test_a_stride_that_is_forgotten_all_the_way_is_the_same_one() -> None:
    fields = {"conv1": 11, "pool1": 19, "conv2": 35, "pool2": 43, "conv3": 59, "conv4": 75}
    answers = [Answer(layer, "receptive_field", str(size)) for layer, size in fields.items()]
    cells = [one for one in check_answers(analysed("alexnet"), answers).cells if one.verdict is Verdict.WRONG]
    assert [one.layer for one in cells] == ["conv2", "pool2", "conv3", "conv4"]
    assert all("stride of pool1" in one.diagnoses[0].explanation for one in cells)
