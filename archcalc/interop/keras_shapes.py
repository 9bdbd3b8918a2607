"""Keras's layers that join, cut and reorder maps, and those that do nothing at inference, in ops of archcalc."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.core.shapes import Shape
from archcalc.interop.keras_activations import Maker, same_order
from archcalc.interop.keras_layer import KerasLayer, Tensor, only

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
            number = _constant(layer)
            if number is None:
                return layer.opaque(given, layer.own(given[0]))
            if op == "multiply":
                return same_order(given[0], layer.add("multiply", given, {"factor": number}))
            return rescaled(layer, given[0], 1.0, -number if op == "subtract" else number)
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


def _constant(layer: KerasLayer) -> float | None:
    """The number that an operation of Keras 3 adds to a map or multiplies it by."""
    numbers = [one for one in layer.call.get("args", ()) if isinstance(one, (int, float)) and not isinstance(one, bool)]
    return float(numbers[0]) if len(numbers) == 1 and math.isfinite(numbers[0]) else None


def extreme(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`Maximum` and `Minimum`, which archcalc does not have."""
    given = _alike(layer, inputs)
    return layer.opaque(given, max((layer.own(one) for one in given), key=math.prod))


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
    """A flat map with its values as Keras has them: the map that was flattened, channels last, flattened again."""
    if not tensor.order:
        return tensor
    if not tensor.source:
        raise layer.wrong("it reorders a map that was flattened and joined with others; archcalc cannot")
    rank = len(layer.net.shape(tensor.source))
    turned = layer.net.permute(f"{layer.name}/order", tensor.source, [*range(1, rank), 0], place=layer.place)
    return Tensor(layer.net.add(f"{layer.name}/flatten", "flatten", [turned], place=layer.place))


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
    if not isinstance(sizes, list) or not all(isinstance(size, int) and size >= -1 for size in sizes):
        raise layer.wrong(f"target_shape should be whole numbers, not {given!r:.60}")
    if len(sizes) == len(layer.own(source)) + 1 and layer.kind == "Reshape" and "newshape" in layer.config:
        sizes = sizes[1:]
    total = math.prod(layer.own(source))
    known = math.prod(size for size in sizes if size > 0)
    target = tuple(size if size >= 0 else total // known for size in sizes)
    if math.prod(target) != total or sizes.count(-1) > 1 or not target or 0 in target:
        raise layer.wrong(f"{layer.keras_shape(source)} cannot have the shape {tuple(sizes)}")
    if len(target) > 4:
        raise layer.wrong(f"target_shape {target} has more axes than archcalc can have: channels and three positions")
    return reshaped(layer, source, target)


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
    dims, rank = layer.value("dims", []), len(layer.own(source))
    if not isinstance(dims, list) or sorted(map(str, dims)) != sorted(map(str, range(1, rank + 1))):
        raise layer.wrong(f"dims should name each of {rank} axes once, not {dims!r:.60}")
    old = [layer.axis(source, axis) for axis in dims]
    order = [old[-1], *old[:-1]] if source.last else old
    return Tensor(layer.net.permute(layer.name, source.node, order, place=layer.place), source.last)


def repeat_vector(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = in_order(layer, only(layer, inputs))
    row = layer.add("reshape", [source], {"shape": (layer.own(source)[0], 1)}, part="/row")
    return layer.add("interpolate", [row], {"size": layer.integer("n")}, part="/repeat")


def zero_pad(rank: int) -> Maker:
    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        return layer.add(f"zero_pad{rank}d", [source], {"padding": layer.pairs("padding", rank)})

    return make


def pad(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """`keras.ops.pad`: zeros around positions or channels, −∞ around positions; all else is opaque."""
    source = layer.as_layout(only(layer, inputs), last=True)
    channels, *sizes = layer.own(source)
    pairs = layer.value("pad_width")
    if not isinstance(pairs, list) or len(pairs) != len(sizes) + 2 or not all(map(_is_pair, pairs)) or any(pairs[0]):
        raise layer.wrong(f"pad_width should be a pair for each axis, zeros for the batch, not {pairs!r:.60}")
    _, *around, (before, after) = pairs
    padding = [begin for begin, _ in around] + [end for _, end in around]
    value = layer.call.get("constant_values") or 0
    is_constant = layer.value("mode", "constant") == "constant"
    if is_constant and value == 0 and not any(padding):
        return layer.add("pad_channels", [source], {"before": before, "after": after})
    if is_constant and value == 0 and not before and not after:
        return layer.add(f"zero_pad{len(sizes)}d", [source], {"padding": padding})
    grown = [size + sum(both) for size, both in zip(sizes, around, strict=True)]
    made = layer.opaque([source], (channels + before + after, *grown))
    if is_constant and value == -math.inf and not before and not after:
        layer.net.borders[made.node] = (source.node, padding)
    return made


def _is_pair(given: Any) -> bool:
    return isinstance(given, list) and len(given) == 2 and all(type(side) is int and side >= 0 for side in given)


def crop(rank: int) -> Maker:
    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        return layer.add(f"crop{rank}d", [source], {"margins": layer.pairs("cropping", rank)})

    return make


def center_crop(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = layer.image(only(layer, inputs), 2)
    wanted = [layer.integer(side) for side in ("height", "width")]
    spare = [has - size for has, size in zip(layer.own(source)[1:], wanted, strict=True)]
    if min(spare) < 0:
        return layer.add("interpolate", [source], {"size": wanted, "mode": "bilinear"})
    begins = [one // 2 for one in spare]
    ends = [one - begin for one, begin in zip(spare, begins, strict=True)]
    return layer.add("crop2d", [source], {"margins": begins + ends})


def upsample(rank: int) -> Maker:
    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        factor = layer.sizes("size", rank, 2)
        mode = layer.word("interpolation", "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
        if mode in ("nearest", "bilinear"):
            return layer.add(f"upsample{rank}d", [source], {"scale": factor, "mode": mode})
        channels, *sizes = layer.own(source)
        factors = [factor] * rank if isinstance(factor, int) else factor
        return layer.opaque([source], (channels, *(size * one for size, one in zip(sizes, factors, strict=True))))

    return make


def resize(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    source = layer.image(only(layer, inputs), 2)
    size = [layer.integer(side) for side in ("height", "width")]
    mode = layer.word("interpolation", "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area", "gaussian")
    if (
        mode not in ("bilinear", "nearest")
        or layer.flag("antialias", False)
        or layer.flag("crop_to_aspect_ratio", False)
    ):
        return layer.opaque([source], (layer.own(source)[0], *size))
    return layer.add("interpolate", [source], {"size": size, "mode": mode})


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
    # Keras divides by the root or by 1e-7, whichever is larger, and keeps one more number: how many values it saw.
    fields = {"epsilon": 1e-14, "scale": False, "shift": False}
    arrays = {"running_mean": ("mean", None), "running_var": ("variance", None)}
    rank = max(len(layer.own(source)) - 1, 1)
    return layer.add(f"batch_norm{rank}d", [source], fields, arrays=arrays)


# --- nothing at inference


def nothing(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """What does nothing at inference: noise, masks, the augmentation of images."""
    return only(layer, inputs)


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
    **{f"ZeroPadding{rank}D": zero_pad(rank) for rank in (1, 2, 3)},
    **{f"Cropping{rank}D": crop(rank) for rank in (1, 2, 3)},
    **{f"UpSampling{rank}D": upsample(rank) for rank in (1, 2, 3)},
    "Pad": pad, "CenterCrop": center_crop, "Resizing": resize, "Rescaling": rescaling, "Normalization": normalization,
    "Dropout": dropped("dropout"), "AlphaDropout": dropped("alpha_dropout"), "GaussianDropout": dropped("dropout"),
    **{f"SpatialDropout{rank}D": dropped("feature_dropout") for rank in (1, 2, 3)},
    "StochasticDepth": dropped("stochastic_depth", "drop_path_rate"),
    **dict.fromkeys(
        ("GaussianNoise", "Masking", "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation",
         "RandomTranslation", "RandomZoom", "RandomContrast", "RandomBrightness", "RandomShear", "RandomHue",
         "RandomSaturation", "RandomColorJitter", "RandomGrayscale", "RandomInvert", "RandomPosterization"),
        nothing,
    ),
}  # fmt: skip
