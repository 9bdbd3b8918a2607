"""The structure of an ONNX file is read without its arrays, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archcalc.core.errors import UsageError

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

import onnx
from onnx import helper, numpy_helper

from archcalc.interop import onnx_file
from archcalc.interop.onnx_file import open_model
from archcalc.interop.onnx_read import read_program
from tests.interop.onnx_models import model, weights, written

LARGE = weights(40, 30, 3, 3)


def saved(path: Path, proto: onnx.ModelProto) -> Path:
    path.write_bytes(proto.SerializeToString())
    return path


def convolution() -> onnx.ModelProto:
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"])
    return model([node], (1, 30, 8, 8), {"w": LARGE, "b": weights(40)})


def test_large_arrays_stay_in_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", convolution())
    opened = open_model(path)
    assert opened.model.ByteSize() < 1000 < path.stat().st_size
    assert [(way[-1], span.length) for way, span in opened.spans.items()] == [((5, 0), LARGE.nbytes)]
    whole = convolution()
    whole.graph.initializer[0].ClearField("raw_data")
    assert opened.model == whole


@pytest.mark.parametrize("by_value", [False, True], ids=["raw_data", "float_data"])
def test_arrays_are_loaded_when_asked_for(tmp_path: Path, by_value: bool) -> None:
    proto = convolution()
    if by_value:
        proto.graph.initializer[0].CopyFrom(helper.make_tensor("w", 1, LARGE.shape, LARGE.reshape(-1)))
    program = read_program(saved(tmp_path / "net.onnx", proto))
    load = program.constants["w"].load
    assert load is not None
    np.testing.assert_array_equal(load(), LARGE)


def test_arrays_of_constant_nodes_stay_too(tmp_path: Path) -> None:
    constant = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(LARGE))
    proto = model([constant, helper.make_node("Conv", ["x", "w"], ["y"])], (1, 30, 8, 8))
    path = saved(tmp_path / "net.onnx", proto)
    assert open_model(path).model.ByteSize() < 1000
    program = read_program(path)
    load = program.constants["w"].load
    assert load is not None
    np.testing.assert_array_equal(load(), LARGE)
    assert program.constants["w"].role == "parameter"


def test_a_file_that_changes_is_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", convolution())
    load = read_program(path).constants["w"].load
    path.write_bytes(path.read_bytes()[:100])
    assert load is not None
    with pytest.raises(UsageError, match="has changed since it was opened"):
        load()


def refused(path: Path, data: bytes) -> UsageError | None:
    """Why these bytes are not read."""
    path.write_bytes(data)
    try:
        read_program(path)
    except UsageError as error:
        return error
    return None


def test_every_truncation_is_an_error_or_a_smaller_model(tmp_path: Path) -> None:
    whole = convolution().SerializeToString()
    path = tmp_path / "net.onnx"
    ends = [*range(0, 60), *range(60, len(whole), 997), *range(len(whole) - 150, len(whole))]
    errors = [str(error) for end in ends if (error := refused(path, whole[:end])) is not None]
    assert all(error.startswith(str(path)) for error in errors)
    assert len(errors) >= len(ends) - 1  # without its last field, the opset, a model may still be one


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty, and no ONNX model"),
        (b"name: resnet\nlayers: []\n", "is no ONNX model, or is damaged"),
        (b"PK\x03\x04" + b"\0" * 60, "is no ONNX model, or is damaged"),
        (b"\x08\x0a", "it holds no graph"),
        (b"\x08" + b"\xff" * 11, "a number of more than 64 bits"),
        (b"\x3a\x00\x3a\x00", "it holds two graphs"),
        (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "goes beyond the end"),
        (b"\x0b", "wire type 3"),
        (b"\0" * 60, "a field with the number 0 at byte 0"),
    ],
)
def test_what_is_no_model(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=message):
        open_model(path)


@pytest.mark.parametrize(
    ("op", "shape", "bias", "given", "message"),
    [
        ("Conv", (4, 3, 3, 3), 4, {"group": 2}, "2 groups do not divide its 3 channels and 4 filters"),
        ("Conv", (4, 1, 3, 3), 4, {"group": 3}, "3 groups do not divide its 3 channels and 4 filters"),
        ("Conv", (4, 2, 3, 3), 4, {}, "weights 4×2×3×3 do not fit: with 3 channels in 1 groups their second size is 3"),
        ("Conv", (4, 3, 3, 3), 5, {}, "its bias is 5, and it has 4 filters"),
        ("Conv", (4, 3, 3, 3), 4, {"kernel_shape": [5, 5]}, r"kernel_shape is \[5, 5\], its weights are 4×3×3×3"),
        ("ConvTranspose", (3, 2, 3, 3), 4, {"group": 2}, "(groups do not divide|divisible by group)"),
        ("ConvTranspose", (2, 4, 3, 3), 4, {}, "their first size is 3, not 2"),
    ],
)
def test_weights_that_do_not_fit_a_convolution(
    op: str, shape: tuple[int, ...], bias: int, given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    node = helper.make_node(op, ["x", "w", "b"], ["y"], name="first", **given)
    proto = model([node], (1, 3, 8, 8), {"w": weights(*shape), "b": weights(bias)})
    with pytest.raises(UsageError, match=f"first.*{message}"):
        read_program(saved(tmp_path / "net.onnx", proto))


def test_nesting_has_an_end(tmp_path: Path) -> None:
    inner = b""
    for _ in range(300):  # a graph in an attribute of a node of a graph
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            length, head = len(inner), bytearray()
            while length > 127:
                head.append(length & 127 | 128)
                length >>= 7
            inner = tag + bytes(head) + bytes([length]) + inner
    path = tmp_path / "net.onnx"
    size, head = len(inner), bytearray(b"\x3a")
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    path.write_bytes(bytes(head) + bytes([size]) + inner)
    with pytest.raises(UsageError, match="nests too deeply"):
        open_model(path)


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "net.onnx", written("g (float[1] x) => (float[1] y) {a = Relu(x) b = Relu(a) y = Relu(b)}"))
    monkeypatch.setattr(onnx_file, "MOST_NODES", 2)
    with pytest.raises(UsageError, match="more than 2 nodes"):
        open_model(path)
    monkeypatch.undo()
    monkeypatch.setattr(onnx_file, "LARGEST_STRUCTURE", 10)
    with pytest.raises(UsageError, match="besides its arrays"):
        open_model(path)
    monkeypatch.undo()
    monkeypatch.setattr(onnx_file, "MOST_FIELDS", 3)
    with pytest.raises(UsageError, match="more than 3 fields"):
        open_model(path)


def test_without_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    path = saved(tmp_path / "net.onnx", convolution())
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match=r"needs the package onnx: pip install 'archcalc\[onnx\]'"):
        open_model(path)
