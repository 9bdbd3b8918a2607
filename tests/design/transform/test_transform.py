"""Rewrites: numbers worked by hand, what is refused, and outputs that stay the same."""

from __future__ import annotations

import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.design.transform.transform import Transformed, transform
from archcalc.objects import Network
from archcalc.passes.analysis import Row
from tests.tiers import slow_but


def rewritten(network: str, *wanted: tuple[str, ...]) -> Transformed:
    analysis = ac.from_yaml(network).analyse() if network.startswith("\n") else ac.analyse(network)
    return transform(analysis, [(name, arguments) for name, *arguments in wanted])


def row(done: Transformed, name: str) -> Row:
    return done.after.by_name[name]


# --- the same function


def test_batch_norm_becomes_a_bias() -> None:
    done = rewritten("resnet18", ("fold-batch-norm",))
    # 4,800 filters have a bias each, no longer γ and β; 9,600 running statistics are gone.
    assert done.after.totals.params == 11_689_512 - 4800
    assert (done.before.totals.buffers, done.after.totals.buffers) == (9600, 0)
    assert not [one for one in done.after.rows if one.op.kind == "batch_norm2d"]
    assert done.function == "The function stays the same."


def test_vgg16_on_a_larger_image_gives_a_map_of_scores() -> None:
    done = rewritten("vgg16", ("grow-input", "384x384"), ("fc-to-conv",))
    assert [step.name for step in done.steps] == ["fc-to-conv", "grow-input"]
    assert done.after.rows[-1].output_shape == (1000, 6, 6)  # 384/32 − 7 + 1
    assert done.after.totals.params == 138_357_544
    assert row(done, "fc6").op.kind == "conv2d"
    assert row(done, "fc6").multiplications == 6 * 6 * 7 * 7 * 512 * 4096


# --- the function changes


@pytest.mark.parametrize(
    ("pattern", "wanted", "params", "shapes"),
    [
        # 7·1·4·8 + 8, then 1·7·8·8 + 8; the layer itself had 7·7·4·8 + 8.
        ("16x16x4 -> conv7-8 -> relu", ("factorize", "conv1"), [7 * 4 * 8 + 8, 7 * 8 * 8 + 8], [(8, 16, 16)] * 2),
        ("16x16x4 -> conv5-8/2 -> relu", ("factorize", "conv1"), [5 * 4 * 8 + 8, 5 * 8 * 8 + 8],
         [(8, 8, 16), (8, 8, 8)]),
        ("16x16x4 -> conv5-8 -> relu", ("stack", "conv1"), [9 * 4 * 8 + 8, 9 * 8 * 8 + 8], [(8, 16, 16)] * 2),
        # Without padding, 16 − 3 + 1 = 14, and 12 as of 5×5; the stride is in the last: (14 − 3)/2 + 1 = 6.
        ("16x16x4 -> conv5-8/2p0 -> relu", ("stack", "conv1"), [9 * 4 * 8 + 8, 9 * 8 * 8 + 8],
         [(8, 14, 14), (8, 6, 6)]),
        ("16x16x4 -> conv3-8 -> relu", ("separable", "conv1"), [9 * 4 + 4, 4 * 8 + 8], [(4, 16, 16), (8, 16, 16)]),
        ("28x28x192 -> conv5-32 -> relu", ("bottleneck", "conv1", "16"), [192 * 16 + 16, 25 * 16 * 32 + 32],
         [(16, 28, 28), (32, 28, 28)]),
        ("16x16x4 -> conv3-8 -> relu", ("groups", "conv1", "2"), [9 * 2 * 8 + 8], [(8, 16, 16)]),
    ],
)  # fmt: skip
def test_a_convolution_in_parts(
    pattern: str, wanted: tuple[str, ...], params: list[int], shapes: list[tuple[int, ...]]
) -> None:
    done = rewritten(pattern, wanted)
    parts = [one for one in done.after.rows if one.op.kind == "conv2d"]
    assert [one.params for one in parts] == params
    assert [one.output_shape for one in parts] == shapes
    assert parts[-1].output_shape == done.before.by_name["conv1"].output_shape
    # Each part is followed by an activation function, as the layer was.
    assert [one.op.kind for one in done.after.rows[1:]] == ["conv2d", "relu"] * len(parts)
    assert done.function.startswith("The function changes")


def test_a_bottleneck_saves_nine_tenths() -> None:
    done = rewritten("28x28x192 -> conv5-32", ("bottleneck", "conv1", "16"))
    assert done.before.totals.multiplications == 28 * 28 * 25 * 192 * 32 == 120_422_400
    assert done.after.totals.multiplications == 28 * 28 * (192 * 16 + 25 * 16 * 32) == 12_443_648


@pytest.mark.parametrize("pattern", ["32x32x3 -> conv7-8/2p1", "32x32x3 -> conv9-8", "32x32x3 -> conv5-8/3p2"])
def test_a_stack_reads_as_much_as_the_layer(pattern: str) -> None:
    done = rewritten(pattern, ("stack", "conv1"))
    assert row(done, "conv1").receptive_field == done.before.by_name["conv1"].receptive_field
    assert row(done, "conv1").output_shape == done.before.by_name["conv1"].output_shape


def test_all_convolutions_of_a_block() -> None:
    done = rewritten("resnet18", ("separable", "conv2_x"))
    depthwise = [one for one in done.after.rows if one.name.endswith("_depthwise")]
    assert [one.params for one in depthwise] == [9 * 64] * 4
    assert done.steps[0].rewritten.notes == ("4 convolutions: depthwise and 1×1",)


def test_an_op_becomes_another_with_the_settings_that_both_have() -> None:
    done = rewritten("alexnet", ("replace", "max_pool2d=avg_pool2d"), ("replace", "relu=silu"))
    assert row(done, "pool1").op.summary() == "avg pool 3×3, /2"
    assert row(done, "relu1").op.kind == "silu"
    assert done.after.totals.params == done.before.totals.params


def test_what_a_block_keeps_is_said() -> None:
    done = rewritten("resnet18", ("separable", "conv3_x"))
    (note,) = done.steps[0].rewritten.notes
    assert note.startswith("4 convolutions: depthwise and 1×1; not rewritten: layer ")
    assert note.endswith("has a window of one position")


def test_a_backbone() -> None:
    done = rewritten("resnet50", ("cut", "conv4_x"))
    assert done.after.rows[-1].output_shape == (1024, 14, 14)
    assert done.after.totals.params == 8_543_296  # torchvision, without layer4 and fc
    assert done.function == "The function stays the same up to the cut."


@pytest.mark.parametrize(
    ("network", "size", "layers"),
    [
        ("alexnet", "384x384", "fc6"),
        ("lenet5", "64x64", "C5"),
        ("vit_b_16", "384x384", "positions"),
        ("64x3 -> conv3-4 -> relu -> fc10", "128", "fc1"),
    ],
)
def test_weights_that_depend_on_the_size_of_the_input(network: str, size: str, layers: str) -> None:
    done = rewritten(network, ("grow-input", size))
    assert done.function.startswith("The function changes, so it must be trained again: --grow-input")
    assert done.steps[0].notes == (f"weights of other shapes on this input: {layers}",)
    assert done.same == ()
    assert done.not_compared == done.function


@pytest.mark.parametrize(
    ("network", "ending", "notes"),
    [
        ("resnet18", "on its own input.", ()),
        ("fcn32s", "on its own input, with the settings for it.", ("settings that follow the input: score/crop",)),
    ],
)
def test_weights_that_fit_every_input(network: str, ending: str, notes: tuple[str, ...]) -> None:
    done = rewritten(network, ("grow-input", "448x448"))
    assert done.function == f"The function stays the same {ending}"
    assert done.steps[0].notes == notes
    assert done.same == ()
    assert "those of before, on another input" in done.not_compared


def test_a_step_before_a_larger_input_is_not_proved_where_weights_do_not_fit() -> None:
    net = "16x16x3 -> conv3-8 -> bn -> relu -> fc10"
    assert rewritten(net, ("fold-batch-norm",), ("grow-input", "32x32")).same == ()
    assert len(rewritten(net, ("fold-batch-norm",), ("fc-to-conv",), ("grow-input", "32x32")).same) == 2


# --- wider, narrower, deeper, shallower


def test_half_of_the_channels() -> None:
    done = rewritten("16x16x4 -> conv3-8 -> relu -> conv3-5 -> fc10", ("width", "0.5"))
    # 5·½ is rounded up; the end keeps its 10.
    assert [one.params for one in done.after.rows if one.params] == [
        9 * 4 * 4 + 4, 9 * 4 * 3 + 3, 16 * 16 * 3 * 10 + 10,
    ]  # fmt: skip
    assert done.steps[0].rewritten.notes == ("channels of 2 layers × 0.5; fc1 keeps the old number",)


def test_the_width_multiplier_of_mobilenet() -> None:
    done = rewritten("mobilenet", ("width", "0.5"))
    assert (
        done.after.totals.params == ac.load("mobilenet", settings={"alpha": 0.5}).analyse().totals.params == 1_331_592
    )
    assert done.after.totals.multiplications == 149_497_088


def test_three_times_as_deep() -> None:
    # 3 stages of 3 units become 3 of 9: 6·9 + 2 layers.
    done, other = rewritten("resnet20_cifar", ("depth", "3")), ac.analyse("resnet56_cifar")
    assert (done.after.totals.params, done.after.totals.multiplications) == (
        other.totals.params, other.totals.multiplications,
    )  # fmt: skip
    assert len(done.after.rows) == len(other.rows)
    back = transform(done.after, [("depth", ["0.34"])])  # 9·0.34 is a little more than 3
    assert len(back.after.rows) - len(done.before.rows) == 3 * 7


def test_half_as_deep() -> None:
    done = rewritten("vit_b_16", ("depth", "0.5"))
    assert len([one for one in done.after.rows if one.op.kind == "multi_head_attention"]) == 6
    assert done.steps[0].rewritten.notes == ("encoder1 to encoder12: 12 blocks became 6",)
    blocks = [one.params for one in done.before.rows if one.name.startswith("encoder1/")]
    assert done.before.totals.params - done.after.totals.params == 6 * sum(blocks)


TIED = """
name: net
title: Net
input: 8x8x4
layers:
  - conv2d: {name: unit1/a, out_channels: 4, kernel_size: 3, padding: 1}
  - relu: {name: unit1/r}
  - conv2d: {name: unit2/a, out_channels: 4, kernel_size: 3, padding: 1, weights: unit1/a}
  - relu: {name: unit2/r}
  - conv2d: {name: unit3/a, out_channels: 4, kernel_size: 3, padding: 1, weights: unit1/a}
  - relu: {name: unit3/r}
  - linear: {out_features: 2}
"""


def test_copies_share_the_weights_that_the_block_shares() -> None:
    done = rewritten(TIED, ("depth", "2"))
    assert [one.name for one in done.after.rows if one.name.endswith("/a")] == [f"unit{i}/a" for i in range(1, 7)]
    assert [one.weights_of for one in done.after.rows if one.name.endswith("/a")] == [None] + ["unit1/a"] * 5
    assert done.after.totals.params == done.before.totals.params


# --- pruning


def test_pruned_channels_are_missing_where_they_are_read() -> None:
    done = rewritten("16x16x3 -> conv3-8 -> bn -> relu -> pool2 -> conv3-4 -> fc5", ("prune", "conv1", "2"))
    assert [one.params for one in done.after.rows] == [
        0, 9 * 3 * 6 + 6, 12, 0, 0, 9 * 6 * 4 + 4, 8 * 8 * 4 * 5 + 5,
    ]  # fmt: skip
    done = rewritten("16x16x3 -> conv3-8 -> pool2 -> flatten -> fc5", ("prune", "conv1", "2"))
    assert row(done, "fc1").params == 8 * 8 * 6 * 5 + 5


RESIDUAL = """
name: net
title: Net
input: 8x8x3
layers:
  - conv2d: {name: a, out_channels: 8, kernel_size: 1}
  - conv2d: {name: b, out_channels: 8, kernel_size: 1}
  - add: {name: sum, from: [a, b]}
  - depthwise_conv2d: {name: deep, kernel_size: 3, padding: 1}
  - conv2d: {name: side, out_channels: 4, kernel_size: 1, from: sum}
  - concat: {name: both, from: [side, deep]}
  - linear: {name: end, out_features: 2}
"""


def test_added_maps_lose_the_same_channels() -> None:
    done = rewritten(RESIDUAL, ("prune", "b", "3"))
    shapes = {one.name: one.output_shape[0] for one in done.after.rows}
    assert shapes == {"input": 3, "a": 5, "b": 5, "sum": 5, "deep": 5, "side": 4, "both": 9, "end": 2}
    # a reads 3, b what a makes; depthwise 9 + 1 each; side reads the sum; the end reads 9 channels of 8×8.
    params = [0, 5 * 3 + 5, 5 * 5 + 5, 0, 5 * 10, 4 * 5 + 4, 0, 2 * 9 * 64 + 2]
    assert [one.params for one in done.after.rows] == params
    assert done.steps[0].rewritten.notes == ("3 channels fewer in b", "the same channels in a")


INTO_PARTS = """
name: net
title: Net
input: 8x8x3
layers:
  - conv2d: {name: a, out_channels: 2, kernel_size: 1}
  - conv2d: {name: b, out_channels: 4, kernel_size: 1, from: input}
  - concat: {name: both, from: [a, b]}
  - conv2d: {name: c, out_channels: 6, kernel_size: 1}
  - add: {name: sum, from: [both, c]}
  - linear: {name: end, out_features: 2}
"""


def test_a_concatenation_loses_channels_where_they_are_made() -> None:
    done = rewritten(INTO_PARTS, ("prune", "c", "3"))
    assert {one.name: one.output_shape[0] for one in done.after.rows if one.op.kind == "conv2d"} == {
        "a": 2, "b": 1, "c": 3,
    }  # fmt: skip


CROPPED = """
name: net
title: Net
input: 8x8x3
layers:
  - conv2d: {name: a, out_channels: 4, kernel_size: 1}
  - conv2d: {name: b, out_channels: 4, kernel_size: 3}
  - crop2d: {name: cropped, from: [a, b]}
  - concat: {name: both, from: [cropped, b]}
  - conv2d: {name: end, out_channels: 2, kernel_size: 1}
"""


def test_a_map_that_only_gives_a_size_keeps_its_channels() -> None:
    done = rewritten(CROPPED, ("prune", "a", "1"))
    shapes = {one.name: one.output_shape[0] for one in done.after.rows}
    assert shapes == {"input": 3, "a": 3, "b": 4, "cropped": 3, "both": 7, "end": 2}


def test_sums_of_sums_are_followed_once() -> None:
    sums = "".join(f"  - add: {{name: s{i}, from: [s{i - 1}, s{i - 1}]}}\n" for i in range(1, 60))
    head = "\nname: net\ntitle: Net\ninput: 4x4x2\nlayers:\n"
    convs = "  - conv2d: {name: s0, out_channels: 4, kernel_size: 1}\n"
    end = "  - conv2d: {name: other, out_channels: 4, kernel_size: 1, from: s0}\n  - add: {from: [other, s59]}\n"
    done = rewritten(f"{head}{convs}{sums}{end}  - linear: {{out_features: 2}}\n", ("prune", "other", "1"))
    assert (row(done, "s0").output_shape, row(done, "s59").output_shape) == ((3, 4, 4), (3, 4, 4))


def test_scales_lose_the_channels_of_their_map() -> None:
    done = rewritten("convnext_tiny", ("prune", "stem", "1"))
    scales = [one.params for one in done.after.rows if one.name.startswith("res2/") and one.op.kind == "scale"]
    assert scales == [95] * 3
    assert done.after.rows[-1].output_shape == (1000,)


@pytest.mark.parametrize("name", slow_but(["mobilenet"], ["mobilenet", "googlenet", "resnet50", "vgg16@bn", "unet"]))
def test_every_network_can_be_pruned_at_its_first_convolution(name: str) -> None:
    before = ac.analyse(name)
    first = next(one for one in before.rows if one.op.kind == "conv2d")
    done = rewritten(name, ("prune", first.name, "1"))
    assert done.after.by_name[first.name].output_shape[0] == first.output_shape[0] - 1
    assert done.after.rows[-1].output_shape == before.rows[-1].output_shape


# --- what cannot be done

SHARED = """
name: net
title: Net
input: 8x8x4
layers:
  - conv2d: {name: a, out_channels: 4, kernel_size: 3, padding: 1}
  - conv2d: {name: b, out_channels: 4, kernel_size: 3, padding: 1, weights: a}
"""


@pytest.mark.parametrize(
    ("network", "wanted", "message"),
    [
        ("alexnet", ("fold-batch-norm",), "--fold-batch-norm: alexnet has no batch norm"),
        ("8x8x3 -> bn -> conv3-4", ("fold-batch-norm",), "no batch norm of pattern can be folded"),
        ("unet", ("fc-to-conv",), "--fc-to-conv: unet has no dense layer"),
        ("alexnet", ("replace", "relu"), "takes OP=OP"),
        ("alexnet", ("replace", "relu=conv2d"), "does not have what conv2d needs: kernel_size, out_channels"),
        ("alexnet", ("replace", "relu=sillu"), "did you mean silu"),
        ("alexnet", ("replace", "relu6=silu"), "alexnet has no relu6; did you mean relu"),
        ("8x8x3 -> conv3-3 -> relu -> fc2", ("replace", "relu=glu"),
         'layer "relu1" (glu) does not fit afterwards: an odd number of channels'),
        ("alexnet", ("cut", "conv9"), "has no layer or block 'conv9'; did you mean conv"),
        ("alexnet", ("replace", "relu=add"), 'layer "relu1" (relu) reads one input; add takes at least 2 inputs'),
        ("alexnet", ("replace", "relu=input"), "input takes no input"),
        ("alexnet", ("cut", "input"), "is an input of alexnet; nothing would be left"),
        ("alexnet", ("cut", "prob"), "is the end of alexnet already"),
        ("alexnet", ("factorize", "fc6"), 'layer "fc6" (dense 4096) is no convolution'),
        ("nin", ("factorize", "mlpconv1/cccp1"), "has a window of one position"),
        ("alexnet", ("stack", "conv3"), "has a window of 3×3; a stack of 3 gives 5, 7, 9"),
        ("alexnet@grouped", ("separable", "conv2"), "has groups already"),
        ("alexnet", ("bottleneck", "conv2", "96"), "reads 96 channels; 96 are no fewer"),
        ("alexnet", ("bottleneck", "conv2", "x"), "--reduce takes a whole number"),
        ("alexnet", ("groups", "conv2", "7"), "has 96 input channels, which 7 groups do not share evenly"),
        ("alexnet", ("groups", "conv2", "0"), "whole number of at least 1"),
        ("alexnet", ("prune", "conv1", "96"), "has 96; 96 cannot be taken away"),
        ("alexnet", ("prune", "pool1", "1"), "has no filters or neurons"),
        ("alexnet", ("prune", "fc8", "1"), "is an output of the network"),
        ("alexnet@grouped", ("prune", "conv1", "3"), "has 2 groups, which would read unequal numbers of channels"),
        ("vit_b_16", ("prune", "encoder1/fc2", "1"), "the nearest layer that can be pruned is encoder1/fc1"),
        ("8x8x3 -> conv3-3 -> relu", ("prune", "conv1", "1"), "is an output of the network"),
        ("alexnet", ("grow-input", "384x384x1"), "reads 3 channels, not 1"),
        ("alexnet", ("grow-input", "384"), "reads 227×227×3, not 384"),
        ("alexnet", ("grow-input", "8x8"), "does not fit afterwards"),
        (SHARED, ("stack", "a"), 'shares its weights with "b"'),
        (SHARED, ("factorize", "b"), 'shares its weights with "a"'),
        ("alexnet", ("widen", "2"), "there is no rewrite 'widen'; did you mean width"),
        ("alexnet", ("width", "0"), "--width takes a number above 0 and up to 64, as in 0.5, not '0'"),
        ("alexnet", ("width", "1e9"), "--width takes a number"),
        ("alexnet", ("depth", "65"), "--depth takes a number"),
        ("lenet5@1998", ("width", "2"), 'layer "C3" (conv 5×5, 16, connection table) has a connection table'),
        ("8x8x3 -> fc10", ("width", "2"), "has no channels that there could be more or fewer of"),
        ("googlenet", ("depth", "2"), "googlenet has no equal blocks in a row"),
        ("resnet110_cifar", ("depth", "64"), "would have more than 20,000 layers"),
    ],
)  # fmt: skip
def test_refused(network: str, wanted: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        rewritten(network, wanted)
    assert message in str(caught.value)


def test_a_new_network_is_a_spec_that_loads_again() -> None:
    network = ac.load("resnet18")
    done = rewritten("resnet18", ("fold-batch-norm",), ("separable", "conv3_x"), ("prune", "conv1/conv", "8"))
    again = ac.from_yaml(Network.of(done.after.graph).to_yaml())
    assert again.analyse().totals == done.after.totals
    assert again.name == "resnet18_fold_batch_norm_separable_prune"
    assert network.paper is not None
    assert again.paper is None
    assert not again.reported
