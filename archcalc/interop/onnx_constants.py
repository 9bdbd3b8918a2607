"""The constants of an ONNX graph: arrays that are stored, and those computed from them when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

from archcalc.core.errors import UsageError
from archcalc.interop.arrays import np
from archcalc.interop.onnx_file import OnnxFile, Span
from archcalc.interop.onnx_fold import MOST_VALUES, Array, fold

if TYPE_CHECKING:
    import onnx

Sizes = tuple[int, ...]
#: No array has more values: shapes of 2⁶³ are typed by attackers only.
MOST_ELEMENTS = 1 << 40
#: Single numbers and short lists of decimals are read; longer ones are weights.
MOST_DECIMALS = 16


#: How an array is computed from others.
Compute = Callable[[Sequence["Array | None"]], Array]


@dataclass(frozen=True, eq=False)
class Stored:
    """A constant: an array that is read, or one computed from others. Its values are only there when asked for.

    `sources` are the initialisers that it comes from, with their sizes.
    """

    name: str
    shape: Sizes
    dtype: np.dtype[Any]
    read: Callable[[], Array] | None = None
    inputs: tuple[Stored | None, ...] = ()
    compute: Compute | None = None
    #: The operation that computes it, where it is one of ONNX.
    op: str = ""
    sources: Mapping[str, int] = field(default_factory=dict)
    #: Whether its values can be had: not where they are in another file.
    is_there: bool = field(init=False)
    #: At most so many values are computed to load it.
    work: int = field(init=False)

    def __post_init__(self) -> None:
        inputs = [each for each in self.inputs if each is not None]
        is_there = self.read is not None if self.compute is None else all(each.is_there for each in inputs)
        object.__setattr__(self, "is_there", is_there)
        object.__setattr__(self, "work", min(self.size + sum(each.work for each in inputs), MOST_ELEMENTS))

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def is_decimal(self) -> bool:
        """Whether its values are no whole numbers or truth values."""
        return self.dtype.kind not in "iub"

    @property
    def is_known(self) -> bool:
        """Whether its values are few enough to be computed with while the file is read."""
        most = MOST_DECIMALS if self.is_decimal and self.sources else MOST_VALUES
        return self.read is not None and self.size <= most and self.dtype.kind in "iubf"

    @cached_property
    def values(self) -> Array:
        """Its values, for one that is known."""
        assert self.read is not None
        return self.read()

    def load(self) -> Array:
        """Its values. Each constant on the way is computed once."""
        done: dict[int, Array] = {}
        waiting: list[Stored] = [self]
        while waiting:
            stored = waiting[-1]
            missing = [each for each in stored.inputs if each is not None and id(each) not in done]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if id(stored) in done:
                continue
            if stored.compute is not None:
                arrays = [None if each is None else done[id(each)] for each in stored.inputs]
                done[id(stored)] = stored.compute(arrays).reshape(stored.shape)
            else:
                assert stored.read is not None, stored.name
                done[id(stored)] = stored.read()
        return done[id(self)]

    def changed(self, name: str, shape: Sizes, change: Callable[[Array], Array], dtype: Any = None) -> Stored:
        """The constant in another form of the same values, computed when it is loaded."""

        def compute(arrays: Sequence[Array | None]) -> Array:
            assert arrays[0] is not None
            return change(arrays[0])

        return Stored(name, shape, dtype or self.dtype, None, (self,), compute, sources=self.sources)


def of_array(name: str, array: Array, sources: Mapping[str, int] | None = None) -> Stored:
    """A constant that is known."""
    return Stored(name, array.shape, array.dtype, lambda: array, sources=sources or {})


def derived(
    name: str, op: str, attributes: Mapping[str, Any], opset: int, inputs: Sequence[Stored | None], index: int,
    shape: Sizes, dtype: np.dtype[Any],
) -> Stored:  # fmt: skip
    """Output `index` of an operation on constants, computed when it is loaded."""

    def compute(arrays: Sequence[Array | None]) -> Array:
        return fold(op, attributes, opset, arrays)[index]

    return Stored(name, shape, dtype, None, tuple(inputs), compute, op, all_sources(inputs))


def all_sources(inputs: Iterable[Stored | None]) -> dict[str, int]:
    """The initialisers that constants come from."""
    return {name: size for each in inputs if each is not None for name, size in each.sources.items()}


def of_tensor(tensor: onnx.TensorProto, name: str, span: Span | None, file: OnnxFile, is_initializer: bool) -> Stored:
    """A constant of a file. Raises `UsageError` where its shape does not fit its bytes."""
    from onnx import TensorProto
    from onnx.helper import tensor_dtype_to_np_dtype

    shape = tuple(tensor.dims)
    what = f"{file.name}: the array {name[:200]!r}"
    if any(size < 0 for size in shape) or len(shape) > 64 or math.prod(shape) > MOST_ELEMENTS:
        raise UsageError(f"{what} has the shape {'×'.join(map(str, shape))[:200]}, which no array has")
    try:
        dtype = np.dtype(tensor_dtype_to_np_dtype(tensor.data_type))
    except KeyError:
        raise UsageError(f"{what} has the unknown type {tensor.data_type}") from None
    sources = {name: math.prod(shape)} if is_initializer or math.prod(shape) > MOST_DECIMALS else {}
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        for entry in tensor.external_data:
            path = PureWindowsPath(entry.value)  # its separators are those of every system
            if entry.key == "location" and (path.drive or path.root or ".." in path.parts):
                raise UsageError(f"{what} is said to be in {entry.value[:200]!r}, outside of the folder of the model")
        return Stored(name, shape, dtype, sources=sources)
    _want_whole(what, tensor, span, shape, dtype)
    return Stored(name, shape, dtype, lambda: _loaded(what, tensor, span, file, shape), sources=sources)


#: Bits of a value of each type but texts.
_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
    17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2, 27: 6, 28: 6,
}  # fmt: skip
_COMPLEX = (14, 15)


def _want_whole(what: str, tensor: onnx.TensorProto, span: Span | None, shape: Sizes, dtype: np.dtype[Any]) -> None:
    """Raise `UsageError` where a tensor has another number of values than its shape; it may be without any."""
    from onnx.helper import tensor_dtype_to_field

    count, bits = math.prod(shape), _BITS.get(tensor.data_type)
    if bits is None:
        return
    field = tensor_dtype_to_field(tensor.data_type)
    if raw := span.length if span is not None and span.field not in _FIELDS else len(tensor.raw_data):
        found, wanted, unit = raw, -(-count * bits // 8), "bytes"
    else:
        found = len(getattr(tensor, field)) if span is None else span.length // (4 if span.field == 4 else 8)
        # A number of the field is a byte with several values, a value, or a half of one.
        wanted = 2 * count if tensor.data_type in _COMPLEX else -(-count // max(8 // bits, 1))
        unit = f"numbers of {field}"
    if found and found != wanted:
        sizes = "×".join(map(str, shape)) or "one"
        raise UsageError(f"{what} has {found:,} {unit}; {sizes} {dtype.name} need {wanted:,}")


_FIELDS = {4: "<f4", 10: "<f8"}


def _loaded(what: str, tensor: onnx.TensorProto, span: Span | None, file: OnnxFile, shape: Sizes) -> Array:
    from onnx import TensorProto
    from onnx.numpy_helper import to_array

    try:
        if span is None:
            return np.asarray(to_array(tensor)).reshape(shape)
        data = file.read(span)
        if span.field in _FIELDS:
            return np.frombuffer(data, _FIELDS[span.field]).reshape(shape)
        whole = TensorProto(dims=tensor.dims, data_type=tensor.data_type, raw_data=data)
        return np.asarray(to_array(whole)).reshape(shape)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{what} cannot be read: {str(error)[:200]}") from None
