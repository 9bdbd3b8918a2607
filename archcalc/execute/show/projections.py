"""The picture of projections: a square of them, and next to it a square of the image patches that they come from.

As in Zeiler & Fergus 2013, figure 2: each tile is the receptive field of one activation, cut out of the image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archcalc.execute.kernels import Array
from archcalc.execute.runner.deconv import Projection, Region
from archcalc.execute.show.feature_maps import grid

#: Tiles are enlarged by whole factors to about this many pixels.
TILE = 112
GAP, BETWEEN = 4, 24
#: What lies outside the image, and the ground between tiles.
OUTSIDE, GROUND = 128, 255


def picture(projections: Sequence[Projection], images: Array) -> Array:
    """Bytes (height, width, 3); `images` (N, H, W, 3 or 1) with values 0 … 255."""
    height, width = images.shape[1:3]
    high = min(max(each.region.bottom - each.region.top for each in projections) + 1, height)
    wide = min(max(each.region.right - each.region.left for each in projections) + 1, width)
    left = [_tile(_signal(each.pixels), each.region, high, wide) for each in projections]
    right = [_tile(images[each.image], each.region, high, wide) for each in projections]
    first, second = grid(left, GAP, GROUND), grid(right, GAP, GROUND)
    between = np.full((first.shape[0], BETWEEN, 3), GROUND, np.uint8)
    return np.concatenate([first, between, second], axis=1)


def _signal(pixels: Array) -> Array:
    """Projected pixels (C, H, W) as (H, W, 3 or 1): 0 is the middle grey, black and white what is large either way.

    The largest hundredth is cut off: a few pixels would leave everything else grey.
    """
    if len(pixels) not in (1, 3):
        pixels = pixels.mean(axis=0, keepdims=True)
    sizes = np.abs(pixels[pixels != 0])
    largest = float(np.percentile(sizes, 99)) if sizes.size else 1.0
    return np.moveaxis(pixels.astype(np.float64) / largest * 127 + 128, 0, 2)


def _tile(image: Array, region: Region, high: int, wide: int) -> Array:
    """The region cut out of an image (H, W, C), as (high, wide, 3); grey where it lies outside."""
    height, width, channels = image.shape
    # A field larger than the image is shown as the whole image.
    top = 0 if region.bottom - region.top >= height else region.top
    left = 0 if region.right - region.left >= width else region.left
    out = np.full((high, wide, channels), float(OUTSIDE))
    inside = image[max(top, 0) : top + high, max(left, 0) : left + wide]
    first, second = max(-top, 0), max(-left, 0)
    out[first : first + inside.shape[0], second : second + inside.shape[1]] = inside
    colours = np.clip(out + 0.5, 0, 255).astype(np.uint8)
    factor = max(round(TILE / max(high, wide)), 1)
    wide_colours = colours if channels == 3 else colours.repeat(3, axis=2)
    return wide_colours.repeat(factor, axis=0).repeat(factor, axis=1)
