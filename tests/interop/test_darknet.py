"""Darknet files: the figures of the public networks, each rule of a layer, and what is wrong with faulty files."""

from __future__ import annotations

import re

import pytest

from archcalc.core.errors import SpecError
from archcalc.interop.darknet import read_darknet
from archcalc.interop.foreign import to_network
from archcalc.passes.analysis import Analysis, analyse
from tests.interop.darknet_files import FILES, conv, net, section


def analysed(text: str) -> Analysis:
    return analyse(to_network(read_darknet(text, "test.cfg")))


def layers(text: str) -> dict[str, tuple[int, ...]]:
    """The output shape of every layer."""
    return {row.name: row.output_shape for row in analysed(text).rows}


#: Name, billions of operations (two a multiplication) as pjreddie.com/darknet prints them, and bytes of the published
#: weights: four for each parameter and each running statistic after a header of 16 or, since 2018, 20 bytes.
PUBLISHED = [
    ("darknet19", 7.29, None),
    ("darknet53", 18.57, None),
    ("resnet50", 9.74, None),
    ("vgg16", 30.94, None),
    ("yolov2", 62.94, 203_934_260),
    ("yolov2_tiny", 5.41, 44_948_600),
    ("yolov3", 65.86, 248_007_048),
    ("yolov3_tiny", 5.56, 35_434_956),
]


@pytest.mark.parametrize(("name", "billions", "size"), PUBLISHED)
def test_figures_are_those_of_the_public_networks(name: str, billions: float, size: int | None) -> None:
    analysis = analysed(FILES[name]())
    totals = analysis.totals
    assert totals.multiplications is not None
    assert f"{2 * totals.multiplications / 1e9:.2f}" == f"{billions:.2f}"
    if size is not None:
        assert 4 * (totals.params + totals.buffers) in (size - 16, size - 20)
    assert totals.params + totals.buffers == stored(FILES[name]())


def stored(text: str) -> int:
    """What Darknet writes to a weights file, counted from the text alone: no op, no rule of archcalc."""
    depths: list[int] = []
    sizes: list[int] = []
    depth, side, total = 3, 0, 0
    for kind, body in re.findall(r"\[(\w+)\]\n((?:\w+=.*\n)*)", text):
        given = dict(line.split("=", 1) for line in body.splitlines())
        number = {name: int(value) for name, value in given.items() if value.lstrip("-").isdigit()}
        if kind == "net":
            side = number["height"]
            continue
        here = len(depths)
        if kind == "convolutional":
            each = depth * number["size"] ** 2 + (4 if "batch_normalize" in given else 1)
            depth, side = number["filters"], (side - 1) // number["stride"] + 1
            total += depth * each
        elif kind == "maxpool":
            side = side if number["stride"] == 1 else (side + 1) // 2
        elif kind == "avgpool":
            side = 1
        elif kind == "crop":
            side = number["crop_height"]
        elif kind == "connected":
            total += number["output"] * (depth * side * side + 1)
            depth, side = number["output"], 1
        elif kind == "upsample":
            side *= 2
        elif kind == "reorg":
            depth, side = 4 * depth, side // 2
        elif kind == "route":
            named = [int(part) for part in given["layers"].split(",")]
            found = [here + one if one < 0 else one for one in named]
            depth, side = sum(depths[one] for one in found), sizes[found[0]]
        depths.append(depth)
        sizes.append(side)
    return total


def test_sections_become_blocks_with_names_and_indices() -> None:
    network = read_darknet(net(8) + conv(4, 3) + conv(4, 1, bn=0, activation="linear") + POOLED, "tiny.cfg")
    assert [node.name for node in network.nodes] == [
        "convolutional_0/conv", "convolutional_0/bn", "convolutional_0/leaky", "convolutional_1", "maxpool_2"
    ]  # fmt: skip
    assert network.name == "tiny"
    assert network.inputs == {"data": (3, 8, 8)}
    assert network.nodes[0].place == "tiny.cfg:11:1"


POOLED = section("maxpool", size=2, stride=2)


@pytest.mark.parametrize(
    ("side", "size", "stride", "padding", "expected"),
    [
        # Positions by Darknet's rule: (W + padding − size)/stride + 1, and padding is size − 1 unless given.
        (8, 2, 2, None, 4), (7, 2, 2, None, 4), (13, 2, 1, None, 13), (13, 5, 1, None, 13), (13, 13, 1, None, 13),
        (8, 3, 2, None, 4), (9, 3, 2, None, 5), (9, 3, 2, 0, 4), (9, 2, 2, 0, 4),
    ],
)  # fmt: skip
def test_max_pools_pad_as_darknet_does(side: int, size: int, stride: int, padding: int | None, expected: int) -> None:
    given = {"size": size, "stride": stride} | ({} if padding is None else {"padding": padding})
    assert layers(net(side) + section("maxpool", **given))["maxpool_0"] == (3, expected, expected)


def test_a_pool_of_even_size_pads_at_the_end() -> None:
    (pool,) = read_darknet(net(12) + section("maxpool", size=4, stride=4)).nodes
    assert pool.fields["padding"] == [1, 1, 2, 2]


def test_route_joins_and_takes_groups() -> None:
    found = layers(
        net(8)
        + conv(4, 1, bn=0, activation="linear")
        + conv(6, 1, bn=0, activation="linear")
        + section("route", layers="-1,0")
        + section("route", layers=-1, groups=2, group_id=1)
        + section("route", layers="0,1", groups=2, group_id=0)
        + section("route", layers=1)
        + conv(1, 1, bn=0, activation="linear")
    )
    assert found["route_2"] == (10, 8, 8)
    assert found["route_3"] == (5, 8, 8)
    assert found["route_4/concat"] == (5, 8, 8)
    assert "route_5" not in found


def test_shortcuts_add_what_both_maps_have() -> None:
    text = net(8, 4) + conv(4, 1, bn=0, activation="linear") + conv(6, 3, 2, bn=0, activation="linear")
    found = layers(text + section("shortcut", **{"from": -2, "activation": "relu"}))
    assert found["shortcut_2/from/slice"] == (4, 4, 4)
    assert found["shortcut_2/from/pad"] == (6, 4, 4)
    assert found["shortcut_2/relu"] == (6, 4, 4)
    narrowed = layers(
        net(8, 4)
        + conv(6, 1, bn=0, activation="linear")
        + conv(2, 1, bn=0, activation="linear")
        + section("shortcut", **{"from": 0, "activation": "linear"})
    )
    assert narrowed["shortcut_2/from/narrow"] == (2, 8, 8)


def test_a_classifier_after_a_head_is_an_output_too() -> None:
    """The last layer is what Darknet gives of a network; the heads before it are read by themselves."""
    text = net(16) + conv(7, 1, activation="linear") + section("yolo", classes=2)
    text += section("avgpool") + section("connected", output=5) + section("softmax") + section("cost")
    network = read_darknet(text)
    assert network.outputs == {"yolo_1": "yolo_1/concat", "softmax_4": "softmax_4"}
    assert analysed(text).rows[-1].name == "softmax_4"


def test_heads_apply_activations_to_runs_of_channels() -> None:
    text = net(4) + conv(2 * 8, 1, bn=0, activation="linear") + section("yolo", mask="0,1", classes=3, num=2)
    network = read_darknet(text)
    runs = [node for node in network.nodes if node.op == "split"]
    assert runs[0].fields["sizes"] == [2, 2, 6, 2, 4]
    assert [node.op for node in network.nodes].count("sigmoid") == 3
    assert network.outputs == {"yolo_1": "yolo_1/concat"}
    text = net(4) + conv(2 * 8, 1, bn=0, activation="linear") + section("region", softmax=1, classes=3, num=2)
    assert [node.op for node in read_darknet(text).nodes].count("softmax") == 2


def test_other_layers() -> None:
    found = layers(
        net(9)
        + section("convolutional", filters=6, size=3, padding=2, dilation=2, groups=3, activation="mish")
        + section("deconvolutional", filters=4, size=2, stride=2, activation="linear")
        + section("local", filters=2, size=3, stride=1, pad=1, activation="linear")
        + section("crop", crop_height=5, crop_width=4, noadjust=1)
        + section("normalization")
        + section("connected", output=7, batch_normalize=1, activation="selu")
    )
    assert found["convolutional_0/mish"] == (6, 13, 13)
    assert found["deconvolutional_1"] == (4, 26, 26)
    assert found["local_2"] == (2, 26, 26)
    assert found["crop_3"] == (2, 5, 4)
    assert found["connected_5/selu"] == (7,)


def test_another_input_reads_the_file_again() -> None:
    network = read_darknet(FILES["yolov3"](), "yolov3.cfg", {"data": (3, 608, 608)})
    totals = analyse(to_network(network)).totals
    assert totals.multiplications is not None
    assert f"{2 * totals.multiplications / 1e9:.2f}" == "140.69"


def test_options_that_are_not_read_are_noted() -> None:
    network = read_darknet(net(8) + section("convolutional", filters=2, size=1, activation="relu", colour=3))
    assert network.notes == ("[convolutional] 0: colour is not read",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad.cfg:1:1: a Darknet network begins with the section [net]"),
        ("[convolutional]\nfilters=1\n", "bad.cfg:1:1: a Darknet network begins with the section [net]"),
        ("width=3\n", "bad.cfg:1:1: an option stands before the first section, which should be [net]"),
        ("[net]\nwidth\n", "bad.cfg:2:1: an option is written filters=64, not 'width'"),
        ("[net\n", "bad.cfg:1:1: a section is written [convolutional], not '[net'"),
        ("[net]\n[maxpool]\n", "bad.cfg:1:1: [net] needs height, width and channels, or inputs"),
        (net(8), "bad.cfg:1:1: the network has no layers"),
        (net(8) + "[maxpol]\n", "archcalc has no layer [maxpol] of Darknet; did you mean maxpool"),
        (net(8) + "[maxpool]\n  size=two\n", "bad.cfg:12:3: size should be a whole number, not 'two'"),
        (net(8) + "[maxpool]\nsize=0\n", "bad.cfg:12:1: size should lie between 1 and"),
        (net(8) + "[dropout]\nprobability=nan\n", "bad.cfg:12:1: probability should be a number, not 'nan'"),
        (net(8) + f"[convolutional]\nfilters={2**63}\n", "filters should be a whole number"),
        (net(8) + "[convolutional]\nfilters=999999999999999\n", "filters should lie between 1 and"),
        (net(8) + "[convolutional]\nsize=9\n", 'bad.cfg:11:1: layer "convolutional_0/conv" (conv2d): the window is'),
        (net(8) + "[conv]\nactivation=rely\n", "bad.cfg:12:1: there is no activation 'rely'; did you mean relu"),
        (net(8) + "[route]\n", "bad.cfg:11:1: [route] needs layers"),
        (net(8) + "[route]\nlayers=-1\n", "bad.cfg:12:1: layers names layer -1, which is not before this one"),
        (net(8) + "[route]\nlayers=3\n", "layers names layer 3, which is not before this one (layer 0)"),
        (net(8) + "[yolo]\nmask=0\nclasses=2\n", "[yolo] needs 7 channels, the layer before it has 3"),
        (net(8) + "[gru]\noutput=3\n", "archcalc has no layer [gru] of Darknet"),
        (net(8) + "[local]\nsize=5\npad=1\n", "[local] with pad is only sound for size=3"),
        (net(8) + "[crop]\ncrop_height=9\n", "[crop] is larger than the map that it cuts"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        read_darknet(text, "bad.cfg")
    assert message in str(raised.value)
    assert "\n\n" not in str(raised.value)


@pytest.mark.slow
def test_a_million_layers_are_refused_within_bounds() -> None:
    with pytest.raises(SpecError, match=r"more than 50,000 sections"):
        read_darknet(net(8) + "[dropout]\n" * 1_000_000, "bad.cfg")
