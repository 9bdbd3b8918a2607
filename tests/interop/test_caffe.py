"""Caffe files: the figures of the public networks, each rule of a layer, and what is wrong with faulty files."""

from __future__ import annotations

import pytest

from archcalc.core.errors import SpecError
from archcalc.interop.caffe import read_caffe
from archcalc.interop.foreign import ForeignNetwork, to_network
from archcalc.passes.analysis import Analysis, analyse
from tests.interop.caffe_files import FILES, fields
from tests.tables import read_layers

#: Parameters, running statistics and multiplications of the public definitions, built and counted by Caffe's rules;
#: those of SqueezeNet and FCN-32s are the sums of the arrays in their released models.
FIGURES = {
    "lenet": (431_080, 0, 2_293_000),
    "alexnet": (60_965_224, 0, 724_406_816),
    "caffenet": (60_965_224, 0, 724_406_816),
    "googlenet": (6_998_552, 0, 1_582_671_872),
    "googlenet_aux": (13_378_280, 0, 1_591_044_096),
    "nin": (7_595_176, 0, 1_100_188_800),
    "vgg16": (138_357_544, 0, 15_470_264_320),
    "vgg19": (143_667_240, 0, 19_632_062_464),
    "resnet50": (25_557_096, 53_120, 3_857_973_248),
    "resnet101": (44_549_160, 105_344, 7_570_194_432),
    "squeezenet1_0": (1_248_424, 0, 861_339_936),
    "squeezenet1_1": (1_235_496, 0, 387_747_520),
    "mobilenet": (4_231_976, 21_888, 568_740_352),
    "fcn32s": (136_152_917, 0, 181_365_854_976),
}


def analysed(network: ForeignNetwork) -> Analysis:
    return analyse(to_network(network))


def shapes(text: str) -> dict[str, tuple[int, ...]]:
    """The output shape of every layer."""
    return {row.name: row.output_shape for row in analysed(read_caffe(text, "test.prototxt")).rows}


def layer(name: str, kind: str, bottom: str | list[str], top: str | list[str] = "", **given: object) -> str:
    return f"layer {{ {fields({'name': name, 'type': kind, 'bottom': bottom, 'top': top or name, **given})} }}\n"


def data(*sizes: int) -> str:
    return 'input: "data" input_shape { ' + " ".join(f"dim: {size}" for size in (1, *sizes)) + " }\n"


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_those_of_the_public_networks(name: str) -> None:
    totals = analysed(read_caffe(FILES[name](), f"{name}.prototxt")).totals
    assert (totals.params, totals.buffers, totals.multiplications) == FIGURES[name]


@pytest.mark.parametrize(
    ("name", "table"),
    [("alexnet", "alexnet_grouped"), ("googlenet", "googlenet"), ("googlenet_aux", "googlenet_aux"), ("nin", "nin"),
     ("vgg16", "vgg16"), ("vgg19", "vgg19")],
)  # fmt: skip
def test_layers_are_those_of_the_public_networks(name: str, table: str) -> None:
    """Convolutions, dense layers and pools one by one: shapes, parameters, multiplications."""
    kinds = ("conv2d", "linear", "max_pool2d", "avg_pool2d", "global_avg_pool2d")
    expected = sorted(
        (row["output"].replace("x1x1", ""), int(row["params"]), int(row["multiplications"]))
        for row in read_layers(f"{table}.csv")
        if row["op"] in kinds
    )
    rows = analysed(read_caffe(FILES[name](), f"{name}.prototxt")).rows
    found = sorted(
        ("x".join(map(str, row.output_shape)).replace("x1x1", ""), row.params, row.multiplications)
        for row in rows
        if row.op.kind in kinds
    )
    assert found == expected


def test_slashes_make_blocks_and_in_place_layers_keep_their_order() -> None:
    network = read_caffe(FILES["googlenet"](), "googlenet.prototxt")
    assert [node.name for node in network.nodes if node.name.startswith("inception_3a/")][:3] == [
        "inception_3a/1x1", "inception_3a/relu_1x1", "inception_3a/3x3_reduce"
    ]  # fmt: skip
    merged = next(node for node in network.nodes if node.name == "inception_3a/output")
    assert merged.inputs == tuple(f"inception_3a/relu_{part}" for part in ("1x1", "3x3", "5x5", "pool_proj"))


def test_losses_and_accuracies_are_left_out_and_what_they_read_is_an_output() -> None:
    network = read_caffe(FILES["googlenet_aux"](), "googlenet.prototxt")
    assert list(network.outputs) == [f"loss{index}/classifier" for index in (1, 2, 3)]
    assert "loss1/loss (SoftmaxWithLoss) is left out: what it reads is an output" in network.notes
    assert "data: three channels are assumed for its images" in network.notes


def test_a_batch_norm_and_its_scale_are_one_layer() -> None:
    nodes = {node.name: node for node in read_caffe(FILES["resnet50"]()).nodes}
    assert nodes["bn_conv1"].fields == {"epsilon": 1e-5, "scale": True, "shift": True}
    assert "scale_conv1" not in nodes
    alone = layer("bn", "BatchNorm", "data") + layer("tail", "ReLU", "bn") + layer("scale", "Scale", "bn")
    kinds = [node.op for node in read_caffe(data(4, 8, 8) + alone).nodes]
    assert kinds == ["batch_norm2d", "relu", "scale"]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pad", "expected"),
    [
        # ⌈(W + 2P − F)/S⌉ + 1, and with padding one less where the last window begins at or after W + P.
        (112, 3, 2, 0, 56), (55, 3, 2, 0, 27), (13, 3, 2, 0, 6), (6, 2, 2, 0, 3), (7, 2, 2, 0, 4), (7, 2, 2, 1, 4),
        (8, 2, 2, 1, 5), (9, 2, 4, 0, 3), (9, 2, 4, 1, 3), (28, 3, 1, 1, 28), (14, 5, 3, 0, 4), (12, 3, 3, 1, 5),
    ],
)  # fmt: skip
def test_pools_round_up_as_caffe_does(size: int, kernel: int, stride: int, pad: int, expected: int) -> None:
    pooled = -(-(size + 2 * pad - kernel) // stride) + 1
    if pad and (pooled - 1) * stride >= size + pad:
        pooled -= 1
    assert pooled == expected
    given = {"kernel_size": kernel, "stride": stride, "pad": pad}
    text = data(2, size, size) + layer("pool", "Pooling", "data", pooling_param={"pool": "MAX", **given})
    assert shapes(text)["pool"] == (2, expected, expected)


def test_pools_may_round_down() -> None:
    given = {"kernel_size": 3, "stride": 2, "round_mode": "FLOOR"}
    assert shapes(data(2, 8, 8) + layer("pool", "Pooling", "data", pooling_param=given))["pool"] == (2, 3, 3)


def test_sizes_of_each_axis() -> None:
    given: dict[str, object] = {
        "num_output": 4,
        "kernel_h": 3,
        "kernel_w": 1,
        "stride_h": 2,
        "stride_w": 1,
        "pad_h": 1,
        "pad_w": 0,
    }
    text = data(2, 9, 7) + layer("conv", "Convolution", "data", convolution_param=given)
    assert shapes(text)["conv"] == (4, 5, 7)
    given = {"num_output": 4, "kernel_size": [3, 5], "dilation": 2}
    text = data(2, 9, 9) + layer("conv", "Convolution", "data", convolution_param=given)
    assert shapes(text)["conv"] == (4, 5, 1)
    # 2·8 + 2·(3 − 1) + 1, and 2·8 + 2·(5 − 1) + 1.
    text = data(2, 9, 9) + layer("up", "Deconvolution", "data", convolution_param={**given, "stride": 2})
    assert shapes(text)["up"] == (4, 21, 25)


def test_layers_that_cut_join_and_reorder() -> None:
    text = (
        data(6, 8, 4)
        + layer("slice", "Slice", "data", ["a", "b"], slice_param={"axis": 1, "slice_point": 2})
        + layer("rows", "Slice", "data", ["top", "end"], slice_param={"axis": 2})
        + layer("split", "Split", "a", ["a1", "a2"])
        + layer("sum", "Eltwise", ["a1", "a2"], eltwise_param={"operation": "SUM", "coeff": [1, -1]})
        + layer("product", "Eltwise", ["a1", "sum"], eltwise_param={"operation": "PROD"})
        + layer("most", "Eltwise", ["a1", "sum", "product"], eltwise_param={"operation": "MAX"})
        + layer("tall", "Concat", ["top", "end"], concat_param={"axis": 2})
        + layer("deep", "Concat", ["b", "product"])
        + layer("permute", "Permute", "deep", permute_param={"order": [0, 2, 3, 1]})
        + layer("flat", "Flatten", "permute")
        + layer("wide", "Flatten", "deep", flatten_param={"axis": 2})
        + layer("shaped", "Reshape", "deep", reshape_param={"shape": {"dim": [0, 0, -1, 2]}})
        + layer("probs", "Softmax", "deep", softmax_param={"axis": 3})
    )
    found = shapes(text)
    assert found["slice/0"] == (2, 8, 4)
    assert found["slice/1"] == (4, 8, 4)
    assert found["most/2/add"] == (2, 8, 4)
    assert found["rows/1"] == (6, 4, 4)
    assert found["tall/back"] == (6, 8, 4)
    assert found["deep"] == (6, 8, 4)
    assert found["permute"] == (8, 4, 6)
    assert found["flat"] == (192,)
    assert found["wide"] == (6, 32)
    assert found["shaped"] == (6, 16, 2)
    assert found["probs/back"] == (6, 8, 4)


def test_crop_cuts_from_the_offset_on() -> None:
    text = data(3, 9, 9) + layer("small", "Pooling", "data", pooling_param={"kernel_size": 3, "stride": 3})
    network = read_caffe(text + layer("crop", "Crop", ["data", "small"], crop_param={"axis": 2, "offset": [1, 4]}))
    assert network.nodes[-1].fields == {"margins": [1, 4, 5, 2]}
    channels = layer("few", "Convolution", "data", convolution_param={"num_output": 2, "kernel_size": 1})
    text = data(3, 9, 9) + channels + layer("crop", "Crop", ["data", "few"], crop_param={"axis": 1, "offset": 0})
    found = shapes(text)
    assert found["crop/channels"] == (2, 9, 9)
    assert found["crop/crop"] == (2, 9, 9)


def test_shared_names_share_weights() -> None:
    named = [{"name": "w"}, {"name": "b"}]
    given = {"num_output": 4, "kernel_size": 3, "pad": 1}
    text = data(4, 8, 8) + layer("first", "Convolution", "data", param=named, convolution_param=given)
    text += layer("second", "Convolution", "first", param=named, convolution_param=given)
    assert analysed(read_caffe(text)).totals.params == 4 * 4 * 9 + 4
    partly = text.replace("second", "third", 1).replace('name: "b"', 'name: "c"', 2)
    with pytest.raises(SpecError, match="shares some of its arrays"):
        read_caffe(partly.replace('name: "c"', 'name: "b"', 1))


def test_a_learning_rate_of_0_freezes() -> None:
    nodes = {node.name: node for node in read_caffe(FILES["fcn32s"]()).nodes}
    assert nodes["upscore"].frozen
    assert not nodes["conv1_1"].frozen


def test_squeeze_and_excitation() -> None:
    text = (
        data(4, 8, 8)
        + layer("pool", "Pooling", "data", pooling_param={"pool": "AVE", "global_pooling": True})
        + layer("gate", "Sigmoid", "pool")
        + layer("axpy", "Axpy", ["gate", "data", "data"])
        + layer("flat", "Flatten", "gate")
        + layer("scaled", "Scale", ["data", "flat"], scale_param={"axis": 0})
    )
    found = shapes(text)
    assert found["axpy/add"] == (4, 8, 8)
    assert found["scaled"] == (4, 8, 8)


def test_a_size_that_is_not_in_the_file_can_be_given() -> None:
    text = 'layer { name: "data" type: "HDF5Data" top: "data" top: "label" }\n'
    text += layer("ip", "InnerProduct", "data", inner_product_param={"num_output": 3})
    with pytest.raises(SpecError, match="the size of the input 'data' is not in the file"):
        read_caffe(text)
    assert analysed(read_caffe(text, shapes=(7,))).totals.params == 24
    assert analysed(read_caffe(FILES["lenet"](), shapes={"data": (3, 28, 28)})).totals.params == 431_080 + 1000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad.prototxt:1:1: there is no layer { … } in it, so it is no network of Caffe"),
        ('net: "train_val.prototxt"\nbase_lr: 0.01', "this is a solver, not a network"),
        ("layer { name: 'a'", "bad.prototxt:1:18: the file ends, and '}' is missing for the message in line 1"),
        ("layer {} }", "bad.prototxt:1:10: the name of a field is expected here, not '}'"),
        ("layer name", "bad.prototxt:1:7: ':' or '{' after layer is expected here, not 'name'"),
        ("layer: [1, 2", "',' or ']' is expected here, not the end of the file"),
        ('layer { name: "a }', "bad.prototxt:1:15: cannot read"),
        ("\x00\x01", "bad.prototxt:1:1: cannot read"),
        ("a {" * 40, "messages lie inside one another more than 32 deep"),
        ('layer { name: "a" }', 'bad.prototxt:1:1: layer "a": a layer needs a type'),
        ('layers { layer { name: "a" type: "conv" } }', "this is the format of 2013"),
        (data(3, 8, 8) + layer("a", "Convolutoin", "data"), "has no layer type 'Convolutoin' of Caffe; did you mean"),
        (data(3, 8, 8) + layer("a", "Python", "data"), "archcalc has no layer type 'Python'"),
        (data(3, 8, 8) + layer("a", "ReLU", "date"), "it reads 'date', which no layer before it writes"),
        (data(3, 8, 8) + layer("a", "Convolution", "data"), "it needs kernel_size, from 1 on"),
        (
            data(3, 8, 8) + layer("a", "Convolution", "data", convolution_param={"num_output": 1, "kernel_size": 9}),
            'bad.prototxt:2:1: layer "a" (conv2d): the window is larger than its input',
        ),
        (
            data(3, 8, 8) + layer("a", "InnerProduct", "data", inner_product_param={"num_output": 2**63}),
            "num_output should lie between 0 and",
        ),
        (data(3, 2**40, 8) + layer("a", "ReLU", "data"), "each from 1 to 1,048,576"),
        (data(0, 8, 8) + layer("a", "ReLU", "data"), "dim should lie between 1 and"),
        (data(10**20, 8, 8) + layer("a", "ReLU", "data"), "dim should lie between 1 and"),
        (data(3, 8, 8) + layer("a", "Pooling", "data", pooling_param={"pool": "MIN"}), "pool is 'MIN', not one of"),
        (data(3, 8, 8) + layer("a", "Slice", "data", ["b", "c"]), "3 cannot be cut into 2 equal parts"),
        (data(3, 8, 8) + layer("a", "Concat", ["data"], concat_param={"axis": 0}), "axis 0 is not among the axes"),
        (data(3, 8, 8) + layer("a", "ReLU", "data", ["b", "c"]), "it has 2 tops, ReLU gives 1"),
        (data(3, 8, 8) + layer("a", "Convolution", [], convolution_param={"kernel_size": 1}), "it needs a bottom"),
        ("layer: 3", "layer should be a message, layer { … }, not '3'"),
        ("layer { name { } }", "name should be a value, name: …, not a message"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        to_network(read_caffe(text, "bad.prototxt"))
    assert message in str(raised.value)


@pytest.mark.slow
def test_settings_that_are_not_read_are_noted() -> None:
    given = {"num_output": 4, "kernel_size": 3, "output_padding": 1, "weight_filler": {"type": "xavier"}}
    network = read_caffe(data(3, 8, 8) + layer("up", "Deconvolution", "data", convolution_param=given))
    assert network.notes == ("up: output_padding of convolution_param is not read",)


def test_a_million_layers_are_refused_within_bounds() -> None:
    with pytest.raises(SpecError, match=r"more than 50,000 times layer"):
        read_caffe("layer{}" * 500_000, "bad.prototxt")


@pytest.mark.parametrize(
    ("given", "op", "fields"),
    [({"scale": 0.5, "shift": 2}, "rescale", {"factor": 0.5, "offset": 2}), ({"shift": -3}, "rescale", {"offset": -3}),
     ({"scale": 0.5}, "multiply", {"factor": 0.5}), ({"power": 2, "scale": 3}, "multiply", {"factor": 9}),
     ({"power": 0.5}, "power", {"exponent": 0.5}), ({"power": 3, "shift": 1}, "opaque", {}),
     ({"power": 0}, "opaque", {})],
)  # fmt: skip
def test_a_power_is_the_simplest_layer_that_gives_it(
    given: dict[str, float], op: str, fields: dict[str, float]
) -> None:
    """(shift + scale·x)^power."""
    (node,) = read_caffe(data(3, 4, 4) + layer("p", "Power", "data", power_param=given), "test.prototxt").nodes
    assert (node.op, {**node.fields, **fields}) == (op, node.fields)
