"""Parts of maps, and channels and positions in another order: every value goes back to where it was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archcalc.execute.kernels import arrange
from archcalc.execute.kernels.backward.registry import Gradients, backward
from archcalc.execute.kernels.registry import Array


def _put(grad: Array, x: Array, axis: str, part: slice) -> Gradients:
    """Zeros for what was left out."""
    out = np.zeros_like(x)
    out[arrange.taken(x, axis, part)] = grad
    return Gradients((out,))


@backward("chunk", nature="linear")
def chunk(grad: Array, x: Array, *, chunks: int, index: int = 0, axis: str = "channels") -> Gradients:
    """Zeros for the other chunks."""
    return _put(grad, x, axis, arrange.chunk_part(x, chunks, index, axis))


@backward("split", nature="linear")
def split(grad: Array, x: Array, *, sizes: Sequence[int], index: int = 0, axis: str = "channels") -> Gradients:
    """Zeros for the other parts."""
    return _put(grad, x, axis, arrange.split_part(sizes, index))


@backward("narrow", nature="linear")
def narrow(
    grad: Array, x: Array, *, start: int = 0, length: int | None = None, step: int = 1, axis: str = "channels"
) -> Gradients:
    """Zeros for what was left out."""
    return _put(grad, x, axis, arrange.narrow_part(start, length, step))


@backward("channel_shuffle", nature="linear")
def channel_shuffle(grad: Array, x: Array, *, groups: int) -> Gradients:
    """Shuffled with as many groups as a group has channels."""
    return Gradients((arrange.channel_shuffle(grad, groups=x.shape[1] // groups),))


@backward("permute", nature="linear")
def permute(grad: Array, x: Array, *, dims: Sequence[str]) -> Gradients:
    """The axes back in their order."""
    return Gradients((grad.transpose(np.argsort(arrange.order_of(x, dims))),))


@backward("transpose", nature="linear")
def transpose(grad: Array, x: Array, *, dims: Sequence[str]) -> Gradients:
    """The axes change places again."""
    return Gradients((grad.swapaxes(arrange.axis_of(x, dims[0]), arrange.axis_of(x, dims[1])),))


@backward("pixel_shuffle", nature="linear")
def pixel_shuffle(grad: Array, x: Array, *, upscale_factor: int) -> Gradients:
    """Blocks of positions become channels again."""
    return Gradients((arrange.pixel_unshuffle(grad, downscale_factor=upscale_factor).reshape(x.shape),))


@backward("pixel_unshuffle", nature="linear")
def pixel_unshuffle(grad: Array, x: Array, *, downscale_factor: int) -> Gradients:
    """Channels become blocks of positions again."""
    return Gradients((arrange.pixel_shuffle(grad, upscale_factor=downscale_factor).reshape(x.shape),))


@backward("tokens", nature="linear")
def tokens(grad: Array, x: Array) -> Gradients:
    """The same numbers under the shape that they had."""
    return Gradients((grad.reshape(x.shape),))


@backward("grid", nature="linear")
def grid(grad: Array, x: Array) -> Gradients:
    """The same numbers under the shape that they had."""
    return Gradients((grad.reshape(x.shape),))


@backward("roll", nature="linear")
def roll(grad: Array, x: Array, *, shifts: Sequence[int]) -> Gradients:
    """Moved the other way round."""
    moved = arrange.shifts_of(x, shifts)
    return Gradients((np.roll(grad, tuple(-shift for shift in moved.values()), tuple(moved)),))
