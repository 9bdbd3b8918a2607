"""Model files wherever a network is asked for: how a name is read, and the messages for files without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from archcalc.core.errors import SpecError, UsageError
from archcalc.execute.model_weights import ModelWeights, has_weights, own_weights, without_weights
from archcalc.execute.weights import SeededWeights
from archcalc.interop import models
from archcalc.interop.foreign import ForeignNetwork, ForeignNode, to_network
from archcalc.interop.suffixes import FORMATS, NO_NETWORK, is_model
from archcalc.passes.analysis import analyse
from tests.cli.runner import Run

CFG = """[net]
height=16
width=16
channels=3
[convolutional]
filters=8
size=3
pad=1
activation=leaky
[maxpool]
size=2
stride=2
"""
PROTOTXT = """name: "tiny"
input: "data"
input_shape { dim: 1 dim: 3 dim: 16 dim: 16 }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 8 kernel_size: 3 } }
layer { name: "fc" type: "InnerProduct" bottom: "conv1" top: "fc" inner_product_param { num_output: 10 } }
"""
#: 8 filters of 3·3·3 and their biases; 10 neurons of 14·14·8 inputs.
PARAMS = {"cfg": 8 * 28, "prototxt": 8 * 28 + 10 * (14 * 14 * 8 + 1)}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    for name, text in (("cfg", CFG), ("prototxt", PROTOTXT)):
        (tmp_path / f"tiny.{name}").write_text(text)
    return {name: str(tmp_path / f"tiny.{name}") for name in ("cfg", "prototxt")}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.onnx", True), ("dir/B.ONNX", True), ("x.pt2", True), ("deploy.prototxt", True), ("yolo.cfg", True),
        ("py:torchvision.models:resnet50", True), ("w.pth", True), ("alexnet", False), ("net.yaml", False),
        ("8x8x3 -> fc10", False), ("resnet50@v1", False), ("fam.yaml@a.cfg", True),
    ],
)  # fmt: skip
def test_a_name_says_what_is_read(name: str, found: bool) -> None:
    assert is_model(name) is found


def test_every_format_has_a_reader() -> None:
    assert set(FORMATS.values()) == set(models.READERS)
    assert not FORMATS.keys() & NO_NETWORK.keys()


@pytest.mark.parametrize("kind", PARAMS)
def test_a_model_file_is_a_network(files: dict[str, str], kind: str) -> None:
    for given in (files[kind], Path(files[kind])):
        assert ac.load(given).analyse().totals.params == PARAMS[kind]


def test_another_input_is_read_again(files: dict[str, str]) -> None:
    assert ac.load(files["cfg"], input="32x32x3").analyse().rows[-1].output_shape == (8, 16, 16)
    wide = ac.load(files["prototxt"], input_shape=(3, 16, 20)).analyse()
    assert wide.totals.params == 8 * 28 + 10 * (14 * 18 * 8 + 1)
    again = ac.load(files["prototxt"]).with_input((3, 16, 20))
    assert analyse(again).totals.params == wide.totals.params


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": {"alpha": 1}}, "has no parameters that --set could change"),
        ({"call": {"a": 1}}, "--call is for py:package.module:callable"),
        ({"input": "mask=16x16x3"}, "mask"),
    ],
)  # fmt: skip
def test_what_a_file_does_not_have(files: dict[str, str], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((UsageError, SpecError), match=message):
        ac.load(files["prototxt"], **arguments)


@pytest.mark.parametrize("suffix", NO_NETWORK)
def test_files_without_a_network_say_what_to_do(archcalc: Run, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model{suffix.upper()}"
    path.write_bytes(b"\x80\x04.")
    result = archcalc("report", path)
    assert result.code == 2
    assert NO_NETWORK[suffix] in result.err
    assert result.err.count("\n") == 1


def test_a_file_that_is_not_there(archcalc: Run, tmp_path: Path) -> None:
    for suffix in FORMATS.keys() - {".pt2"}:
        result = archcalc("report", tmp_path / f"none{suffix}")
        assert (result.code, "there is no file" in result.err) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("report",), ("report", "--depth", "1"), ("explain",), ("spec",), ("formula",), ("run",), ("exercise",),
        ("explain", "--quantity", "params"), ("formula", "--multiplications"), ("check", "--params", "224"),
        ("draw", "-o", "-", "-f", "svg"), ("gradients", "--init", "he"), ("compare",),
    ],
)  # fmt: skip
def test_every_command_takes_a_model_file(archcalc: Run, files: dict[str, str], words: tuple[str, ...]) -> None:
    command, *options = words
    more = [files["prototxt"]] if command == "compare" else []
    result = archcalc(command, files["cfg"], *more, *options)
    assert (result.code, result.err.count("Traceback")) == (0, 0), result.err
    assert result.out


def test_solve_for_the_input_of_a_file(archcalc: Run, files: dict[str, str]) -> None:
    result = archcalc("solve", files["cfg"], "--for", "input", "--activations", str(32 * 32 * 3 + 32 * 32 * 8 + 2048))
    assert "32" in result.out
    refused = archcalc("solve", files["cfg"], "--for", "alpha", "--params", "4")
    assert (refused.code, "has no parameter 'alpha'" in refused.err) == (2, True)


def test_the_yaml_of_a_file_is_the_same_network(archcalc: Run, files: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "net.yaml"
    archcalc("spec", files["prototxt"], "-o", out)
    assert archcalc("report", out, "--format", "csv").out == archcalc("report", files["prototxt"], "-f", "csv").out


@pytest.mark.parametrize(
    ("name", "says"),
    [("zero.keras", "is no regular file"), ("zero.h5", "is no regular file"), ("zero.onnx", "is a device, not a file")],
)
def test_a_device_is_no_model(archcalc: Run, tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / name).symlink_to("/dev/zero")
    result = archcalc("report", tmp_path / name)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert f"{name}: it {says}" in result.err


def test_call_is_for_code_alone(archcalc: Run) -> None:
    result = archcalc("report", "alexnet", "--call", "weights=none")
    assert (result.code, "--call is for py:" in result.err) == (2, True)


def _with_weights(**arrays: Any) -> ac.Network:
    held = {name: (lambda value=value: value) for name, value in arrays.items()}
    node = ForeignNode("block/fc", "linear", {"out_features": 2}, ("data",), arrays=held)
    return ac.Network.of(to_network(ForeignNetwork("n", "N", {"data": (3,)}, (node,), {"out": "block/fc"})))


def test_weights_that_came_along_are_used() -> None:
    weight, bias = np.array([[1, 2, 3], [4, 5, 6]]), np.array([10, 20])
    network = _with_weights(weight=weight, bias=bias)
    x = np.array([[1.0, 10.0, 100.0]], dtype=np.float32)
    assert ac.run(network, x).outputs["output"].tolist() == [[331.0, 674.0]]
    assert isinstance(own_weights(network.analyse()), ModelWeights)


def _half_known(count: int) -> ac.Network:
    """A dense layer with weights, and then so many of which the file has one array of two."""
    weights = {"weight": lambda: np.array([[1.0, 2], [3, 4]]), "bias": lambda: np.array([10.0, 20])}
    nodes = [ForeignNode("fc", "linear", {"out_features": 2}, ("data",), arrays=weights)]
    for index in range(count):
        held = {"weight": lambda: np.ones((2, 2))}
        nodes.append(ForeignNode(f"x{index}", "linear", {"out_features": 2}, (nodes[-1].name,), arrays=held))
    foreign = ForeignNetwork("n", "N", {"data": (2,)}, tuple(nodes), {"first": "fc", "last": nodes[-1].name})
    return ac.Network.of(to_network(foreign))


@pytest.mark.parametrize(
    ("count", "says"),
    [(1, "random ones in 1 layer: x0"), (3, "random ones in 3 layers: x0, x1, x2"),
     (5, "random ones in 5 layers: x0, x1, x2 and 2 more")],
)  # fmt: skip
def test_layers_without_all_weights_have_random_ones_and_are_named(count: int, says: str) -> None:
    """Arrays of one layer are not mixed with random ones."""
    network = _half_known(count)
    analysis = network.analyse()
    missing = [f"x{index}" for index in range(count)]
    assert (has_weights(analysis), without_weights(analysis)) == (False, missing)
    run = ac.run(network, np.array([[1, 1]], np.float32))
    assert run.outputs["first"].tolist() == [[13, 27]]
    assert run.random == tuple(missing)
    assert repr(run).endswith(f"; 0 differences; not all weights: {says}>")
    sizes = {"weight": (2, 2), "bias": (2,)}
    found, made = (weights.of("x0", sizes) for weights in (own_weights(analysis), SeededWeights(analysis.graph)))
    assert {name: array.tolist() for name, array in found.items()} == {name: made[name].tolist() for name in sizes}


def test_run_names_the_layers_with_random_weights(archcalc: Run, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")
    from tests.interop.onnx_models import model

    nodes = [onnx.helper.make_node("Conv", [x, w], [y]) for x, w, y in (("x", "a.w", "h"), ("h", "b.w", "y"))]
    proto = model(nodes, arrays={name: np.ones((3, 3, 1, 1), np.float32) for name in ("a.w", "b.w")})
    proto.graph.initializer[1].ClearField("raw_data")
    proto.graph.initializer[1].data_location = onnx.TensorProto.EXTERNAL
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    result = archcalc("run", tmp_path / "m.onnx", "--seed", 5)
    layer = ac.load(tmp_path / "m.onnx").layers[-1].name
    assert f"m.onnx does not hold all weights: random ones in 1 layer: {layer}\n" in result.err
    assert "m.onnx; where it has none, seed 5" in result.out.replace("\n", " ")


def test_a_network_without_any_weights_has_no_layer_that_lacks_some() -> None:
    network = ac.load("lenet5")
    assert isinstance(own_weights(network.analyse()), SeededWeights)
    assert ac.run(network).random == ()


@pytest.mark.parametrize(
    ("bias", "message"),
    [(np.ones(3), r"block/fc.bias is \(3,\), the layer wants \(2,\)"), (np.array([1, np.nan]), "not finite")],
)
def test_faulty_weights_are_refused(bias: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ac.run(_with_weights(weight=np.ones((2, 3)), bias=bias))
