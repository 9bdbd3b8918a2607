"""Shapes of feature maps: (channels, height, width), or (features,) once flat; the batch is never part of a shape."""

from __future__ import annotations

import re

from archcalc.core.errors import UsageError

Shape = tuple[int, ...]

#: No side of an input or a kernel may be larger: a guard against slips and hostile specs, far above any real network.
LARGEST_SIZE = 1 << 20

_SIZES = re.compile(r"\d+(?:\s*[x×*]\s*\d+)*", re.IGNORECASE)


def parse_image_shape(text: str) -> Shape:
    """Read ``HxWxC``, the notation of papers, into (C, H, W). Raises `UsageError` with what was wanted."""
    wanted = "an input is written height×width×channels, for example 224x224x3"
    if not _SIZES.fullmatch(text.strip()):
        raise UsageError(f"cannot read {text[:60]!r} as a size: {wanted}")
    # Longer digit strings are out of range anyway; reading them would cost time.
    sizes = [int(part) if len(part.strip()) < 20 else LARGEST_SIZE + 1 for part in re.split(r"[x×*]", text.lower())]
    if len(sizes) != 3:
        raise UsageError(f"{text[:60]!r} has {len(sizes)} {'number' if len(sizes) == 1 else 'numbers'}: {wanted}")
    for size in sizes:
        if not 1 <= size <= LARGEST_SIZE:
            raise UsageError(f"cannot use {text[:60]!r}: each size must lie between 1 and {LARGEST_SIZE:,}")
    height, width, channels = sizes
    return (channels, height, width)


def format_shape(shape: Shape, layout: str = "hwc") -> str:
    """Write a shape for people: 55×55×96 (``hwc``, as in papers) or 96×55×55 (``chw``, as in PyTorch)."""
    if len(shape) == 3 and layout == "hwc":
        shape = (*shape[1:], shape[0])
    return "×".join(str(size) for size in shape)


def spatial(shape: Shape) -> tuple[int, int]:
    """Height and width; a flat shape has one position."""
    return (shape[1], shape[2]) if len(shape) == 3 else (1, 1)
