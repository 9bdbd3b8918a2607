"""Keras's layers that change the size of a map: borders, cuts, and other sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.interop.keras_activations import Maker
from archcalc.interop.keras_layer import KerasLayer, Tensor, only
from archcalc.ops.axes import axes_named


def zero_pad(rank: int) -> Maker:
    return _with_pairs(f"zero_pad{rank}d", rank, "padding", "padding")


def crop(rank: int) -> Maker:
    return _with_pairs(f"crop{rank}d", rank, "margins", "cropping")


def _with_pairs(op: str, rank: int, field: str, setting: str) -> Maker:
    """A layer with a pair of numbers for each axis: the field of the op, and the setting in Keras."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
        source = layer.image(only(layer, inputs), rank)
        return layer.add(op, [source], {field: layer.pairs(setting, rank)})

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
    if layer.value("mode", "constant") == "reflect" and not before and not after:
        return layer.add("reflection_pad", [source], {"padding": padding})
    grown = [size + sum(both) for size, both in zip(sizes, around, strict=True)]
    made = layer.opaque([source], (channels + before + after, *grown))
    if is_constant and value == -math.inf and not before and not after:
        layer.net.borders[made.node] = (source.node, padding)
    return made


def _is_pair(given: Any) -> bool:
    return isinstance(given, list) and len(given) == 2 and all(type(side) is int and side >= 0 for side in given)


def center_crop(layer: KerasLayer, inputs: list[Tensor]) -> Tensor:
    """The middle of a map; one that is smaller on a side is cut to the ratio of the sides and resized."""
    source = layer.image(only(layer, inputs), 2)
    wanted = [layer.integer(side) for side in ("height", "width")]
    if any(has < size for has, size in zip(layer.own(source)[1:], wanted, strict=True)):
        cut = _middle(layer, source, _of_ratio(layer.own(source)[1:], wanted, min), "/crop")
        return layer.add("interpolate", [cut], {"size": wanted, "mode": "bilinear"})
    return _middle(layer, source, wanted, "")


def _of_ratio(sizes: Sequence[int], wanted: Sequence[int], choose: Callable[[int, int], int]) -> list[int]:
    """The sizes cut (`min`) or padded (`max`) to the ratio of those that are wanted.

    Source: keras-team/keras 3, keras/src/backend/torch/image.py, `resize`; keras/src/utils/image_utils.py.
    """
    (height, width), (high, wide) = sizes, wanted
    return [max(choose(height, width * high // wide), 1), max(choose(width, height * wide // high), 1)]


def _middle(layer: KerasLayer, source: Tensor, sizes: Sequence[int], part: str) -> Tensor:
    """So many positions from the middle of both axes."""
    spare = [has - size for has, size in zip(layer.own(source)[1:], sizes, strict=True)]
    begins = [one // 2 for one in spare]
    ends = [one - begin for one, begin in zip(spare, begins, strict=True)]
    return layer.add("crop2d", [source], {"margins": begins + ends}, part=part) if any(spare) or not part else source


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
    """`Resizing`: stretched, or first cut or padded with zeros to the ratio of the sides."""
    source = layer.image(only(layer, inputs), 2)
    size = [layer.integer(side) for side in ("height", "width")]
    mode = layer.word("interpolation", "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area", "gaussian")
    antialias = {"antialias": True} if layer.flag("antialias", False) and mode == "bilinear" else {}
    cuts, pads = layer.flag("crop_to_aspect_ratio", False), layer.flag("pad_to_aspect_ratio", False)
    sizes = list(layer.own(source)[1:])
    whole = _of_ratio(sizes, size, max) if pads else sizes
    around = [grown - old for grown, old in zip(whole, sizes, strict=True)]
    # Backends of Keras differ in where an odd position goes, and in their cubics.
    is_known = not any(one % 2 for one in around) and (not any(around) or layer.number("fill_value", 0.0) == 0)
    if mode not in ("bilinear", "nearest") or not is_known or (cuts and pads):
        return layer.opaque([source], (layer.own(source)[0], *size))
    cut = _of_ratio(sizes, size, min) if cuts else whole
    if mode == "nearest" and any(old % new and new % old for old, new in zip(cut, size, strict=True)):
        return layer.opaque([source], (layer.own(source)[0], *size))
    if cuts:
        source = _middle(layer, source, cut, "/crop")
    if any(around):
        source = layer.add("zero_pad2d", [source], {"padding": [one // 2 for one in around] * 2}, part="/pad")
    if mode == "nearest":
        source = _middles(layer, source, size)
    return layer.add("interpolate", [source], {"size": size, "mode": mode, **antialias})


def _middles(layer: KerasLayer, source: Tensor, size: Sequence[int]) -> Tensor:
    """Along each axis that is a whole number of times too long, the position at the middle of each part.

    Source: keras-team/keras 3, `resize` with `nearest` takes the position ⌊(i + ½)·old/new⌋.
    """
    shape = layer.own(source)
    for axis, old, new in zip(axes_named(shape)[1:], shape[1:], size, strict=True):
        if old > new:
            fields = {"axis": axis, "start": old // new // 2, "length": new, "step": old // new}
            source = layer.add("narrow", [source], fields, part=f"/{axis}")
    return source


#: The classes, by their names in Keras.
SIZES: Mapping[str, Maker] = {
    **{f"ZeroPadding{rank}D": zero_pad(rank) for rank in (1, 2, 3)},
    **{f"Cropping{rank}D": crop(rank) for rank in (1, 2, 3)},
    **{f"UpSampling{rank}D": upsample(rank) for rank in (1, 2, 3)},
    "Pad": pad, "CenterCrop": center_crop, "Resizing": resize,
}  # fmt: skip
