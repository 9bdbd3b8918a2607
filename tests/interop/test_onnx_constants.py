"""The arrays of ONNX files: their types, sizes and places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archcalc.core.errors import UsageError

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

from onnx import TensorProto, helper

from archcalc.interop.onnx_constants import Stored, of_tensor
from archcalc.interop.onnx_file import OnnxFile
from archcalc.interop.onnx_read import read_program
from tests.interop.onnx_models import model, weights


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dims": [3, -1]}, "has the shape 3×-1, which no array has"),
        ({"dims": [1 << 62, 1 << 62]}, "which no array has"),
        ({"dims": [4]}, "has 12 bytes; 4 float32 need 16"),
        ({"data_type": 99}, "unknown type 99"),
    ],
)
def test_arrays_that_make_no_sense(change: dict[str, Any], message: str) -> None:
    proto = model([helper.make_node("Add", ["x", "w"], ["y"])], (1, 3), {"w": weights(3)})
    tensor = proto.graph.initializer[0]
    for name, value in change.items():
        if name == "dims":
            del tensor.dims[:]
            tensor.dims.extend(value)
        else:
            setattr(tensor, name, value)
    with pytest.raises(UsageError, match=message):
        read_program(proto)


#: Types by the bits of a value, and how many numbers hold five values where they are not raw.
TYPES = {
    "FLOAT": (32, 5), "DOUBLE": (64, 5), "FLOAT16": (16, 5), "INT64": (64, 5), "BOOL": (8, 5), "BFLOAT16": (16, 5),
    "FLOAT8E4M3FN": (8, 5), "INT4": (4, 3), "UINT2": (2, 2), "COMPLEX64": (64, 10), "COMPLEX128": (128, 10),
}  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("is_raw", [True, False])
def test_an_array_has_as_many_values_as_its_shape(name: str, is_raw: bool) -> None:
    bits, numbers = TYPES[name]
    kind = getattr(TensorProto, name)
    for more in (-1, 0, 1):
        tensor = TensorProto(name="w", dims=[5], data_type=kind)
        if is_raw:
            held, what = -(-5 * bits // 8), "bytes"
            tensor.raw_data = bytes(held + more)
        else:
            held, what = numbers, f"numbers of {helper.tensor_dtype_to_field(kind)}"
            getattr(tensor, helper.tensor_dtype_to_field(kind)).extend([0] * (held + more))
        if more == 0:
            assert _stored(tensor).shape == (5,)
            continue
        with pytest.raises(UsageError, match=f"'w' has {held + more} {what}; 5 .* need {held}"):
            _stored(tensor)


@pytest.mark.parametrize("field", ["float_data", "double_data", "raw_data"])
@pytest.mark.parametrize("rows", [1000, 1001])
def test_an_array_that_is_left_in_the_file_has_as_many_values_as_its_shape(
    field: str, rows: int, tmp_path: Path
) -> None:
    kind = TensorProto.DOUBLE if field == "double_data" else TensorProto.FLOAT
    tensor = TensorProto(name="w", dims=[rows, 3], data_type=kind)
    if field == "raw_data":
        tensor.raw_data = bytes(12_000)
    else:
        getattr(tensor, field).extend([0.5] * 3000)
    proto = model([helper.make_node("MatMul", ["x", "w"], ["y"])], (1, rows), kind=kind)
    proto.graph.initializer.append(tensor)
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    if rows == 1000:
        read_program(path)
        return
    with pytest.raises(UsageError, match=r"'w' has (3|12),000 (numbers of|bytes).*; 1001×3 .* need (3,003|12,012)"):
        read_program(path)


def _stored(tensor: TensorProto) -> Stored:
    return of_tensor(tensor, "w", None, OnnxFile("m.onnx", model([]), {}, bytes), True)


def _stored_at(location: str) -> Any:
    """A model whose weights are in another file."""
    proto = model([helper.make_node("Conv", ["x", "w"], ["y"])], arrays={"w": weights(4, 3, 3, 3)})
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return proto


def test_external_data_is_not_read() -> None:
    constant = read_program(_stored_at("folder/weights.bin")).constants["w"]
    assert (constant.shape, constant.load) == ((4, 3, 3, 3), None)


@pytest.mark.parametrize(
    "location", ["../../../../etc/passwd", "/etc/passwd", "a/../../b", r"..\b", r"C:\b", r"\\host\b"]
)
def test_external_data_outside_of_the_folder_is_refused(location: str) -> None:
    with pytest.raises(UsageError, match="outside of the folder of the model"):
        read_program(_stored_at(location))
