"""Keras's layers that archcalc does not have: the shapes of their outputs and their parameters, by their settings."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.core.shapes import Shape
from archcalc.interop.keras_activations import Maker, activate
from archcalc.interop.keras_layer import KerasLayer, Tensor, UnreadError, only
from archcalc.interop.opaque_costs import has_no_products
from archcalc.ops import rules


def unread(
    layer: KerasLayer,
    inputs: Sequence[Tensor],
    reason: str,
    params: int | None = None,
    hint: str = "",
    is_operation: bool = False,
) -> Tensor:
    """An opaque layer with the shape and the parameters that the file has; `is_operation`: one of `keras.ops`.

    Raises `SpecError` with the reason where it does not have them.
    """
    params = layer.stored() if params is None else params
    shape = layer.shape or layer.seen
    if shape is None:
        raise layer.wrong(
            f"{reason}, and the shape of its output is not in the file{hint}; a model in memory has it: "
            "ac.from_keras(model)"
        )
    if 0 in shape:
        raise layer.wrong(f"{reason}, and the shape of its output is not known for inputs of this size{hint}")
    if params is None:
        raise layer.wrong(f"{reason}, and its parameters are not in the file; save the model with its weights{hint}")
    products = 0 if is_operation and has_no_products(layer.kind) else None
    return layer.opaque(inputs, shape, params, multiplications=products)._replace(last=layer.last)


#: The shape of the output in Keras, without the batch, and the numbers of parameters and of multiplications.
_Known = tuple[Shape, int, int | None]


def _opaque(rule: Callable[[KerasLayer, list[Tensor]], _Known]) -> Maker:
    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        shape, params, products = rule(layer, inputs)
        found = layer.opaque(inputs, (shape[-1], *shape[:-1]), params, multiplications=products)
        return found._replace(last=True)

    return make


def _shapes(layer: KerasLayer, inputs: Sequence[Tensor], fewest: int, most: int) -> list[Shape]:
    """The shapes in Keras of what reaches a layer."""
    if not fewest <= len(inputs) <= most:
        raise layer.wrong(f"it takes {fewest} to {most} inputs, {len(inputs)} reach it")
    return [layer.keras_shape(one) for one in inputs]


def _dot(layer: KerasLayer, inputs: list[Tensor]) -> _Known:
    """`Dot`: one axis of each map is summed over. Source: keras-team/keras 3, keras/src/layers/merging/dot.py."""
    shapes = _shapes(layer, inputs, 2, 2)
    given = layer.value("axes")
    axes = given if isinstance(given, list) else [given, given]
    if len(axes) != 2 or not all(isinstance(axis, int) for axis in axes):
        raise layer.wrong(f"axes should be a whole number or two, not {given!r:.60}")
    left: list[int] = []
    for shape, axis in zip(shapes, axes, strict=True):
        place = axis + len(shape) if axis < 0 else axis - 1
        if not 0 <= place < len(shape):
            raise layer.wrong(f"axis {axis} is not one of {shape}")
        left += [*shape[:place], *shape[place + 1 :]]
    summed = shapes[0][axes[0] + len(shapes[0]) if axes[0] < 0 else axes[0] - 1]
    return tuple(left) or (1,), 0, math.prod(left) * summed


def _additive(layer: KerasLayer, inputs: list[Tensor]) -> _Known:
    query, value, *_ = _shapes(layer, inputs, 2, 3)
    # Whether its sums of scaled tangents are products is open.
    return (*query[:-1], value[-1]), query[-1] * layer.flag("use_scale", True), None


def _grouped(layer: KerasLayer, inputs: list[Tensor]) -> _Known:
    """`GroupQueryAttention`: fewer heads of keys and values than of queries."""
    given = [*inputs, *(layer.extra[name] for name in ("query", "value", "key") if name in layer.extra)]
    query, value, *rest = _shapes(layer, given, 2, 3)
    key = rest[0] if rest else value
    size = layer.integer("head_dim")
    heads, pairs = size * layer.integer("num_query_heads"), size * layer.integer("num_key_value_heads")
    params = query[-1] * heads + (key[-1] + value[-1]) * pairs + heads * query[-1]
    biases = layer.flag("use_bias", True) * (heads + 2 * pairs + query[-1])
    rows, columns = math.prod(query[:-1]), math.prod(value[:-1])
    products = 2 * rows * query[-1] * heads + columns * (key[-1] + value[-1]) * pairs + 2 * rows * columns * heads
    return query, params + biases, products


def _encoded(layer: KerasLayer, inputs: list[Tensor]) -> _Known:
    """`CategoryEncoding`: a column for each of its tokens."""
    (shape,) = _shapes(layer, inputs, 1, 1)
    mode = layer.word("output_mode", "multi_hot", "count", "one_hot")
    kept = shape if mode == "one_hot" and shape[-1] != 1 else shape[:-1]
    return (*kept, layer.integer("num_tokens")), 0, 0


def _binned(layer: KerasLayer, inputs: list[Tensor]) -> _Known:
    (shape,) = _shapes(layer, inputs, 1, 1)
    if layer.value("output_mode", "int") != "int":
        raise UnreadError(f"archcalc reads {layer.kind} with output_mode int")
    return shape, 0, 0


def conv_lstm(rank: int) -> Maker:
    """`ConvLSTM1D` and `2D`: their parameters and their output."""

    def rule(layer: KerasLayer, inputs: list[Tensor]) -> _Known:
        source = layer.image(only(layer, inputs[:1]), rank + 1)
        depth, steps, *sizes = layer.own(source)
        filters = layer.integer("filters")
        windows = (layer.sizes(name, rank, 1) for name in ("kernel_size", "strides", "dilation_rate"))
        kernels, strides, dilations = ([one] * rank if isinstance(one, int) else one for one in windows)
        if layer.word("padding", "valid", "same") == "same":
            sizes = [-(-size // stride) for size, stride in zip(sizes, strides, strict=True)]
        else:
            spans = map(rules.dilated_window, kernels, dilations)
            sizes = [(size - span) // stride + 1 for size, span, stride in zip(sizes, spans, strides, strict=True)]
        if min(sizes) < 1:
            raise layer.wrong(f"its windows are larger than its input {layer.keras_shape(source)}")
        weights = 4 * filters * math.prod(kernels) * (depth + filters)
        params = weights + 4 * filters * layer.flag("use_bias", True)
        shape = (*[steps] * layer.flag("return_sequences", False), *sizes, filters)
        return shape, params, steps * weights * math.prod(sizes)

    return _opaque(rule)


class _Product(NamedTuple):
    """What an `EinsumDense` multiplies: the letters of its input, its kernel and its output, and their sizes."""

    reads: str
    kernel: str
    gives: str
    sizes: Mapping[str, int]


def _product(layer: KerasLayer, source: Tensor) -> _Product:
    shape, equation = layer.keras_shape(source), layer.value("equation", "")
    match = re.fullmatch(r"(\.\.\.)?([a-zA-Z]{1,8}),([a-zA-Z]{1,8})->(\.\.\.)?([a-zA-Z]{1,8})", str(equation))
    if match is None or bool(match[1]) != bool(match[4]):
        raise UnreadError(f"archcalc does not read the equation {equation!r:.60}")
    reads, kernel, gives = match[2], match[3], match[5]
    unnamed = len(shape) + (not match[1]) - len(reads)
    if match[1] and 0 <= unnamed < 10:  # the batch and the axes that are not named
        dots = "".join(map(str, range(unnamed + 1)))
        reads, gives = dots + reads, dots + gives
    given = layer.value("output_shape", [])
    outer = given if isinstance(given, list) else [given]
    sizes = dict(zip(reads[1:], shape, strict=False))
    for letter, size in zip(reversed(gives), reversed(outer), strict=False):
        if isinstance(size, int) and sizes.setdefault(letter, size) != size:
            raise layer.wrong(f"output_shape {outer!r:.60} does not fit its input {shape}")
    named = {reads[0], *sizes}
    if len(reads) != len(shape) + 1 or reads[0] != gives[0] or not set(kernel + gives) <= named or len(gives) < 2:
        raise layer.wrong(f"the equation {equation!r:.60} does not fit its input {shape}")
    if reads[0] in kernel or any(not 0 < size < 1 << 31 for size in sizes.values()):
        raise layer.wrong(f"output_shape should be whole numbers from 1 on, not {given!r:.60}")
    return _Product(reads, kernel, gives, sizes)


def einsum_dense(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`EinsumDense`: a dense layer where it has one sum over the last axis; else opaque."""
    source = layer.as_layout(only(layer, inputs), last=True)
    reads, kernel, gives, sizes = _product(layer, source)
    bias = layer.value("bias_axes") or ""
    if not isinstance(bias, str) or not set(bias) <= set(gives[1:]):
        raise layer.wrong(f"bias_axes should be letters of the output, not {bias!r:.60}")
    if len(kernel) == 2 and kernel[0] == reads[-1] and gives == reads[:-1] + kernel[1] and bias in ("", kernel[1]):
        fields: dict[str, Any] = {"out_features": sizes[kernel[1]], "bias": bool(bias)}
        if len(layer.own(source)) > 1:
            fields["per_position"] = True
        if not source.order:
            arrays = {"weight": ("kernel", lambda array: array.T), "bias": ("bias", None)}
            found = layer.add("linear", [source], fields, arrays=arrays)
            return activate(layer, found, layer.value("activation"))
    products = math.prod(sizes[letter] for letter in {*reads[1:], *kernel})
    shape = [sizes[letter] for letter in gives[1:]]
    params = math.prod(sizes[letter] for letter in kernel) + (math.prod(sizes[one] for one in bias) if bias else 0)
    return layer.opaque([source], (shape[-1], *shape[:-1]), params, multiplications=products)


#: The classes, by their names in Keras.
UNREAD: Mapping[str, Maker] = {
    "Dot": _opaque(_dot), "AdditiveAttention": _opaque(_additive), "EinsumDense": einsum_dense,
    **dict.fromkeys(("GroupQueryAttention", "GroupedQueryAttention"), _opaque(_grouped)),
    "CategoryEncoding": _opaque(_encoded), "Discretization": _opaque(_binned),
    **{f"ConvLSTM{rank}D": conv_lstm(rank) for rank in (1, 2)},
}  # fmt: skip
