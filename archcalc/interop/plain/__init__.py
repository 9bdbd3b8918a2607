"""What reading a model file needs of numpy, in plain Python, for where numpy is missing, as in a browser.

Names and results are those of numpy; a property test compares them. It is for shapes and short constants: the values of
an array are a list, and each operation makes another one.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import accumulate, pairwise
from types import SimpleNamespace
from typing import Any

from archcalc.interop.plain.arrays import (
    add,
    asarray,
    broadcast_shapes,
    compared,
    divide,
    elementwise,
    equal,
    floor_divide,
    greater,
    less_equal,
    multiply,
    ndarray,
    negative,
    or_nan,
    or_zero,
    places,
    power,
    reduced,
    subtract,
    together,
    whole,
)
from archcalc.interop.plain.types import BOOL, FLOAT32, FLOAT64, INT64, Dtype, as_decimal, dtype

__all__ = [
    "add", "asarray", "broadcast_shapes", "divide", "dtype", "equal", "floor_divide", "greater", "less_equal",
    "multiply", "ndarray", "negative", "power", "subtract",
]  # fmt: skip

array = asarray
float32, float64, int32, int64 = FLOAT32, FLOAT64, dtype("int32"), INT64
uint8, uint16, uint32 = map(dtype, ("uint8", "uint16", "uint32"))
#: There are no texts in these arrays.
str_ = dtype("str")


def issubdtype(kind: Dtype, other: Dtype) -> bool:
    return kind is other


def errstate(**_: Any) -> nullcontext[None]:
    """Nothing here warns."""
    return nullcontext()


def finfo(_: Dtype) -> SimpleNamespace:
    """The limits of float32."""
    return SimpleNamespace(max=float.fromhex("0x1.fffffep+127"))


# --- value by value


def mod(a: Any, b: Any) -> ndarray:
    return elementwise((or_zero if whole((a, b)) else or_nan)(operator.mod), (a, b))


def fmod(a: Any, b: Any) -> ndarray:
    """The remainder with the sign of the first number."""

    def rest(a: int, b: int) -> int:
        return operator.abs(a) % operator.abs(b) * (-1 if a < 0 else 1)

    return elementwise(or_zero(rest) if whole((a, b)) else or_nan(math.fmod), (a, b))


def maximum(a: Any, b: Any) -> ndarray:
    return elementwise(lambda x, y: x if x >= y or math.isnan(x) else y, (a, b))


def minimum(a: Any, b: Any) -> ndarray:
    return elementwise(lambda x, y: x if x <= y or math.isnan(x) else y, (a, b))


def greater_equal(a: Any, b: Any) -> ndarray:
    return compared(operator.ge, a, b)


def less(a: Any, b: Any) -> ndarray:
    return compared(operator.lt, a, b)


def logical_and(a: Any, b: Any) -> ndarray:
    return compared(lambda x, y: bool(x and y), a, b)


def logical_or(a: Any, b: Any) -> ndarray:
    return compared(lambda x, y: bool(x or y), a, b)


def logical_xor(a: Any, b: Any) -> ndarray:
    return compared(lambda x, y: bool(x) != bool(y), a, b)


def logical_not(a: Any) -> ndarray:
    return elementwise(operator.not_, (a,), BOOL)


def isnan(a: Any) -> ndarray:
    return elementwise(math.isnan, (a,), BOOL)


def where(chosen: Any, a: Any, b: Any) -> ndarray:
    kind = together((a, b))[2]
    return elementwise(lambda which, x, y: x if which else y, (chosen, a, b), kind)


def absolute(a: Any) -> ndarray:
    return elementwise(operator.abs, (a,))


def sign(a: Any) -> ndarray:
    return elementwise(lambda x: x if math.isnan(x) else (x > 0) - (x < 0), (a,))


def _rounding(function: Callable[[float], int]) -> Callable[[Any], ndarray]:
    return lambda a: elementwise(lambda x: function(x) if math.isfinite(x) else x, (a,))


def _decimal(function: Callable[[float], float]) -> Callable[[Any], ndarray]:
    return lambda a: elementwise(or_nan(function), (a,), as_decimal(together((a,))[2]))


floor, ceil = _rounding(math.floor), _rounding(math.ceil)
sqrt, exp, sin, cos, tanh = map(_decimal, (math.sqrt, math.exp, math.sin, math.cos, math.tanh))
log = _decimal(lambda x: math.log(x) if x else -math.inf)


def reciprocal(a: Any) -> ndarray:
    return elementwise(lambda x: int(1 / x) if x else 0, (a,)) if whole((a,)) else divide(1.0, a)


def clip(a: ndarray, low: Any, high: Any) -> ndarray:
    for function, limit in ((maximum, low), (minimum, high)):
        a = a if limit is None else function(a, limit)
    return a


def matmul(a: ndarray, b: ndarray) -> ndarray:
    """Of matrices and stacks of them."""
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError("matmul of shapes that do not fit")
    pairs = expand_dims(a, -1), expand_dims(b, -3)
    _, _, kind = together(pairs)
    return sum(multiply(*pairs), axis=-2).astype(kind)


# --- along axes


def einsum(equation: str, *arrays: ndarray, optimize: bool = False) -> ndarray:  # noqa: ARG001  # as numpy has it
    """Products of arrays, summed over the letters that the result does not have; no array has a letter twice."""
    terms, _, result = equation.partition("->")
    given = terms.split(",")
    letters = [*result, *sorted({letter for letter in terms if letter.isalpha()} - set(result))]
    product: Any = 1
    for term, array in zip(given, arrays, strict=True):
        order = sorted(range(len(term)), key=[letters.index(letter) for letter in term].__getitem__)
        sizes = dict(zip(term, array.shape, strict=True))
        product = transpose(array, order).reshape(tuple([sizes.get(letter, 1) for letter in letters])) * product
    others = tuple(range(len(result), len(letters)))
    return sum(product, others) if others else product


def sum(a: ndarray, axis: Any = None, keepdims: bool = False) -> ndarray:  # noqa: A001  # numpy's name
    start = 0.0 if a.dtype.kind == "f" else 0
    found = reduced(lambda row: math.fsum(row) if _finite(row) else _total(row, start), a, axis, keepdims)
    return found.astype(a.dtype if a.dtype.kind == "f" else INT64)


def _finite(row: list[Any]) -> bool:
    return any(isinstance(value, float) for value in row) and all(map(math.isfinite, row))


def _total(row: list[Any], start: Any) -> Any:
    for value in row:
        start += value
    return start


def prod(a: ndarray, axis: Any = None, keepdims: bool = False) -> ndarray:
    return reduced(lambda row: math.prod(row) % (1 << 64) if a.dtype.kind != "f" else math.prod(row), a, axis, keepdims)


def mean(a: ndarray, axis: Any = None, keepdims: bool = False) -> ndarray:
    found = reduced(lambda row: statistics.fmean(row) if row else math.nan, a, axis, keepdims)
    return found.astype(a.dtype if a.dtype.kind == "f" else FLOAT64)


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[..., ndarray]:
    def chosen(a: ndarray, axis: Any = None, keepdims: bool = False) -> ndarray:
        return reduced(lambda row: math.nan if _has_nan(row) else choose(row), a, axis, keepdims).astype(a.dtype)

    return chosen


def _has_nan(row: list[Any]) -> bool:
    return any(map(math.isnan, row))


def cumsum(a: Any, axis: int | None = None) -> ndarray:
    a = asarray(a).flatten() if axis is None else asarray(a)
    axis = 0 if axis is None else axis % a.ndim
    order = [*(each for each in range(a.ndim) if each != axis), axis]
    turned, size = a.turned(order), a.shape[axis]
    rows = [turned.values[start : start + size] for start in range(0, a.size, size or 1)]
    found = ndarray([value for row in rows for value in accumulate(row)], turned.shape, a.dtype)
    kind = a.dtype if a.dtype.kind == "f" else INT64
    return found.turned([order.index(each) for each in range(a.ndim)]).astype(kind)


# --- places


def transpose(a: ndarray, axes: Sequence[int] | None = None) -> ndarray:
    return a.T if axes is None else a.turned(axes)


def moveaxis(a: ndarray, source: int, target: int) -> ndarray:
    order = [axis for axis in range(a.ndim) if axis != source % a.ndim]
    order.insert(target % a.ndim, source % a.ndim)
    return a.turned(order)


def broadcast_to(a: ndarray, shape: Sequence[int]) -> ndarray:
    return a.spread(shape)


def take(a: ndarray, indices: Any, axis: int) -> ndarray:
    indices, axis = asarray(indices, INT64), range(a.ndim)[axis]
    tables = [[at * step for at in range(size)] for size, step in zip(a.shape, a.strides(), strict=True)]
    tables[axis] = [tables[axis][at] for at in indices.values]
    return a.picked(tables, (*a.shape[:axis], *indices.shape, *a.shape[axis + 1 :]))


def take_along_axis(a: ndarray, indices: ndarray, axis: int) -> ndarray:
    axis = range(a.ndim)[axis]
    shape = broadcast_shapes(indices.shape, (*a.shape[:axis], 1, *a.shape[axis + 1 :]))
    wanted, strides, size = indices.spread(shape), a.strides(), a.shape[axis]
    found = []
    for place, index in zip(places(shape), wanted.values, strict=True):
        at = (*place[:axis], range(size)[index], *place[axis + 1 :])
        at = tuple(each % own for each, own in zip(at, a.shape, strict=True))
        found.append(a.values[_total([each * step for each, step in zip(at, strides, strict=True)], 0)])
    return ndarray(found, shape, a.dtype)


def concatenate(arrays: Sequence[ndarray], axis: int = 0) -> ndarray:
    axis = range(arrays[0].ndim)[axis]
    order = [axis, *(each for each in range(arrays[0].ndim) if each != axis)]
    turned = [each.turned(order) for each in arrays]
    if len({each.shape[1:] for each in turned}) > 1:
        raise ValueError("all the input array dimensions except for the concatenation axis must match exactly")
    kind = together([asarray(each.values[:1], each.dtype) for each in arrays])[2]
    values = kind.cast(value for each in turned for value in each.values)
    found = ndarray(values, (_total([len(each) for each in turned], 0), *turned[0].shape[1:]), kind)
    return moveaxis(found, 0, axis)


def split(a: ndarray, cuts: Any, axis: int) -> list[ndarray]:
    ends = [0, *asarray(cuts).values, a.shape[axis]]
    before = (slice(None),) * range(a.ndim)[axis]
    return [a[(*before, slice(start, end))] for start, end in pairwise(ends)]


def squeeze(a: ndarray, axes: Sequence[int] | None = None) -> ndarray:
    gone = (
        [axis for axis, size in enumerate(a.shape) if size == 1]
        if axes is None
        else [range(a.ndim)[axis] for axis in axes]
    )
    if any(a.shape[axis] != 1 for axis in gone):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return a.reshape([size for axis, size in enumerate(a.shape) if axis not in gone])


def expand_dims(a: ndarray, axes: Any) -> ndarray:
    axes = (axes,) if isinstance(axes, int) else axes
    rank = a.ndim + len(axes)
    new, old = {range(rank)[axis] for axis in axes}, iter(a.shape)
    if len(new) < len(axes):
        raise ValueError("repeated axis")
    return a.reshape([1 if axis in new else next(old) for axis in range(rank)])


def tile(a: ndarray, counts: Sequence[int]) -> ndarray:
    rank = _larger(a.ndim, len(counts))
    a = a.reshape((1,) * (rank - a.ndim) + a.shape)
    counts = (1,) * (rank - len(counts)) + tuple(counts)
    steps = zip(a.shape, a.strides(), counts, strict=True)
    return a.picked([[at * step for at in range(size)] * count for size, step, count in steps])


def nonzero(a: ndarray) -> tuple[ndarray, ...]:
    found = [place for place, value in zip(places(a.shape), a.values, strict=True) if value]
    return tuple(asarray([place[axis] for place in found], INT64) for axis in range(a.ndim))


# --- made


def full(shape: Sequence[int] | int, value: Any, kind: Any = None) -> ndarray:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    one = asarray(value, kind)
    return ndarray(one.values * math.prod(shape), shape, one.dtype)


def zeros(shape: Sequence[int] | int, kind: Any = FLOAT64) -> ndarray:
    return full(shape, 0, kind)


empty = zeros


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> ndarray:
    start, stop = (0, start) if stop is None else (start, stop)
    count = _larger(math.ceil((stop - start) / step), 0)
    return asarray([start + number * step for number in range(count)], dtype or asarray(start).dtype)


def eye(rows: int, columns: int, k: int = 0, dtype: Any = FLOAT64) -> ndarray:
    return asarray([int(row + k == column) for row, column in places((rows, columns))], dtype).reshape(rows, columns)


def tri(rows: int, dtype: Any = FLOAT64) -> ndarray:
    return asarray([int(row >= column) for row, column in places((rows, rows))], dtype).reshape(rows, rows)


def _triangle(keep: Callable[[int], bool]) -> Callable[[ndarray, int], ndarray]:
    def kept(a: ndarray, k: int = 0) -> ndarray:
        pairs = zip(places(a.shape), a.values, strict=True)
        found = [value if keep(place[-1] - place[-2] - k) else 0 for place, value in pairs]
        return ndarray(a.dtype.cast(found), a.shape, a.dtype)

    return kept


triu, tril = _triangle(lambda right: right >= 0), _triangle(lambda right: right <= 0)


def frombuffer(data: bytes, dtype: Any) -> ndarray:
    kind = _dtype(dtype)
    values = kind.read(data)
    return ndarray(values, (len(values),), kind)


def array_equal(a: ndarray, b: ndarray) -> bool:
    return a.shape == b.shape and a.values == b.values


#: Under the names of numpy, which hide those of Python.
_dtype, _larger = dtype, max
abs, round = absolute, _rounding(round)  # noqa: A001
max, min = _extreme(max), _extreme(min)  # noqa: A001
