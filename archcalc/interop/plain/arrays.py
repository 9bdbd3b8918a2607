"""An array in plain Python: its values in one list, in the order of numpy. What is derived from one is a copy."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

from archcalc.interop.plain.types import BOOL, FLOAT64, Dtype, as_decimal, common, dtype, of_number, with_number

Sizes = tuple[int, ...]


class ndarray:  # noqa: N801  # numpy's name
    """Sizes, the type, and the values."""

    def __init__(self, values: list[Any], shape: Sizes, kind: Dtype) -> None:
        if len(values) != math.prod(shape):
            raise ValueError(f"cannot reshape array of size {len(values)} into shape {shape}")
        self.values, self.shape, self.dtype = values, tuple(shape), kind

    # --- sizes

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return len(self.values)

    def __len__(self) -> int:
        return self.shape[0]

    def strides(self) -> Sizes:
        """How far apart neighbours are along each axis, in values."""
        return tuple(math.prod(self.shape[axis + 1 :]) for axis in range(self.ndim))

    def reshape(self, *sizes: Any) -> ndarray:
        """The same values in other sizes, of which one may be −1."""
        wanted = [int(size) for size in (sizes[0] if sizes and not isinstance(sizes[0], int) else sizes)]
        if wanted.count(-1) == 1:
            others = math.prod(size for size in wanted if size != -1)
            wanted[wanted.index(-1)] = self.size // others if others else 0
        return ndarray(self.values, tuple(wanted), self.dtype)

    def flatten(self) -> ndarray:
        return self.reshape(-1)

    @property
    def T(self) -> ndarray:  # noqa: N802  # numpy's name
        return self.turned(range(self.ndim)[::-1])

    def turned(self, axes: Sequence[int]) -> ndarray:
        """The axes in another order."""
        if sorted(axis % self.ndim for axis in axes) != list(range(self.ndim)):
            raise ValueError("axes don't match array")
        strides = self.strides()
        return self.picked([[at * strides[axis] for at in range(self.shape[axis])] for axis in axes])

    def spread(self, shape: Sequence[int]) -> ndarray:
        """Repeated along axes of size 1, and along new ones in front."""
        own = (1,) * (len(shape) - self.ndim) + self.shape
        strides = (0,) * (len(shape) - self.ndim) + self.strides()
        if len(own) > len(shape) or any(had not in (1, size) for had, size in zip(own, shape, strict=True)):
            raise ValueError(f"shapes {self.shape} and {tuple(shape)} do not fit")
        if own == tuple(shape):
            return self.reshape(shape)
        return self.picked(
            [[at * step * (had > 1) for at in range(size)] for had, size, step in zip(own, shape, strides, strict=True)]
        )

    def picked(self, tables: Sequence[Sequence[int]], shape: Sizes | None = None) -> ndarray:
        """The values at every sum of one offset of each table, which are the axes of the result."""
        places = [0]
        for table in tables:
            places = [start + step for start in places for step in table]
        sizes = tuple(map(len, tables)) if shape is None else shape
        return ndarray([self.values[place] for place in places], sizes, self.dtype)

    # --- values

    def astype(self, kind: Any, **_: Any) -> ndarray:
        """The values in another type."""
        return ndarray(dtype(kind).cast(self.values), self.shape, dtype(kind))

    def view(self, kind: Any) -> ndarray:
        """The same bytes as another type of the same size."""
        return ndarray(dtype(kind).read(self.tobytes()), self.shape, dtype(kind))

    def copy(self) -> ndarray:
        return ndarray([*self.values], self.shape, self.dtype)

    def tobytes(self) -> bytes:
        return self.dtype.write(self.values)

    def tolist(self) -> Any:
        """The values as nested lists."""
        return [each.tolist() if isinstance(each, ndarray) else each for each in self] if self.shape else self.values[0]

    def all(self) -> bool:
        return all(self.values)

    def __iter__(self) -> Iterator[Any]:
        return (self[at] for at in range(len(self)))

    def __bool__(self) -> bool:
        (value,) = self.values
        return bool(value)

    def __float__(self) -> float:
        (value,) = self.values
        return float(value)

    def __int__(self) -> int:
        (value,) = self.values
        return int(value)

    def __getitem__(self, key: Any) -> Any:
        """A number or a slice for each of the first axes."""
        keys = key if isinstance(key, tuple) else (key,)
        keys += (slice(None),) * (self.ndim - len(keys))
        tables, sizes = [], []
        for own, size, step in zip(keys, self.shape, self.strides(), strict=True):
            found = range(size)[own]
            tables.append([at * step for at in ([found] if isinstance(found, int) else found)])
            if not isinstance(found, int):
                sizes.append(len(found))
        array = self.picked(tables, tuple(sizes))
        return array if sizes else array.values[0]

    def __setitem__(self, places: Sequence[int], rows: Any) -> None:
        """Put rows, one after the other, at places of the first axis."""
        length = math.prod(self.shape[1:])
        values = self.dtype.cast(rows.values)
        if len(values) != length * len(places):
            raise ValueError("shape mismatch")
        for number, place in enumerate(places):
            start = range(len(self))[place] * length
            self.values[start : start + length] = values[number * length : (number + 1) * length]

    # --- arithmetic

    def __add__(self, other: Any) -> ndarray:
        return add(self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> ndarray:
        return subtract(self, other)

    def __mul__(self, other: Any) -> ndarray:
        return multiply(self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> ndarray:
        return divide(self, other)

    def __rtruediv__(self, other: Any) -> ndarray:
        return divide(other, self)

    def __floordiv__(self, other: Any) -> ndarray:
        return floor_divide(self, other)

    def __pow__(self, other: Any) -> ndarray:
        return power(self, other)

    def __neg__(self) -> ndarray:
        return negative(self)

    def __eq__(self, other: object) -> Any:
        return equal(self, other)

    def __le__(self, other: Any) -> ndarray:
        return less_equal(self, other)

    def __gt__(self, other: Any) -> ndarray:
        return greater(self, other)

    __hash__ = None  # type: ignore[assignment]  # as of numpy's arrays


def asarray(of: Any, dtype: Any = None) -> ndarray:
    """An array of a number, of nested lists, or of arrays of equal sizes."""
    kind = None if dtype is None else _dtype(dtype)
    if isinstance(of, ndarray):
        return of if kind in (None, of.dtype) else of.astype(kind)
    if isinstance(of, (bool, int, float)):
        kind = kind or of_number(of)
        return ndarray(kind.cast([of]), (), kind)
    parts = [asarray(each, kind) for each in of]
    shape = parts[0].shape if parts else ()
    if any(each.shape != shape for each in parts):
        raise ValueError("the parts of an array have different sizes")
    for each in parts if kind is None else ():
        kind = each.dtype if kind is None else common(kind, each.dtype)
    kind = kind or FLOAT64
    return ndarray(kind.cast([value for each in parts for value in each.values]), (len(parts), *shape), kind)


_dtype = dtype


def broadcast_shapes(*shapes: Sequence[int]) -> Sizes:
    """The sizes of the result of arrays of these sizes."""
    rank = max(map(len, shapes), default=0)
    columns = zip(*[(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes], strict=True)
    found = []
    for sizes in columns:
        others = {size for size in sizes if size != 1}
        if len(others) > 1:
            raise ValueError("shape mismatch: the arrays cannot be broadcast together")
        found.append(others.pop() if others else 1)
    return tuple(found)


def together(arrays: Sequence[Any]) -> tuple[list[list[Any]], Sizes, Dtype]:
    """The values of arrays and Python numbers side by side, their sizes, and the type that holds both."""
    kinds = [each.dtype for each in arrays if isinstance(each, ndarray)]
    if not kinds:
        kinds = [of_number(each) for each in arrays]
    kind = kinds[0]
    for own in kinds[1:]:
        kind = common(kind, own)
    for each in arrays:
        kind = kind if isinstance(each, ndarray) else with_number(kind, each)
    made = [asarray(each) for each in arrays]
    shape = broadcast_shapes(*[each.shape for each in made])
    return [each.spread(shape).values for each in made], shape, kind


def elementwise(function: Callable[..., Any], arrays: Sequence[Any], result: Dtype | None = None) -> ndarray:
    """A function of the values of arrays."""
    values, shape, kind = together(arrays)
    kind = result or kind
    return ndarray(kind.cast(map(function, *values)), shape, kind)


def compared(function: Callable[[Any, Any], bool], first: Any, second: Any) -> ndarray:
    return elementwise(function, (first, second), BOOL)


def reduced(function: Callable[[list[Any]], Any], array: ndarray, axis: Any, keepdims: bool) -> ndarray:
    """A function of the values along axes; the type is that of what it gives."""
    axes = (
        range(array.ndim)
        if axis is None
        else [each % array.ndim for each in ([axis] if isinstance(axis, int) else axis)]
    )
    kept = [each for each in range(array.ndim) if each not in axes]
    count = math.prod(array.shape[each] for each in axes)
    rows = array.turned([*kept, *axes]).values
    found = [function(rows[start : start + count]) for start in range(0, len(rows), count)] if count else []
    if not count:
        found = [function([]) for _ in range(math.prod(array.shape[each] for each in kept))]
    sizes = [1 if each in axes else size for each, size in enumerate(array.shape) if keepdims or each in kept]
    return asarray(found).reshape(sizes)


def places(shape: Sequence[int]) -> Iterator[Sizes]:
    """Every place of an array, in its order."""
    return product(*map(range, shape))


# --- value by value


def whole(arrays: Sequence[Any]) -> bool:
    return together(arrays)[2].kind in "iub"


def add(a: Any, b: Any) -> ndarray:
    return elementwise(operator.add, (a, b))


def subtract(a: Any, b: Any) -> ndarray:
    return elementwise(operator.sub, (a, b))


def multiply(a: Any, b: Any) -> ndarray:
    return elementwise(operator.mul, (a, b))


def _quotient(a: float, b: float) -> float:
    if b:
        return float(a) / float(b)  # as numpy does, which rounds large whole numbers first
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def divide(a: Any, b: Any) -> ndarray:
    return elementwise(_quotient, (a, b), as_decimal(together((a, b))[2]))


def or_zero(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A division of whole numbers, in which nothing by zero is zero."""
    return lambda a, b: function(a, b) if b else 0


def or_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of decimals that is not defined everywhere."""

    def applied(*values: float) -> Any:
        try:
            return function(*values)
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan

    return applied


def floor_divide(a: Any, b: Any) -> ndarray:
    if whole((a, b)):
        return elementwise(or_zero(operator.floordiv), (a, b))
    return elementwise(or_nan(lambda x, y: x // y if y else _quotient(x, y)), (a, b))


def power(a: Any, b: Any) -> ndarray:
    _, _, kind = together((a, b))
    if kind.kind == "f":
        return elementwise(or_nan(lambda x, y: math.inf if not x and y < 0 else math.pow(x, y)), (a, b))
    if any(value < 0 for value in asarray(b).values):
        raise ValueError("Integers to negative integer powers are not allowed.")
    count = 1 << 8 * kind.itemsize
    return elementwise(lambda x, y: pow(int(x), int(y), count), (a, b))


def negative(a: Any) -> ndarray:
    return elementwise(operator.neg, (a,))


def equal(a: Any, b: Any) -> ndarray:
    return compared(operator.eq, a, b)


def greater(a: Any, b: Any) -> ndarray:
    return compared(operator.gt, a, b)


def less_equal(a: Any, b: Any) -> ndarray:
    return compared(operator.le, a, b)
