"""Arithmetic with the constants of an ONNX graph: of shapes, which is folded away, and of weights, done when they load.

Each entry computes an ONNX operation on numpy arrays. What is computed at once is bounded by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from archcalc.core.errors import UsageError
from archcalc.interop.arrays import np

Array: TypeAlias = "np.ndarray[Any, Any]"
Attributes = Mapping[str, Any]
#: Attributes, opset and the inputs (None for one that is left out) to the outputs.
Fold = Callable[[Attributes, int, Sequence["Array | None"]], Sequence[Array]]

#: Values that are computed while a file is read.
MOST_VALUES = 1 << 16
#: At most so many products are computed of constants.
_MOST_PRODUCTS = 1 << 40

#: The operations that can be computed, by their ONNX names.
FOLDS: dict[str, Fold] = {}


def fold(op: str, attributes: Attributes, opset: int, inputs: Sequence[Array | None]) -> list[Array]:
    """The outputs of an operation. Raises `UsageError` where the values make no sense."""
    try:
        with np.errstate(all="ignore"):
            return [np.asarray(each) for each in FOLDS[op](attributes, opset, inputs)]
    except (ArithmeticError, IndexError, KeyError, TypeError, ValueError, MemoryError) as error:
        raise UsageError(f"its constants cannot be used: {str(error)[:200] or type(error).__name__}") from None


def _folds(*names: str) -> Callable[[Fold], Fold]:
    def register(function: Fold) -> Fold:
        FOLDS.update(dict.fromkeys(names, function))
        return function

    return register


def _elementwise(name: str, function: Callable[..., Any]) -> None:
    FOLDS[name] = lambda _, __, inputs: [function(*inputs)]


def _divide(a: Array, b: Array) -> Array:
    """Whole numbers are divided towards zero."""
    if a.dtype.kind in "iu":
        quotient = np.floor_divide(np.abs(a), np.abs(b))
        return (np.sign(a) * np.sign(b) * quotient).astype(a.dtype)
    return np.divide(a, b)


def _variadic(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def applied(first: Array, *others: Array) -> Any:
        for other in others:
            first = function(first, other)
        return first

    return applied


_BY_VALUE: dict[str, Callable[..., Any]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": _divide, "Pow": lambda a, b: (a**b).astype(a.dtype),
    "Neg": np.negative, "Abs": np.abs, "Sign": np.sign, "Floor": np.floor, "Ceil": np.ceil, "Round": np.round,
    "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Reciprocal": np.reciprocal, "Sin": np.sin, "Cos": np.cos,
    "Sigmoid": lambda a: 1 / (1 + np.exp(-a)), "Tanh": np.tanh, "Relu": lambda a: np.maximum(a, 0),
    "Equal": np.equal, "Greater": np.greater, "GreaterOrEqual": np.greater_equal, "Less": np.less,
    "LessOrEqual": np.less_equal, "Not": np.logical_not, "And": np.logical_and, "Or": np.logical_or,
    "Xor": np.logical_xor, "Max": _variadic(np.maximum), "Min": _variadic(np.minimum), "Sum": _variadic(np.add),
    "Where": np.where, "Identity": lambda a: a, "MatMul": np.matmul, "IsNaN": np.isnan,
    "NonZero": lambda a: np.array(np.nonzero(a), dtype=np.int64),
}  # fmt: skip
for _name, _function in _BY_VALUE.items():
    _elementwise(_name, _function)


def integers(value: Any) -> tuple[int, ...]:
    """The whole numbers of an attribute or of a constant."""
    if value is None:
        return ()
    return tuple(int(each) for each in np.asarray(value).reshape(-1))


def axes_of(attributes: Attributes, inputs: Sequence[Any], index: int) -> tuple[int, ...] | None:
    """The axes of an operation, which newer opsets have as an input; None where there are none."""
    given = attributes.get("axes")
    if given is None and len(inputs) > index:
        given = inputs[index]
    return None if given is None else integers(given)


@_folds("Mod")
def _mod(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.fmod(*inputs) if attributes.get("fmod") else np.mod(*inputs)]


@_folds("Cast", "CastLike")
def _cast(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    if len(inputs) > 1:
        return [inputs[0].astype(inputs[1].dtype)]
    from onnx.helper import tensor_dtype_to_np_dtype

    return [inputs[0].astype(tensor_dtype_to_np_dtype(int(attributes["to"])))]


@_folds("Gather")
def _gather(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.take(inputs[0], inputs[1], axis=int(attributes.get("axis", 0)))]


@_folds("GatherElements")
def _gather_elements(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.take_along_axis(inputs[0], inputs[1], axis=int(attributes.get("axis", 0)))]


@_folds("GatherND")
def _gather_nd(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    if attributes.get("batch_dims", 0):
        raise ValueError("GatherND with batch_dims")
    rows, places = _rows(*inputs)
    return [np.take(rows, places, axis=0).reshape(*inputs[1].shape[:-1], *rows.shape[1:])]


@_folds("ScatterND")
def _scatter_nd(_: Attributes, __: int, inputs: Sequence[Any]) -> Sequence[Any]:
    rows, places = _rows(*inputs[:2])
    found = rows.copy()
    found[places] = inputs[2].reshape(len(places), *rows.shape[1:])
    return [found.reshape(inputs[0].shape)]


def _rows(array: Array, indices: Array) -> tuple[Array, list[int]]:
    """An array with the axes that indices name as one, and the places on it. Raises `IndexError` outside of it."""
    depth = indices.shape[-1]
    sizes = array.shape[:depth]
    places = []
    for index in indices.reshape(-1, depth).tolist():
        place = 0
        for size, at in zip(sizes, index, strict=True):
            place = place * size + range(size)[at]
        places.append(place)
    return array.reshape(math.prod(sizes), *array.shape[depth:]), places


@_folds("Concat")
def _concat(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.concatenate(inputs, axis=int(attributes["axis"]))]


@_folds("Slice")
def _slice(attributes: Attributes, opset: int, inputs: Sequence[Any]) -> Sequence[Any]:
    index = [slice(None)] * inputs[0].ndim
    for axis, start, end, step in slices(attributes, opset, inputs, inputs[0].shape):
        index[axis] = slice(start, end if end >= 0 else None, step)
    return [inputs[0][tuple(index)]]


def slices(
    attributes: Attributes, opset: int, inputs: Sequence[Any], shape: Sequence[int]
) -> list[tuple[int, int, int, int]]:
    """Axis, start, end and step of every axis that a Slice cuts, within 0 … size; −1 is the end of a backward step."""
    if opset < 10:
        given = [attributes["starts"], attributes["ends"], attributes.get("axes"), None]
    else:
        given = [*inputs[1:], None, None][:4]
    starts, ends, axes, steps = (integers(each) for each in given)
    axes, steps = axes or tuple(range(len(starts))), steps or (1,) * len(starts)
    found = []
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        size = shape[axis]
        first, last, by = slice(start, end, step).indices(size)
        found.append((axis % len(shape), first, last if by < 0 else max(first, last), by))
    return found


@_folds("Split")
def _split(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    axis = int(attributes.get("axis", 0))
    sizes = split_sizes(attributes, inputs, inputs[0].shape[axis], int(attributes.get("num_outputs", 0)))
    return list(np.split(inputs[0], np.cumsum(sizes)[:-1], axis))


def split_sizes(attributes: Attributes, inputs: Sequence[Any], size: int, parts: int) -> tuple[int, ...]:
    """The sizes of the parts of a Split."""
    given = integers(attributes.get("split")) or integers(inputs[1] if len(inputs) > 1 else None)
    if given:
        return given
    each = -(-size // parts)
    return (*[each] * (parts - 1), size - each * (parts - 1))


@_folds("Squeeze")
def _squeeze(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.squeeze(inputs[0], axes_of(attributes, inputs, 1))]


@_folds("Unsqueeze")
def _unsqueeze(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.expand_dims(inputs[0], axes_of(attributes, inputs, 1) or ())]


@_folds("Reshape")
def _reshape(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [inputs[0].reshape(reshaped(inputs[0].shape, integers(inputs[1]), bool(attributes.get("allowzero", 0))))]


def reshaped(shape: Sequence[int], wanted: Sequence[int], allow_zero: bool) -> tuple[int, ...]:
    """The shape that Reshape gives: 0 keeps an axis, −1 is what is left."""
    found = [shape[i] if size == 0 and not allow_zero else size for i, size in enumerate(wanted)]
    if -1 in found:
        others = math.prod(size for size in found if size != -1)
        found[found.index(-1)] = math.prod(shape) // others if others else 0
    return tuple(found)


@_folds("Flatten")
def _flatten(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [inputs[0].reshape(flattened(inputs[0].shape, int(attributes.get("axis", 1))))]


def flattened(shape: Sequence[int], axis: int) -> tuple[int, int]:
    """The matrix that Flatten makes of a shape."""
    axis = axis + len(shape) if axis < 0 else axis
    return math.prod(shape[:axis]), math.prod(shape[axis:])


@_folds("Transpose")
def _transpose(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.transpose(inputs[0], attributes.get("perm"))]


@_folds("Expand")
def _expand(_: Attributes, __: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.broadcast_to(inputs[0], np.broadcast_shapes(inputs[0].shape, integers(inputs[1])))]


@_folds("Tile")
def _tile(_: Attributes, __: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.tile(inputs[0], integers(inputs[1]))]


@_folds("Range")
def _range(_: Attributes, __: int, inputs: Sequence[Any]) -> Sequence[Any]:
    start, limit, delta = (each.reshape(-1)[0] for each in inputs)
    if delta == 0 or abs(float(limit) - float(start)) > MOST_VALUES * abs(float(delta)):
        raise ValueError(f"a range of more than {MOST_VALUES:,} values")
    return [np.arange(start, limit, delta, dtype=inputs[0].dtype)]


@_folds("ConstantOfShape")
def _constant_of_shape(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    from onnx.numpy_helper import to_array

    value = to_array(attributes["value"]) if "value" in attributes else np.zeros(1, np.float32)
    return [np.full(integers(inputs[0]), value.reshape(-1)[0], value.dtype)]


@_folds("EyeLike")
def _eye_like(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    return [np.eye(inputs[0].shape[0], inputs[0].shape[1], k=int(attributes.get("k", 0)), dtype=inputs[0].dtype)]


@_folds("Trilu")
def _trilu(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    diagonal = integers(inputs[1])[0] if len(inputs) > 1 and inputs[1] is not None else 0
    return [(np.triu if attributes.get("upper", 1) else np.tril)(inputs[0], diagonal)]


@_folds("CumSum")
def _cumsum(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    if attributes.get("exclusive") or attributes.get("reverse"):
        raise ValueError("CumSum that is exclusive or backward")
    return [np.cumsum(inputs[0], axis=integers(inputs[1])[0]).astype(inputs[0].dtype)]


@_folds("Einsum")
def _einsum(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    if math.prod(each.size for each in inputs) > _MOST_PRODUCTS:
        raise ValueError("an einsum of too many products")
    return [np.einsum(str(attributes["equation"]).replace(" ", ""), *inputs, optimize=True)]


@_folds("Clip")
def _clip(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    bounds = [*inputs[1:], None, None][:2] if len(inputs) > 1 else [attributes.get("min"), attributes.get("max")]
    return [inputs[0] if all(each is None for each in bounds) else np.clip(inputs[0], *bounds).astype(inputs[0].dtype)]


def _reduction(function: Callable[..., Any]) -> Fold:
    def folded(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
        axes = axes_of(attributes, inputs, 1)
        if not axes and attributes.get("noop_with_empty_axes"):
            return [inputs[0]]
        found = function(inputs[0], axis=axes or None, keepdims=bool(attributes.get("keepdims", 1)))
        return [np.asarray(found).astype(inputs[0].dtype)]

    return folded


_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceSum": np.sum, "ReduceProd": np.prod, "ReduceMax": np.max, "ReduceMin": np.min, "ReduceMean": np.mean,
}  # fmt: skip
for _name, _function in _REDUCTIONS.items():
    FOLDS[_name] = _reduction(_function)


@_folds("ReduceL2")
def _norm(attributes: Attributes, opset: int, inputs: Sequence[Any]) -> Sequence[Any]:
    squares = FOLDS["ReduceSum"](attributes, opset, [inputs[0] ** 2, *inputs[1:]])[0]
    return [np.sqrt(squares)]


@_folds("DequantizeLinear")
def _dequantize(attributes: Attributes, _: int, inputs: Sequence[Any]) -> Sequence[Any]:
    if attributes.get("block_size", 0):
        raise ValueError("DequantizeLinear by blocks")
    x, scale, zero = (*inputs, None)[:3]
    if scale.ndim == 1 and scale.size > 1:
        shape = [1] * x.ndim
        shape[int(attributes.get("axis", 1))] = -1
        scale, zero = scale.reshape(shape), None if zero is None else zero.reshape(shape)
    shifted = x.astype(np.float32) if zero is None else x.astype(np.float32) - zero.astype(np.float32)
    return [(shifted * scale.astype(np.float32)).astype(scale.dtype)]
