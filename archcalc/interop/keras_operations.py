"""Operations of `keras.ops` on a map: those that an op of archcalc is, and the shapes of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from archcalc.core.shapes import Shape
from archcalc.interop.keras_activations import OPERATIONS as ACTIVATIONS
from archcalc.interop.keras_activations import Maker, same_order
from archcalc.interop.keras_layer import KerasLayer, Output, Tensor, UnreadError, only
from archcalc.interop.keras_layers import pool
from archcalc.interop.keras_shapes import constant, extreme, in_order, merge, with_shape
from archcalc.interop.keras_sizes import resize
from archcalc.ops.axes import axes_named


def _same_shape(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """One that archcalc does not have, which gives a map of the same size."""
    source = only(layer, inputs)
    return same_order(source, layer.opaque([source], layer.own(source)))


def _power(exponent: float | None = None) -> Maker:
    """A fixed power, or that which the call gives."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        number, is_first = (exponent, False) if exponent is not None else constant(layer)
        if len(inputs) != 1 or number is None or is_first:
            raise UnreadError("archcalc reads fixed powers of a map")
        return same_order(inputs[0], layer.add("power", inputs, {"exponent": number}))

    return make


def _negative(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = only(layer, inputs)
    return same_order(source, layer.add("multiply", [source], {"factor": -1.0}))


def _divided(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """A map by another or by a number, or a number by a map."""
    if len(inputs) != 1:
        return merge("divide")(layer, inputs)  # type: ignore[return-value]
    (source,) = inputs
    number, is_first = constant(layer)
    if number is None or (number == 0 and not is_first):
        return _same_shape(layer, inputs)
    if not is_first:
        return same_order(source, layer.add("multiply", [source], {"factor": 1 / number}))
    found = layer.add("power", [source], {"exponent": -1.0}, part="" if number == 1 else "/reciprocal")
    return same_order(source, found if number == 1 else layer.add("multiply", [found], {"factor": number}))


def _maximum(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """The larger of two maps, or of a map and a number: a ReLU where that is 0."""
    if len(inputs) == 1 and constant(layer)[0] == 0:
        return same_order(inputs[0], layer.add("relu", inputs))
    return extreme(layer, inputs)


# --- along axes


def _axes(layer: KerasLayer, source: Tensor) -> list[int]:
    """The axes of a reduction, as places in Keras's shape without the batch."""
    given, rank = layer.value("axis"), len(layer.own(source))
    axes = given if isinstance(given, list) else [given]
    if not all(isinstance(axis, int) and -rank - 1 <= axis <= rank for axis in axes):
        if given is None:
            raise layer.wrong("it joins the images of a batch; archcalc counts one image")
        raise layer.wrong(f"axis should be whole numbers, not {given!r:.60}")
    places = sorted({axis % (rank + 1) - 1 for axis in axes})
    if places[0] < 0:
        raise layer.wrong("it joins the images of a batch; archcalc counts one image")
    return places


def _without(shape: Sequence[int], places: Sequence[int]) -> Shape:
    return tuple(size for place, size in enumerate(shape) if place not in places) or (1,)


def _reduced(op: str = "", whole: str = "") -> Maker:
    """One value in place of all along some axes: by an op where there is one; `whole` over all positions."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = in_order(layer, only(layer, inputs))
        theirs, places, keeps = layer.keras_shape(source), _axes(layer, source), layer.flag("keepdims", False)
        target = tuple([1 if place in places else size for place, size in enumerate(theirs)])
        target = target if keeps else _without(theirs, places)
        if not op:
            is_last = layer.last
            shape = (target[-1], *target[:-1]) if is_last else target
            return layer.opaque([source], shape)._replace(last=is_last)
        here = sorted(layer.axis(source, place + 1) for place in places)
        names = axes_named(layer.own(source))
        if here == list(range(1, len(names))):
            found = layer.add(f"{whole}{len(names) - 1}d", [source])
        else:
            found = layer.add(op, [source], {"axes": [names[axis] for axis in here]})
        return found if keeps else with_shape(layer, found, target)

    return make


def _expanded(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = only(layer, inputs)
    sizes, axis = list(layer.keras_shape(source)), layer.value("axis")
    if not isinstance(axis, int) or axis % (len(sizes) + 2) == 0:
        raise layer.wrong(f"axis should be a whole number that is not that of the batch, not {axis!r:.40}")
    sizes.insert(axis % (len(sizes) + 2) - 1, 1)
    return with_shape(layer, source, tuple(sizes))


def _squeezed(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = only(layer, inputs)
    sizes = layer.keras_shape(source)
    places = [place for place, size in enumerate(sizes) if size == 1] if layer.value("axis") is None else None
    places = _axes(layer, source) if places is None else places
    if any(sizes[place] != 1 for place in places):
        raise layer.wrong(f"its input is {sizes}; axes of size 1 alone can be left out")
    return with_shape(layer, source, _without(sizes, places))


def _turned(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`transpose`, `swapaxes` and `moveaxis`, by the order of the axes that they give."""
    source = in_order(layer, only(layer, inputs))
    rank = len(layer.own(source)) + 1
    order = list(range(rank))
    given = {name: layer.config.get(name) for name in ("axes", "axis1", "axis2", "source", "destination")}
    listed = {name: one if isinstance(one, list) else [one] for name, one in given.items()}
    named = [one for value in listed.values() for one in value if one is not None]
    if not all(isinstance(one, int) and -rank <= one < rank for one in named):
        raise layer.wrong(f"axes should be whole numbers, not {given!r:.80}")
    if layer.kind == "Transpose":
        order = [one % rank for one in map(int, named)] if named else order[::-1]
    elif layer.kind == "Swapaxes":
        one, other = (int(given[name]) % rank for name in ("axis1", "axis2"))  # type: ignore[arg-type]
        order[one], order[other] = order[other], order[one]
    else:
        moved = [(to % rank, by % rank) for by, to in zip(listed["source"], listed["destination"], strict=True)]
        order = [axis for axis in order if axis not in {by for _, by in moved}]
        for to, by in sorted(moved):
            order.insert(to, by)
    if sorted(order) != list(range(rank)) or order[0]:
        raise layer.wrong("it moves the axis of the batch; archcalc counts one image")
    old = [layer.axis(source, axis) for axis in order[1:]]
    places = [old[-1], *old[:-1]] if source.last else old
    return Tensor(layer.net.permute(layer.name, source.node, places, place=layer.place), source.last)


def _split(layer: KerasLayer, inputs: list[Tensor]) -> list[Tensor]:
    """Equal parts, or parts between given places."""
    source = only(layer, inputs)
    axis, given = layer.value("axis", 0), layer.value("indices_or_sections")
    if not isinstance(axis, int) or axis % (len(layer.own(source)) + 1) == 0:
        raise layer.wrong("it splits the images of a batch; archcalc counts one image")
    place = layer.axis(source, axis % (len(layer.own(source)) + 1))
    size = layer.own(source)[place]
    if isinstance(given, int) and given > 0 and size % given == 0:
        given = list(range(size // given, size, size // given))
    if not isinstance(given, list) or not all(isinstance(one, int) and 0 < one < size for one in given):
        raise layer.wrong(f"indices_or_sections should be places on an axis of {size}, not {given!r:.60}")
    if [*given] != sorted(set(given)) or source.order:
        raise layer.wrong("it splits a map in a way that archcalc does not have")
    name = axes_named(layer.own(source))[place]
    ends = zip([0, *given], [*given, size], strict=True)
    return [
        layer.add("narrow", [source], {"axis": name, "start": start, "length": end - start}, part=f"/{index}")
        for index, (start, end) in enumerate(ends)
    ]


def _rolled(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`roll` along axes of positions; along others it is opaque."""
    source = only(layer, inputs)
    given = [layer.value(name) for name in ("shift", "axis")]
    shifts, axes = (one if isinstance(one, list) else [one] for one in given)
    whole = all(type(one) is int for one in (*shifts, *axes)) and len(shifts) == len(axes)
    places = [layer.axis(source, axis) for axis in axes] if whole and 0 not in axes else [0]
    if 0 in places or source.order:
        return _same_shape(layer, inputs)
    moved = [0] * (len(layer.own(source)) - 1)
    for place, shift in zip(places, shifts, strict=True):
        moved[place - 1] += shift
    return layer.add("roll", [source], {"shifts": moved})


def _gated(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`glu`: half of the channels, times a sigmoid of the others."""
    source = in_order(layer, only(layer, inputs))
    axis = layer.value("axis", -1)
    if not isinstance(axis, int) or layer.axis(source, axis):
        raise UnreadError("archcalc reads a glu along the channels")
    return layer.add("glu", [source])


def _product(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`matmul` of two maps: their last two axes are rows and columns."""
    maps = [layer.as_layout(one, last=True) for one in inputs]
    shapes = [layer.own(one) for one in maps]
    if len(maps) != 2 or min(map(len, shapes)) < 2 or len(shapes[0]) != len(shapes[1]):
        raise UnreadError("archcalc reads products of two maps with as many axes")
    if shapes[0][1:-1] != shapes[1][1:-1]:
        raise UnreadError("archcalc reads products of maps that agree in all axes but the last two")
    return layer.add("matmul", maps)


def _top(layer: KerasLayer, inputs: list[Tensor]) -> list[Output]:
    """`top_k`: the largest values along the last axis, and their places."""
    source = layer.as_layout(in_order(layer, only(layer, inputs)), last=True)
    size, *positions = layer.own(source)
    count = layer.integer("k", 1)
    if count > size:
        raise layer.wrong(f"k is {count}, its input {layer.keras_shape(source)} has {size} values along the last axis")
    shape = (count, *positions)
    return [layer.opaque([source], shape), partial(layer.opaque, [source], shape, part="/places")]


# --- windows


def _pooled(op: str) -> Maker:
    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        rank = len(layer.own(only(layer, inputs))) - 1
        return pool(op, rank)(layer, inputs)  # type: ignore[return-value]

    return make


def _resized(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    size = layer.sizes("size", 2)
    height, width = size if isinstance(size, list) else (size, size)
    layer.config = {**layer.config, "height": height, "width": width}
    return resize(layer, inputs)


def _cast(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Another type: the same values where it is one of floating point."""
    if "float" not in str(layer.value("dtype", "float32")):
        return _same_shape(layer, inputs)
    return only(layer, inputs)


#: Operations of a map, by their classes.
OPERATIONS: Mapping[str, Maker] = {
    **ACTIVATIONS,
    "TrueDivide": _divided, "Divide": _divided, "Power": _power(), "Reciprocal": _power(-1.0), "Rsqrt": _power(-0.5),
    "Negative": _negative, "Maximum": _maximum, "Cast": _cast,
    "Mean": _reduced("mean", "global_avg_pool"),
    **dict.fromkeys(("Max", "Amax"), _reduced("amax", "global_max_pool")), "Glu": _gated, "Matmul": _product,
    **dict.fromkeys(("Sum", "Min", "Amin", "Prod", "Var", "Std", "Logsumexp", "Any", "All", "Argmax", "Argmin"),
                    _reduced()),
    **dict.fromkeys(
        ("Absolute", "Abs", "Exp", "Exp2", "Expm1", "Log", "Log1p", "Log2", "Log10", "Sin", "Cos", "Tan", "Sinh",
         "Cosh", "Arcsin", "Arccos", "Arctan", "Arcsinh", "Arccosh", "Arctanh", "Round", "Sign", "Floor", "Ceil",
         "Trunc", "Erf", "Erfinv", "Softsign", "LogSigmoid", "Celu", "Isnan", "Isinf", "Isfinite", "LogicalNot",
         "Cumsum", "Cumprod", "Flip", "Sort", "Argsort", "NanToNum"),
        _same_shape,
    ),
    "Roll": _rolled, "ExpandDims": _expanded, "Squeeze": _squeezed, "Split": _split,
    **dict.fromkeys(("Transpose", "Swapaxes", "Moveaxis"), _turned),
    "TopK": _top, "MaxPool": _pooled("max_pool"), "AveragePool": _pooled("avg_pool"), "Resize": _resized,
}  # fmt: skip

#: Functions of TensorFlow in files of Keras 2, and the operations that they are; the second map or number is its `y`.
TENSORFLOW: Mapping[str, str] = {
    **{f"{scope}.{name}": kind
       for scope in ("__operators__", "math")
       for name, kind in {"add": "Add", "subtract": "Subtract", "multiply": "Multiply"}.items()},
    "math.truediv": "TrueDivide", "math.divide": "TrueDivide", "math.negative": "Negative", "math.square": "Square",
    "math.sqrt": "Sqrt", "math.rsqrt": "Rsqrt", "math.reciprocal": "Reciprocal", "math.pow": "Power",
    "math.abs": "Abs", "math.exp": "Exp", "math.log": "Log", "math.maximum": "Maximum",
    "math.reduce_mean": "Mean", "math.reduce_max": "Max", "math.reduce_sum": "Sum", "math.reduce_min": "Min",
    "nn.relu": "Relu", "nn.relu6": "Relu6", "nn.silu": "Silu", "nn.swish": "Silu", "nn.elu": "Elu",
    "math.sigmoid": "Sigmoid", "nn.sigmoid": "Sigmoid", "math.tanh": "Tanh", "nn.tanh": "Tanh",
    "squeeze": "Squeeze", "compat.v1.squeeze": "Squeeze", "expand_dims": "ExpandDims",
}  # fmt: skip
