"""A picture of a map: its channels next to each other, each from its smallest value (black) to its largest (white)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.core.files import whole_file
from archcalc.execute.kernels import Array
from archcalc.execute.runner.inputs import pillow

#: Small maps are enlarged to this many pixels; larger pictures than this show fewer channels.
SMALLEST_TILE = 32
LARGEST_PICTURE = 1 << 26
GAP = 2
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".ppm")


def check_picture(path: Path) -> None:
    """Raise `UsageError` unless the ending is one of `ENDINGS`."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path}: a picture's name ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")


def feature_maps(maps: Array) -> Array:
    """Channels (C, H, W) as one grey picture (height, width) of bytes.

    Of a volume (C, D, H, W) each slice is a tile; the channels of a signal (C, L) are the rows of one tile.
    """
    maps = maps[None] if maps.ndim == 2 else maps.reshape(-1, *maps.shape[-2:])
    channels, height, width = maps.shape
    factor = -(-SMALLEST_TILE // max(height, width))
    shown = min(channels, max(LARGEST_PICTURE // ((height * factor + GAP) * (width * factor + GAP)), 1))
    tiles = [_grey(plane).repeat(factor, axis=0).repeat(factor, axis=1) for plane in maps[:shown]]
    return grid(tiles, GAP, 128)


def grid(tiles: Sequence[Array], gap: int, ground: int) -> Array:
    """Equal tiles (height, width, …) row by row, as many across as down or one more, with lines of `ground` between."""
    across = math.ceil(math.sqrt(len(tiles)))
    down = math.ceil(len(tiles) / across)
    height, width, *colours = tiles[0].shape
    out = np.full((down * (height + gap) + gap, across * (width + gap) + gap, *colours), ground, np.uint8)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, across)
        top, left = row * (height + gap) + gap, column * (width + gap) + gap
        out[top : top + height, left : left + width] = tile
    return out


def _grey(plane: Array) -> Array:
    low, high = float(plane.min()), float(plane.max())
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return np.zeros(plane.shape, np.uint8)
    return np.asarray((plane.astype(np.float64) - low) / (high - low) * 255 + 0.5).astype(np.uint8)


def save_picture(path: Path, picture: Array) -> None:
    """Write a picture (height, width) or (height, width, 3) of bytes; the file is whole or not there."""
    library = pillow()
    with whole_file(path) as temporary:
        library.Image.fromarray(picture).save(temporary)
