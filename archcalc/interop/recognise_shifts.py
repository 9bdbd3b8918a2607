"""Masks of attention within windows: how far the map was rolled, where a mask is exactly that of a shift."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from archcalc.interop.recognise_layers import Fixed, UnknownFormError
from archcalc.interop.recognise_masks import MOST_VALUES
from archcalc.interop.recognise_views import Axes, axis_size, whole_axes

if TYPE_CHECKING:
    import numpy

    from archcalc.interop.program import Program

    Array = numpy.ndarray[Any, Any]

#: Authors add this to a score that is hidden, of whose share e^−100 is left. Source: Liu et al. 2021, their code.
_HIDDEN = -100


def values_of(program: Program, tensor: Fixed, ones: Collection[str] = ()) -> Array | None:
    """The values of a tensor of stored ones, with ones in place of some; None where they cannot be had."""
    if math.prod(tensor.shape) > MOST_VALUES:
        return None
    load = program.compute(tensor.name, ones) if tensor.name and program.compute is not None else None
    if load is None and not ones and len(tensor.sources) == 1:
        stored = program.constants[tensor.sources[0]]
        load = stored.load if tensor.axes == whole_axes(stored.shape) else None
    if load is None:
        return None
    from archcalc.interop.arrays import np

    return np.asarray(load()).reshape(tensor.shape)


def as_scores(mask: Array | None, axes: Axes) -> Array | None:
    """A mask for every score of one image, the axes of the queries then the keys; None where it has another form."""
    from archcalc.interop.arrays import np

    sizes = [axis_size(axis) for axis in axes]
    if mask is None or mask.size > math.prod(sizes) * sizes[-1]:
        return None
    leading = max(mask.ndim - len(sizes) - 1, 0)
    if any(size != 1 for size in mask.shape[:leading]):
        return None
    try:
        return np.broadcast_to(mask.reshape(mask.shape[leading:]), (*sizes, sizes[-1]))
    except ValueError:
        return None


def shift_of(mask: Array, axes: Axes, sizes: Sequence[int], fields: dict[str, Any]) -> list[int]:
    """How far a map with these sides was rolled so that its windows have this mask.

    `axes` are those of the queries, as of `as_scores`. Raises `UnknownFormError` for any other mask.
    """
    from archcalc.interop.arrays import np

    seen = mask if mask.dtype.kind == "b" else mask > _HIDDEN
    if mask.dtype.kind != "b" and mask[seen].any():
        raise UnknownFormError("attention with a bias")
    if seen.all():
        return []
    side = fields.get("window_size")
    blocks = [factor.axis for axis in axes[:-1] for factor in axis if factor.axis > 0]
    if side is None or blocks != sorted(blocks):
        raise UnknownFormError("attention with a mask")
    window = [side] * len(sizes) if isinstance(side, int) else list(side)
    for dim, axis in enumerate(axes[:-1]):
        if any(factor.axis > 0 for factor in axis):
            continue
        if not (seen == seen.take([0], dim)).all():
            raise UnknownFormError("attention with a mask for each head")
        seen = seen.take([0], dim)
    places = math.prod(window)
    seen = seen.reshape(-1, places, places)
    first = seen[-1, 0].reshape(window)
    # In the last window of all, a position at its end does not see the first one.
    shifts = [int((~np.moveaxis(first, dim, 0).reshape(first.shape[dim], -1)[:, 0]).sum()) for dim in range(first.ndim)]
    region = np.zeros(tuple(sizes), int)
    for place, (size, shift) in enumerate(zip(sizes, shifts, strict=True)):
        ends = np.arange(size) >= size - shift
        region += 2**place * ends.reshape(-1, *[1] * (len(sizes) - 1 - place))
    is_grid = fields.get("partition") == "grid"
    cut = [part for size, each in zip(sizes, window, strict=True)
           for part in ((each, size // each) if is_grid else (size // each, each))]  # fmt: skip
    outer, inner = range(int(is_grid), len(cut), 2), range(1 - int(is_grid), len(cut), 2)
    parts = region.reshape(cut).transpose(*outer, *inner).reshape(-1, places)
    if len(parts) != len(seen) or not ((parts[:, :, None] == parts[:, None, :]) == seen).all():
        raise UnknownFormError("attention with a mask that is no shift of windows")
    return shifts
