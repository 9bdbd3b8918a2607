"""Shapes of feature maps: (channels, *positions), with up to three position axes; the batch is never part of a shape.

A vector has no position axis, a signal or a row of tokens one, an image two, a volume three.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from archcalc.core.errors import UsageError

Shape = tuple[int, ...]

#: No side of an input or a kernel may be larger: a guard against typos and hostile specs, far above any real network.
LARGEST_SIZE = 1 << 20
#: The values of a flat map are those of a whole image.
LARGEST_FLAT = 1 << 40
#: The images of a batch, by the same guard.
LARGEST_BATCH = 1 << 20
#: The names of the position axes, by their number.
AXES: tuple[tuple[str, ...], ...] = ((), ("length",), ("height", "width"), ("depth", "height", "width"))
#: Every name of a position axis, in the order in which people write them.
AXIS_NAMES = ("length", "depth", "height", "width")

_SIZES = re.compile(r"(\d+(?:\s*[x×*]\s*\d+)*)(?:\s+(hwc|chw))?", re.IGNORECASE)
#: As many channels as a picture has: grey, colour, colour and transparency.
_PICTURE = (1, 3, 4)
_WANTED = "a size is written positions first and channels last, for example 224x224x3, 16000x1 or 3072"


def parse_shape(text: str) -> Shape:
    """Read ``HxWxC``, the notation of papers, into (C, H, W); likewise ``LxC``, ``DxHxWxC`` and ``C``.

    What looks like channels first, 3x224x224, is refused unless it says which it is: ``3x224x224 chw`` or ``… hwc``.
    Raises `UsageError` with what was wanted.
    """
    match = _SIZES.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"cannot read {text[:60]!r} as a size: {_WANTED}")
    # Longer digit strings are out of range anyway; reading them would cost time.
    sizes = [int(part) if len(part.strip()) < 20 else LARGEST_FLAT + 1 for part in re.split(r"[x×*]", match[1].lower())]
    if len(sizes) > len(AXES):
        raise UsageError(f"{text[:60]!r} has {len(sizes)} numbers, and at most {len(AXES)} can be used: {_WANTED}")
    largest = LARGEST_SIZE if len(sizes) > 1 else LARGEST_FLAT
    for size in sizes:
        if not 1 <= size <= largest:
            raise UsageError(f"cannot use {text[:60]!r}: each size must lie between 1 and {largest:,}")
    layout = (match[2] or "").lower()
    if layout == "chw":
        return tuple(sizes)
    *positions, channels = sizes
    if not layout and looks_channels_first(sizes):
        channels_last = "x".join(map(str, (*sizes[1:], sizes[0])))
        raise UsageError(
            f"is {text.strip()} channels first? A size is written {axes_written(len(positions))}: {channels_last}. "
            f"For {channels} channels write '{match[1]} hwc'"
        )
    return (channels, *positions)


def parse_image_shape(text: str) -> Shape:
    """`parse_shape` for what must have a height and a width."""
    shape = parse_shape(text)
    if len(shape) != 3:
        count = "1 number" if len(shape) == 1 else f"{len(shape)} numbers"
        wanted = "an input is written height×width×channels, for example 224x224x3"
        raise UsageError(f"{text[:60]!r} has {count}: {wanted}")
    return shape


def looks_channels_first(sizes: Sequence[int]) -> bool:
    """Whether sizes read as channels and then positions: as many channels as a picture has, then larger sides."""
    first, *rest = sizes
    if not rest or first not in _PICTURE:
        return False
    if len(rest) == 1:
        return rest[0] >= 32
    sides = min(rest)
    if sides < 8:
        return False
    square = rest[-1] == rest[-2]
    if len(rest) == 3:
        return square
    return (square and (first != 4 or sides >= 32)) or (first == 3 and sides >= 32)


def format_shape(shape: Shape, layout: str = "hwc") -> str:
    """Write a shape for people: 55×55×96 (``hwc``, as in papers) or 96×55×55 (``chw``, as in PyTorch)."""
    if layout == "hwc":
        shape = (*shape[1:], shape[0])
    return "×".join(str(size) for size in shape)


def spec_shape(shape: Shape) -> int | str:
    """A shape as specs have it: 7x7x512, or a number if it is flat. `hwc` marks what would read as channels first."""
    if len(shape) == 1:
        return shape[0]
    sizes = (*shape[1:], shape[0])
    return "x".join(map(str, sizes)) + (" hwc" if looks_channels_first(sizes) else "")


def axes_in_words(rank: int) -> str:
    """The position axes in a sentence: `height, width`."""
    return ", ".join(AXES[rank])


def axes_written(rank: int) -> str:
    """How a shape with so many position axes is written: height×width×channels."""
    return "×".join((*AXES[rank], "channels"))
