"""Keras's layers that join and reorder maps, and those that do nothing at inference, in ops of archcalc."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.core.shapes import Shape
from archcalc.interop.keras_activations import Maker, same_order
from archcalc.interop.keras_layer import KerasLayer, Tensor, Wide, only
from archcalc.interop.keras_masks import NOTE
from archcalc.ops.axes import axes_named
from archcalc.ops.norm import NORMALIZATION_EPSILON

# --- joining


def _alike(layer: KerasLayer, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Maps in the layout of the first, whose values lie in the same order; flat ones that do not are put in order."""
    if not inputs:
        raise layer.wrong("it needs an input")
    largest = max(inputs, key=lambda one: len(layer.own(one)))
    found = [layer.as_layout(one, largest.last) for one in inputs]
    if len({one.order for one in found}) > 1:
        found = [in_order(layer, one) for one in found]
    return found


def merge(op: str) -> Maker:
    """`Add`, `Multiply`, `Subtract`, `Average`: maps of one shape, or spread over one another as in NumPy."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        given = _alike(layer, inputs)
        if len(given) == 1:
            number, is_first = constant(layer)
            if number is None:
                return layer.opaque(given, layer.own(given[0]))
            if op == "multiply":
                return same_order(given[0], layer.add("multiply", given, {"factor": number}))
            if op == "subtract":
                return rescaled(layer, given[0], *((-1.0, number) if is_first else (1.0, -number)))
            return rescaled(layer, given[0], 1.0, number)
        shapes = {layer.own(one) for one in given}
        spread = {"broadcast": True} if len(shapes) > 1 else {}
        mean = op == "average"
        found = layer.add("add" if mean else op, given, spread, part="/add" if mean else "")
        if mean:
            found = layer.add("multiply", [found], {"factor": 1 / len(given)}, part="/mean")
        return same_order(given[0], found) if len(shapes) == 1 else found

    return make


def scaled_sum(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """The layer of Keras's Inception-ResNet-v2: the first map plus the second times a fixed `scale`."""
    if len(inputs) != 2:
        raise layer.wrong(f"it takes two inputs, {len(inputs)} reach it")
    scaled = layer.add("multiply", inputs[1:], {"factor": layer.number("scale")}, part="/multiply")
    return layer.add("add", [inputs[0], scaled], part="/add")


def constant(layer: KerasLayer) -> tuple[float | None, bool]:
    """The number that an operation of Keras 3 takes besides a map, and whether it stands before it."""
    args = layer.call.get("args", ())
    numbers = [one for one in args if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if len(numbers) != 1 or not math.isfinite(numbers[0]):
        return None, False
    return float(numbers[0]), args[0] is numbers[0]


def extreme(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`Maximum` and `Minimum`: a + max(b − a, 0) is the larger one of a and b, a − max(a − b, 0) the smaller one."""
    given = _alike(layer, inputs)
    is_larger = layer.kind == "Maximum"
    if len(given) < 2:
        number, _ = constant(layer)
        if number is None:
            return layer.opaque(given, layer.own(given[0]))
        sign = 1.0 if is_larger else -1.0
        shifted = layer.add("rescale", given, {"factor": sign, "offset": -sign * number}, part="/shift")
        bounded = layer.add("relu", [shifted], part="/relu")
        return same_order(given[0], layer.add("rescale", [bounded], {"factor": sign, "offset": number}, part="/back"))
    found, shapes = given[0], {layer.own(one) for one in given}
    for index, other in enumerate(given[1:], 1):
        part, spread = f"/{index}" if len(given) > 2 else "", {}
        if len({layer.own(found), layer.own(other)}) > 1:
            spread = {"broadcast": True}
        pair = [other, found] if is_larger else [found, other]
        more = layer.add("relu", [layer.add("subtract", pair, spread, part=f"{part}/subtract")], part=f"{part}/relu")
        found = layer.add("add" if is_larger else "subtract", [found, more], spread, part=f"{part}/add")
    return same_order(given[0], found) if len(shapes) == 1 else found


def concatenate(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    axis = layer.value("axis", layer.call.get("axis", -1))
    if not isinstance(axis, int) or not inputs:
        raise layer.wrong(f"axis should be a whole number, not {axis!r:.40}")
    given = [layer.as_layout(one, inputs[0].last) for one in inputs]
    place = layer.axis(given[0], axis)
    orders = [one.order or (layer.own(one),) for one in given]
    node = layer.net.concat(layer.name, [one.node for one in given], place, place=layer.place)
    scrambled = tuple(shape for order in orders for shape in order) if any(one.order for one in given) else ()
    return Tensor(node, given[0].last, scrambled)


# --- order and shape


def in_order(layer: KerasLayer, tensor: Tensor) -> Tensor:
    """A flat map with its values as Keras has them: each map that was flattened, channels last, flattened again."""
    if not tensor.order:
        return tensor
    if tensor.source:
        layer.net.spare.add(tensor.node)
        return Tensor(_turned(layer, tensor.source, ""))
    if len(tensor.order) == 1:
        return Tensor(_unflattened(layer, tensor.node, tensor.order[0], ""))
    start, parts = 0, []
    for index, shape in enumerate(tensor.order):
        fields = {"axis": "channels", "start": start, "length": math.prod(shape)}
        node = layer.net.add(f"{layer.name}/part/{index}", "narrow", [tensor.node], fields, place=layer.place)
        is_same = shape[0] == 1 or shape[0] == math.prod(shape)
        parts.append(node if is_same else _unflattened(layer, node, shape, f"/{index}"))
        start += math.prod(shape)
    return Tensor(layer.net.concat(f"{layer.name}/concat", parts, 0, place=layer.place))


def _unflattened(layer: KerasLayer, node: str, shape: Shape, part: str) -> str:
    """The values of a map of this shape, from channels first to channels last."""
    whole = layer.net.add(f"{layer.name}/reshape{part}", "reshape", [node], {"shape": shape}, place=layer.place)
    return _turned(layer, whole, part)


def _turned(layer: KerasLayer, node: str, part: str) -> str:
    """A map flattened with its channels last."""
    order = [*range(1, len(layer.net.shape(node))), 0]
    turned = layer.net.permute(f"{layer.name}/order{part}", node, order, place=layer.place)
    return layer.net.add(f"{layer.name}/flatten{part}", "flatten", [turned], place=layer.place)


def flatten(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """The values in a row: here channel by channel, in Keras position by position."""
    source = only(layer, inputs)
    shape = layer.own(source)
    if len(shape) == 1:
        return source
    scrambled = source.last or layer.config.get("data_format") == "channels_first"
    order = (shape,) if scrambled and math.prod(shape[1:]) > 1 and shape[0] > 1 else ()
    found = layer.add("flatten", [source])
    return Tensor(found.node, last=True, order=order, source=source.node if order else "")


def reshape(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """Another shape for the values in Keras's order."""
    source = only(layer, inputs)
    given = layer.value("target_shape", layer.value("newshape", []))
    sizes = [given] if isinstance(given, int) else given
    if "newshape" in layer.config and isinstance(sizes, list):
        if len(sizes) < 2:
            raise layer.wrong("it joins the images of a batch; archcalc counts one image")
        sizes = sizes[1:]
    if not isinstance(sizes, list) or not all(isinstance(size, int) and size >= -1 for size in sizes):
        raise layer.wrong(f"target_shape should be whole numbers, not {given!r:.60}")
    own = layer.net.shape(source.node)
    total = math.prod(own)
    known = math.prod(size for size in sizes if size > 0)
    target = tuple(size if size >= 0 else total // known for size in sizes)
    if math.prod(target) != total or sizes.count(-1) > 1 or not target or 0 in target:
        shown = source.wide.sizes if source.wide else layer.keras_shape(source)
        raise layer.wrong(f"{shown} cannot have the shape {tuple(sizes)}")
    if source.wide is not None:
        return _gathered(layer, source, source.wide, target)
    if 4 < len(target) <= _MOST_AXES and source.last and not source.order:
        return source._replace(wide=Wide(target, tuple(range(len(target)))))
    if len(target) > 4:
        raise layer.wrong(f"target_shape {target} has more axes than archcalc can have: channels and three positions")
    return reshaped(layer, source, target)


#: Channels and three positions, each in two parts.
_MOST_AXES = 7


def _gathered(layer: KerasLayer, source: Tensor, wide: Wide, target: Shape) -> Tensor:
    """A map that was split into more axes, turned and put together again: a pixel shuffle or its inverse."""
    own = layer.net.shape(source.node)
    rank, plain = len(own) - 1, source._replace(wide=None)
    if len(wide.sizes) == 2 * rank + 1:
        *positions, depth = target
        factor = wide.sizes[-1]
        blocks = (*own[1:], depth, *[factor] * rank)
        turned = (*(axis for place in range(rank) for axis in (place, 1 + rank + place)), rank)
        if (wide.sizes, wide.order) == (blocks, turned) and positions == [size * factor for size in own[1:]]:
            return layer.add("pixel_shuffle", [plain], {"upscale_factor": factor})
        factor = wide.sizes[1]
        blocks = (*(part for size in positions for part in (size, factor)), own[0])
        turned = (*range(0, 2 * rank, 2), 2 * rank, *range(1, 2 * rank, 2))
        if (wide.sizes, wide.order) == (blocks, turned) and depth == own[0] * factor**rank:
            return layer.add("pixel_unshuffle", [plain], {"downscale_factor": factor})
    raise layer.wrong(
        f"it joins {len(wide.sizes)} axes, more than archcalc can have, in another way than a pixel shuffle does"
    )


def reshaped(layer: KerasLayer, source: Tensor, target: Shape) -> Tensor:
    """The map with this shape in Keras, by the op that says it best."""
    own, theirs = layer.own(source), layer.keras_shape(source)
    last = layer.last if len(own) == 1 else source.last
    wanted = (target[-1], *target[:-1]) if last else target
    if target == theirs:
        return source
    if source.order and len(source.order) == 1 and source.order[0] == wanted and last:
        return layer.add("reshape", [source], {"shape": wanted})._replace(last=last)
    source = in_order(layer, source)
    if not last or (math.prod(own[1:]) == 1 and math.prod(wanted[1:]) == 1):
        if len(target) == 1:
            return layer.add("flatten", [source])._replace(last=last)
        return layer.add("reshape", [source], {"shape": wanted})._replace(last=last)
    if len(target) == 2 and wanted[0] == own[0] and len(own) > 2:
        return layer.add("tokens", [source])
    if len(own) == 2 and wanted[0] == own[0] and len(target) > 2:
        return layer.add("grid", [source], {"size": list(target[:-1])})
    net, at = layer.net, layer.place
    node = source.node
    if len(own) > 1:
        node = net.permute(f"{layer.name}/order", node, [*range(1, len(own)), 0], place=at)
    if len(target) == 1:
        return Tensor(net.add(f"{layer.name}/flatten", "flatten", [node], place=at))
    node = net.add(f"{layer.name}/reshape", "reshape", [node], {"shape": target}, place=at)
    rank = len(target)
    return Tensor(net.permute(f"{layer.name}/channels", node, [rank - 1, *range(rank - 1)], place=at))


def permute(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`Permute`: its `dims` count from 1."""
    source = in_order(layer, only(layer, inputs))
    dims, rank = layer.value("dims", []), len(source.wide.sizes if source.wide else layer.own(source))
    if not isinstance(dims, list) or sorted(map(str, dims)) != sorted(map(str, range(1, rank + 1))):
        raise layer.wrong(f"dims should name each of {rank} axes once, not {dims!r:.60}")
    if source.wide is not None:
        turned = tuple([source.wide.order[axis - 1] for axis in dims])
        return source._replace(wide=source.wide._replace(order=turned))
    old = [layer.axis(source, axis) for axis in dims]
    order = [old[-1], *old[:-1]] if source.last else old
    return Tensor(layer.net.permute(layer.name, source.node, order, place=layer.place), source.last)


def repeat_vector(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = in_order(layer, only(layer, inputs))
    row = layer.add("reshape", [source], {"shape": (layer.own(source)[0], 1)}, part="/row")
    return layer.add("interpolate", [row], {"size": layer.integer("n")}, part="/repeat")


_DOTS = "__ellipsis__"


def part_of(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`x[:, 1:5, ::2]`: places of some axes; all else that stands in brackets is opaque, and needs its shape."""
    found = in_order(layer, only(layer, inputs))
    given = layer.call.get("args")
    index = given[1] if isinstance(given, list) and len(given) == 2 else None
    shape = layer.keras_shape(found)
    listed = _without_dots(index, len(shape) + 1) if isinstance(index, list) else []
    slices = [_slice(one) for one in listed if one is not None]
    if not slices or None in slices or slices[0] != (None, None, None) or len(slices) > len(shape) + 1:
        known = layer.shape or layer.seen
        if known is None or 0 in known:
            raise layer.wrong("archcalc reads whole numbers from, to and step for each axis but the batch, all of it")
        return layer.opaque([found], known)._replace(last=layer.last)
    names = axes_named(layer.own(found))
    for dim, one in enumerate(slices[1:], 1):
        assert one is not None
        places = range(shape[dim - 1])[slice(*one)]
        if len(places) == shape[dim - 1] and places.step == 1:
            continue
        if not places or places.step < 1:
            raise layer.wrong(f"axis {dim} of {shape[dim - 1]} has no places from {one[0]} to {one[1]} by {one[2]}")
        axis = names[layer.axis(found, dim)]
        fields = {"axis": axis, "start": places.start, "length": len(places), "step": places.step}
        found = layer.add("narrow", [found], fields, part=f"/{axis}")
    if all(isinstance(one, Mapping) for one in listed):
        return found
    left: list[int] = []
    sizes = iter(layer.keras_shape(found))
    for one in listed[1:]:
        if one is None:  # a new axis
            left.append(1)
        elif type(one) is int:
            next(sizes)
        else:
            left.append(next(sizes))
    return with_shape(layer, found, (*left, *sizes) or (1,))


def with_shape(layer: KerasLayer, source: Tensor, target: Shape) -> Tensor:
    """The map with other axes of size 1."""
    if len(target) > 4:
        raise layer.wrong(f"shape {target} has more axes than archcalc can have: channels and three positions")
    return reshaped(layer.after("_reshape") if layer.made else layer, source, target)


def _without_dots(index: list[Any], rank: int) -> list[Any]:
    """The entries with a whole slice for each axis that `...` stands for."""
    dots = [place for place, one in enumerate(index) if isinstance(one, Mapping) and one.get("class_name") == _DOTS]
    if len(dots) != 1:
        return index
    whole = {"class_name": "__slice__", "config": {}}
    named = sum(one is not None for one in index) - 1
    return [*index[: dots[0]], *[whole] * (rank - named), *index[dots[0] + 1 :]]


def _slice(given: Any) -> tuple[int | None, int | None, int | None] | None:
    """Start, end and step as Keras 3 writes them, also of one place; None for what is no slice of whole numbers."""
    if type(given) is int:
        return given, given + 1 or None, 1
    config = given.get("config") if isinstance(given, Mapping) and given.get("class_name") == "__slice__" else None
    if not isinstance(config, Mapping):
        return None
    start, stop, step = (config.get(name) for name in ("start", "stop", "step"))
    if step == 0 or any(one is not None and type(one) is not int for one in (start, stop, step)):
        return None
    return start, stop, step


# --- constants


def rescaling(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`Rescaling`: x·scale + offset, with fixed numbers, one or one for each channel."""
    scale, offset = layer.value("scale", 1), layer.value("offset", 0)
    return rescaled(layer, only(layer, inputs), scale, offset)


def rescaled(layer: KerasLayer, source: Tensor, scale: Any, offset: Any) -> Tensor:
    """Fixed numbers times a map, and added to it."""
    factor, shift = (_numbers(layer, source, given) for given in (scale, offset))
    if factor is None or shift is None:
        return same_order(source, layer.opaque([source], layer.own(source)))
    if shift == 0 and not isinstance(factor, list):
        return same_order(source, layer.add("multiply", [source], {"factor": factor}))
    return same_order(source, layer.add("rescale", [source], {"factor": factor, "offset": shift}))


def _numbers(layer: KerasLayer, source: Tensor, given: Any) -> float | list[float] | None:
    """A number, or one for each channel; None for anything else. Nested lists with one row are that row."""
    while isinstance(given, list) and len(given) == 1:
        given = given[0]
    values = given if isinstance(given, list) else [given]
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) and math.isfinite(one) for one in values):
        return None
    if not isinstance(given, list):
        return float(given)
    is_by_channel = source.last and not source.order and len(values) == layer.own(source)[0]
    return [float(one) for one in values] if is_by_channel else None


def _listed(numbers: float | list[float]) -> list[float]:
    return numbers if isinstance(numbers, list) else [numbers]


def _standard(mean: Any, variance: Any, is_inverse: bool) -> tuple[Any, Any]:
    """The factor and the offset of (x − mean)/deviation, or of its inverse.

    Keras divides by the root of the variance or by 1e-7, whichever is larger.
    """
    count = max(len(_listed(mean)), len(_listed(variance)))
    means, variances = (each * (count // len(each)) for each in map(_listed, (mean, variance)))
    deviations = [max(math.sqrt(one), 1e-7) for one in variances]
    if is_inverse:
        factors, offsets = deviations, means
    else:
        factors = [1 / one for one in deviations]
        offsets = [-one / by for one, by in zip(means, deviations, strict=True)]
    is_single = not isinstance(mean, list) and not isinstance(variance, list)
    return (factors[0], offsets[0]) if is_single else (factors, offsets)


def normalization(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`Normalization`: with the statistics of the data, kept as arrays, or with those that the file gives."""
    source = only(layer, inputs)
    axis = layer.value("axis", -1)
    axes = axis if isinstance(axis, list) else [axis]
    is_inverse = layer.config.get("invert") is True
    if layer.config.get("mean") is not None:
        mean, variance = (_numbers(layer, source, layer.config.get(name)) for name in ("mean", "variance"))
        on_channels = all(isinstance(one, int) and not layer.axis(source, one) for one in axes)
        if mean is None or variance is None or not on_channels or min(_listed(variance)) < 0:
            return same_order(source, layer.opaque([source], layer.own(source)))
        return rescaled(layer, source, *_standard(mean, variance, is_inverse))
    if is_inverse:
        return same_order(source, layer.opaque([source], layer.own(source)))
    if len(axes) != 1 or not isinstance(axes[0], int) or layer.axis(source, axes[0]) or source.order:
        return layer.opaque([source], layer.own(source))
    # Keras keeps one more number: how many values it saw.
    fields = {"epsilon": NORMALIZATION_EPSILON, "scale": False, "shift": False}
    arrays = {"running_mean": ("mean", None), "running_var": ("variance", None)}
    rank = max(len(layer.own(source)) - 1, 1)
    return layer.add(f"batch_norm{rank}d", [source], fields, arrays=arrays)


# --- nothing at inference


def nothing(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """What does nothing at inference: noise, the augmentation of images."""
    return only(layer, inputs)


def masking(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`Masking`: steps with nothing but one number become 0, which they are where the number is 0."""
    source = only(layer, inputs)
    if layer.number("mask_value", 0.0) == 0:
        return source
    found = layer.add("identity", [source])
    layer.net.masked.add(found.node)
    layer.net.note(NOTE.format(layer.name))
    return same_order(source, found)


def dropped(op: str, rate: str = "rate") -> Maker:
    """What drops values in training."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = only(layer, inputs)
        return same_order(source, layer.add(op, [source], {"p": layer.number(rate, 0.5)}))

    return make


#: The classes, by their names in Keras.
SHAPES: Mapping[str, Maker] = {
    "Add": merge("add"), "Multiply": merge("multiply"), "Subtract": merge("subtract"), "Average": merge("average"),
    "CustomScaleLayer": scaled_sum, "Maximum": extreme, "Minimum": extreme, "Concatenate": concatenate,
    "Flatten": flatten, "Reshape": reshape, "Permute": permute, "RepeatVector": repeat_vector,
    "GetItem": part_of, "Rescaling": rescaling,
    "Normalization": normalization, "Masking": masking,
    "Dropout": dropped("dropout"), "AlphaDropout": dropped("alpha_dropout"), "GaussianDropout": dropped("dropout"),
    **{f"SpatialDropout{rank}D": dropped("feature_dropout") for rank in (1, 2, 3)},
    "StochasticDepth": dropped("stochastic_depth", "drop_path_rate"),
    **dict.fromkeys(
        ("GaussianNoise", "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation",
         "RandomTranslation", "RandomZoom", "RandomContrast", "RandomBrightness", "RandomShear", "RandomHue",
         "RandomSaturation", "RandomColorJitter", "RandomGrayscale", "RandomInvert", "RandomPosterization"),
        nothing,
    ),
}  # fmt: skip
