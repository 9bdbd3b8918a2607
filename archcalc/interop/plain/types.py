"""Element types of plain arrays, as numpy names them, and how values become values of a type."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterable
from functools import cache
from typing import Any

#: Kind, bytes, and letter of `array` and `struct`; types without a letter have a name and no values.
_TYPES = {
    "bool": ("b", 1, "?"), "int8": ("i", 1, "b"), "int16": ("i", 2, "h"), "int32": ("i", 4, "i"),
    "int64": ("i", 8, "q"), "uint8": ("u", 1, "B"), "uint16": ("u", 2, "H"), "uint32": ("u", 4, "I"),
    "uint64": ("u", 8, "Q"), "float16": ("f", 2, "e"), "float32": ("f", 4, "f"), "float64": ("f", 8, "d"),
    "complex64": ("c", 8, ""), "complex128": ("c", 16, ""), "object": ("O", 8, ""),
}  # fmt: skip
_SHORT = {"<f4": "float32", "<f8": "float64", "int": "int64", "float": "float64"}
#: Bytes of the decimals that hold every whole number of so many bytes.
_DECIMALS = {1: 2, 2: 4, 4: 8, 8: 8}


class Dtype:
    """The type of the values of an array. There is one object of each."""

    byteorder = "="

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind, self.itemsize, self.letter = _TYPES.get(name, ("V", 1, ""))

    def __repr__(self) -> str:
        return self.name

    def cast(self, values: Iterable[Any]) -> list[Any]:
        """Values as values of this type: whole numbers wrap around, decimals are rounded."""
        if not self.letter:
            raise TypeError(f"there is no arithmetic with {self.name}")
        if self.kind == "b":
            return [bool(value) for value in values]
        if self.kind == "f":
            if self.letter == "e":
                return [_half(float(value)) for value in values]
            return array(self.letter, [float(value) for value in values]).tolist()
        count = 1 << 8 * self.itemsize
        lowest = -count // 2 if self.kind == "i" else 0
        return [(int(value) - lowest) % count + lowest for value in values]

    def read(self, data: bytes) -> list[Any]:
        """The values in bytes, the lowest first."""
        if not self.letter or len(data) % self.itemsize:
            raise ValueError(f"{len(data)} bytes are no values of {self.name}")
        return list(struct.unpack(f"<{len(data) // self.itemsize}{self.letter}", data))

    def write(self, values: list[Any]) -> bytes:
        """The bytes of values."""
        return struct.pack(f"<{len(values)}{self.letter}", *values)


def _half(value: float) -> float:
    try:
        return float(struct.unpack("<e", struct.pack("<e", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


@cache
def _named(name: str) -> Dtype:
    return Dtype(name)


def dtype(of: Any) -> Dtype:
    """The type of this name, or of this type of Python or of another package."""
    if isinstance(of, Dtype):
        return of
    name = of if isinstance(of, str) else getattr(of, "name", None) or of.__name__
    return _named(_SHORT.get(name, name))


BOOL, INT64, FLOAT16, FLOAT32, FLOAT64 = map(dtype, ("bool", "int64", "float16", "float32", "float64"))


def of_number(value: Any) -> Dtype:
    """The type of a Python number."""
    return BOOL if isinstance(value, bool) else FLOAT64 if isinstance(value, float) else INT64


def common(first: Dtype, second: Dtype) -> Dtype:
    """The type that holds the values of both."""
    if first is second:
        return first
    low, high = sorted((first, second), key=lambda each: ("buif".index(each.kind), each.itemsize))
    if low.kind == "b":
        return high
    if low.kind == high.kind:
        return high
    if high.kind == "f":
        return dtype(f"float{8 * max(high.itemsize, _DECIMALS[low.itemsize])}")
    if high.itemsize > low.itemsize:
        return high
    return dtype(f"int{16 * low.itemsize}") if low.itemsize < 8 else FLOAT64


def with_number(own: Dtype, value: Any) -> Dtype:
    """The type of an array and a Python number, which takes on the type of the array where it can."""
    if isinstance(value, bool):
        return own
    if isinstance(value, float):
        return own if own.kind == "f" else FLOAT64
    return own if own.kind != "b" else INT64


def as_decimal(own: Dtype) -> Dtype:
    """The type in which a function such as the square root gives its values."""
    return own if own.kind == "f" else common(FLOAT16, own)
