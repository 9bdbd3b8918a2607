"""A picture of a map: its channels next to each other, each from its smallest value (black) to its largest (white)."""

from __future__ import annotations

import math
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
    tile = (height * factor + GAP, width * factor + GAP)
    shown = min(channels, max(LARGEST_PICTURE // (tile[0] * tile[1]), 1))
    across = math.ceil(math.sqrt(shown))
    down = math.ceil(shown / across)
    picture = np.full((down * tile[0] + GAP, across * tile[1] + GAP), 128, np.uint8)
    for channel in range(shown):
        row, column = divmod(channel, across)
        grey = _grey(maps[channel]).repeat(factor, axis=0).repeat(factor, axis=1)
        top, left = row * tile[0] + GAP, column * tile[1] + GAP
        picture[top : top + grey.shape[0], left : left + grey.shape[1]] = grey
    return picture


def _grey(plane: Array) -> Array:
    low, high = float(plane.min()), float(plane.max())
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return np.zeros(plane.shape, np.uint8)
    return np.asarray((plane.astype(np.float64) - low) / (high - low) * 255 + 0.5).astype(np.uint8)


def save_feature_maps(path: Path, maps: Array) -> None:
    """Write the picture of the maps (C, *positions) of one image; the file is whole or not there."""
    library = pillow()
    with whole_file(path) as temporary:
        library.Image.fromarray(feature_maps(maps)).save(temporary)
