"""Shapes of feature maps: (channels, height, width), or (features,) once flat; the batch is never part of a shape."""

from __future__ import annotations

import re

from archcalc.core.errors import UsageError

Shape = tuple[int, ...]

#: No side of an input or a kernel may be larger: a guard against typos and hostile specs, far above any real network.
LARGEST_SIZE = 1 << 20

_SIZES = re.compile(r"(\d+(?:\s*[x×*]\s*\d+)*)(?:\s+(hwc|chw))?", re.IGNORECASE)
#: As many channels as a picture has: grey, colour, colour and transparency.
_PICTURE = (1, 3, 4)


def parse_image_shape(text: str) -> Shape:
    """Read ``HxWxC``, the notation of papers, into (C, H, W). Raises `UsageError` with what was wanted.

    What looks like channels first, 3x224x224, is refused unless it says which it is: ``3x224x224 chw`` or ``… hwc``.
    """
    wanted = "an input is written height×width×channels, for example 224x224x3"
    match = _SIZES.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"cannot read {text[:60]!r} as a size: {wanted}")
    # Longer digit strings are out of range anyway; reading them would cost time.
    sizes = [int(part) if len(part.strip()) < 20 else LARGEST_SIZE + 1 for part in re.split(r"[x×*]", match[1].lower())]
    if len(sizes) != 3:
        raise UsageError(f"{text[:60]!r} has {len(sizes)} {'number' if len(sizes) == 1 else 'numbers'}: {wanted}")
    for size in sizes:
        if not 1 <= size <= LARGEST_SIZE:
            raise UsageError(f"cannot use {text[:60]!r}: each size must lie between 1 and {LARGEST_SIZE:,}")
    layout = (match[2] or "").lower()
    if layout == "chw":
        return tuple(sizes)
    height, width, channels = sizes
    if not layout and looks_channels_first(height, width, channels):
        raise UsageError(
            f"is {text.strip()} channels first? An input is written height×width×channels: "
            f"{width}x{channels}x{height}. For {channels} channels write '{match[1]} hwc'"
        )
    return (channels, height, width)


def looks_channels_first(first: int, second: int, third: int) -> bool:
    """Whether three sizes read as channels, height and width: as many channels as a picture has, then larger sides."""
    sides = min(second, third)
    if first not in _PICTURE or sides < 8:
        return False
    return (second == third and (first != 4 or sides >= 32)) or (first == 3 and sides >= 32)


def check_channels_first(shape: Shape) -> None:
    """Raise `UsageError` where a shape that is to be (channels, height, width) reads as (height, width, channels)."""
    if len(shape) == 3 and looks_channels_first(shape[2], shape[0], shape[1]):
        height, width, channels = shape
        raise UsageError(
            f"is {shape} height, width and channels? A shape in Python has channels first, ({channels}, {height}, "
            f"{width}); as text it is written {height}x{width}x{channels}"
        )


def format_shape(shape: Shape, layout: str = "hwc") -> str:
    """Write a shape for people: 55×55×96 (``hwc``, as in papers) or 96×55×55 (``chw``, as in PyTorch)."""
    if len(shape) == 3 and layout == "hwc":
        shape = (*shape[1:], shape[0])
    return "×".join(str(size) for size in shape)


def spec_shape(shape: Shape) -> int | str:
    """A shape as specs have it: 7x7x512, or a number if it is flat. `hwc` marks what would read as channels first."""
    if len(shape) == 1:
        return shape[0]
    sizes = (*shape[1:], shape[0])
    return "x".join(map(str, sizes)) + (" hwc" if looks_channels_first(*sizes) else "")


def spatial(shape: Shape) -> tuple[int, int]:
    """Height and width; a flat shape has one position."""
    return (shape[1], shape[2]) if len(shape) == 3 else (1, 1)
